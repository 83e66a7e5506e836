"""A process is killed at any moment of an order's life; the next one gets the same call.

Children that run accounts, ledger, ordering and sandbox without MCP around them: killing one costs a few hundredths of
a second instead of a server's start, and nothing of an order's life lies outside. `test_killed_servers.py` does the same
to real servers.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contract.providers import NAMES, row_of
from faults.nursery import Children

POINTS = {
    "before claim": ("", 0),
    "after claim": ("claimed", 0),
    "before sending": ("claimed", 0),
    "after sending": ("unknown", 0),
    "before create": ("unknown", 0),
    "after create": ("unknown", 1),
    "before placed": ("unknown", 1),
    "after placed": ("placed", 1),
}
"""Where the process dies: what the next one finds in the ledger, and how many orders at the provider."""


def order(folder: Path, name: str, **more: Any) -> dict[str, Any]:
    """The job of one child."""
    kill_after = {"kill_after": more.pop("kill_after")} if "kill_after" in more else {}
    return {
        "job": "order",
        "arguments": {"folder": str(folder), "name": name, "reference": "R-1", **more},
        **kill_after,
    }


def check(name: str, ended: dict[str, Any]) -> None:
    """What must be true after the last call, whatever happened before."""
    (before, after), orders = ended["states"], ended["orders"]
    assert max(orders) <= 1
    if ended["end"] in ("placed", "already_placed"):
        assert (after, orders[1]) == ("placed", 1)
        assert (ended["end"] == "already_placed") == (orders[0] == 1)
    else:
        # not found and nothing proven: only where the provider cannot tell at once
        assert (ended["end"], ended["sent"], before, after) == ("outcome_unknown", "maybe", "unknown", "unknown")
        assert orders == [0, 0]
        assert row_of(name).silence != "resend"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", NAMES)
def test_whoever_dies_at_any_point_leaves_what_the_next_process_needs(
    name: str, point: str, tmp_path: Path, children: Children
) -> None:
    assert children(order(tmp_path, name, die_at=point)) == [None]
    [ended] = children(order(tmp_path, name))
    assert (ended["states"][0], ended["orders"][0]) == POINTS[point]
    check(name, ended)
    sent_for_nothing = POINTS[point] == ("unknown", 0)
    assert (ended["end"] == "outcome_unknown") == (sent_for_nothing and row_of(name).silence != "resend")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kills", [30, pytest.param(160, marks=pytest.mark.slow)])
def test_processes_killed_at_random_moments_never_order_twice(kills: int, tmp_path: Path, children: Children) -> None:
    chance, found = random.Random(kills), Counter[tuple[str, int]]()
    lasts = {name: children(order(tmp_path / name, name))[0]["seconds"] for name in NAMES}
    for number in range(kills):
        name, folder = NAMES[number % len(NAMES)], tmp_path / str(number)
        children(order(folder, name, kill_after=chance.uniform(0, lasts[name])))
        [ended] = children(order(folder, name))
        check(name, ended)
        found[ended["states"][0], ended["orders"][0]] += 1
    assert len(found) > 2, found  # the moments were not all alike
