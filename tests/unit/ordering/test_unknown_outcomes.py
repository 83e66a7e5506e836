"""Nobody knows whether the order exists: every provider, every way an answer gets lost.

Whatever happens, one reference never becomes two orders; what may be concluded depends on what the provider can tell.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from contract.providers import NAMES, Row, row_of
from contract.rigs import Rig, is_request, open_rig
from dropship_tools.errors import OutcomeUnknown, ProviderUnavailable
from dropship_tools.http import Timing
from dropship_tools.sandbox.faults import Fault, FaultKind, add_fault

pytestmark = pytest.mark.anyio

IMPATIENT = Timing(connect=2, read=2, order=0.25, pause=0, longest_pause=0)
LOST = "The provider's own answer was lost; the order was found by looking for it."

STORED: list[tuple[FaultKind, float]] = [
    ("status_after", 500),
    ("status_after", 502),
    ("status_after", 503),
    ("status_after", 504),
    ("reset_after", 0),
    ("hang_after", 0),
    ("latency", 60),
    ("malformed", 0),
    ("truncated", 0),
    ("huge", 3),
    ("wrong_type", 0),
    ("wrong_type", 1),
    ("wrong_type", 2),
    ("wrong_type", 3),
]
"""The provider has the order, and its answer says nothing of use."""

NOT_STORED: list[tuple[FaultKind, float]] = [
    ("status", 500),
    ("status", 502),
    ("status", 503),
    ("status", 408),
    ("reset_before", 0),
    ("redirect", 0),
]
"""The provider does not have the order, and its answer does not say so."""


def ask_for(rig: Rig, row: Row, kind: FaultKind, value: float = 0) -> None:
    """Let the provider's next answer to an order go wrong."""
    add_fault(rig.world.store, Fault(row.name, "create", kind, value=value))


@pytest.mark.parametrize(("kind", "value"), STORED)
@pytest.mark.parametrize("name", NAMES)
async def test_an_order_whose_answer_was_lost_is_found_by_looking(
    name: str, kind: FaultKind, value: float, tmp_path: Path
) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, timing=IMPATIENT) as rig:
        ask_for(rig, row, kind, value)
        first = await rig.create(row, row.arguments("R-1"))
        settled = await rig.settle(row, "R-1")
        asked = len(rig.trace.requests())
        second = await rig.create(row, row.arguments("R-1"))
        # Rewix looks again by itself, as it does after every order
        assert (first.outcome, first.warnings) == ("placed", () if name == "rewix" else (LOST,))
        assert (second.outcome, second.order) == ("already_placed", first.order)
        assert (settled.outcome, settled.order_id) == ("placed", first.order["order_id"])
        assert len(rig.trace.requests()) == asked
        assert (await rig.state(row, "R-1"), rig.trace.sent(), rig.orders(row, "R-1")) == ("placed", 1, 1)


@pytest.mark.parametrize(("kind", "value"), NOT_STORED)
@pytest.mark.parametrize("name", NAMES)
async def test_an_order_that_never_arrived_is_sent_again_only_when_that_is_proven(
    name: str, kind: FaultKind, value: float, tmp_path: Path
) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, timing=IMPATIENT) as rig:
        ask_for(rig, row, kind, value)
        with pytest.raises(OutcomeUnknown) as caught:
            await rig.create(row, row.arguments("R-1"))
        assert (caught.value.code, caught.value.sent) == ("outcome_unknown", "maybe")
        assert (await rig.state(row, "R-1"), rig.trace.sent(), rig.orders(row, "R-1")) == ("unknown", 1, 0)
        assert (await rig.settle(row, "R-1")).outcome == "unknown"
        await PROOFS[row.silence](rig, row)
        again = await rig.create(row, row.arguments("R-1"))
        assert again.outcome == "placed"
        assert (await rig.state(row, "R-1"), rig.trace.sent(), rig.orders(row, "R-1")) == ("placed", 2, 1)


