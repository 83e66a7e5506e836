"""Several processes share one ledger: who is alive keeps an order, who is dead loses it at once."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from dropship_mcp.ledger import Ledger, LostOrder, OrderKey
from dropship_mcp.ledger.owner import Owner
from dropship_mcp.ledger.rows import ABANDONED, State
from unit.ledger.ledgers import CONTENT, FACTS, KEY, Ledgers, in_state, won
from unit.sandbox.worlds import Clock

pytestmark = pytest.mark.anyio


async def test_an_order_that_a_living_process_holds_cannot_be_won(ledgers: Ledgers) -> None:
    async with ledgers.open() as one, ledgers.open() as other:
        for reference, state in (("R-1", "claimed"), ("R-2", "sending")):
            key = OrderKey("sandbox", "dipli", "sandbox", reference)
            held = await in_state(one, state, key)
            claim = await other.claim(key, held.content)
            assert (claim.won, claim.row, await other.get(key)) == (False, held, held)


async def test_an_order_that_a_dead_process_had_promised_is_won(ledgers: Ledgers) -> None:
    async with ledgers.open() as one:
        promised = await won(one)
    async with ledgers.open() as other:
        claim = await other.claim(KEY, promised.content)
        assert (claim.won, claim.row.state, claim.row.attempt) == (True, "claimed", 2)
        with pytest.raises(LostOrder):
            await one.sending(promised)  # it was not dead after all, and comes too late
    await one.close()


async def test_an_order_that_a_dead_process_was_sending_is_unknown(ledgers: Ledgers) -> None:
    async with ledgers.open() as one:
        sent = await in_state(one, "sending")
    async with ledgers.open() as other:
        shown = await other.get(KEY)
        claim = await other.claim(KEY, sent.content)
        assert shown is not None
        assert shown == replace(sent, state="unknown", reason=ABANDONED)
        assert (claim.won, claim.row.state, claim.row.reason) == (False, "unknown", ABANDONED)
        assert (await other.placed(claim.row, "A-1", FACTS)).state == "placed"


@pytest.mark.parametrize(("state", "order_id"), [("placed", "A-9"), ("refused", "")])
async def test_an_order_that_a_dead_process_was_sending_is_settled_by_hand(
    ledgers: Ledgers, state: State, order_id: str
) -> None:
    async with ledgers.open() as one:
        await in_state(one, "sending")
    async with ledgers.open() as other:
        shown = await other.get(KEY)
        assert shown
        settled = await other.settle_by_hand(shown, state, order_id, {}, "a person looked")
        assert (settled.state, settled.order_id, settled.reason) == (state, order_id, "a person looked")
        assert await other.get(KEY) == settled
        with pytest.raises(LostOrder):
            await other.settle_by_hand(shown, "refused", "", {}, "another person looked")


async def test_an_order_that_a_dead_process_was_sending_is_listed_among_the_unknown_ones(ledgers: Ledgers) -> None:
    async with ledgers.open() as one, ledgers.open() as living:
        await in_state(one, "sending")
        await in_state(living, "sending", OrderKey("sandbox", "dipli", "sandbox", "R-2"))
        assert [r.key.reference for r in await living.recent("sandbox", state="sending")] == ["R-2", "R-1"]
        assert await living.recent("sandbox", state="unknown", limit=10) == []
        await one.close()
        assert [r.key.reference for r in await living.recent("sandbox", state="sending")] == ["R-2"]
        assert [r.key.reference for r in await living.recent("sandbox", state="unknown", limit=10)] == ["R-1"]


async def test_a_row_that_this_process_left_behind_is_not_taken_for_anothers(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        promised = await won(ledger)
        again = await ledger.claim(KEY, promised.content)
        assert (again.won, again.row.attempt) == (True, 2)
        sent = await ledger.sending(again.row)
        third = await ledger.claim(KEY, sent.content)
        assert (third.won, third.row.state) == (False, "unknown")


@pytest.mark.parametrize("seconds", [-400 * 86400, 400 * 86400])
async def test_no_clock_makes_a_living_process_dead_or_a_dead_one_alive(seconds: float, ledgers: Ledgers) -> None:
    clock = Clock()
    async with ledgers.open(clock) as one, ledgers.open(clock) as other:
        held = await won(one)
        clock.move(seconds=seconds)
        assert (await other.claim(KEY, held.content)).won is False
        await one.close()
        assert (await other.claim(KEY, held.content)).won is True


TESTS = Path(__file__).parents[2]

CHILD = """
import sys
import anyio
from dropship_mcp.ledger import OrderKey
from unit.ledger.ledgers import Ledgers

async def hold():
    ledger = Ledgers.of(*sys.argv[1:]).make()
    for reference, send in (("R-1", False), ("R-2", True)):
        key = OrderKey("sandbox", "dipli", "sandbox", reference)
        row = (await ledger.claim(key, await ledger.hashes({"buyer": "Jane Doe"}))).row
        if send:
            await ledger.sending(row)
    print("held", end="", flush=True)
    await anyio.sleep_forever()

anyio.run(hold)
"""


async def until_unknown(ledger: Ledger, key: OrderKey) -> None:
    """A database needs a moment to see that a connection was cut."""
    with anyio.fail_after(10):
        while (row := await ledger.get(key)) is None or row.state != "unknown":
            await anyio.lowlevel.checkpoint()


@pytest.mark.timeout(60)
async def test_a_killed_process_is_recognised_at_once(ledgers: Ledgers) -> None:
    ledger = ledgers.make()
    async with await anyio.open_process([sys.executable, "-c", CHILD, *ledgers.words()], cwd=TESTS) as child:
        assert child.stdout is not None
        assert await child.stdout.receive() == b"held"
        content = await ledger.hashes({"buyer": "Jane Doe"})
        first, second = KEY, OrderKey("sandbox", "dipli", "sandbox", "R-2")
        before = [(await ledger.claim(key, content)).row.state for key in (first, second)]
        child.kill()
        await child.wait()
        await until_unknown(ledger, second)
        after = [await ledger.claim(key, content) for key in (first, second)]
        assert before == ["claimed", "sending"]
        assert [(claim.won, claim.row.state) for claim in after] == [(True, "claimed"), (False, "unknown")]
    await ledger.close()


async def test_many_processes_opening_a_new_ledger_at_once_share_it(ledgers: Ledgers) -> None:
    opened = [ledgers.make() for _ in range(12)]
    wins: list[bool] = []

    async def claim(ledger: Ledger) -> None:
        wins.append((await ledger.claim(KEY, await ledger.hashes(CONTENT))).won)

    async with anyio.create_task_group() as tasks:
        for ledger in opened:
            tasks.start_soon(claim, ledger)
    for ledger in opened:
        await ledger.close()
    assert sorted(wins) == [False] * 11 + [True]


def test_a_dead_owner_is_known_without_its_file_too(tmp_path: Path) -> None:
    me, other = Owner(tmp_path), Owner(tmp_path)
    assert (me.is_alive(me.id), me.is_alive(other.id), me.is_alive("0123456789abcdef")) == (True, True, False)
    other.release()
    assert (me.is_alive(other.id), os.listdir(tmp_path)) == (False, [f"{me.id}.lock"])
    me.release()
