"""The clock of this machine jumps: nothing is ordered twice because of it, and nothing is forgotten.

Who holds an order is known by locks, not by times. Times decide one thing only: whether an order that a provider does
not show may still turn up; a clock that went back makes that wait longer, never shorter.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.providers import NAMES, row_of
from contract.rigs import new_world, open_rig
from dropship_tools.errors import OutcomeUnknown
from dropship_tools.sandbox.faults import Fault, add_fault
from unit.sandbox.worlds import Clock

pytestmark = pytest.mark.anyio

JUMPS = [-400.0, 400.0]
"""Days."""

POINTS = ["after claim", "after sending", "before create", "after create", "before placed"]


@pytest.mark.parametrize("days", JUMPS)
@pytest.mark.parametrize("name", NAMES)
async def test_an_order_is_still_the_same_order_after_the_clock_has_jumped(
    name: str, days: float, tmp_path: Path
) -> None:
    row, clock, world = row_of(name), Clock(), new_world(Clock())
    async with open_rig(tmp_path, world, clock=clock) as rig:
        await rig.create(row, row.arguments("R-1"))
        clock.move(days=days)
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "already_placed"
    async with open_rig(tmp_path, world, clock=clock) as later:
        assert (await later.create(row, row.arguments("R-1"))).outcome == "already_placed"
        assert (later.trace.sent(), later.orders(row, "R-1")) == (0, 1)


@pytest.mark.parametrize("days", JUMPS)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", NAMES)
async def test_an_order_is_finished_while_the_clock_jumps(name: str, point: str, days: float, tmp_path: Path) -> None:
    row, clock, world = row_of(name), Clock(), new_world(Clock())

    async def jump(reached: str) -> None:
        if reached == point:
            clock.move(days=days)

    async with open_rig(tmp_path, world, clock=clock) as rig, open_rig(tmp_path, world, clock=clock) as other:
        rig.trace.at = jump
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "placed"
        assert (await other.create(row, row.arguments("R-1"))).outcome == "already_placed"
        assert (rig.trace.sent(), other.trace.sent(), rig.orders(row, "R-1")) == (1, 0, 1)


@pytest.mark.parametrize("days", JUMPS)
@pytest.mark.parametrize("name", NAMES)
async def test_an_order_whose_answer_was_lost_is_found_or_stays_unknown_after_the_clock_has_jumped(
    name: str, days: float, tmp_path: Path
) -> None:
    row, clock, world = row_of(name), Clock(), new_world(Clock())
    async with open_rig(tmp_path, world, clock=clock) as rig:

        async def lose(point: str) -> None:
            if point == "after create":
                rig.trace.at = None
                clock.move(days=days)
                raise ZeroDivisionError("the answer is lost, and so is the moment to look at once")

        rig.trace.at = lose
        with pytest.raises(OutcomeUnknown):
            await rig.create(row, row.arguments("R-1"))
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "already_placed"
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (1, 1)


@pytest.mark.parametrize("name", [name for name in NAMES if row_of(name).silence != "resend"])
async def test_a_clock_that_went_back_proves_nothing(name: str, tmp_path: Path) -> None:
    row, clock, world = row_of(name), Clock(), new_world(Clock())
    async with open_rig(tmp_path, world, clock=clock) as rig:
        add_fault(world.store, Fault(name, "create", "reset_before"))
        with pytest.raises(OutcomeUnknown):
            await rig.create(row, row.arguments("R-1"))
        clock.move(days=-1)
        with pytest.raises(OutcomeUnknown):
            await rig.create(row, row.arguments("R-1"))
        assert ((await rig.settle(row, "R-1")).outcome, rig.trace.sent()) == ("unknown", 1)
