"""Providers that write poison into their answers, one place after the other: nothing of it gets further than data.

The places are found by walking what the sandbox answers to every tool. Each is poisoned alone, so that everything
around it is as usual and the poison is read.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from adversary.poison import MARK, POISON, Place, Spoil, spoiled, unsafe
from dropship_mcp.logs import set_up
from dropship_mcp.settings import Settings
from dropship_tools.orders import STATUSES
from dropship_tools.provider import Account, Provider
from dropship_tools.sandbox.transport import SandboxTransport
from protocol.bench import EXTRA, Bench, bench, check_error, leaves, text_of
from protocol.samples import REFERENCE, SAMPLES, Sample
from unit.tools.http_fakes import Chunks

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

OURS = {"provider", "account", "mode", "outcome", "next_step", "verdict", "conclusive"}
"""Facts that are in our words, wherever they stand."""

ORDERS = ((), ("orders",), ("verdicts",))
"""What has a neutral status; other things have the provider's own."""

LONGEST = 700
"""Of a text in an answer: what a provider said, cut, and our words around it."""


class Spoiler:
    """Stands between the client and the sandbox, and spoils answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.places: set[tuple[str, Place]] = set()
        self.target: tuple[str, Place] | None = None
        self.appends = False
        self._sandbox = SandboxTransport.handle_async_request
        spoiler = self

        async def handle(transport: SandboxTransport, request: httpx2.Request) -> httpx2.Response:
            return await spoiler.spoiled(transport, request)

        monkeypatch.setattr(SandboxTransport, "handle_async_request", handle)

    async def spoiled(self, transport: SandboxTransport, request: httpx2.Request) -> httpx2.Response:
        """The sandbox's answer with poison at the target; the places of every answer are noted."""
        response = await self._sandbox(transport, request)
        body = b"".join([piece async for piece in cast("httpx2.AsyncByteStream", response.stream)])
        kind = f"{request.method} {'/'.join(step for step in request.url.path.split('/') if not step[-1:].isdigit())}"
        body = spoiled(body, self._spoil(kind)) if body else body
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-length"]
        return httpx2.Response(response.status_code, headers=headers, stream=Chunks(body), request=request)

    def _spoil(self, kind: str) -> Spoil:
        def spoil(place: Place, text: str) -> str:
            self.places.add((kind, place))
            if self.target != (kind, place):
                return text
            return text + POISON if self.appends else POISON

        return spoil


@asynccontextmanager
async def served(folder: Path, sample: Sample) -> AsyncGenerator[Bench]:
    """All tools of one provider."""
    extra = tuple(tool for tool in EXTRA if tool.startswith(sample.provider))
    async with bench(folder, settings=Settings(providers=(sample.provider,), extra_tools=extra)) as desk:
        yield desk


def calls(sample: Sample, order_id: str, reference: str) -> dict[str, dict[str, Any]]:
    """Every tool of the provider, and a common one that asks it."""
    found = {
        sample.get: {sample.their_number: order_id},
        **sample.others,
        "dropship_find_order": {"reference": REFERENCE},
        sample.create: sample.arguments(**{sample.reference: reference}),  # last: every order makes the lists longer
    }
    for tool in EXTRA:
        if tool in found:  # a product is made once
            found[tool] = {**found[tool], "retailer_sku": reference}
    return found


@pytest.fixture
def debugging(capfd: pytest.CaptureFixture[str]) -> None:
    """The log as an operator sees it who asked for everything."""
    set_up("debug")


def speak_xml(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rewix accounts speak XML on request."""
    usual = Provider.sandbox_account

    def account(provider: Provider, name: str = "sandbox") -> Account:
        found = usual(provider, name)
        return found._replace(values={**found.values, "format": "xml"})

    monkeypatch.setattr(Provider, "sandbox_account", account)


def check(tool: str, result: Any) -> None:
    """What holds for an answer whatever a provider wrote."""
    text = text_of(result)
    if result.is_error:
        check_error(text, orders=tool.endswith("_create_order"))
        ours, _, said = text.partition("\nprovider said (untrusted): ")
        assert MARK not in ours
        assert list(unsafe(text.replace("\n", ""))) == []
        assert len(said) <= 302
        return
    for place, value in leaves(result.structured_content):
        assert MARK not in "".join(map(str, place))
        if isinstance(value, str):
            assert list(unsafe(value)) == [], place
            assert len(value) <= LONGEST, place
            assert "\n" not in value, place
            assert not (MARK in value and place[-1] in OURS), place
            if place[-1] == "status" and place[:-2] in ORDERS and len(place) in (1, 3):
                assert value in ("placed", *STATUSES), place


def check_requests(desk: Bench, sample: Sample) -> None:
    """An order number that a provider told may be searched for; it is cleaned, encoded, and changes no path."""
    for request in desk.wire.requests:
        assert MARK not in f"{request.url.host}{request.url.path}"
        assert [value for _, value in request.url.params.multi_items() if list(unsafe(value))] == []
    assert len(desk.wire.orders(sample)) <= 1


@pytest.mark.parametrize(("provider", "wire"), [*((name, "json") for name in SAMPLES), ("rewix", "xml")])
async def test_a_poisoned_answer_is_data_or_an_error_and_never_more(
    tmp_path: Path,
    provider: str,
    wire: str,
    monkeypatch: pytest.MonkeyPatch,
    debugging: None,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sample, spoiler = SAMPLES[provider], Spoiler(monkeypatch)
    if wire == "xml":
        speak_xml(monkeypatch)
    monkeypatch.setattr("dropship_tools.duoplane.budget.PER_SECOND", 10**9)  # its bucket fills in real time
    reached = 0
    async with served(tmp_path, sample) as desk:
        order_id = (await desk.call(sample.create, sample.arguments()))["order_id"]
        desk.clock.move(days=4)  # by then there are shipments
        found_in: dict[str, set[tuple[str, Place]]] = {}
        for tool, arguments in calls(sample, order_id, "R-0").items():
            spoiler.places.clear()
            desk.clock.move(minutes=1)  # for buckets to fill
            assert not (await desk.result(tool, arguments)).is_error, tool
            found_in[tool] = set(spoiler.places)
        for tool, places in found_in.items():
            for number, target in enumerate(sorted(places), 1):
                spoiler.target, spoiler.appends = target, bool(number % 2)
                desk.clock.move(hours=7)  # for buckets to fill and downloads to be fetched anew
                desk.wire.requests.clear()
                result = await desk.result(tool, calls(sample, order_id, f"R-{number}")[tool])
                check(tool, result)
                check_requests(desk, sample)
                reached += MARK in text_of(result)
    assert reached > 0  # the poison does arrive where a provider's words may be shown
    log = capfd.readouterr().err
    assert "GET" in log
    assert MARK not in log
