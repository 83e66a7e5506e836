"""The ledger fails after the order has left: what the answer says is true, and nothing is sent again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from contract.providers import NAMES, row_of
from contract.rigs import WRITES, Rig, open_rig
from dropship_tools.errors import DropshipError, LedgerUnavailable, OutcomeUnknown, ProviderRefused, ReferenceConflict
from dropship_tools.sandbox.faults import Fault, add_fault

pytestmark = pytest.mark.anyio

FULL = "the ledger cannot be used: the disk is full or failing"


def failing(*points: str) -> Callable[[str], Awaitable[None]]:
    """The ledger fails at these points. After a write it has been written, and only the answer was lost."""

    async def fail(point: str) -> None:
        if point in points:
            raise LedgerUnavailable(FULL, fix="Nothing was sent. A person has to mend the ledger file.")

    return fail


ALL_AFTER_SENDING = [f"before {write}" for write in WRITES if write not in ("claim", "sending")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("point", ["before placed", "after placed"])
async def test_an_order_that_could_not_be_recorded_is_answered_as_placed_with_a_warning(
    name: str, point: str, tmp_path: Path
) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        rig.trace.at = failing(point)
        first = await rig.create(row, row.arguments("R-1"))
        assert (first.outcome, first.order["order_id"] != "") == ("placed", True)
        assert first.warnings[-1] == (
            f"The order exists, but {FULL}. Write the order id down; it is recorded when that is mended."
        )
        rig.trace.at = None
        second = await rig.create(row, row.arguments("R-1"))
        assert (second.outcome, second.order) == ("already_placed", first.order)
        assert (await rig.state(row, "R-1"), rig.trace.sent(), rig.orders(row, "R-1")) == ("placed", 1, 1)


@pytest.mark.parametrize("name", NAMES)
async def test_while_an_order_cannot_be_recorded_a_repeat_is_answered_from_memory(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        rig.trace.at = failing("before placed")
        first = await rig.create(row, row.arguments("R-1"))
        asked = len(rig.trace.requests())
        second = await rig.create(row, row.arguments("R-1"))
        assert (second.outcome, second.order, second.warnings) == ("already_placed", first.order, first.warnings)
        with pytest.raises(ReferenceConflict, match=f"different: {row.street_name}$"):
            await rig.create(row, row.changed(row.arguments("R-1"), "Harbour Road 9"))
        assert (len(rig.trace.requests()), await rig.state(row, "R-1")) == (asked, "sending")
        assert (await rig.create(row, row.arguments("R-2"))).outcome == "placed"  # others are not held up
        assert (rig.orders(row, "R-1"), rig.orders(row, "R-2")) == (1, 1)


async def test_an_order_that_could_not_be_recorded_is_recorded_with_the_next_order(tmp_path: Path) -> None:
    row = row_of("dipli")
    async with open_rig(tmp_path) as rig:
        rig.trace.at = failing("before placed")
        await rig.create(row, row.arguments("R-1"))
        rig.trace.at = None
        await rig.create(row, row.arguments("R-2"))
        assert await rig.state(row, "R-1") == "placed"


async def test_an_order_that_could_not_be_recorded_is_recorded_when_the_server_ends(tmp_path: Path) -> None:
    row = row_of("dipli")
    async with open_rig(tmp_path) as rig:
        rig.trace.at = failing("before placed")
        first = await rig.create(row, row.arguments("R-1"))
        rig.trace.at = None
    async with open_rig(tmp_path, rig.world) as later:
        second = await later.create(row, row.arguments("R-1"))
        assert (second.outcome, second.order, later.trace.requests()) == ("already_placed", first.order, [])


@pytest.mark.parametrize("name", NAMES)
async def test_an_order_that_was_never_recorded_is_looked_for_by_the_next_process(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        rig.trace.at = failing(*ALL_AFTER_SENDING)
        await rig.create(row, row.arguments("R-1"))
    async with open_rig(tmp_path, rig.world) as later:
        again = await later.create(row, row.arguments("R-1"))
        assert (again.outcome, later.trace.sent(), rig.orders(row, "R-1")) == ("already_placed", 0, 1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
@pytest.mark.parametrize("failures", [["before unknown"], ALL_AFTER_SENDING])
async def test_an_unknown_outcome_that_cannot_be_recorded_is_never_answered_as_not_sent(
    name: str, kind: str, failures: list[str], tmp_path: Path
) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        rig.trace.at = failing(*failures)
        add_fault(rig.world.store, Fault.from_json({"provider": name, "operation": "create", "kind": kind}))
        answer = await answered(rig, name)
        assert answer in ("placed", "maybe")
        assert (answer == "placed") <= (rig.orders(row, "R-1") == 1)
        sent = rig.trace.sent()
        rig.trace.at = None
    async with open_rig(tmp_path, rig.world) as later:
        await answered(later, name)
        assert (sent, rig.orders(row, "R-1")) == (1, 1 if kind == "reset_after" or row.silence == "resend" else 0)


async def answered(rig: Rig, name: str) -> str:
    """`placed` or `already_placed`, or what the error says about sending."""
    row = row_of(name)
    try:
        return (await rig.create(row, row.arguments("R-1"))).outcome
    except DropshipError as error:
        return error.sent


async def test_a_refusal_that_cannot_be_recorded_is_still_a_refusal(tmp_path: Path) -> None:
    row = row_of("dipli")
    async with open_rig(tmp_path) as rig:
        rig.trace.at = failing("before refused")
        add_fault(rig.world.store, Fault("dipli", "create", "status", value=400))
        with pytest.raises(ProviderRefused) as caught:
            await rig.create(row, row.arguments("R-1"))
        assert caught.value.sent == "no"
        rig.trace.at = None
        with pytest.raises(OutcomeUnknown):  # the ledger only knows that it was sent, which is safe
            await rig.create(row, row.arguments("R-1"))
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (1, 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("point", ["after claim", "after sending"])
async def test_a_promise_whose_confirmation_was_lost_sends_nothing(name: str, point: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        rig.trace.at = failing(point)
        with pytest.raises(LedgerUnavailable) as caught:
            await rig.create(row, row.arguments("R-1"))
        assert (caught.value.sent, rig.trace.sent()) == ("no", 0)
        rig.trace.at = None
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "placed"
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (1, 1)
