"""What a model pays: tokens of the tool list in every conversation, and of an answer beside the provider's own JSON.

Counted as o200k_base does, in the form in which hosts put them into a prompt: JSON without blanks.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dropship_mcp.commands.tools import compact, token_counter
from dropship_mcp.settings import Settings
from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.transport import SandboxTransport
from protocol.bench import EXTRA, Bench, Era, bench
from protocol.samples import REFERENCE, Sample

pytestmark = pytest.mark.anyio

EVERYTHING = 6000
ONE_PROVIDER = 2200
CREATE_ANSWER = 180
LOOK_UP = 0.6
"""Of the provider's raw JSON."""
LEAST = 105
"""What a look-up may take whatever the provider says: Rewix answers in 71 tokens, and without a word of advice."""

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the tokenizer opens its vocabulary in an old way
    count = token_counter()


def tokens(value: Any) -> int:
    """Of a text, or of JSON."""
    assert count, "tokens cannot be counted without bpe-openai"
    return count(value if isinstance(value, str) else compact(value))


async def test_the_tool_list_with_everything_on_is_cheap(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path, era, settings=Settings(extra_tools=EXTRA)) as desk:
        assert sum(map(tokens, desk.tools.values())) <= EVERYTHING


async def test_one_provider_with_the_common_tools_is_cheap(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with bench(tmp_path, era, only=sample) as desk:
        assert sum(map(tokens, desk.tools.values())) <= ONE_PROVIDER


async def test_the_answer_to_an_order_is_short(desk: Bench, sample: Sample) -> None:
    for _ in ("first", "repeated"):
        assert tokens(await desk.call(sample.create, sample.arguments())) <= CREATE_ANSWER


@pytest.mark.parametrize("days", [0, 1, 3, 10])
async def test_a_look_up_is_shorter_than_what_the_provider_says(desk: Bench, sample: Sample, days: int) -> None:
    await desk.call(sample.create, sample.arguments())
    desk.clock.move(days=days)
    desk.wire.requests.clear()

    told = tokens(await desk.call(sample.get, {sample.own_number: REFERENCE}))

    raw = [await said(desk, sample, request) for request in desk.wire.requests]
    assert told <= max(LOOK_UP * sum(map(tokens, raw)), LEAST)


async def said(desk: Bench, sample: Sample, request: httpx2.Request) -> str:
    """What the provider answers to a look-up."""
    app = in_process_app(desk.world, sample.provider)
    response = await SandboxTransport(app).handle_async_request(request)
    return (await response.aread()).decode()
