"""Every call is answered before its host gives up, however slow the provider is.

The real limits are tried, in an event loop whose clock jumps.
"""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from contract.providers import NAMES, row_of
from contract.rigs import Rig, is_request, open_rig
from dropship_mcp.order_looks import LOOK_SECONDS
from dropship_mcp.placing import Budget
from dropship_tools.errors import DropshipError, InProgress, OutcomeUnknown
from dropship_tools.http import Timing
from dropship_tools.sandbox.faults import Fault, add_fault
from unit.ordering.virtual_time import BACKEND

pytestmark = pytest.mark.anyio

LONGEST_CALL = 45.0
"""Seconds. Hosts give up after 60."""

CALM = Budget(report=40)
"""The real limits; fewer signs of life are fewer jumps."""


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """Time jumps."""
    return BACKEND


class Silence:
    """The provider does not answer any more, from the first point that begins so."""

    def __init__(self, beginning: str = "before") -> None:
        self._beginning = beginning
        self.fallen = anyio.Event()

    async def __call__(self, point: str) -> None:
        """Hang."""
        if point.startswith(self._beginning) and is_request(point):
            self.fallen.set()
        if self.fallen.is_set() and is_request(point):
            await anyio.sleep_forever()


async def answer_of(rig: Rig, name: str) -> tuple[str, str, float]:
    """The code, whether an order was sent, and the seconds until the answer."""
    begun = anyio.current_time()
    try:
        code, sent = (await rig.create(row_of(name), row_of(name).arguments("R-1"))).outcome, "yes"
    except DropshipError as error:
        code, sent = error.code, error.sent
    return code, sent, anyio.current_time() - begun


@pytest.mark.parametrize("name", NAMES)
async def test_a_provider_that_never_answers_ends_in_an_unknown_outcome_in_time(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, timing=Timing(), budget=CALM) as rig:
        rig.trace.at = Silence("before create")
        code, sent, seconds = await answer_of(rig, name)
        assert (code, sent, await rig.state(row, "R-1")) == ("outcome_unknown", "maybe", "unknown")
        assert seconds <= LONGEST_CALL


@pytest.mark.parametrize("name", NAMES)
async def test_a_provider_that_falls_silent_after_taking_the_order_ends_in_an_unknown_outcome_in_time(
    name: str, tmp_path: Path
) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, timing=Timing(), budget=CALM) as rig:
        rig.trace.at = Silence("after create")
        code, sent, seconds = await answer_of(rig, name)
        assert (code, sent, await rig.state(row, "R-1")) == ("outcome_unknown", "maybe", "unknown")
        assert seconds <= LONGEST_CALL
        rig.trace.at = None
        assert await answer_of(rig, name) == ("already_placed", "yes", pytest.approx(0, abs=LONGEST_CALL))
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (1, 1)


async def test_an_order_that_takes_longer_than_a_call_may_is_unknown(tmp_path: Path) -> None:
    row = row_of("dipli")
    async with open_rig(tmp_path, timing=Timing(order=600), budget=CALM) as rig:
        rig.trace.at = Silence("before create")
        begun = anyio.current_time()
        with pytest.raises(OutcomeUnknown, match="the order was sent and no answer came in time"):
            await rig.create(row, row.arguments("R-1"))
        assert (await rig.state(row, "R-1"), anyio.current_time() - begun <= LONGEST_CALL) == ("unknown", True)


async def test_a_call_that_ends_before_its_order_does_says_so_and_the_next_one_brings_the_answer(
    tmp_path: Path,
) -> None:
    row, answers = row_of("dipli"), anyio.Event()

    async def slowly(point: str) -> None:
        if point == "after create":
            await answers.wait()

    async with open_rig(tmp_path, timing=Timing(order=600), budget=Budget(call=5, flight=600)) as rig:
        rig.trace.at = slowly
        with pytest.raises(InProgress) as caught:
            await rig.create(row, row.arguments("R-1"))
        assert caught.value.sent == "maybe"
        answers.set()
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "already_placed"
        assert rig.trace.sent() == 1


async def test_a_provider_that_never_answers_the_questions_before_an_order_gets_none(tmp_path: Path) -> None:
    row = row_of("rewix")
    async with open_rig(tmp_path, timing=Timing(), budget=CALM) as rig:
        rig.trace.at = Silence()
        code, sent, seconds = await answer_of(rig, "rewix")
        assert (code, sent, await rig.state(row, "R-1")) == ("provider_unavailable", "no", "refused")
        assert (seconds <= LONGEST_CALL, rig.trace.sent()) == (True, 0)


@pytest.mark.parametrize("name", NAMES)
async def test_looking_for_an_unknown_order_ends_in_time_too(name: str, tmp_path: Path) -> None:
    async with open_rig(tmp_path, timing=Timing(), budget=CALM) as rig:
        add_fault(rig.world.store, Fault(name, "create", "reset_before"))
        assert (await answer_of(rig, name))[0] == "outcome_unknown"
        rig.trace.at = Silence()
        code, _, seconds = await answer_of(rig, name)
        begun = anyio.current_time()
        settled = await rig.settle(row_of(name), "R-1")
        assert (code, settled.outcome) == ("outcome_unknown", "unknown")
        assert seconds <= LONGEST_CALL
        assert anyio.current_time() - begun <= LONGEST_CALL


async def test_another_process_that_sends_for_too_long_is_not_waited_for_too_long(tmp_path: Path) -> None:
    row, patient = row_of("dipli"), Budget(call=200, flight=100, report=200)
    async with (
        open_rig(tmp_path, timing=Timing(order=200), budget=patient) as slow,
        open_rig(tmp_path, slow.world, budget=Budget(poll=4)) as rig,
    ):
        slow.trace.at = silence = Silence("before create")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer_of, slow, "dipli")
            await silence.fallen.wait()
            code, sent, seconds = await answer_of(rig, "dipli")
            assert (code, sent, rig.trace.sent()) == ("in_progress", "maybe", 0)
            assert seconds <= LONGEST_CALL
        assert await rig.state(row, "R-1") == "unknown"


def test_the_limits_add_up() -> None:
    budget, timing = Budget(), Timing()
    assert timing.connect <= timing.read <= timing.order < budget.flight < budget.call <= LONGEST_CALL
    assert 2 * LOOK_SECONDS <= LONGEST_CALL
    assert budget.poll < budget.report < budget.call
