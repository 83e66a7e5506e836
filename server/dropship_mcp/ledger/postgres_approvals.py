"""A person's agreement in PostgreSQL: asked for, decided once, used once.

Whatever changes approvals holds the lock `judging`, as claims under rules do: nobody decides on a question while
another process uses the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from dropship_mcp.ledger.approvals import COLUMNS, MOST_WAITING, identity, read_approval, readable
from dropship_mcp.ledger.hashing import ContentHasher
from dropship_mcp.ledger.postgres_database import Database
from dropship_mcp.ledger.postgres_driver import Connection
from dropship_mcp.ledger.postgres_schema import lock
from dropship_mcp.ledger.reading import time_text
from dropship_mcp.ledger.rows import Approval, ApprovalState, Content, Decided, OrderKey, Terms, Withheld
from dropship_mcp.policy import HOUR, Verdict

_OVERDUE = "state IN ('waiting', 'approved') AND expires_at <= $1"


class PostgresApprovals:
    """The questions that wait for a person, and what the person said."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def decide(self, number: int, *, agreed: bool, how: str, good_for: timedelta) -> None:
        """Record what a person said. An agreement can be used once, within `good_for`.

        Raises:
            Decided: it does not wait any more, or there is no such question.
        """
        now = self._now()
        state: ApprovalState = "approved" if agreed else "declined"

        async def work(db: Connection) -> Decided | None:
            await judging(db, self._database.schema)
            await _expire(db, now)
            done = await db.fetchval(
                "UPDATE approvals SET state = $1, how = $2, decided_at = $3, expires_at = $4, question = '' "
                "WHERE id = $5 AND state = 'waiting' RETURNING id",
                *(state, how, time_text(now), time_text(now + good_for), number),
            )
            if done:
                return None
            present = await _by_number(db, number)
            return Decided(present.state if present else None)

        async def is_written(db: Connection, result: Decided | None) -> bool:
            present = await _by_number(db, number)
            return present is not None and (present.how, present.decided_at) == (how, _kept(now)) and not result

        if decided := await self._database.change(work, is_written):
            raise decided

    async def reopen(self, number: int) -> bool:
        """Take a person's no back, so that the next call asks anew; False if it is no no."""
        change = "UPDATE approvals SET state = 'expired' WHERE id = $1 AND state = 'declined' RETURNING id"

        async def work(db: Connection) -> bool:
            return await db.fetchval(change, number) is not None

        async def is_written(db: Connection, result: bool) -> bool:
            present = await _by_number(db, number)
            return (present is not None and present.state == "expired") == result

        return await self._database.change(work, is_written)

    async def get(self, number: int) -> Approval | None:
        """One approval, its question in clear; None if there is none."""
        await self._close_overdue()
        found = await self._database.read(lambda db: _by_number(db, number))
        return found and readable(found, self._database.hasher)

    async def recent(
        self, mode: str | None = None, state: ApprovalState | None = None, limit: int = 100
    ) -> list[Approval]:
        """Approvals, newest first, their questions in clear."""
        query = (
            f"SELECT {COLUMNS} FROM approvals WHERE ($1::text IS NULL OR mode = $1) "
            "AND ($2::text IS NULL OR state = $2) ORDER BY id DESC LIMIT $3"
        )
        await self._close_overdue()
        found = await self._database.read(lambda db: db.fetch(query, mode, state, limit))
        return [readable(read_approval(row), self._database.hasher) for row in found]

    async def sealed(self, approval: Approval) -> str:
        """Says which question this is, so that only this ledger can write or read it."""
        return self._database.hasher.seal(identity(approval))

    async def is_sealed(self, state: str, approval: Approval) -> bool:
        """Whether `state` was sealed for this question."""
        return self._database.hasher.unseal(state) == identity(approval)

    async def _close_overdue(self) -> None:
        """Readers write only when there is something to write."""
        now = self._now()

        async def work(db: Connection) -> None:
            await judging(db, self._database.schema)
            await _expire(db, now)

        query = f"SELECT 1 FROM approvals WHERE {_OVERDUE}"
        if await self._database.read(lambda db: db.fetchval(query, time_text(now))):
            await self._database.change(work)


