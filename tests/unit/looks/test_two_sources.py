"""What `dropship_find_order` says about an order that a person settled: the ledger's words and the provider's, apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.providers import NAMES, row_of
from contract.rigs import open_rig
from dropship_mcp.order_looks import FindOrder, OrderLooks
from dropship_tools.errors import OutcomeUnknown
from dropship_tools.sandbox.faults import Fault, add_fault

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("asked", ["answers", "fails"])
async def test_a_persons_word_and_the_providers_are_two_sentences(name: str, asked: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        add_fault(rig.world.store, Fault(name, "create", "reset_before"))
        with pytest.raises(OutcomeUnknown):
            await rig.create(row, row.arguments("R-1"))
        unknown = await rig.row(row, "R-1")
        assert unknown
        await rig.ledger.settle_by_hand(unknown, "placed", "X-77", {"status": "unknown"}, "settled by a person")
        if asked == "fails":
            add_fault(rig.world.store, Fault(name, "*", "status", times=9, value=500))
        looks = OrderLooks(rig.accounts, rig.ledger, {name: row.create_tool()}, rig.clock)
        [verdict] = (await looks.find(FindOrder(reference="R-1"))).verdicts
    said = verdict.why.removeprefix("The ledger says: settled by a person. The provider, asked now: ")
    assert (verdict.verdict, verdict.source, verdict.order_id) == ("placed", "ledger", "X-77")
    assert said != verdict.why
    assert said.startswith("provider_unavailable: ") == (asked == "fails")
