"""A leaky bucket that several servers share, in the ledger's database and by its clock."""

from __future__ import annotations

from dropship_mcp.ledger.postgres_database import Database
from dropship_mcp.ledger.postgres_driver import Connection


class PostgresBucket:
    """Kept as the time at which it will be empty: exact, and nothing to update while it leaks."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = database.hasher.trace(name)  # tells logins apart; none can be read from it

    async def pour(self, seconds: float, most: float) -> float:
        """Add `seconds`, unless it would hold more than `most` then; the seconds it holds, or would hold."""

        async def work(db: Connection) -> float:
            wanted = await self._present(db) + seconds
            if wanted <= most:
                await self._set(db, wanted)
            return wanted

        return await self._database.change(work)

    async def fill(self, seconds: float) -> None:
        """Let it hold at least `seconds`."""

        async def work(db: Connection) -> None:
            await self._set(db, max(seconds, await self._present(db)))

        await self._database.change(work)

    async def _present(self, db: Connection) -> float:
        """What it holds; nobody else can change it until the transaction ends."""
        await db.execute("INSERT INTO buckets VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING", self._name)
        left = await db.fetchval(
            "SELECT extract(epoch FROM empty_at - clock_timestamp())::float8 FROM buckets WHERE name = $1 FOR UPDATE",
            self._name,
        )
        return max(0.0, left)

    async def _set(self, db: Connection, seconds: float) -> None:
        await db.execute(
            "UPDATE buckets SET empty_at = clock_timestamp() + make_interval(secs => $2) WHERE name = $1",
            *(self._name, seconds),
        )