async def judging(db: Connection, schema: str) -> None:
    """Be the only one who judges orders and changes approvals, until the transaction ends."""
    await lock(db, "judging", schema)


async def agree(
    db: Connection,
    key: OrderKey,
    content: Content,
    terms: Terms,
    verdict: Verdict,
    now: datetime,
    hasher: ContentHasher,
) -> tuple[int, str] | Withheld:
    """Use a person's agreement to exactly this order: its number and how it was given; or why there is none.

    A question is written down if none waits. The transaction has to be committed in both cases, and holds `judging`.
    """
    await _expire(db, now)
    if approval := await _of_order(db, key, content):
        if approval.covers(verdict):
            if approval.state == "approved":
                await db.execute("UPDATE approvals SET state = 'used' WHERE id = $1", approval.number)
                return approval.number, approval.how
            return Withheld(verdict, readable(approval, hasher))
        # the person has to hear of what came up since
        await db.execute("UPDATE approvals SET state = 'expired', question = '' WHERE id = $1", approval.number)
    waiting = await db.fetchval("SELECT count(*) FROM approvals WHERE state = 'waiting' AND mode = $1", key.mode)
    if waiting >= MOST_WAITING:
        return Withheld(verdict)
    asked = await db.fetchrow(
        "INSERT INTO approvals (mode, provider, account, reference, fingerprint, parcel, state, question, reason, how, "
        "asked_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, '', $9, $10) "
        f"RETURNING {COLUMNS}",
        *(key.mode, key.provider, key.account, key.reference, content.fingerprint, content.parcel),
        *(hasher.seal(terms.question(verdict)), verdict.text()),
        *(time_text(now), time_text(now + terms.policy.approval)),
    )
    return Withheld(verdict, readable(read_approval(asked), hasher) if asked else None)


async def declined(db: Connection, key: OrderKey, content: Content, now: datetime) -> Approval | None:
    """A person's no to this parcel within the last hour, whatever else was different then.

    A yes to exactly this order stands above a no to the same parcel under another reference.
    """
    found = await db.fetchrow(
        f"SELECT {COLUMNS} FROM approvals WHERE parcel = $1 AND mode = $2 AND provider = $3 AND state = 'declined' "
        "AND decided_at > $4 ORDER BY id DESC LIMIT 1",
        *(content.parcel, key.mode, key.provider, time_text(now - HOUR)),
    )
    agreed = await _of_order(db, key, content) if found else None
    if found is None or (agreed and agreed.state == "approved" and agreed.expires_at > now):
        return None
    return read_approval(found)


async def _expire(db: Connection, now: datetime) -> None:
    """Close what ran out of time, and forget the buyer it names."""
    await db.execute(f"UPDATE approvals SET state = 'expired', question = '' WHERE {_OVERDUE}", time_text(now))


async def _by_number(db: Connection, number: int) -> Approval | None:
    """One approval as it is stored, its question sealed."""
    found = await db.fetchrow(f"SELECT {COLUMNS} FROM approvals WHERE id = $1", number)
    return read_approval(found) if found else None


async def _of_order(db: Connection, key: OrderKey, content: Content) -> Approval | None:
    """The open approval of exactly this order, if there is one."""
    found = await db.fetchrow(
        f"SELECT {COLUMNS} FROM approvals WHERE fingerprint = $1 AND mode = $2 AND provider = $3 AND account = $4 "
        "AND reference = $5 AND state IN ('approved', 'waiting') ORDER BY state, id LIMIT 1",
        *(content.fingerprint, key.mode, key.provider, key.account, key.reference),
    )
    return read_approval(found) if found else None


def _kept(value: datetime) -> datetime:
    """A time as it comes back."""
    return datetime.fromisoformat(time_text(value))
