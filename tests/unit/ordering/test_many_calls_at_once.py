"""Many calls at the same moment, in one process and in several: one reference stays one order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import anyio
import pytest

from contract.providers import NAMES, Json, Row, row_of
from contract.rigs import Rig, open_rig
from dropship_mcp.placing import Budget
from dropship_tools.errors import DropshipError
from dropship_tools.sandbox.faults import Fault, add_fault

pytestmark = pytest.mark.anyio

POLLING = Budget(poll=0.01)


async def all_at_once(calls: list[tuple[Rig, Json]], row: Row) -> Counter[str]:
    """How often the calls ended in which way."""
    ends: Counter[str] = Counter()

    async def call(rig: Rig, arguments: Json) -> None:
        try:
            ends[(await rig.create(row, arguments)).outcome] += 1
        except DropshipError as error:
            ends[error.code] += 1

    async with anyio.create_task_group() as tasks:
        for rig, arguments in calls:
            tasks.start_soon(call, rig, arguments)
    return ends


@pytest.mark.parametrize("name", NAMES)
async def test_fifty_identical_calls_are_one_order(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        ends = await all_at_once([(rig, row.arguments("R-1"))] * 50, row)
        assert ends == {"placed": 1, "already_placed": 49}
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (1, 1)


@pytest.mark.parametrize("name", NAMES)
async def test_of_fifty_different_parcels_under_one_reference_one_is_ordered(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        parcels = [row.changed(row.arguments("R-1"), f"Harbour Road {number}") for number in range(50)]
        ends = await all_at_once([(rig, parcel) for parcel in parcels], row)
        assert ends == {"placed": 1, "reference_conflict": 49}
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (1, 1)


@pytest.mark.parametrize("name", NAMES)
async def test_orders_under_different_references_do_not_hinder_each_other(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        ends = await all_at_once([(rig, row.arguments(f"R-{number}")) for number in range(10)], row)
        assert ends == {"placed": 10}
        assert [rig.orders(row, f"R-{number}") for number in range(10)] == [1] * 10


@pytest.mark.parametrize("name", NAMES)
async def test_identical_calls_that_lose_their_answer_share_what_was_found(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        add_fault(rig.world.store, Fault(name, "create", "reset_after"))
        assert await all_at_once([(rig, row.arguments("R-1"))] * 20, row) == {"placed": 1, "already_placed": 19}
        add_fault(rig.world.store, Fault(name, "create", "reset_before"))
        assert await all_at_once([(rig, row.arguments("R-2"))] * 20, row) == {"outcome_unknown": 20}
        assert (rig.trace.sent(), rig.orders(row, "R-1"), rig.orders(row, "R-2")) == (2, 1, 0)


@pytest.mark.parametrize("name", NAMES)
async def test_the_same_call_in_two_processes_is_one_order(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, budget=POLLING) as one, open_rig(tmp_path, one.world, budget=POLLING) as other:
        ends = await all_at_once([(rig, row.arguments("R-1")) for rig in (one, other) for _ in range(5)], row)
        assert ends == {"placed": 1, "already_placed": 9}
        assert (one.trace.sent() + other.trace.sent(), one.orders(row, "R-1")) == (1, 1)


@pytest.mark.parametrize("name", NAMES)
async def test_two_processes_that_find_an_order_unknown_do_not_both_send_it_again(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, budget=POLLING) as one:
        add_fault(one.world.store, Fault(name, "create", "reset_before"))
        assert await all_at_once([(one, row.arguments("R-1"))], row) == {"outcome_unknown": 1}
        one.clock.move(days=1)
        async with open_rig(tmp_path, one.world, clock=one.clock, budget=POLLING) as other:
            ends = await all_at_once([(rig, row.arguments("R-1")) for rig in (one, other) for _ in range(3)], row)
    again = {"outcome_unknown": 6} if row.silence == "never" else {"placed": 1, "already_placed": 5}
    assert ends == again
    assert one.orders(row, "R-1") == (0 if row.silence == "never" else 1)
