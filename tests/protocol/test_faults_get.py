"""When looking an order up goes wrong: the right code, no second try where that is wrong, no word about sending."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.bench import bench
from protocol.samples import REFERENCE, Sample
from protocol.weather import BRIEF, WEATHER

pytestmark = pytest.mark.anyio

DOWN = "provider_unavailable"
CODES = {
    "400": "provider_refused",
    "401": "provider_auth",
    "403": "provider_auth",
    "404": "not_found",
    "422": "provider_refused",
    "429": "rate_limited",
    "500": DOWN,
    "503": DOWN,
    "no JSON": DOWN,
    "a list": DOWN,
    "cut off": DOWN,
    "10 MB": DOWN,
    "redirect": DOWN,
    "no connection": DOWN,
    "reset": DOWN,
    "silence": DOWN,
}
"""What an agent is told when this meets the look-up by the provider's number."""

EXCEPT = {("rewix", "400"): DOWN, ("rewix", "422"): DOWN}
"""A look-up that Rewix should never refuse: no clear answer."""

REPEATED = {"503", "cut off", "10 MB", "redirect", "no connection", "reset", "silence"}
"""Reading changes nothing, so these are tried again, three times at most."""


@pytest.mark.parametrize("fault", CODES)
async def test_a_look_up_that_met_a_fault_ends_with_the_documented_code(
    tmp_path: Path, sample: Sample, fault: str
) -> None:
    async with bench(tmp_path, only=sample, timing=BRIEF) as desk:
        desk.wire.instead = lambda _: WEATHER[fault]()
        text = await desk.fail(sample.get, {sample.their_number: sample.unknown_number})
        assert text.partition(":")[0] == EXCEPT.get((sample.provider, fault), CODES[fault])
        assert {request.method for request in desk.wire.requests} == {"GET"}
        assert len(desk.wire.requests) in ((2, 3) if fault in REPEATED else (1,))


@pytest.mark.parametrize("fault", ["401", "429", "500", "no JSON", "10 MB", "no connection"])
async def test_every_other_reading_tool_ends_with_the_same_codes(tmp_path: Path, sample: Sample, fault: str) -> None:
    async with bench(tmp_path, only=sample, timing=BRIEF) as desk:
        desk.wire.instead = lambda _: WEATHER[fault]()
        for tool, arguments in sample.others.items():
            if tool in desk.tools and desk.tools[tool]["annotations"]["readOnlyHint"]:
                text = await desk.fail(tool, arguments)
                assert text.partition(":")[0] == CODES[fault], tool


@pytest.mark.parametrize("fault", ["401", "500", "no JSON", "no connection"])
async def test_a_look_up_by_the_own_number_says_the_same(tmp_path: Path, sample: Sample, fault: str) -> None:
    async with bench(tmp_path, only=sample, timing=BRIEF) as desk:
        await desk.call(sample.create, sample.arguments())
        desk.wire.instead = lambda _: WEATHER[fault]()
        text = await desk.fail(sample.get, {sample.own_number: REFERENCE})
        assert text.partition(":")[0] == CODES[fault]
