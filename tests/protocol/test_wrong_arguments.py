"""Wrong arguments: every problem is named, exactly; nothing leaves, nothing is recorded, no buyer's data comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.bench import bench
from protocol.samples import DROPDAY, PERSONAL, SAMPLES
from protocol.wrong_arguments import MISTAKES, Mistake

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mistake", [pytest.param(m, id=m.id) for m in MISTAKES])
async def test_a_mistake_is_explained_and_nothing_leaves(tmp_path: Path, mistake: Mistake) -> None:
    async with bench(tmp_path, only=SAMPLES.get(mistake.tool.partition("_")[0])) as desk:
        text = await desk.fail(mistake.tool, mistake.arguments)
        assert text == expected(mistake)
        assert desk.wire.requests == []
        assert not desk.ledger.path.exists()
    assert [value for value in PERSONAL if value in text] == []


def expected(mistake: Mistake) -> str:
    """The whole error."""
    count = len(mistake.problems)
    problems = "1 problem" if count == 1 else f"{count} problems"
    done = "sent" if mistake.tool.endswith("_create_order") else "asked"
    lines = [f"invalid_arguments: {problems} in the arguments of {mistake.tool}; nothing was {done}"]
    if mistake.tool.endswith("_create_order"):
        lines.append("order sent: no")
    lines.append("fix: Correct the fields below and call again.")
    lines += [f"- {problem}" for problem in mistake.problems]
    return "\n".join(lines)


async def test_of_very_many_problems_all_are_counted_and_the_first_twenty_shown(tmp_path: Path) -> None:
    order = DROPDAY.arguments(products=[{"external_id": "1", "name": "Lamp", "price": 1}] * 30)
    async with bench(tmp_path, only=DROPDAY) as desk:
        lines = (await desk.fail(DROPDAY.create, order)).splitlines()
    assert lines[0] == "invalid_arguments: 30 problems in the arguments of dropday_create_order; nothing was sent"
    assert lines[3:] == [f"- products.{index}.quantity: is required" for index in range(20)]


async def test_a_total_that_looks_like_cents_is_doubted_and_not_refused(tmp_path: Path) -> None:
    async with bench(tmp_path, only=DROPDAY) as desk:
        answer = await desk.call(DROPDAY.create, DROPDAY.arguments(total=6485, dry_run=True))
    assert answer["warnings"] == ["total is 6485.00, lines plus shipping are 64.85: cents mixed with main units?"]
