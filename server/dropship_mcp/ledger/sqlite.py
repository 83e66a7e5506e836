"""The ledger in one SQLite file, shared safely by the processes of one machine.

Every change is committed with `synchronous=FULL` before the call returns: what the ledger says survives a killed
process and a power cut. All work happens in one worker thread; the event loop never waits for a disk.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Generator, Mapping
from dataclasses import astuple, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread

from dropship_mcp.ledger.hashing import ContentHasher, load_or_create_secret
from dropship_mcp.ledger.opening import Unusable, in_words, may_pass, open_file
from dropship_mcp.ledger.reading import COLUMNS, read_row, select
from dropship_mcp.ledger.rows import Change, Claim, Content, OrderKey, Row, State
from dropship_mcp.ledger.schema import NewerLedger
from dropship_tools.errors import LedgerUnavailable

if TYPE_CHECKING:
    from dropship_mcp.ledger.owner import Owner

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long to wait for another process's write. Writes take milliseconds; longer means somebody holds the file."""

WRONG_KEY = "its key file is missing or belongs to another ledger"


def utc_now() -> datetime:
    """The present time, aware."""
    return datetime.now(UTC)


class LostOrder(Exception):
    """The row is not in the state this process left it in: another process took it for dead, or a person settled it."""


class SqliteLedger:
    """Opened on first use. Every method raises `LedgerUnavailable` when the file cannot be used."""

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] = utc_now, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self.path = path
        self._now = now
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._owner: Owner | None = None
        self._hasher: ContentHasher | None = None
        self._one_at_a_time: anyio.CapacityLimiter | None = None

    # --- an order's life -----------------------------------------------------------------------------------------

    async def hashes(self, content: Mapping[str, Any], trace: str = "") -> Content:
        """Keyed hashes of an order's content."""
        return await self._work(lambda _: self._hash().content(content, trace))

    async def claim(self, key: OrderKey, content: Content) -> Claim:
        """Promise to send an order, unless it is somebody else's or settled.

        New, refused, and claimed-by-a-dead-process orders are won. A row that a dead process was sending becomes
        `unknown`.
        """

        def work(db: sqlite3.Connection) -> Claim:
            with _transaction(db):
                row = select(db, key)
                if row is None:
                    return Claim(self._insert(db, key, content), won=True)
                stale = row.state in ("claimed", "sending") and not self._holds(row.owner)
                if row.state == "sending" and stale:
                    reason = "the process that sent it ended before an answer was recorded"
                    return Claim(self._change(db, row, "unknown", reason=reason), won=False)
                if row.state == "refused" or (row.state == "claimed" and stale):
                    return Claim(self._again(db, row, content), won=True)
                return Claim(row, won=False)

        return await self._work(work)

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
            with _transaction(db):
                present = _must(self._shown(select(db, row.key)))
                if present.attempt != row.attempt or present.state != "unknown":
                    raise LostOrder(present.state)
                return self._change(db, present, state, order_id=order_id, answer=answer, reason=reason)

        return await self._work(work)

    # --- looking -------------------------------------------------------------------------------------------------

    async def get(self, key: OrderKey) -> Row | None:
        """One order. A row that a dead process was sending is shown as `unknown`."""
        return await self._work(lambda db: self._shown(select(db, key)))

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
            return await self._rows(" AND ".join(where), tuple(values), limit)
        rows = await self._rows(" AND ".join([*where, "state IN ('sending', 'unknown')"]), tuple(values))
        return [row for row in rows if row.state == state][:limit]

    async def order_ids(self, key: OrderKey, since: datetime) -> frozenset[str]:
        """The provider's numbers of the account's other orders since then."""
        rows = await self._rows(
            "mode = ? AND provider = ? AND account = ? AND reference <> ? AND since >= ? AND order_id <> ''",
            (*astuple(key), _time(since)),
        )
        return frozenset(row.order_id for row in rows)

    async def is_anothers(self, row: Row, order_id: str, since: datetime) -> bool:
        """Whether an order that looks like `row`'s is, or may be, that of another reference since then."""
        rows = await self._rows(
            "mode = ? AND provider = ? AND account = ? AND reference <> ? AND since >= ? AND "
            "(order_id = ? OR (order_id = '' AND trace = ? AND state IN ('sending', 'unknown', 'placed')))",
            (*astuple(row.key), _time(since), order_id, row.content.trace),
        )
        return bool(rows)

    async def changes(self, row: Row) -> list[Change]:
        """The order's life, oldest first."""

        def work(db: sqlite3.Connection) -> list[Change]:
            found = db.execute(
                "SELECT at, attempt, state, reason FROM changes WHERE order_row = ? ORDER BY rowid", (row.id,)
            )
            return [Change(datetime.fromisoformat(at), attempt, state, reason) for at, attempt, state, reason in found]

        return await self._work(work)

    async def trace_test(self, row: Row) -> Callable[[str], bool]:
        """A test whether a trace seen at the provider is this order's."""
        hasher = await self._work(lambda _: self._hash())
        return lambda trace: bool(row.content.trace) and hasher.trace(trace) == row.content.trace

    async def forget_sandbox(self) -> None:
        """Delete the sandbox's orders; live ones stay."""

        def work(db: sqlite3.Connection) -> None:
            with _transaction(db):
                db.execute("DELETE FROM orders WHERE mode = 'sandbox'")

        await self._work(work)

    async def close(self) -> None:
        """Close the file and give up this process's claims."""

        def work() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if self._owner is not None:
                self._owner.release()
                self._owner = None

        await anyio.to_thread.run_sync(work, limiter=self._limiter())

    # --- inside the worker thread --------------------------------------------------------------------------------

    def _insert(self, db: sqlite3.Connection, key: OrderKey, content: Content) -> Row:
        now = _time(self._now())
        cursor = db.execute(
            "INSERT INTO orders (mode, provider, account, reference, state, attempt, owner, fingerprint, fields, "
            "trace, order_id, answer, reason, since, changed_at) "
            "VALUES (?, ?, ?, ?, 'claimed', 1, ?, ?, ?, ?, '', '', '', ?, ?)",
            (
                *(key.mode, key.provider, key.account, key.reference, self._me().id),
                *(content.fingerprint, json.dumps(content.fields), content.trace, now, now),
            ),
        )
        _log_change(db, cursor.lastrowid or 0, now, 1, "claimed", "")
        return _must(select(db, key))

    def _again(self, db: sqlite3.Connection, row: Row, content: Content) -> Row:
        now = _time(self._now())
        db.execute(
            "UPDATE orders SET state = 'claimed', attempt = attempt + 1, owner = ?, fingerprint = ?, fields = ?, "
            "trace = ?, reason = '', since = ?, sent_at = NULL, changed_at = ? WHERE id = ?",
            (self._me().id, content.fingerprint, json.dumps(content.fields), content.trace, now, now, row.id),
        )
        _log_change(db, row.id, now, row.attempt + 1, "claimed", "")
        return _must(select(db, row.key))

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
            with _transaction(db):
                present = _must(select(db, row.key))
                mine = present.state == "unknown" or present.owner == row.owner
                if present.attempt != row.attempt or present.state not in allowed or not mine:
                    raise LostOrder(f"{present.state}, attempt {present.attempt}")
                if present.state == "unknown" and order_id and _is_taken(db, row.key, order_id):
                    raise LostOrder("the order that was found is another reference's")
                return self._change(db, present, state, order_id=order_id, answer=answer, reason=reason)

        return await self._work(work)

    def _change(
        self,
        db: sqlite3.Connection,
        row: Row,
        state: State,
        *,
        order_id: str = "",
        answer: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> Row:
        now = _time(self._now())
        db.execute(
            "UPDATE orders SET state = ?, order_id = CASE WHEN ? <> '' THEN ? ELSE order_id END, answer = ?, "
            "reason = ?, changed_at = ?, sent_at = CASE WHEN ? = 'sending' THEN ? ELSE sent_at END WHERE id = ?",
            (state, order_id, order_id, json.dumps(answer) if answer else "", reason, now, state, now, row.id),
        )
        _log_change(db, row.id, now, row.attempt, state, reason)
        return _must(select(db, row.key))

    def _shown(self, row: Row | None) -> Row | None:
        if row and row.state == "sending" and not self._me().is_alive(row.owner):
            return replace(row, state="unknown")
        return row

    async def _rows(self, where: str, values: tuple[Any, ...], limit: int = -1) -> list[Row]:
        # `where` is made of constants in this module
        query = f"SELECT {COLUMNS} FROM orders WHERE {where} ORDER BY since DESC, id DESC LIMIT ?"  # noqa: S608

        def work(db: sqlite3.Connection) -> list[Row]:
            return [_must(self._shown(read_row(found))) for found in db.execute(query, (*values, limit))]

        return await self._work(work)

    def _holds(self, owner: str) -> bool:
        """Whether `owner` is another living process. A row of our own that asks to be claimed again was left behind."""
        return owner != self._me().id and self._me().is_alive(owner)

    def _me(self) -> Owner:
        if self._owner is None:
            from dropship_mcp.ledger.owner import Owner  # filelock, which only an order needs

            self._owner = Owner(self.path.with_name(f"{self.path.name}.owners"))
        return self._owner

    def _hash(self) -> ContentHasher:
        if self._hasher is None:
            self._hasher = ContentHasher(load_or_create_secret(self._key_path()))
        return self._hasher

    def _key_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.key")

    # --- opening and failing -------------------------------------------------------------------------------------

    def _limiter(self) -> anyio.CapacityLimiter:
        if self._one_at_a_time is None:
            self._one_at_a_time = anyio.CapacityLimiter(1)
        return self._one_at_a_time

    async def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def in_thread() -> T:
            try:
                return work(self._open())
            except (sqlite3.Error, OSError, ValueError, NewerLedger) as error:
                if self._connection is not None and not may_pass(error):
                    self._connection.close()
                    self._connection = None
                raise LedgerUnavailable(
                    f"the ledger cannot be used: {in_words(error)}",
                    fix="Nothing was sent. A person has to mend the ledger file; dropship_status names it.",
                ) from error

        return await anyio.to_thread.run_sync(in_thread, limiter=self._limiter())

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = open_file(self.path, self._busy_seconds)
            try:
                self._check_key(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _check_key(self, db: sqlite3.Connection) -> None:
        """With another secret every repeated order would look like a changed one."""
        known = db.execute("SELECT value FROM facts WHERE name = 'key_id'").fetchone()
        if known and not self._key_path().exists():  # a new one would only be in the way of the old one
            raise Unusable(WRONG_KEY)
        key_id = self._hash().key_id()
        if known is None:
            db.execute("INSERT OR IGNORE INTO facts (name, value) VALUES ('key_id', ?)", (key_id,))
        elif known[0] != key_id:
            self._hasher = None  # the right key may be put back
            raise Unusable(WRONG_KEY)


def _is_taken(db: sqlite3.Connection, key: OrderKey, order_id: str) -> bool:
    """Whether another reference of the account has this order: two that look alike are settled at the same moment."""
    found = db.execute(
        "SELECT 1 FROM orders WHERE mode = ? AND provider = ? AND account = ? AND order_id = ? AND reference <> ?",
        (key.mode, key.provider, key.account, order_id, key.reference),
    )
    return found.fetchone() is not None


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Generator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def _log_change(db: sqlite3.Connection, row_id: int, at: str, attempt: int, state: State, reason: str) -> None:
    db.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", (row_id, at, attempt, state, reason))


def _must(row: Row | None) -> Row:
    if row is None:
        raise Unusable("a row has vanished from it")
    return row


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds")
