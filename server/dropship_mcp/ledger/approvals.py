"""A person's agreement in SQLite: asked for, decided once, used once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dropship_mcp.ledger.file import LedgerFile
from dropship_mcp.ledger.hashing import ContentHasher
from dropship_mcp.ledger.reading import time_text
from dropship_mcp.ledger.rows import Approval, ApprovalState, Content, Decided, OrderKey, Terms, Withheld
from dropship_mcp.policy import HOUR, Verdict

MOST_WAITING = 100
"""A model that asks for more gets no further question: nobody reads that many."""

OVERDUE = "state IN ('waiting', 'approved') AND expires_at <= ?"

_ORDER = "mode, provider, account, reference, fingerprint"
COLUMNS = f"id, {_ORDER}, state, question, reason, how, asked_at, decided_at, expires_at"


class SqliteApprovals:
    """The questions that wait for a person, and what the person said."""

    def __init__(self, file: LedgerFile, now: Callable[[], datetime]) -> None:
        self._file = file
        self._now = now

    async def decide(self, number: int, *, agreed: bool, how: str, good_for: timedelta) -> None:
        """Record what a person said. An agreement can be used once, within `good_for`.

        Raises:
            Decided: it does not wait any more, or there is no such question.
        """

        def work(db: sqlite3.Connection) -> Decided | None:
            try:
                _decide(db, number, agreed=agreed, how=how, now=self._now(), good_for=good_for)
            except Decided as decided:  # what has expired is written even if this one is among it
                return decided
            return None

        if decided := await self._file.write(work):
            raise decided

    async def reopen(self, number: int) -> bool:
        """Take a person's no back, so that the next call asks anew; False if it is no no."""
        change = "UPDATE approvals SET state = 'expired' WHERE id = ? AND state = 'declined'"
        return await self._file.write(lambda db: db.execute(change, (number,)).rowcount == 1)

    async def get(self, number: int) -> Approval | None:
        """One approval, its question in clear; None if there is none."""

        def work(db: sqlite3.Connection) -> Approval | None:
            found = _by_number(db, number)
            return found and readable(found, self._file.hasher())

        await self._expire()
        return await self._file.read(work)

    async def recent(
        self, mode: str | None = None, state: ApprovalState | None = None, limit: int = 100
    ) -> list[Approval]:
        """Approvals, newest first, their questions in clear."""

        def work(db: sqlite3.Connection) -> list[Approval]:
            found = db.execute(
                f"SELECT {COLUMNS} FROM approvals WHERE (? IS NULL OR mode = ?) AND (? IS NULL OR state = ?) "
                "ORDER BY id DESC LIMIT ?",
                (mode, mode, state, state, limit),
            )
            return [readable(read_approval(row), self._file.hasher()) for row in found]

        await self._expire()
        return await self._file.read(work)

    async def sealed(self, approval: Approval) -> str:
        """Says which question this is, so that only this ledger can write or read it."""
        return await self._file.read(lambda _: self._file.hasher().seal(identity(approval)))

    async def is_sealed(self, state: str, approval: Approval) -> bool:
        """Whether `state` was sealed for this question."""
        return await self._file.read(lambda _: self._file.hasher().unseal(state) == identity(approval))

    async def _expire(self) -> None:
        """Readers write only when there is something to write."""
        now = self._now()
        if await self._file.read(
            lambda db: db.execute(f"SELECT 1 FROM approvals WHERE {OVERDUE}", (time_text(now),)).fetchone()
        ):
            await self._file.write(lambda db: _expire(db, now))


def identity(approval: Approval) -> str:
    """What tells one question from all others."""
    return f"approval {approval.number} {approval.fingerprint}"


def readable(approval: Approval, hasher: ContentHasher) -> Approval:
    """With its question in clear."""
    return replace(approval, question=(hasher.unseal(approval.question) or "") if approval.question else "")


def _expire(db: sqlite3.Connection, now: datetime) -> None:
    """Close what ran out of time, and forget the buyer it names."""
    db.execute(
        f"UPDATE approvals SET state = 'expired', question = '' WHERE {OVERDUE}",
        (time_text(now),),
    )


