"""Two references, two identical parcels: the order of the one is never taken for the order of the other.

Dipli cannot be asked for a reference, so an order whose answer was lost is recognised by buyer, address and product.
"""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from contract.providers import NAMES, Json, Row, row_of
from contract.rigs import Rig, is_request, open_rig
from dropship_tools.errors import OutcomeUnknown
from dropship_tools.sandbox.faults import Fault, FaultKind, add_fault

pytestmark = pytest.mark.anyio


def alike(row: Row, reference: str) -> Json:
    """The same parcel under each reference."""
    return row.changed(row.arguments(reference), "Harbour Road 7")


async def lost(rig: Rig, row: Row, reference: str, kind: FaultKind) -> None:
    """An order whose answer is lost; the provider has it or not, and cannot be asked at once."""
    left = False

    async def no_look(point: str) -> None:
        nonlocal left
        if left and is_request(point):
            raise httpx2.ReadError("the connection broke off")
        left = left or point == "before create"

    add_fault(rig.world.store, Fault(row.name, "create", kind))
    rig.trace.at = no_look
    with pytest.raises(OutcomeUnknown):
        await rig.create(row, alike(row, reference))
    rig.trace.at = None


@pytest.mark.parametrize("name", NAMES)
async def test_an_order_of_an_unknown_outcome_is_not_taken_for_that_of_its_twin(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        await lost(rig, row, "R-1", "reset_after")
        await lost(rig, row, "R-2", "reset_before")
        states = [(await rig.settle(row, reference)).outcome for reference in ("R-1", "R-2")]
        assert states == ["unknown" if name == "dipli" else "placed", "unknown"]
        second = await rig.row(row, "R-2")
        assert second is not None
        await rig.ledger.settle_by_hand(second, "refused", "", {}, "a person looked")
        assert (await rig.settle(row, "R-1")).outcome == "placed"
        assert (rig.orders(row, "R-1"), rig.orders(row, "R-2")) == (1, 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_lost_order_is_not_taken_for_its_twin_that_exists(name: str, by_hand: bool, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        if by_hand:
            await lost(rig, row, "R-1", "reset_after")
            first = await rig.row(row, "R-1")
            assert first is not None
            await rig.ledger.settle_by_hand(first, "placed", "", {}, "a person looked, and noted no number")
        else:
            await rig.create(row, alike(row, "R-1"))
        await lost(rig, row, "R-2", "reset_before")
        assert (await rig.settle(row, "R-2")).outcome == "unknown"
        assert (rig.orders(row, "R-1"), rig.orders(row, "R-2")) == (1, 0)


async def test_identical_parcels_under_two_references_are_two_orders(tmp_path: Path) -> None:
    row = row_of("dipli")
    async with open_rig(tmp_path) as rig:
        first = await rig.create(row, alike(row, "R-1"))
        add_fault(rig.world.store, Fault("dipli", "create", "reset_after"))
        second = await rig.create(row, alike(row, "R-2"))  # found by its looks, beside its twin that is known
        assert (first.outcome, second.outcome) == ("placed", "placed")
        assert first.order["order_id"] != second.order["order_id"]
