"""Orders over HTTP: the same answers as over pipes, in both eras, for every provider, and never another client's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from protocol.bench import Era, bench, listed, text_of
from protocol.samples import REFERENCE, Sample
from web.sites import REQUESTS, TEAM, WRITER, Desk, desk

pytestmark = pytest.mark.anyio


async def test_an_order_is_placed_once_and_read_back(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with desk(tmp_path, provider=sample.provider) as served, served.client(era) as client:
        first = await client.call_tool(sample.create, sample.order)
        again = await client.call_tool(sample.create, sample.order)
        read = await client.call_tool(sample.get, {sample.own_number: REFERENCE})

    answers = [cast("dict[str, Any]", result.structured_content) for result in (first, again, read)]
    assert [answer.get("outcome") for answer in answers] == ["placed", "already_placed", None]
    assert len({answer["order_id"] for answer in answers}) == 1
    assert len(served.wire.orders(sample)) == 1


async def test_the_tools_are_those_of_the_pipe(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path / "pipe", era) as piped, desk(tmp_path / "web") as served, served.client(era) as client:
        assert {tool["name"]: tool for tool in await listed(client)} == piped.tools


async def test_mistakes_are_told_as_over_the_pipe(tmp_path: Path, era: Era, sample: Sample) -> None:
    wrong = sample.arguments(pleasehurry=True)
    async with bench(tmp_path / "pipe", era, only=sample) as piped:
        expected = await piped.fail(sample.create, wrong)
    async with desk(tmp_path / "web", provider=sample.provider) as served, served.client(era) as client:
        assert text_of(await client.call_tool(sample.create, wrong)) == expected


def written(folder: Path, text: str) -> bool:
    """Whether any file of the server holds the text."""
    return any(text.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_the_clients_token_goes_to_no_provider_and_into_no_file(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with desk(tmp_path, TEAM, provider=sample.provider) as served, served.client(era, WRITER) as client:
        await client.call_tool(sample.create, sample.order)

    sent = served.wire.requests
    assert sent
    assert not any(WRITER in f"{request.url} {request.headers.raw} {request.content!r}" for request in sent)
    assert not written(tmp_path, WRITER)


async def post_as_one_of_many(served: Desk, era: Era, sample: Sample, number: int, found: dict[int, str]) -> None:
    """An order with a request id that all others use too."""
    order = sample.arguments(**{sample.reference: f"WEB-{number}"})
    async with served.http() as http:
        call = REQUESTS[era]("tools/call", {"name": sample.create, "arguments": order}, 1)
        found[number] = (await http.post("/mcp", **call)).text


async def test_clients_that_use_the_same_request_ids_get_their_own_answers(
    tmp_path: Path, era: Era, sample: Sample
) -> None:
    found: dict[int, str] = {}
    async with desk(tmp_path, provider=sample.provider) as served, anyio.create_task_group() as tasks:
        for number in range(1000, 1008):
            tasks.start_soon(post_as_one_of_many, served, era, sample, number, found)

    assert len(found) == 8
    for number, text in found.items():
        others = [other for other in found if f"WEB-{other}" in text]
        assert others == [number], text


async def test_the_same_order_from_many_clients_at_once_is_one_parcel(tmp_path: Path, era: Era, sample: Sample) -> None:
    outcomes: Counter[str] = Counter()

    async def order() -> None:
        async with served.client(era) as client:
            result = await client.call_tool(sample.create, sample.order)
            outcomes[cast("dict[str, Any]", result.structured_content)["outcome"]] += 1

    async with desk(tmp_path, provider=sample.provider) as served, anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(order)

    assert outcomes == {"placed": 1, "already_placed": 7}
    assert len(served.wire.orders(sample)) == 1
