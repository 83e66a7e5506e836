"""The operator's limits where orders are promised: exact across calls, processes, restarts, retries and clocks."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from contract.providers import NAMES, Json, Row, row_of
from contract.rigs import Rig, new_world, open_rig
from dropship_mcp.placing import Budget
from dropship_mcp.policy import Limits, Policy
from dropship_tools.errors import DropshipError, NeedsApproval, NotAllowed
from dropship_tools.sandbox.faults import Fault, add_fault
from unit.sandbox.worlds import Clock

pytestmark = pytest.mark.anyio

DROPDAY, REWIX, DUOPLANE = row_of("dropday"), row_of("rewix"), row_of("duoplane")

TEN_A_DAY = Policy(deny=Limits(orders_per_day=10))


async def ends(row: Row, calls: list[tuple[Rig, Json]]) -> Counter[str]:
    """How often calls at the same moment ended in which way."""
    counted: Counter[str] = Counter()

    async def call(rig: Rig, arguments: Json) -> None:
        try:
            counted[(await rig.create(row, arguments)).outcome] += 1
        except DropshipError as error:
            counted[error.code] += 1

    async with anyio.create_task_group() as tasks:
        for rig, arguments in calls:
            tasks.start_soon(call, rig, arguments)
    return counted


async def refused(rig: Rig, row: Row, arguments: Json) -> str:
    """The policy's words."""
    with pytest.raises(NotAllowed) as error:
        await rig.create(row, arguments)
    return error.value.what


@pytest.mark.parametrize("name", NAMES)
async def test_of_fifty_orders_at_once_exactly_the_ten_allowed_leave(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, policy=TEN_A_DAY) as rig:
        counted = await ends(row, [(rig, row.arguments(f"R-{number}")) for number in range(50)])
        assert counted == {"placed": 10, "not_allowed": 40}
        assert sum(rig.orders(row, f"R-{number}") for number in range(50)) == 10


async def test_of_fifty_orders_of_five_processes_exactly_the_ten_allowed_leave(tmp_path: Path) -> None:
    clock = Clock()
    world = new_world(clock)
    options: dict[str, Any] = {"policy": TEN_A_DAY, "clock": clock, "budget": Budget(poll=0.01)}
    async with AsyncExitStack() as running:
        rigs = [await running.enter_async_context(open_rig(tmp_path, world, **options)) for _ in range(5)]
        counted = await ends(DROPDAY, [(rigs[n % 5], DROPDAY.arguments(f"R-{n}")) for n in range(50)])
    assert counted == {"placed": 10, "not_allowed": 40}


async def test_the_count_holds_across_restarts_and_ends_with_the_day(tmp_path: Path) -> None:
    clock = Clock()
    world = new_world(clock)
    policy = Policy(deny=Limits(orders_per_day=2, orders_per_hour=1))
    for reference, end in (("R-1", ""), ("R-2", "orders_per_hour is 1, this order: number 2 in 60 minutes")):
        async with open_rig(tmp_path, world, clock=clock, policy=policy) as rig:
            if end:
                assert end in await refused(rig, DROPDAY, DROPDAY.arguments(reference))
            else:
                await rig.create(DROPDAY, DROPDAY.arguments(reference))
    async with open_rig(tmp_path, world, clock=clock, policy=policy) as rig:
        clock.move(minutes=61)
        await rig.create(DROPDAY, DROPDAY.arguments("R-2"))
        clock.move(minutes=61)
        assert "orders_per_day is 2, this order: number 3 in 24 hours" in await refused(
            rig, DROPDAY, DROPDAY.arguments("R-3")
        )
        clock.move(hours=22)
        await rig.create(DROPDAY, DROPDAY.arguments("R-3"))


async def test_a_clock_that_goes_back_frees_no_place(tmp_path: Path) -> None:
    async with open_rig(tmp_path, policy=Policy(deny=Limits(orders_per_day=1))) as rig:
        await rig.create(DROPDAY, DROPDAY.arguments("R-1"))
        rig.clock.move(days=-3)
        assert "orders_per_day" in await refused(rig, DROPDAY, DROPDAY.arguments("R-2"))


@pytest.mark.parametrize("name", NAMES)
async def test_a_repeated_order_is_answered_even_when_the_day_is_full(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, policy=Policy(deny=Limits(orders_per_day=1))) as rig:
        await rig.create(row, row.arguments("R-1"))
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "already_placed"
        assert rig.trace.sent() == 1


