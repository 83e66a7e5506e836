"""Eight processes share one ledger and one provider, and make the same call at the same moment."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from contract.providers import NAMES
from faults.nursery import Children

PROCESSES = 8


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", NAMES)
def test_the_same_call_in_eight_processes_is_one_order(name: str, tmp_path: Path, children: Children) -> None:
    call = {"folder": str(tmp_path), "name": name, "reference": "R-1", "at": time.time() + 0.3}
    ends = children(*[{"job": "order", "arguments": call}] * PROCESSES)
    assert Counter(end["end"] for end in ends) == {"placed": 1, "already_placed": PROCESSES - 1}
    assert {end["orders"][1] for end in ends} == {1}
