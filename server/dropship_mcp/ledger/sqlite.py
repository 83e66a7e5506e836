"""The ledger in one SQLite file, shared safely by the processes of one machine.

Every change is committed before the call returns and survives a killed process. What is said of an order that leaves or
left (`sending` and everything after it) is on the disk by then and survives a power cut, with all that was said before.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import astuple, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dropship_mcp.ledger.approvals import SqliteApprovals, agree, declined
from dropship_mcp.ledger.file import BUSY_SECONDS, LedgerFile
from dropship_mcp.ledger.history import before, total_of
from dropship_mcp.ledger.opening import Unusable
from dropship_mcp.ledger.reading import COLUMNS, read_row, select, time_text
from dropship_mcp.ledger.rows import ABANDONED, Change, Claim, Content, LostOrder, OrderKey, Row, State, Terms, Withheld
from dropship_mcp.policy import Before, Policy, judge
from dropship_tools.provider import Held


def utc_now() -> datetime:
    """The present time, aware."""
    return datetime.now(UTC)


class SqliteLedger:
    """Opened on first use. Every method raises `LedgerUnavailable` when the file cannot be used."""

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] = utc_now, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self.path = path
        self.approvals = SqliteApprovals(file := LedgerFile(path, busy_seconds), now)
        self._file = file
        self._now = now

    async def close(self) -> None:
        """Close the file and give up this process's claims."""
        await self._file.close()

    @property
    def place(self) -> str:
        """The file."""
        return str(self.path)

    async def key(self, purpose: str) -> bytes:
        """32 bytes that only those know who share this ledger; others for each purpose."""
        return await self._file.read(lambda _: self._file.hasher().key(purpose))

    def bucket(self, name: str) -> None:
        """Each process has its own: a file is for the processes of one machine, and few of them."""

    def turn(self, name: str) -> AbstractAsyncContextManager[Held]:
        """The turn called `name`, which one process at this ledger has at a time; entering it waits."""
        return self._file.turn(name)

    # --- an order's life -----------------------------------------------------------------------------------------

    async def hashes(self, content: Mapping[str, Any], trace: str = "", *, parcel: str = "") -> Content:
        """Keyed hashes of an order's content."""
        hasher = self._file.ready_hasher() or await self._file.read(lambda _: self._file.hasher())
        return hasher.content(content, trace, parcel=parcel)

    async def claim(self, key: OrderKey, content: Content, terms: Terms | None = None) -> Claim:
        """Promise to send an order, unless it is somebody else's or settled, or the terms forbid it.

        New, refused, and claimed-by-a-dead-process orders are won. A row that a dead process was sending becomes
        `unknown`. The terms are judged in the same transaction, so no two processes pass the last place of a limit.

        Raises:
            Withheld: the policy denies it, or a person has to agree first or said no.
        """

        def work(db: sqlite3.Connection) -> Claim | Withheld:
            row = select(db, key)
            if row is None:
                agreed = self._permit(db, key, None, content, terms)
                if isinstance(agreed, Withheld):
                    return agreed
                return Claim(self._insert(db, key, content, terms, agreed), won=True)
            stale = row.state in ("claimed", "sending") and not self._holds(row.owner)
            if row.state == "sending" and stale:
                return Claim(_must(self._change(db, row, "unknown", reason=ABANDONED)), won=False)
            if row.state == "refused" or (row.state == "claimed" and stale):
                agreed = self._permit(db, key, row.id, content, terms)
                if isinstance(agreed, Withheld):
                    return agreed
                return Claim(self._again(db, row, content, terms, agreed), won=True)
            return Claim(row, won=False)

        # nothing leaves before `sending` is on the disk, and this with it
        claim = await self._file.write(work, durable=False)
        if isinstance(claim, Withheld):
            raise claim
        return claim

    async def sending(self, row: Row) -> Row:
        """Record that the order leaves now. Nothing may leave when this raises.

        Raises:
            LostOrder: the row is not this process's any more.
        """
        return await self._step(row, ("claimed",), "sending")

    async def placed(self, row: Row, order_id: str, answer: Mapping[str, Any], reason: str = "") -> Row:
        """Record that the order exists."""
        return await self._step(
            row, ("claimed", "sending", "unknown"), "placed", order_id=order_id, answer=answer, reason=reason
        )

    async def refused(self, row: Row, reason: str) -> Row:
        """Record that no order exists and that it may be sent again."""
        return await self._step(row, ("claimed", "sending", "unknown"), "refused", reason=reason)

    async def unknown(self, row: Row, reason: str) -> Row:
        """Record that an order may exist."""
        return await self._step(row, ("sending", "unknown"), "unknown", reason=reason)

    async def settle_by_hand(
        self, row: Row, state: State, order_id: str, answer: Mapping[str, Any], reason: str
    ) -> Row:
        """Record what a person found out about an order that may exist; not while a living process is sending it.

        Raises:
            LostOrder: it is being sent, or was settled meanwhile.
        """

        def work(db: sqlite3.Connection) -> Row:
            present = _must(select(db, row.key))
            shown = _must(self._shown(present))
            if shown.attempt != row.attempt or shown.state != "unknown":
                raise LostOrder(shown.state)
            return _must(self._change(db, present, state, order_id, answer, reason))

        return await self._file.write(work)

    async def before(self, key: OrderKey, content: Content, policy: Policy) -> Before:
        """What went out before, as the policy would see it now. A ledger that does not exist yet is not made."""
        if not policy.counts() or not self.path.exists():
            return Before()

        def work(db: sqlite3.Connection) -> Before:
            row = select(db, key)
            return before(db, key.mode, row.id if row else None, content, policy, self._now())

        return await self._file.read(work)

    async def check(self) -> None:
        """Write without changing anything."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("UPDATE facts SET value = value")

        await self._file.write(work)

    # --- looking -------------------------------------------------------------------------------------------------

    async def peek(self, key: OrderKey) -> Row | None:
        """The same as `get`; a ledger that does not exist yet is not made."""
        return await self.get(key) if self.path.exists() else None

    async def get(self, key: OrderKey) -> Row | None:
        """One order. A row that a dead process was sending is shown as `unknown`."""
        return await self._file.read(lambda db: self._shown(select(db, key)))

    async def by_reference(self, mode: str, reference: str) -> list[Row]:
        """All orders with this reference, whichever provider and account."""
        return await self._rows("mode = ? AND reference = ?", (mode, reference))

    async def recent(self, mode: str | None = None, provider: str = "", state: str = "", limit: int = 100) -> list[Row]:
        """Orders, newest first."""
        where = ["1 = 1"]
        values: list[Any] = []
        sent = state in (
            "sending",
            "unknown",
        )  # what a dead process was sending is stored as the one, shown as the other
        for column, value in (("mode", mode), ("provider", provider), ("state", "" if sent else state)):
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        if not sent:
            return await self._rows(" AND ".join(where), tuple(values), limit, index="orders_by_time")
        where.append("state IN ('sending', 'unknown')")
        rows = await self._rows(" AND ".join(where), tuple(values), index="orders_in_doubt")
        return [row for row in rows if row.state == state][:limit]

    async def order_ids(self, key: OrderKey, since: datetime) -> frozenset[str]:
        """The provider's numbers of the account's other orders since then."""
        rows = await self._rows(
            "mode = ? AND provider = ? AND account = ? AND reference <> ? AND since >= ? AND order_id <> ''",
            (*astuple(key), time_text(since)),
        )
        return frozenset(row.order_id for row in rows)

    async def is_anothers(self, row: Row, order_id: str, since: datetime) -> bool:
        """Whether an order that looks like `row`'s is, or may be, that of another reference since then."""
        rows = await self._rows(
            "mode = ? AND provider = ? AND account = ? AND reference <> ? AND since >= ? AND "
            "(order_id = ? OR (order_id = '' AND trace = ? AND state IN ('sending', 'unknown', 'placed')))",
            (*astuple(row.key), time_text(since), order_id, row.content.trace),
        )
        return bool(rows)

    async def changes(self, row: Row) -> list[Change]:
        """The order's life, oldest first."""

        def work(db: sqlite3.Connection) -> list[Change]:
            found = db.execute(
                "SELECT at, attempt, state, reason FROM changes WHERE order_row = ? ORDER BY rowid", (row.id,)
            )
            return [Change(datetime.fromisoformat(at), attempt, state, reason) for at, attempt, state, reason in found]

        return await self._file.read(work)

    async def trace_test(self, row: Row) -> Callable[[str], bool]:
        """A test whether a trace seen at the provider is this order's."""
        hasher = await self._file.read(lambda _: self._file.hasher())
        return lambda trace: bool(row.content.trace) and hasher.trace(trace) == row.content.trace

    async def forget_sandbox(self) -> None:
        """Delete the sandbox's orders and approvals; live ones stay."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM orders WHERE mode = 'sandbox'")
            db.execute("DELETE FROM approvals WHERE mode = 'sandbox'")

        await self._file.write(work)

    # --- inside the worker thread --------------------------------------------------------------------------------

    def _permit(
        self, db: sqlite3.Connection, key: OrderKey, own: int | None, content: Content, terms: Terms | None
    ) -> str | Withheld:
        """Who agreed to the order, if somebody had to; or why it may not go out. `own`: its row, if it has one."""
        if terms is None:
            return ""
        now = self._now()
        verdict = judge(terms.policy, terms.facts, before(db, key.mode, own, content, terms.policy, now))
        if verdict.decision == "deny":
            return Withheld(verdict)
        if no := declined(db, key, content, now):
            return Withheld(verdict, no)
        if verdict.decision == "allow":
            return ""
        agreed = agree(db, key, content, terms, verdict, now, self._file.hasher())
        if isinstance(agreed, Withheld):
            return agreed
        number, how = agreed
        return f"approved by a person: {how} (approval {number})"

    def _insert(self, db: sqlite3.Connection, key: OrderKey, content: Content, terms: Terms | None, agreed: str) -> Row:
        now, owner = time_text(self._now()), self._file.owner().id
        cursor = db.execute(
            "INSERT INTO orders (mode, provider, account, reference, state, attempt, owner, fingerprint, fields, "
            "trace, parcel, total, order_id, answer, reason, since, changed_at) "
            "VALUES (?, ?, ?, ?, 'claimed', 1, ?, ?, ?, ?, ?, ?, '', '', '', ?, ?)",
            (
                *(key.mode, key.provider, key.account, key.reference, owner),
                *(content.fingerprint, json.dumps(content.fields), content.trace),
                *(content.parcel, total_of(terms), now, now),
            ),
        )
        number, at = cursor.lastrowid or 0, datetime.fromisoformat(now)
        _log_change(db, number, now, 1, "claimed", agreed)
        return Row(number, key, "claimed", 1, owner, content, "", {}, "", at, None, at)

    def _again(self, db: sqlite3.Connection, row: Row, content: Content, terms: Terms | None, agreed: str) -> Row:
        now, owner = time_text(self._now()), self._file.owner().id
        db.execute(
            "UPDATE orders SET state = 'claimed', attempt = attempt + 1, owner = ?, fingerprint = ?, fields = ?, "
            "trace = ?, parcel = ?, total = ?, reason = '', since = ?, sent_at = NULL, changed_at = ? WHERE id = ?",
            (
                *(owner, content.fingerprint, json.dumps(content.fields), content.trace),
                *(content.parcel, total_of(terms), now, now, row.id),
            ),
        )
        attempt, at = row.attempt + 1, datetime.fromisoformat(now)
        _log_change(db, row.id, now, attempt, "claimed", agreed)
        return Row(row.id, row.key, "claimed", attempt, owner, content, row.order_id, row.answer, "", at, None, at)

    async def _step(
        self,
        row: Row,
        allowed: tuple[State, ...],
        state: State,
        *,
        order_id: str = "",
        answer: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> Row:
        def work(db: sqlite3.Connection) -> Row:
            untouched = row.state in allowed and row.state != "unknown"  # so far as this process knows; mostly it is so
            if untouched and (changed := self._change(db, row, state, order_id, answer, reason)):
                return changed
            present = _must(select(db, row.key))
            mine = present.state == "unknown" or present.owner == row.owner
            if present.attempt != row.attempt or present.state not in allowed or not mine:
                raise LostOrder(f"{present.state}, attempt {present.attempt}")
            if present.state == "unknown" and order_id and _is_taken(db, row.key, order_id):
                raise LostOrder("the order that was found is another reference's")
            return _must(self._change(db, present, state, order_id, answer, reason))

        return await self._file.write(work)

    def _change(
        self,
        db: sqlite3.Connection,
        row: Row,
        state: State,
        order_id: str = "",
        answer: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> Row | None:
        """The row in its new state; None if it is not as `row` says any more."""
        now = time_text(self._now())
        changed = db.execute(
            "UPDATE orders SET state = ?, order_id = CASE WHEN ? <> '' THEN ? ELSE order_id END, answer = ?, "
            "reason = ?, changed_at = ?, sent_at = CASE WHEN ? = 'sending' THEN ? ELSE sent_at END "
            "WHERE id = ? AND attempt = ? AND state = ? AND owner = ?",
            (
                *(state, order_id, order_id, json.dumps(answer) if answer else "", reason, now, state, now),
                *(row.id, row.attempt, row.state, row.owner),
            ),
        )
        if changed.rowcount == 0:
            return None
        _log_change(db, row.id, now, row.attempt, state, reason)
        at = datetime.fromisoformat(now)
        return replace(
            row,
            state=state,
            order_id=order_id or row.order_id,
            answer=answer or {},
            reason=reason,
            sent_at=at if state == "sending" else row.sent_at,
            changed_at=at,
        )

    def _shown(self, row: Row | None) -> Row | None:
        if row and row.state == "sending" and not self._file.owner().is_alive(row.owner):
            return row.abandoned()
        return row

    async def _rows(self, where: str, values: tuple[Any, ...], limit: int = -1, *, index: str = "") -> list[Row]:
        # `where` and `index` are made of constants in this module
        by = f"INDEXED BY {index}" if index else ""
        query = f"SELECT {COLUMNS} FROM orders {by} WHERE {where} ORDER BY since DESC, id DESC LIMIT ?"

        def work(db: sqlite3.Connection) -> list[Row]:
            return [_must(self._shown(read_row(found))) for found in db.execute(query, (*values, limit))]

        return await self._file.read(work)

    def _holds(self, owner: str) -> bool:
        """Whether `owner` is another living process. A row of our own that asks to be claimed again was left behind."""
        return owner != self._file.owner().id and self._file.owner().is_alive(owner)


def _is_taken(db: sqlite3.Connection, key: OrderKey, order_id: str) -> bool:
    """Whether another reference of the account has this order: two that look alike are settled at the same moment."""
    found = db.execute(
        "SELECT 1 FROM orders WHERE mode = ? AND provider = ? AND account = ? AND order_id = ? AND reference <> ?",
        (key.mode, key.provider, key.account, order_id, key.reference),
    )
    return found.fetchone() is not None


def _log_change(db: sqlite3.Connection, row_id: int, at: str, attempt: int, state: State, reason: str) -> None:
    db.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", (row_id, at, attempt, state, reason))


def _must(row: Row | None) -> Row:
    if row is None:
        raise Unusable("a row has vanished from it")
    return row