async def still_unknown(rig: Rig, row: Row) -> None:
    """Neither looking nor repeating the call concludes anything, and nothing is sent."""
    assert (await rig.settle(row, "R-1")).outcome == "unknown"
    with pytest.raises(OutcomeUnknown) as caught:
        await rig.create(row, row.arguments("R-1"))
    assert caught.value.sent == "maybe"
    assert (await rig.state(row, "R-1"), rig.trace.sent()) == ("unknown", 1)


async def nothing_to_prove(rig: Rig, row: Row) -> None:
    """Sending again is safe at once: the provider turns repeats away."""


async def wait(rig: Rig, row: Row) -> None:
    """Time proves it, and not a second earlier."""
    rig.clock.move(seconds=(row.settled_after - timedelta(seconds=1)).total_seconds())
    await still_unknown(rig, row)
    rig.clock.move(seconds=1)


async def ask_a_person(rig: Rig, row: Row) -> None:
    """No time is long enough; a person looks and decides."""
    rig.clock.move(days=400)
    await still_unknown(rig, row)
    found = await rig.row(row, "R-1")
    assert found is not None
    await rig.ledger.settle_by_hand(found, "refused", "", {}, "a person looked")


PROOFS = {"resend": nothing_to_prove, "in time": wait, "never": ask_a_person}


@pytest.mark.parametrize("name", [name for name in NAMES if row_of(name).silence != "never"])
async def test_settling_alone_concludes_after_the_time_in_which_an_order_may_turn_up(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        ask_for(rig, row, "reset_before")
        with pytest.raises(OutcomeUnknown):
            await rig.create(row, row.arguments("R-1"))
        rig.clock.move(seconds=(row.settled_after - timedelta(seconds=1)).total_seconds())
        early = await rig.settle(row, "R-1")
        rig.clock.move(seconds=1)
        late = await rig.settle(row, "R-1")
        assert (early.outcome, late.outcome) == ("unknown", "refused")
        assert (late.next_step, rig.trace.sent()) == (
            "No order exists. The create call may be made again with the same reference.",
            1,
        )


@pytest.mark.parametrize("name", NAMES)
async def test_an_order_that_could_not_be_looked_for_is_found_later_and_never_sent_again(
    name: str, tmp_path: Path
) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        trouble = Trouble()
        rig.trace.at = trouble
        with pytest.raises(OutcomeUnknown) as caught:
            await rig.create(row, row.arguments("R-1"))
        assert caught.value.sent == "maybe"
        unsettled = await rig.settle(row, "R-1")
        assert (unsettled.outcome, rig.orders(row, "R-1")) == ("unknown", 1)
        with pytest.raises(OutcomeUnknown):
            await rig.create(row, row.arguments("R-1"))
        rig.trace.at = None
        found = await rig.create(row, row.arguments("R-1"))
        assert (found.outcome, rig.trace.sent(), rig.orders(row, "R-1")) == ("already_placed", 1, 1)


class Trouble:
    """The order's answer is lost, and from then on every look-up fails."""

    def __init__(self) -> None:
        self._begun = False

    async def __call__(self, point: str) -> None:
        """Break the connection."""
        self._begun = self._begun or point == "after create"
        if self._begun and is_request(point):
            raise httpx2.ReadError("the connection broke off")


@pytest.mark.parametrize("name", NAMES)
async def test_an_order_that_could_not_leave_is_refused_and_may_be_sent_again(name: str, tmp_path: Path) -> None:
    row = row_of(name)

    async def refuse(point: str) -> None:
        if point == "before create":
            raise httpx2.ConnectError("connection refused")

    async with open_rig(tmp_path) as rig:
        rig.trace.at = refuse
        with pytest.raises(ProviderUnavailable) as caught:
            await rig.create(row, row.arguments("R-1"))
        assert (caught.value.code, caught.value.sent) == ("provider_unavailable", "no")
        assert (await rig.state(row, "R-1"), rig.orders(row, "R-1")) == ("refused", 0)
        rig.trace.at = None
        again = await rig.create(row, row.arguments("R-1"))
        assert (again.outcome, rig.orders(row, "R-1")) == ("placed", 1)
