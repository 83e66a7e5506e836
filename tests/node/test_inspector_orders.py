"""An order's life through the Inspector: every call is a new server process and finds what earlier ones left."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropship_tools import PROVIDERS, Provider
from node.inspector import ERAS, TOOL_FAILED, Era, Inspector

pytestmark = [pytest.mark.node, pytest.mark.timeout(60)]

REFERENCE = "INSPECT-1"

MISTAKES = {
    "dipli": "invalid_arguments",
    "rewix": "provider_refused",
    "dropday": "reference_conflict",
    "duoplane": "invalid_arguments",
}
"""How the answer to each example's mistake begins."""

EACH_PROVIDER = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.name)
EACH_ERA = pytest.mark.parametrize("era", ERAS)


@EACH_ERA
@EACH_PROVIDER
def test_an_order_is_placed_once_and_found_by_later_processes(provider: Provider, era: Era, tmp_path: Path) -> None:
    inspector = Inspector(tmp_path, era)
    example = provider.example()
    reference = {example.reference_field: REFERENCE}
    create = f"{provider.name}_create_order"

    placed = inspector.call(create, {**example.order, **reference})
    again = inspector.call(create, {**example.order, **reference})
    read = inspector.call(f"{provider.name}_get_order", reference)

    assert [run.code for run in (placed, again, read)] == [0, 0, 0]
    assert (placed.answer["outcome"], again.answer["outcome"]) == ("placed", "already_placed")
    assert placed.answer["order_id"]
    assert {run.answer["order_id"] for run in (placed, again, read)} == {placed.answer["order_id"]}


@EACH_ERA
@EACH_PROVIDER
def test_a_mistake_is_a_tool_error_that_says_that_nothing_was_sent(
    provider: Provider, era: Era, tmp_path: Path
) -> None:
    inspector = Inspector(tmp_path, era)
    example = provider.example()
    create = f"{provider.name}_create_order"
    order = {**example.order, example.reference_field: REFERENCE}
    if example.mistake_is_same_order:
        assert inspector.call(create, order).code == 0

    run = inspector.call(create, {**order, **example.mistake})

    lines = run.text.splitlines()
    assert run.code == TOOL_FAILED
    assert lines[0].startswith(f"{MISTAKES[provider.name]}: ")
    assert lines[1] == "order sent: no"
    assert lines[2].startswith("fix: ")