def agree(
    db: sqlite3.Connection,
    key: OrderKey,
    content: Content,
    terms: Terms,
    verdict: Verdict,
    now: datetime,
    hasher: ContentHasher,
) -> tuple[int, str] | Withheld:
    """Use a person's agreement to exactly this order: its number and how it was given; or why there is none.

    A question is written down if none waits. The transaction has to be committed in both cases.
    """
    _expire(db, now)
    for approval in _of_order(db, key, content):
        if approval.covers(verdict):
            if approval.state == "approved":
                db.execute("UPDATE approvals SET state = 'used' WHERE id = ?", (approval.number,))
                return approval.number, approval.how
            return Withheld(verdict, readable(approval, hasher))
        # the person has to hear of what came up since
        db.execute("UPDATE approvals SET state = 'expired', question = '' WHERE id = ?", (approval.number,))
    waiting = db.execute("SELECT count(*) FROM approvals WHERE state = 'waiting' AND mode = ?", (key.mode,))
    if waiting.fetchone()[0] >= MOST_WAITING:
        return Withheld(verdict)
    cursor = db.execute(
        "INSERT INTO approvals (mode, provider, account, reference, fingerprint, parcel, state, question, reason, how, "
        "asked_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?, ?, '', ?, ?)",
        (
            *(key.mode, key.provider, key.account, key.reference, content.fingerprint, content.parcel),
            *(hasher.seal(terms.question(verdict)), verdict.text()),
            *(time_text(now), time_text(now + terms.policy.approval)),
        ),
    )
    found = _by_number(db, cursor.lastrowid or 0)
    return Withheld(verdict, found and readable(found, hasher))


def declined(db: sqlite3.Connection, key: OrderKey, content: Content, now: datetime) -> Approval | None:
    """A person's no to this parcel within the last hour, whatever else was different then.

    A yes to exactly this order stands above a no to the same parcel under another reference.
    """
    found = db.execute(
        f"SELECT {COLUMNS} FROM approvals WHERE parcel = ? AND mode = ? AND provider = ? AND state = 'declined' "
        "AND decided_at > ? ORDER BY id DESC LIMIT 1",
        (content.parcel, key.mode, key.provider, time_text(now - HOUR)),
    ).fetchone()
    if found is None or any(a.state == "approved" and a.expires_at > now for a in _of_order(db, key, content)):
        return None
    return read_approval(found)


def _decide(db: sqlite3.Connection, number: int, *, agreed: bool, how: str, now: datetime, good_for: timedelta) -> None:
    """Write down what a person said.

    Raises:
        Decided: it does not wait any more, or there is no such question.
    """
    _expire(db, now)
    cursor = db.execute(
        "UPDATE approvals SET state = ?, how = ?, decided_at = ?, expires_at = ?, question = '' "
        "WHERE id = ? AND state = 'waiting'",
        ("approved" if agreed else "declined", how, time_text(now), time_text(now + good_for), number),
    )
    if cursor.rowcount != 1:
        present = _by_number(db, number)
        raise Decided(present.state if present else None)


def _by_number(db: sqlite3.Connection, number: int) -> Approval | None:
    """One approval as it is stored, its question sealed."""
    found = db.execute(f"SELECT {COLUMNS} FROM approvals WHERE id = ?", (number,)).fetchone()
    return read_approval(found) if found else None


def _of_order(db: sqlite3.Connection, key: OrderKey, content: Content) -> list[Approval]:
    """The open approval of exactly this order, if there is one."""
    found = db.execute(
        f"SELECT {COLUMNS} FROM approvals WHERE fingerprint = ? AND mode = ? AND provider = ? AND account = ? "
        "AND reference = ? AND state IN ('approved', 'waiting') ORDER BY state, id LIMIT 1",
        (content.fingerprint, key.mode, key.provider, key.account, key.reference),
    )
    return [read_approval(row) for row in found]


def read_approval(found: Any) -> Approval:
    """`COLUMNS` as an approval, its question sealed."""
    (number, mode, provider, account, reference, fingerprint, state, question, reason, how, asked, decided, end) = found
    return Approval(
        number=number,
        key=OrderKey(mode, provider, account, reference),
        fingerprint=fingerprint,
        state=state,
        question=question,
        reason=reason,
        how=how,
        asked_at=datetime.fromisoformat(asked),
        decided_at=datetime.fromisoformat(decided) if decided else None,
        expires_at=datetime.fromisoformat(end),
    )
