"""The states of an order in the ledger: which steps there are, which are forbidden, and that each has its time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from dropship_mcp.ledger import Ledger, LostOrder, OrderKey, Row, State
from dropship_mcp.ledger.rows import Change
from unit.ledger.ledgers import CONTENT, FACTS, KEY, Ledgers, in_state, won
from unit.sandbox.worlds import NOON, Clock

pytestmark = pytest.mark.anyio

STATES: tuple[State, ...] = get_args(State)

STEPS: dict[str, tuple[Callable[[Ledger, Row], Awaitable[Row]], set[str]]] = {
    "sending": (lambda ledger, row: ledger.sending(row), {"claimed"}),
    "placed": (lambda ledger, row: ledger.placed(row, "A-2", FACTS), {"claimed", "sending", "unknown"}),
    "refused": (lambda ledger, row: ledger.refused(row, "why"), {"claimed", "sending", "unknown"}),
    "unknown": (lambda ledger, row: ledger.unknown(row, "why"), {"sending", "unknown"}),
    "placed by hand": (lambda ledger, row: ledger.settle_by_hand(row, "placed", "A-2", FACTS, "why"), {"unknown"}),
    "refused by hand": (lambda ledger, row: ledger.settle_by_hand(row, "refused", "", {}, "why"), {"unknown"}),
}
"""Each step and the states it may begin in."""


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_is_taken_from_its_states_only(step: str, state: State, ledgers: Ledgers) -> None:
    take, allowed = STEPS[step]
    async with ledgers.open() as ledger:
        row = await in_state(ledger, state)
        if state in allowed:
            assert (await take(ledger, row)).state == step.split()[0]
        else:
            with pytest.raises(LostOrder):
                await take(ledger, row)
            assert await ledger.get(KEY) == row


@pytest.mark.parametrize(("state", "wins"), [(s, s == "refused") for s in STATES if s not in ("claimed", "sending")])
async def test_a_settled_order_is_claimed_again_only_if_it_was_refused(
    state: State, wins: bool, ledgers: Ledgers
) -> None:
    async with ledgers.open() as ledger:
        row = await in_state(ledger, state)
        claim = await ledger.claim(KEY, row.content)
        assert (claim.won, claim.row.state, claim.row.attempt) == (wins, "claimed" if wins else state, 1 + wins)


async def test_a_corrected_order_takes_the_place_of_the_refused_one(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        await in_state(ledger, "refused")
        corrected = await ledger.hashes({**CONTENT, "product_id": 12}, trace="another")
        claim = await ledger.claim(KEY, corrected)
        assert (claim.won, claim.row.content, claim.row.reason) == (True, corrected, "")


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_of_an_earlier_attempt_is_refused(step: str, ledgers: Ledgers) -> None:
    take, _ = STEPS[step]
    async with ledgers.open() as ledger:
        first = await in_state(ledger, "refused")
        second = (await ledger.claim(KEY, first.content)).row
        with pytest.raises(LostOrder):
            await take(ledger, first)
        assert await ledger.get(KEY) == second


@pytest.mark.parametrize("step", ["sending", "placed", "refused"])
async def test_a_step_of_a_process_that_does_not_hold_the_order_is_refused(step: str, ledgers: Ledgers) -> None:
    take, _ = STEPS[step]
    async with ledgers.open() as ledger:
        row = await won(ledger)
        with pytest.raises(LostOrder):
            await take(ledger, replace(row, owner="somebody else"))
        assert await ledger.get(KEY) == row


async def test_each_change_is_kept_with_its_time(ledgers: Ledgers) -> None:
    clock = Clock()
    async with ledgers.open(clock) as ledger:
        row = await won(ledger)
        clock.move(seconds=1)
        row = await ledger.refused(row, "provider_refused")
        clock.move(seconds=1)
        row = (await ledger.claim(KEY, row.content)).row
        clock.move(seconds=1)
        row = await ledger.sending(row)
        clock.move(seconds=1)
        row = await ledger.unknown(row, "no answer came")
        clock.move(seconds=1)
        row = await ledger.placed(row, "A-1", FACTS, "found by looking")
        second = timedelta(seconds=1)
        assert await ledger.changes(row) == [
            Change(NOON, 1, "claimed", ""),
            Change(NOON + second, 1, "refused", "provider_refused"),
            Change(NOON + 2 * second, 2, "claimed", ""),
            Change(NOON + 3 * second, 2, "sending", ""),
            Change(NOON + 4 * second, 2, "unknown", "no answer came"),
            Change(NOON + 5 * second, 2, "placed", "found by looking"),
        ]
        assert (row.since, row.sent_at, row.changed_at) == (NOON + 2 * second, NOON + 3 * second, NOON + 5 * second)
        assert (row.order_id, row.answer, row.reason) == ("A-1", FACTS, "found by looking")


async def test_changes_keep_their_order_when_the_clock_goes_backwards(ledgers: Ledgers) -> None:
    clock = Clock()
    async with ledgers.open(clock) as ledger:
        row = await won(ledger)
        clock.move(days=-400)
        row = await ledger.sending(row)
        clock.move(days=800)
        row = await ledger.placed(row, "A-1", FACTS)
        assert [change.state for change in await ledger.changes(row)] == ["claimed", "sending", "placed"]


async def test_a_settled_order_is_there_after_the_file_was_closed(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        row = await in_state(ledger, "placed")
    async with ledgers.open() as ledger:
        assert await ledger.get(KEY) == row
        assert (await ledger.claim(KEY, row.content)).won is False


async def test_the_order_number_learned_once_is_not_lost_by_a_later_step(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        row = await in_state(ledger, "unknown")
        row = await ledger.settle_by_hand(row, "placed", "A-9", {}, "a person looked")
        assert (row.order_id, (await ledger.get(KEY) or row).order_id) == ("A-9", "A-9")


async def test_lists_are_by_mode_provider_and_state_with_the_newest_first(ledgers: Ledgers) -> None:
    clock = Clock()
    keys = [
        OrderKey("sandbox", "dipli", "sandbox", "R-1"),
        OrderKey("sandbox", "rewix", "sandbox", "R-1"),
        OrderKey("live", "dipli", "dipli", "R-1"),
        OrderKey("sandbox", "dipli", "sandbox", "R-2"),
    ]
    async with ledgers.open(clock) as ledger:
        for key, state in zip(keys, ("placed", "unknown", "refused", "placed"), strict=True):
            await in_state(ledger, state, key)
            clock.move(seconds=1)

        async def listed(mode: str | None = None, provider: str = "", state: str = "") -> list[OrderKey]:
            return [row.key for row in await ledger.recent(mode, provider, state)]

        assert await listed() == keys[::-1]
        assert await listed("sandbox") == [keys[3], keys[1], keys[0]]
        assert await listed("sandbox", "dipli") == [keys[3], keys[0]]
        assert await listed("sandbox", state="unknown") == [keys[1]]
        assert [row.key for row in await ledger.recent(limit=2)] == [keys[3], keys[2]]
        assert [row.key for row in await ledger.by_reference("sandbox", "R-1")] == [keys[1], keys[0]]
        assert await ledger.by_reference("sandbox", "r-1") == []


async def test_the_other_orders_of_an_account_are_known_by_their_numbers(ledgers: Ledgers) -> None:
    clock = Clock()
    async with ledgers.open(clock) as ledger:
        for reference, mode in (("R-0", "sandbox"), ("R-1", "sandbox"), ("R-2", "sandbox"), ("R-3", "live")):
            row = await won(ledger, replace(KEY, reference=reference, mode=mode))
            await ledger.placed(row, f"A-{reference}", FACTS)
            clock.move(days=1)
        assert await ledger.order_ids(KEY, NOON + timedelta(days=1)) == {"A-R-2"}
        assert await ledger.order_ids(KEY, NOON) == {"A-R-0", "A-R-2"}


async def test_forgetting_the_sandbox_keeps_live_orders(ledgers: Ledgers) -> None:
    live = replace(KEY, mode="live")
    async with ledgers.open() as ledger:
        await in_state(ledger, "placed")
        kept = await in_state(ledger, "placed", live)
        await ledger.forget_sandbox()
        assert await ledger.recent() == [kept]
        assert (await ledger.claim(KEY, kept.content)).won


async def test_one_order_at_a_provider_is_not_found_for_two_references(ledgers: Ledgers) -> None:
    """Two parcels that look alike, both lost: what is found for one is not found for the other as well."""
    async with ledgers.open() as ledger:
        lost = await in_state(ledger, "unknown", replace(KEY, reference="TWIN"))
        row = await in_state(ledger, "unknown")
        await ledger.placed(row, "A-7", FACTS, "found by looking")
        with pytest.raises(LostOrder):
            await ledger.placed(lost, "A-7", FACTS, "found by looking")
        assert (await ledger.placed(lost, "A-8", FACTS, "found by looking")).order_id == "A-8"
