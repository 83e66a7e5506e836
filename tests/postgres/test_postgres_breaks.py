"""Connections that break: what was not committed is done again, what was is found, and nothing is done twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import anyio
import anyio.lowlevel
import pytest

from dropship_mcp.ledger import Claim, Ledger, LostOrder, Row, Terms, Withheld, postgres_database, postgres_driver
from dropship_mcp.ledger.postgres_driver import Connection
from dropship_mcp.ledger.postgres_schema import quoted, schema_name
from dropship_mcp.policy import OrderFacts, Policy
from dropship_tools.errors import LedgerUnavailable
from postgres.clusters import Cluster, new_cluster
from unit.ledger.ledgers import CONTENT, FACTS, KEY, Ledgers, in_state, won

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

Moment = Literal["before", "after"]

ASKING = Terms(Policy(orders="ask"), OrderFacts("dipli", "sandbox", "FR", 1), lambda _: "Agree?")
HOUR = timedelta(hours=1)


class Breaks:
    """Breaks connections around statements that begin with certain words, one after the other.

    Attributes:
        meanwhile: what happens while a connection is broken.
    """

    def __init__(self) -> None:
        self.planned: list[tuple[str, Moment]] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    def plan(self, *planned: tuple[str, Moment]) -> None:
        """What breaks from now on: the words, and whether before or after the server did it."""
        self.planned = list(planned)

    async def run(self, connection: Connection, query: str, statement: Callable[[], Awaitable[Any]]) -> Any:
        """The statement, or what is left of it."""
        if not (self.planned and query.startswith(self.planned[0][0])):
            return await statement()
        _, moment = self.planned.pop(0)
        if moment == "after":
            await statement()
        connection.terminate()
        if self.meanwhile:
            await self.meanwhile()
        raise ConnectionResetError("broken by a test")


class Breakable:
    """A connection that `Breaks` can break."""

    def __init__(self, inner: Connection, breaks: Breaks) -> None:
        self._inner = inner
        self._breaks = breaks

    async def execute(self, query: str, *values: object, timeout: float | None = None) -> str:
        return await self._breaks.run(self._inner, query, lambda: self._inner.execute(query, *values, timeout=timeout))

    async def fetch(self, query: str, *values: object) -> Any:
        return await self._breaks.run(self._inner, query, lambda: self._inner.fetch(query, *values))

    async def fetchrow(self, query: str, *values: object) -> Any:
        return await self._breaks.run(self._inner, query, lambda: self._inner.fetchrow(query, *values))

    async def fetchval(self, query: str, *values: object) -> Any:
        return await self._breaks.run(self._inner, query, lambda: self._inner.fetchval(query, *values))

    def transaction(self) -> AbstractAsyncContextManager[object]:
        return self._inner.transaction()

    def is_closed(self) -> bool:
        return self._inner.is_closed()

    async def close(self, *, timeout: float) -> None:
        await self._inner.close(timeout=timeout)

    def terminate(self) -> None:
        self._inner.terminate()


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Breaks:
    """Every connection from now on can break."""
    breaks = Breaks()

    async def connect(url: str, schema: str) -> Connection:
        return Breakable(await postgres_driver.connect(url, schema), breaks)

    monkeypatch.setattr(postgres_database, "connect", connect)
    return breaks


async def claim(ledger: Ledger, _: Row) -> Row:
    """A refused order anew."""
    return (await ledger.claim(KEY, await ledger.hashes(CONTENT))).row


STEPS: dict[str, tuple[str, Callable[[Ledger, Row], Awaitable[Row]]]] = {
    "claimed": ("refused", claim),
    "sending": ("claimed", lambda ledger, row: ledger.sending(row)),
    "placed": ("sending", lambda ledger, row: ledger.placed(row, "A-1", FACTS)),
    "found": ("unknown", lambda ledger, row: ledger.placed(row, "A-1", FACTS, "found by looking")),
    "refused": ("sending", lambda ledger, row: ledger.refused(row, "why")),
    "unknown": ("sending", lambda ledger, row: ledger.unknown(row, "why")),
    "by hand": ("unknown", lambda ledger, row: ledger.settle_by_hand(row, "placed", "A-1", FACTS, "why")),
}
"""Each step and the state it begins in."""


@pytest.mark.parametrize(("words", "moment"), [("WITH written", "before"), ("COMMIT", "before"), ("COMMIT", "after")])
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_whose_connection_breaks_is_taken_once(
    step: str, words: str, moment: Moment, ledgers: Ledgers, breaks: Breaks
) -> None:
    state, take = STEPS[step]
    async with ledgers.open() as ledger:
        row = await in_state(ledger, state)
        known = await ledger.changes(row)
        breaks.plan((words, moment))
        taken = await take(ledger, row)
        assert (breaks.planned, await ledger.get(KEY)) == ([], taken)
        assert [change.state for change in await ledger.changes(row)] == [*(c.state for c in known), taken.state]


@pytest.mark.parametrize(("words", "moment"), [("WITH written", "after"), ("COMMIT", "before"), ("COMMIT", "after")])
async def test_a_first_claim_whose_connection_breaks_is_won_once(
    words: str, moment: Moment, ledgers: Ledgers, breaks: Breaks
) -> None:
    async with ledgers.open() as ledger:
        content = await ledger.hashes(CONTENT)
        await ledger.recent()
        breaks.plan((words, moment))
        taken = await ledger.claim(KEY, content)
        assert (taken.won, taken.row.attempt, await ledger.get(KEY)) == (True, 1, taken.row)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_agreement_is_given_and_used_once_though_the_connection_breaks(
    moment: Moment, ledgers: Ledgers, breaks: Breaks
) -> None:
    async with ledgers.open() as ledger:
        content = await ledger.hashes(CONTENT)
        with pytest.raises(Withheld):
            await ledger.claim(KEY, content, ASKING)
        [question] = await ledger.approvals.recent()
        breaks.plan(("COMMIT", moment))
        await ledger.approvals.decide(question.number, agreed=True, how="by a test", good_for=HOUR)
        breaks.plan(("COMMIT", moment))
        taken: Claim = await ledger.claim(KEY, content, ASKING)
        assert (taken.won, taken.row.attempt) == (True, 1)
        assert [(a.number, a.state) for a in await ledger.approvals.recent()] == [(question.number, "used")]


async def test_a_commit_that_nobody_can_look_at_is_told_and_looked_at_by_the_next_call(
    ledgers: Ledgers, breaks: Breaks
) -> None:
    async with ledgers.open() as ledger:
        row = await won(ledger)
        breaks.plan(("COMMIT", "after"), ("SELECT id", "before"))
        with pytest.raises(LedgerUnavailable, match="its database cannot be reached"):
            await ledger.sending(row)
        assert breaks.planned == []
        again = await ledger.claim(KEY, row.content)
        assert (again.won, again.row.state) == (False, "unknown")


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_order_that_was_taken_over_while_the_connection_was_broken_does_not_leave(
    moment: Moment, ledgers: Ledgers, breaks: Breaks
) -> None:
    async with ledgers.open() as one, ledgers.open() as other:
        row = await won(one)

        async def take_over() -> None:
            await one.close()  # to others it is dead now
            await other.claim(KEY, row.content)

        breaks.meanwhile = take_over
        breaks.plan(("COMMIT", moment))
        with pytest.raises(LostOrder):
            await one.sending(row)
        found = await other.get(KEY)
        assert found is not None
        assert (found.state, found.attempt) == (("claimed", 2) if moment == "before" else ("unknown", 1))


@asynccontextmanager
async def direct(cluster: Cluster, ledgers: Ledgers) -> AsyncGenerator[Connection]:
    """Past the ledger."""
    connection = await postgres_driver.connect(cluster.url(), quoted(schema_name(ledgers.scope)))
    yield connection
    await connection.close(timeout=1)


async def test_a_process_that_lost_its_name_takes_another_and_sends_what_nobody_took(
    cluster: Cluster, ledgers: Ledgers
) -> None:
    async with ledgers.open() as one, ledgers.open() as other, direct(cluster, ledgers) as db:
        promised = await won(one)
        sent = await one.sending(await won(one, replace(KEY, reference="R-2")))
        await db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 "
            "AND lpad(to_hex((classid::bigint << 32) | objid::bigint), 16, '0') = $1",
            promised.owner,
        )
        with anyio.fail_after(10):
            while (shown := await other.get(sent.key)) == sent:
                await anyio.lowlevel.checkpoint()
        assert shown == sent.abandoned()
        leaving = await one.sending(promised)
        assert (leaving.state, leaving.owner != promised.owner, await other.get(KEY)) == ("sending", True, leaving)
        assert (await one.placed(sent, "A-2", FACTS)).state == "placed"


@pytest.fixture
def own_cluster() -> Generator[Cluster]:
    """A server that a test may stop."""
    with new_cluster() as running:
        yield running


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode", ["immediate", "fast"])
async def test_after_a_restart_of_the_database_the_next_call_works(mode: str, own_cluster: Cluster) -> None:
    ledgers = Ledgers(own_cluster.place())
    async with ledgers.open() as one, ledgers.open() as other:
        promised = await won(one)
        sent = await one.sending(await won(one, replace(KEY, reference="R-2")))
        with own_cluster.stopped(mode), pytest.raises(LedgerUnavailable, match="cannot be reached"):
            await one.sending(promised)
        leaving = await one.sending(promised)
        assert await other.get(KEY) == leaving
        assert (await other.claim(sent.key, sent.content)).row.state == "unknown"
        assert (await one.placed(sent, "A-2", FACTS)).state == "placed"
