"""One reference is one order: whatever a repeated call looks like, nothing leaves twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.providers import NAMES, row_of
from contract.rigs import open_rig
from dropship_tools.errors import ReferenceConflict

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", NAMES)
async def test_a_repeated_call_is_answered_from_the_ledger_without_any_request(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        first = await rig.create(row, row.arguments("R-1"))
        asked = len(rig.trace.requests())
        second = await rig.create(row, row.arguments("R-1"))
        assert (first.outcome, second.outcome) == ("placed", "already_placed")
        assert second.order == first.order
        assert len(rig.trace.requests()) == asked
        assert rig.orders(row, "R-1") == 1
