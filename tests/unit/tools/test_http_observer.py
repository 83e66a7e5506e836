"""Whoever watches requests sees each attempt, and can send something along but change nothing."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from dropship_tools.errors import OutcomeUnknown, ProviderUnavailable
from dropship_tools.http import Exchange, ProviderHttp, Timing
from dropship_tools.wire import WireRequest, get, post_json
from unit.tools.http_fakes import HOST, KEY, FakeProvider, permission, reply

pytestmark = pytest.mark.anyio


@dataclass
class Watcher:
    """Writes down what it sees: the request, and the status or the exception."""

    sends: Mapping[str, str] = field(default_factory=dict[str, str])
    seen: list[tuple[str, int | str]] = field(default_factory=list[tuple[str, int | str]])

    @contextmanager
    def exchange(self, request: WireRequest) -> Generator[Exchange]:
        """One attempt."""
        exchange = Exchange()
        try:
            yield exchange
        except Exception as error:
            self.seen.append((request.method, type(error.__cause__).__name__))
            raise
        self.seen.append((request.method, exchange.status))

    def headers(self) -> Mapping[str, str]:
        """What goes out too."""
        return self.sends


def watched(provider: FakeProvider, watcher: Watcher) -> ProviderHttp:
    """HTTP that somebody watches."""
    return ProviderHttp(
        "Shop",
        HOST,
        {"api-key": KEY},
        timing=Timing(pause=0),
        transport=lambda: httpx2.MockTransport(provider),
        observer=watcher,
    )


async def test_each_attempt_of_a_look_up_is_seen() -> None:
    provider, watcher = FakeProvider(reply(503), httpx2.ReadError("gone"), reply(200)), Watcher()
    await watched(provider, watcher).read(get("/orders"))
    assert watcher.seen == [("GET", 503), ("GET", "ReadError"), ("GET", 200)]


async def test_an_order_is_seen_once_however_it_ends() -> None:
    answers: dict[Any, int | str] = {reply(201): 201, reply(500): 500, httpx2.ReadError("gone"): "ReadError"}
    for answer, told in answers.items():
        watcher = Watcher()
        http = watched(FakeProvider(answer), watcher)
        try:
            await http.send_order(post_json("/orders", {}), permission())
        except OutcomeUnknown:
            assert told == "ReadError"
        assert watcher.seen == [("POST", told)]


async def test_a_change_is_seen() -> None:
    watcher = Watcher()
    with pytest.raises(ProviderUnavailable):
        await watched(FakeProvider(httpx2.ConnectError("no")), watcher).change(post_json("/lock", {}))
    assert watcher.seen == [("POST", "ConnectError")]


async def test_what_is_sent_along_replaces_neither_credentials_nor_documented_headers() -> None:
    provider = FakeProvider(reply(200))
    watcher = Watcher({"traceparent": "00-1-2-01", "api-key": "other", "Accept": "text/html"})
    await watched(provider, watcher).read(get("/orders"))
    headers = provider.requests[0].headers
    assert (headers["traceparent"], headers["api-key"], headers["accept"]) == ("00-1-2-01", KEY, "application/json")
