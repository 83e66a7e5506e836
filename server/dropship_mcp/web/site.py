"""The web application: the MCP endpoint, health, and the metadata that leads clients to the issuer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dropship_mcp.caller import Caller
from dropship_mcp.http_settings import HttpSettings, is_loopback
from dropship_mcp.leaving import Leaving
from dropship_mcp.web.approvals import ApprovalsPage, Office
from dropship_mcp.web.challenges import Challenges, metadata_routes, metadata_url
from dropship_mcp.web.entrance import Entrance
from dropship_mcp.web.gate import Endpoint, Gate
from dropship_mcp.web.keys import KeySet
from dropship_mcp.web.metrics import MetricsPage, Render
from dropship_mcp.web.numbering import Numbering
from dropship_mcp.web.plain_calls import PlainCalls
from dropship_mcp.web.rules import ScopeRules, writing_tools
from dropship_mcp.web.tokens import Tokens

Checks = Mapping[str, Callable[[], Awaitable[bool]]]
"""What must be fine for the server to do its work, by name."""

Servers = Mapping[str | None, Server[Any]]
"""An MCP server for each tenant, by `Caller.tenant`; that of None is for callers without one."""

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Site:
    """All that is served on one port.

    Attributes:
        url: the MCP endpoint as clients know it.
        path: of it, as requests come here.
        max_calls: requests answered at the same time.
        entrance: who may come in, for pages of any kind.
        leaving: cuts off what is under way.

    Args:
        settings: how it is reached, and by whom.
        servers: the MCP servers.
        checks: for `/readyz`.
        port: where it listens.
        keys: the issuer's keys, for tests; by default those the settings name.
        metrics: for `/metrics`, if they are to be seen.
        offices: for the approvals page, by `Caller.tenant`.
        leaving: the one that the servers answer to.
    """

    def __init__(
        self,
        settings: HttpSettings,
        servers: Servers,
        checks: Checks,
        port: int,
        *,
        keys: KeySet | None = None,
        metrics: Render | None = None,
        offices: Mapping[str | None, Office] | None = None,
        leaving: Leaving | None = None,
    ) -> None:
        self.url = settings.url(port)
        self.max_calls = settings.max_calls
        self.leaving = leaving or Leaving()
        self._servers = servers
        self._max_body = settings.max_body
        self._checks = checks
        self._endpoints: dict[str | None, Endpoint] = {}
        auth = settings.auth
        keys = (keys or KeySet(auth.jwks_url)) if auth.issuer else None
        tokens = Tokens(auth, auth.audience or self.url, keys) if auth.required else None
        self.entrance = Entrance(
            _hosts(settings, port),
            _origins(settings, port),
            Challenges(metadata_url(self.url) if auth.issuer else ""),
            tokens,
        )
        page = settings.approvals_url(port)
        people = (
            ApprovalsPage(page, offices, self.entrance, tokens, self.leaving) if page and offices and tokens else None
        )
        gate = Gate(self.entrance, self.app_for, self.leaving, max_body=settings.max_body, max_calls=settings.max_calls)
        numbers = MetricsPage(self.entrance, metrics, local=is_loopback(settings.host)) if metrics else None
        self.path = settings.path
        self._gate = _cors(Numbering(gate), settings.origins)
        pages = Starlette(
            routes=[
                Route("/healthz", self._alive),
                Route("/readyz", self._ready),
                *([Route("/metrics", numbers.__call__)] if numbers else ()),
                *(people.routes() if people else ()),
                *(metadata_routes(self.url, auth.issuer) if auth.issuer else ()),
            ],
            middleware=[Middleware(Numbering)],
        )
        pages.router.redirect_slashes = False
        self._pages = _cors(pages, settings.origins)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Calls do not go through what pages need, which would be a twentieth of their cost."""
        is_call = scope["type"] == "http" and scope["path"] == self.path
        await (self._gate if is_call else self._pages)(scope, receive, send)

    def app_for(self, caller: Caller | None) -> Endpoint | None:
        """The MCP server for a caller."""
        return self._endpoints.get(caller.tenant if caller else None)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Requests can be answered. At the end each server finishes and records the orders under way."""
        async with AsyncExitStack() as stack:
            for tenant, server in self._servers.items():
                writing = await writing_tools(server)
                server.middleware.append(ScopeRules(writing))
                manager = StreamableHTTPSessionManager(server, stateless=True, max_request_body_size=self._max_body)
                await stack.enter_async_context(manager.run())
                self._endpoints[tenant] = Endpoint(PlainCalls(server, manager.handle_request), writing)
            try:
                yield
            finally:
                self._endpoints.clear()

    async def _alive(self, _: Request) -> Response:
        return JSONResponse({"alive": True})

    async def _ready(self, _: Request) -> Response:
        """Names what fails and nothing more: who asks is not known."""
        found = {name: await check() for name, check in self._checks.items()} if self._endpoints else {"server": False}
        ready = all(found.values())
        return JSONResponse({"ready": ready, **found}, 200 if ready else 503)


def _hosts(settings: HttpSettings, port: int) -> set[str]:
    """Those of the operator and of the public address; on this machine all its names."""
    if settings.hosts:
        return set(settings.hosts)
    hosts = {urlsplit(settings.url(port)).netloc.lower(), settings.netloc(port)}
    if is_loopback(settings.host):
        hosts |= {f"{name}:{port}" for name in _LOOPBACK_NAMES}
    return hosts


def _origins(settings: HttpSettings, port: int) -> set[str]:
    """Those of the operator, or the public address's own; on this machine under all its names."""
    public = urlsplit(settings.url(port))
    own = {f"{public.scheme}://{public.netloc}".lower()}
    if is_loopback(public.hostname or ""):
        end = f":{public.port}" if public.port else ""
        own |= {f"{public.scheme}://{name}{end}" for name in _LOOPBACK_NAMES}
    return set(settings.origins) or own


def _cors(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """Lets the pages that the operator names call; browsers ask beforehand."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["POST"],
        allow_headers=["*"],
        expose_headers=["WWW-Authenticate"],
    )