async def test_an_order_the_provider_refused_takes_no_place_and_one_with_unknown_outcome_does(tmp_path: Path) -> None:
    async with open_rig(tmp_path, policy=Policy(deny=Limits(orders_per_day=1))) as rig:
        add_fault(rig.world.store, Fault("dropday", "create", "status", value=422))
        with pytest.raises(DropshipError):
            await rig.create(DROPDAY, DROPDAY.arguments("R-1"))
        assert await rig.state(DROPDAY, "R-1") == "refused"
        dipli = row_of("dipli")
        add_fault(rig.world.store, Fault("dipli", "create", "reset_before"))
        with pytest.raises(DropshipError):
            await rig.create(dipli, dipli.arguments("R-2"))
        assert await rig.state(dipli, "R-2") == "unknown"
        assert "orders_per_day" in await refused(rig, DROPDAY, DROPDAY.arguments("R-1"))


async def test_nothing_is_written_about_a_denied_order(tmp_path: Path) -> None:
    async with open_rig(tmp_path, policy=Policy(deny=Limits(quantity_per_line=0))) as rig:
        await refused(rig, DROPDAY, DROPDAY.arguments("R-1"))
        assert (await rig.ledger.recent(), await rig.ledger.approvals.recent()) == ([], [])
        assert rig.trace.sent() == 0


async def test_totals_add_up_exactly_over_providers(tmp_path: Path) -> None:
    first, second = DROPDAY.arguments("R-1"), DUOPLANE.arguments("R-2")
    async with open_rig(tmp_path) as rig:
        for row, arguments in ((DROPDAY, first), (DUOPLANE, second)):
            await rig.create(row, arguments)
        key = await rig.row(DROPDAY, "R-1")
        assert key is not None
        day = await rig.ledger.before(key.key, key.content, TEN_A_DAY)
        other = await rig.row(DUOPLANE, "R-2")
        assert other is not None
        whole = day.total_last_day + (await rig.ledger.before(other.key, other.content, TEN_A_DAY)).total_last_day
    assert whole == Decimal(str(first["total"])) + Decimal(
        sum((Decimal(str(i["price"])) * i["quantity"] for i in second["order_items"]), Decimal(0))
    )


async def test_a_stated_total_does_not_hide_what_the_lines_add_up_to(tmp_path: Path) -> None:
    arguments = DROPDAY.arguments("R-1")
    async with open_rig(tmp_path, policy=Policy(deny=Limits(total_per_order=Decimal(1)))) as rig:
        assert "total_per_order is 1" in await refused(rig, DROPDAY, {**arguments, "total": "0.01"})


async def test_an_order_that_pays_at_once_can_be_denied(tmp_path: Path) -> None:
    async with open_rig(tmp_path, policy=Policy(pay_at_once="deny")) as rig:
        assert "pay_at_once is deny" in await refused(rig, REWIX, {**REWIX.arguments("R-1"), "autoConfirm": True})
        await rig.create(REWIX, REWIX.arguments("R-1"))


async def test_only_test_orders_can_be_allowed(tmp_path: Path) -> None:
    async with open_rig(tmp_path, policy=Policy(real_orders="deny")) as rig:
        assert "real_orders is deny" in await refused(rig, DROPDAY, DROPDAY.arguments("R-1"))
        await rig.create(DROPDAY, {**DROPDAY.arguments("R-1"), "test": True})


def again(row: Row, reference: str) -> Json:
    """The parcel of R-1 under another reference."""
    return {**row.arguments("R-1"), row.reference: reference}


@pytest.mark.parametrize("name", NAMES)
async def test_the_same_parcel_under_another_reference_needs_a_person(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, policy=Policy(same_parcel="ask")) as rig:
        await rig.create(row, row.arguments("R-1"))
        with pytest.raises(NeedsApproval) as error:
            await rig.create(row, again(row, "R-2"))
        assert "the same parcel as R-1, ordered or begun within 24 hours" in error.value.what
        rig.clock.move(hours=25)
        assert (await rig.create(row, again(row, "R-3"))).outcome == "placed"


async def test_another_note_does_not_make_it_another_parcel(tmp_path: Path) -> None:
    async with open_rig(tmp_path, policy=Policy(same_parcel="deny")) as rig:
        await rig.create(DROPDAY, DROPDAY.arguments("R-1"))
        other = again(DROPDAY, "R-2")
        other["shipping_address"] = {**other["shipping_address"], "first_name": "ANN", "phone": "+31201234567"}
        other["shipping_address"]["first_name"] = DROPDAY.example["shipping_address"]["first_name"].upper()
        assert "the same parcel as R-1" in await refused(rig, DROPDAY, other)
