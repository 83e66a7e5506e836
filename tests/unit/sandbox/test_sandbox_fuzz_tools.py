"""Any arguments that a schema lets a model think of: every tool answers, or says what the caller did wrong.

Drawn from the advertised schemas and sent through the real clients. Nothing breaks, no outcome stays open, and the
sandbox has exactly the orders that were answered as placed.
"""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.samples import SAMPLES
from unit.sandbox.tool_desk import TOOLS, drawn_calls, open_desk, provider_of

CREATES = [sample.create for sample in SAMPLES.values()]
OTHERS = [name for name in TOOLS if name not in CREATES]

DAYS = st.sampled_from((0, 0.01, 0.1, 1, 30))
"""After which an order has come further."""


@pytest.mark.parametrize("tool", OTHERS)
def test_a_look_or_a_change_answers_or_names_the_callers_mistake(tool: str) -> None:
    drawn = drawn_calls(tool)

    @settings(max_examples=25)
    @given(calls=st.lists(drawn, min_size=1, max_size=4), days=DAYS)
    def any_calls(calls: list[dict[str, Any]], days: float) -> None:
        async def story() -> None:
            async with open_desk(provider_of(tool)) as desk:
                await desk.order(desk.sample.order)
                for arguments in calls:
                    desk.clock.move(days=days)
                    await desk.call(tool, arguments)
                assert desk.count() == 1

        anyio.run(story)

    any_calls()


@pytest.mark.parametrize("tool", CREATES)
def test_a_create_call_places_exactly_what_it_says(tool: str) -> None:
    drawn = drawn_calls(tool)

    @settings(max_examples=50)
    @given(calls=st.lists(drawn, min_size=1, max_size=4))
    def any_orders(calls: list[dict[str, Any]]) -> None:
        async def story() -> None:
            async with open_desk(provider_of(tool)) as desk:
                for arguments in calls:
                    await desk.order(arguments)
                for reference in desk.placed:
                    await desk.finds(reference)
                assert desk.count() == len(desk.placed)

        anyio.run(story)

    any_orders()
