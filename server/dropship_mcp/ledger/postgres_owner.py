"""Which processes that share a database are still alive.

Every process holds an advisory lock on a connection of its own; the database releases it when the connection ends,
however that comes about. That is exact where a lease would have to guess: no clock is compared, nobody waits for a
lease to run out, and a process that is merely slow is not taken for dead. What a lease would do better is a machine
that is cut off: there the database has to notice, which TCP keepalive does within half a minute.

The lock can be lost while the process lives: the database was restarted, or a proxy closed the connection. Others then
take the process for dead, rightly so, for it cannot say that it lives. It takes a new name before it claims or sends
anything further; what it carries under the old name it may still send if nobody has taken it (`PostgresLedger.sending`
asks in the transaction), and what it had sent is `unknown` to others, who look before they do anything.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Awaitable, Callable

import anyio

from dropship_mcp.ledger.postgres_driver import Connection

LIVING = (
    "SELECT lpad(to_hex((classid::bigint << 32) | objid::bigint), 16, '0') FROM pg_locks "
    "WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
"""The names of all processes that live."""

IS_ALIVE = f"SELECT $1 IN ({LIVING})"


class Presence:
    """This process in the database, as long as it lives. Several in one process are several owners.

    Needs a connection that stays: no pooler that shares connections between transactions.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._one_at_a_time = anyio.Lock()
        self.owner = ""
        """The present name; empty before the first."""

    async def ensure(self, db: Connection) -> None:
        """Be alive to others under `owner`, which changes if the name was lost."""
        async with self._one_at_a_time:
            if self._connection is not None:
                if not self._connection.is_closed() and await db.fetchval(IS_ALIVE, self.owner):
                    return
                self._connection.terminate()
                self._connection = None
            connection = await self._connect()
            owner = secrets.token_bytes(8)
            try:
                await connection.execute("SELECT pg_advisory_lock($1)", _number(owner))
            except BaseException:
                connection.terminate()
                raise
            self._connection, self.owner = connection, owner.hex()

    async def end(self) -> None:
        """Leave. Rows still held count as those of a dead process from now on."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(Exception):  # whatever fails: the lock is gone with the connection
            await connection.execute("SELECT pg_advisory_unlock($1)", _number(bytes.fromhex(self.owner)))
            await connection.close(timeout=1)
        connection.terminate()


def _number(owner: bytes) -> int:
    return int.from_bytes(owner, "big", signed=True)
