"""The ledger in PostgreSQL, shared by servers on any number of machines.

What decides is in one short transaction each: the row is locked, or made under its unique constraint; orders under
rules that count, or that a person may have to agree to, are judged one after the other. No transaction is open while a
provider or a person is waited for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import astuple
from datetime import datetime
from typing import Any

from dropship_mcp.ledger.history import total_of
from dropship_mcp.ledger.opening import Unusable
from dropship_mcp.ledger.postgres_approvals import PostgresApprovals, agree, declined, judging
from dropship_mcp.ledger.postgres_bucket import PostgresBucket
from dropship_mcp.ledger.postgres_database import Database
from dropship_mcp.ledger.postgres_driver import Connection
from dropship_mcp.ledger.postgres_history import before
from dropship_mcp.ledger.postgres_owner import IS_ALIVE, LIVING
from dropship_mcp.ledger.postgres_schema import lock
from dropship_mcp.ledger.reading import COLUMNS, read_row, time_text
from dropship_mcp.ledger.rows import ABANDONED, Change, Claim, Content, LostOrder, OrderKey, Row, State, Terms, Withheld
from dropship_mcp.ledger_settings import LedgerDatabase
from dropship_mcp.policy import Before, Policy, judge
from dropship_tools.provider import Held

_STATE_SHOWN = f"CASE WHEN state = 'sending' AND owner NOT IN ({LIVING}) THEN 'unknown' ELSE state END AS state"

_SHOWN = f"(SELECT {COLUMNS.replace(' state,', f' {_STATE_SHOWN},')}, state AS kept FROM orders) AS shown"
"""Orders as others should see them."""

_KEY = "mode = $1 AND provider = $2 AND account = $3 AND reference = $4"


class PostgresLedger:
    """See `Ledger`. Connected on first use.

    Args:
        scope: whose orders these are; scopes know nothing of each other.
    """

    def __init__(self, place: LedgerDatabase, *, now: Callable[[], datetime], scope: str = "") -> None:
        self.place = place.shown
        self._database = Database(place, scope)
        self.approvals = PostgresApprovals(self._database, now)
        self._now = now

    async def close(self) -> None:
        """Leave the database and give up this process's claims."""
        await self._database.close()

    async def check(self) -> None:
        """Write without changing anything."""

        async def work(db: Connection) -> None:
            await db.execute("UPDATE facts SET value = value")

        await self._database.change(work)

    async def key(self, purpose: str) -> bytes:
        """32 bytes that only those know who share this ledger; others for each purpose."""
        return self._database.hasher.key(purpose)

    def bucket(self, name: str) -> PostgresBucket:
        """The leaky bucket called `name` that all processes at this ledger share."""
        return PostgresBucket(self._database, name)

    def turn(self, name: str) -> AbstractAsyncContextManager[Held]:
        """The turn called `name`, which one process at this ledger has at a time; entering it waits."""
        return self._database.turn(name)

    # --- an order's life -----------------------------------------------------------------------------------------

    async def hashes(self, content: Mapping[str, Any], trace: str = "", *, parcel: str = "") -> Content:
        """Keyed hashes of an order's content."""
        return self._database.hasher.content(content, trace, parcel=parcel)

    async def claim(self, key: OrderKey, content: Content, terms: Terms | None = None) -> Claim:
        """Promise to send an order; see `Ledger`. Raises `Withheld`."""
        await self._database.be_alive()

        async def work(db: Connection) -> Claim | Withheld:
            if terms is not None and _looks_around(terms):
                await judging(db, self._database.schema)  # first of all locks, so that none waits for another
            row = await _stored(db, key)
            if row is None:
                agreed = await self._permit(db, key, content, terms)
                if isinstance(agreed, Withheld):
                    return agreed
                if new := await self._insert(db, key, content, terms, agreed):
                    return Claim(new, won=True)
                row = _must(await _stored(db, key))  # another process was faster
            stale = row.state in ("claimed", "sending") and not await self._holds(db, row.owner)
            if row.state == "sending" and stale:
                return Claim(await self._change(db, row, "unknown", reason=ABANDONED), won=False)
            if row.state == "refused" or (row.state == "claimed" and stale):
                agreed = await self._permit(db, key, content, terms)
                if isinstance(agreed, Withheld):
                    return agreed
                return Claim(await self._again(db, row, content, terms, agreed), won=True)
            return Claim(row, won=False)

        async def is_written(db: Connection, result: Claim | Withheld) -> bool:
            return isinstance(result, Claim) and await _is_there(db, result.row)

        claim = await self._database.change(work, is_written)
        if isinstance(claim, Withheld):
            raise claim
        return claim

    async def sending(self, row: Row) -> Row:
        """Record that the order leaves now. Nothing may leave when this raises. Raises `LostOrder`."""
        await self._database.be_alive()
        return await self._step(row, ("claimed",), "sending", owner=self._database.owner)

    async def placed(self, row: Row, order_id: str, answer: Mapping[str, Any], reason: str = "") -> Row:
        """Record that the order exists. Raises `LostOrder`."""
        return await self._step(
            row, ("claimed", "sending", "unknown"), "placed", order_id=order_id, answer=answer, reason=reason
        )

    async def refused(self, row: Row, reason: str) -> Row:
        """Record that no order exists and that it may be sent again. Raises `LostOrder`."""
        return await self._step(row, ("claimed", "sending", "unknown"), "refused", reason=reason)

    async def unknown(self, row: Row, reason: str) -> Row:
        """Record that an order may exist. Raises `LostOrder`."""
        return await self._step(row, ("sending", "unknown"), "unknown", reason=reason)

    async def settle_by_hand(
        self, row: Row, state: State, order_id: str, answer: Mapping[str, Any], reason: str
    ) -> Row:
        """Record what a person found out about an order that may exist. Raises `LostOrder`."""

        async def work(db: Connection) -> Row:
            present = _must(await _stored(db, row.key))
            dead = present.state == "sending" and not await db.fetchval(IS_ALIVE, present.owner)
            if present.attempt != row.attempt or not (dead or present.state == "unknown"):
                raise LostOrder(present.state)
            return await self._change(db, present, state, order_id=order_id, answer=answer, reason=reason)

        return await self._database.change(work, _is_there)

    async def before(self, key: OrderKey, content: Content, policy: Policy) -> Before:
        """What went out before, as the policy would see it now."""
        if not policy.counts():
            return Before()
        return await self._database.read(lambda db: before(db, key, content, policy, self._now()))

    # --- looking -------------------------------------------------------------------------------------------------

    async def peek(self, key: OrderKey) -> Row | None:
        """The same as `get`."""
        return await self.get(key)

    async def get(self, key: OrderKey) -> Row | None:
        """One order. A row that a dead process was sending is shown as `unknown`."""
        rows = await self._rows(_KEY, astuple(key))
        return rows[0] if rows else None

    async def by_reference(self, mode: str, reference: str) -> list[Row]:
        """All orders with this reference, whichever provider and account."""
        return await self._rows("mode = $1 AND reference = $2", (mode, reference))

    async def recent(self, mode: str | None = None, provider: str = "", state: str = "", limit: int = 100) -> list[Row]:
        """Orders, newest first."""
        where = "($1::text IS NULL OR mode = $1) AND ($2 = '' OR provider = $2) AND ($3 = '' OR state = $3)"
        if state in ("sending", "unknown"):
            where += " AND kept IN ('sending', 'unknown')"  # these few have an index
        return await self._rows(where, (mode, provider, state), limit)

    async def order_ids(self, key: OrderKey, since: datetime) -> frozenset[str]:
        """The provider's numbers of the account's other orders since then."""
        rows = await self._rows(
            "mode = $1 AND provider = $2 AND account = $3 AND reference <> $4 AND since >= $5 AND order_id <> ''",
            (*astuple(key), time_text(since)),
        )
        return frozenset(row.order_id for row in rows)

    async def is_anothers(self, row: Row, order_id: str, since: datetime) -> bool:
        """Whether an order that looks like `row`'s is, or may be, that of another reference since then."""
        rows = await self._rows(
            "mode = $1 AND provider = $2 AND account = $3 AND reference <> $4 AND since >= $5 AND "
            "(order_id = $6 OR (order_id = '' AND trace = $7 AND state IN ('sending', 'unknown', 'placed')))",
            (*astuple(row.key), time_text(since), order_id, row.content.trace),
            limit=1,
        )
        return bool(rows)

    async def changes(self, row: Row) -> list[Change]:
        """The order's life, oldest first."""
        query = "SELECT at, attempt, state, reason FROM changes WHERE order_row = $1 ORDER BY number"
        found = await self._database.read(lambda db: db.fetch(query, row.id))
        return [Change(datetime.fromisoformat(at), attempt, state, reason) for at, attempt, state, reason in found]

    async def trace_test(self, row: Row) -> Callable[[str], bool]:
        """A test whether a trace seen at the provider is this order's."""
        hasher = self._database.hasher
        return lambda trace: bool(row.content.trace) and hasher.trace(trace) == row.content.trace

    async def forget_sandbox(self) -> None:
        """Delete the sandbox's orders and approvals; live ones stay."""

        async def work(db: Connection) -> None:
            await judging(db, self._database.schema)
            await db.execute("DELETE FROM orders WHERE mode = 'sandbox'")
            await db.execute("DELETE FROM approvals WHERE mode = 'sandbox'")

        await self._database.change(work)

    # --- inside a transaction ------------------------------------------------------------------------------------

    async def _permit(self, db: Connection, key: OrderKey, content: Content, terms: Terms | None) -> str | Withheld:
        """Who agreed to the order, if somebody had to; or why it may not go out."""
        if terms is None:
            return ""
        now = self._now()
        verdict = judge(terms.policy, terms.facts, await before(db, key, content, terms.policy, now))
        if verdict.decision == "deny":
            return Withheld(verdict)
        if no := await declined(db, key, content, now):
            return Withheld(verdict, no)
        if verdict.decision == "allow":
            return ""
        agreed = await agree(db, key, content, terms, verdict, now, self._database.hasher)
        if isinstance(agreed, Withheld):
            return agreed
        number, how = agreed
        return f"approved by a person: {how} (approval {number})"

    async def _insert(
        self, db: Connection, key: OrderKey, content: Content, terms: Terms | None, agreed: str
    ) -> Row | None:
        """The new row; None if there is one by now."""
        now = time_text(self._now())
        return await _written(
            db,
            "INSERT INTO orders (mode, provider, account, reference, state, attempt, owner, fingerprint, fields, "
            "trace, parcel, total, order_id, answer, reason, since, changed_at) "
            "VALUES ($1, $2, $3, $4, 'claimed', 1, $5, $6, $7, $8, $9, $10, '', '', '', $11, $11) "
            "ON CONFLICT DO NOTHING",
            *(*astuple(key), self._database.owner, content.fingerprint, json.dumps(content.fields), content.trace),
            *(content.parcel, total_of(terms), now),
            why=agreed,
        )

    async def _again(self, db: Connection, row: Row, content: Content, terms: Terms | None, agreed: str) -> Row:
        now = time_text(self._now())
        again = await _written(
            db,
            "UPDATE orders SET state = 'claimed', attempt = attempt + 1, owner = $2, fingerprint = $3, fields = $4, "
            "trace = $5, parcel = $6, total = $7, reason = '', since = $8, sent_at = NULL, changed_at = $8 "
            "WHERE id = $1",
            *(row.id, self._database.owner, content.fingerprint, json.dumps(content.fields), content.trace),
            *(content.parcel, total_of(terms), now),
            why=agreed,
        )
        return _must(again)

    async def _step(
        self,
        row: Row,
        allowed: tuple[State, ...],
        state: State,
        *,
        owner: str = "",
        order_id: str = "",
        answer: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> Row:
        async def work(db: Connection) -> Row:
            present = _must(await _stored(db, row.key))
            mine = present.state == "unknown" or present.owner == row.owner
            if present.attempt != row.attempt or present.state not in allowed or not mine:
                raise LostOrder(f"{present.state}, attempt {present.attempt}")
            if present.state == "unknown" and order_id and await _is_taken(db, row.key, order_id):
                raise LostOrder("the order that was found is another reference's")
            return await self._change(db, present, state, owner=owner, order_id=order_id, answer=answer, reason=reason)

        return await self._database.change(work, _is_there)

    async def _change(
        self,
        db: Connection,
        row: Row,
        state: State,
        *,
        owner: str = "",
        order_id: str = "",
        answer: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> Row:
        """What is empty stays as it was, but the answer and the reason."""
        now = time_text(self._now())
        changed = await _written(
            db,
            "UPDATE orders SET state = $2, owner = $3, order_id = $4, answer = $5, reason = $6, changed_at = $7, "
            "sent_at = coalesce($8, sent_at) WHERE id = $1",
            *(row.id, state, owner or row.owner, order_id or row.order_id, json.dumps(answer) if answer else ""),
            *(reason, now, now if state == "sending" else None),
            why=reason,
        )
        return _must(changed)

    async def _rows(self, where: str, values: tuple[Any, ...], limit: int | None = None) -> list[Row]:
        # `where` is made of constants in this module
        end = f"ORDER BY since DESC, id DESC LIMIT ${len(values) + 1}"
        query = f"SELECT kept, {COLUMNS} FROM {_SHOWN} WHERE {where} {end}"
        rows: list[Row] = []
        for kept, *found in await self._database.read(lambda db: db.fetch(query, *values, limit)):
            row = read_row(found)
            rows.append(row if row.state == kept else row.abandoned())
        return rows

    async def _holds(self, db: Connection, owner: str) -> bool:
        """Whether `owner` is another living process. A row of our own that asks to be claimed again was left behind."""
        return owner != self._database.owner and await db.fetchval(IS_ALIVE, owner)


def _looks_around(terms: Terms) -> bool:
    """Whether other orders, or a person's answer, decide whether this one may go out."""
    return terms.policy.counts() or judge(terms.policy, terms.facts, Before()).decision == "ask"


async def _stored(db: Connection, key: OrderKey) -> Row | None:
    """One order, as it is stored; nobody else can change it until the transaction ends."""
    found = await db.fetchrow(f"SELECT {COLUMNS} FROM orders WHERE {_KEY} FOR UPDATE", *astuple(key))
    return read_row(found) if found else None


async def _is_there(db: Connection, row: Row) -> bool:
    """Whether this is what is stored of the order."""
    return await _stored(db, row.key) == row


async def _is_taken(db: Connection, key: OrderKey, order_id: str) -> bool:
    """Whether another reference of the account has this order: two that look alike are settled at the same moment."""
    account = (key.mode, key.provider, key.account)
    await lock(db, "order id", *account, order_id)
    found = await db.fetchval(
        "SELECT 1 FROM orders WHERE mode = $1 AND provider = $2 AND account = $3 AND order_id = $4 AND reference <> $5",
        *(*account, order_id, key.reference),
    )
    return found is not None


async def _written(db: Connection, statement: str, *values: object, why: str) -> Row | None:
    """The order that `statement` wrote, its new state noted in its life; None if it wrote none."""
    found = await db.fetchrow(
        f"WITH written AS ({statement} RETURNING {COLUMNS}), noted AS (INSERT INTO changes (order_row, at, attempt, "
        f"state, reason) SELECT id, changed_at, attempt, state, ${len(values) + 1}::text FROM written) "
        f"SELECT {COLUMNS} FROM written",
        *(*values, why),
    )
    return read_row(found) if found else None


def _must(row: Row | None) -> Row:
    if row is None:
        raise Unusable("a row has vanished from it")
    return row
