"""A server that stops and can wait no longer: what is still under way is answered in words, and orders are finished."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from dropship_tools.sandbox.transport import SandboxTransport
from protocol.bench import Era, text_of
from protocol.samples import REFERENCE, REWIX, Sample
from web.sites import URL, Desk, desk, modern

pytestmark = pytest.mark.anyio


@dataclass
class Provider:
    """Answers when it is told to.

    Attributes:
        asked: a request has come.
        answers: it may be answered.
    """

    asked: anyio.Event = field(default_factory=anyio.Event)
    answers: anyio.Event = field(default_factory=anyio.Event)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The sandboxes of the test."""
    slow, answer = Provider(), SandboxTransport.handle_async_request

    async def handle(transport: SandboxTransport, request: httpx2.Request) -> httpx2.Response:
        slow.asked.set()
        await slow.answers.wait()
        return await answer(transport, request)

    monkeypatch.setattr(SandboxTransport, "handle_async_request", handle)
    return slow


async def cut_off(served: Desk, era: Era, provider: Provider, tool: str, arguments: dict[str, Any]) -> str:
    """What a call is told that waits for the provider when the server leaves."""
    told: list[str] = []

    async def call() -> None:
        async with served.client(era) as client:
            told.append(text_of(await client.call_tool(tool, arguments)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        with anyio.fail_after(3):
            await provider.asked.wait()
        served.site.leaving.leave()
    return told[0]


async def test_a_call_that_orders_is_told_to_come_again_and_its_order_is_placed(
    tmp_path: Path, era: Era, sample: Sample, provider: Provider
) -> None:
    async with desk(tmp_path, provider=sample.provider) as served:
        told = await cut_off(served, era, provider, sample.create, sample.order)
        provider.answers.set()
    rows = await served.ledger.by_reference("sandbox", REFERENCE)
    await served.ledger.close()

    assert told.splitlines() == [
        "in_progress: the server is being stopped while it places this order, which it finishes",
        "order sent: maybe",
        "fix: Make the same call again in 30 s, with the same reference; it brings the answer and orders nothing twice.",
    ]
    assert [row.state for row in rows] == ["placed"]


@pytest.mark.parametrize(
    ("tool", "arguments", "fix"),
    [
        (REWIX.get, {REWIX.own_number: REFERENCE}, "Make the same call again in 30 s."),
        (
            "rewix_reserve_stock",
            REWIX.others["rewix_reserve_stock"],
            "It may have happened: read the present state before trying again.",
        ),
    ],
)
async def test_any_other_call_is_told_that_the_server_stops(
    tmp_path: Path, era: Era, provider: Provider, tool: str, arguments: dict[str, Any], fix: str
) -> None:
    async with desk(tmp_path, provider="rewix") as served:
        told = await cut_off(served, era, provider, tool, arguments)

    assert told.splitlines() == ["provider_unavailable: the server is being stopped", f"fix: {fix}"]


async def test_a_request_that_is_still_being_sent_may_be_sent_again(tmp_path: Path) -> None:
    sending = anyio.Event()

    async def body() -> AsyncGenerator[bytes]:
        yield b'{"jsonrpc": '
        sending.set()
        await anyio.sleep_forever()

    answers: list[httpx2.Response] = []
    async with desk(tmp_path) as served, served.http() as http, anyio.create_task_group() as tasks:

        async def send() -> None:
            answers.append(await http.post(URL, content=body(), headers=modern("tools/list")["headers"]))

        tasks.start_soon(send)
        await sending.wait()
        served.site.leaving.leave()

    [answer] = answers
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {
        "error": "temporarily_unavailable",
        "error_description": "the server is being stopped",
    }
