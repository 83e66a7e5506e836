"""The real client in front of the sandbox, with its requests written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.rewix import REWIX
from dropship_tools.rewix.client import RewixClient, auth_headers, connect
from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.transport import SandboxTransport
from dropship_tools.sandbox.world import SandboxWorld
from unit.sandbox.worlds import Clock, world_at

Instead = Callable[[httpx2.Request], httpx2.Response | Exception | None]
"""What happens in the sandbox's place; None lets the request through."""


@dataclass
class Desk:
    """A machine with accounts at one shop: a clock, the shop, what was asked of it and what it is made to answer."""

    clock: Clock = field(default_factory=Clock)
    world: SandboxWorld = field(init=False)
    requests: list[httpx2.Request] = field(default_factory=list[httpx2.Request])
    instead: Instead = lambda _: None

    def __post_init__(self) -> None:
        self.world = world_at(self.clock)

    def client(self, form: str = "json", cache: Path | None = None, url: str = "https://shop.example") -> RewixClient:
        """A client as the server makes it. Another one on the same `cache` stands for another process."""
        account = REWIX.sandbox_account()
        account = account._replace(values={**account.values, "format": form}, cache=cache, base_url=url)
        http = ProviderHttp(
            "Rewix",
            url,
            auth_headers(account),
            timing=Timing(pause=0.001),
            transport=lambda: _Watched(self, SandboxTransport(in_process_app(self.world, "rewix"))),
        )
        client = connect(account, http)
        client.now = self.clock
        return client

    def asked(self) -> list[str]:
        """Path and query of every request, host left out."""
        return [request.url.raw_path.decode() for request in self.requests]


class _Watched(httpx2.AsyncBaseTransport):
    def __init__(self, desk: Desk, sandbox: SandboxTransport) -> None:
        self._desk = desk
        self._sandbox = sandbox

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._desk.requests.append(request)
        instead = self._desk.instead(request)
        if isinstance(instead, Exception):
            raise instead
        return instead or await self._sandbox.handle_async_request(request)
