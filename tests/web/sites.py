"""The web application in process, over sandboxes in memory, and an issuer of tokens."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from dropship_mcp.app import build_app
from dropship_mcp.http_settings import AuthSettings, HttpSettings, StaticToken
from dropship_mcp.leaving import Leaving
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.settings import Settings
from dropship_mcp.web.keys import KeySet
from dropship_mcp.web.site import Site
from dropship_mcp.web.tokens import digest
from dropship_tools.sandbox.world import SandboxWorld
from protocol.bench import NO_PAUSES, Era, WatchedAccounts, Wire
from unit.sandbox.worlds import Clock, world_at

if TYPE_CHECKING:
    from dropship_mcp.telemetry.telemetry import Telemetry

URL = "http://127.0.0.1:8000/mcp"
ISSUER = "https://login.example.com/"
JWKS_URL = "https://login.example.com/jwks.json"
ORIGIN = "http://127.0.0.1:8000"

READER = "reader-token"
WRITER = "writer-token"
APPROVER = "approver-token"
SCRAPER = "scraper-token"
TOKENS = tuple(
    StaticToken(token.partition("-")[0], digest(token), frozenset(scopes))
    for token, scopes in (
        (READER, ("orders:read",)),
        (WRITER, ("orders:read", "orders:write")),
        (APPROVER, ("orders:approve",)),
        (SCRAPER, ("metrics:read",)),
    )
)
TEAM = HttpSettings(auth=AuthSettings(tokens=TOKENS))
"""A small team with tokens of its own."""

COMPANY = HttpSettings(auth=AuthSettings(issuer=ISSUER, jwks_url=JWKS_URL))
"""A company with an issuer."""


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """Made once: keys are slow to make."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def other_ec_key() -> ec.EllipticCurvePrivateKey:
    """A second one."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """Made once."""
    return rsa.generate_private_key(65_537, 2048)


def jwk(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, kid: str, **more: str) -> dict[str, Any]:
    """The public key as an issuer publishes it."""
    if isinstance(key, rsa.RSAPrivateKey):
        public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": kid, "use": "sig", **more}


@dataclass
class Issuer:
    """Publishes keys and counts who asks for them.

    Attributes:
        keys: what is published.
        instead: the answer in place of the keys.
        asked: how many times.
        now: the clock of whoever keeps the keys.
    """

    keys: list[dict[str, Any]] = field(default_factory=lambda: [jwk(ec_key(), "one")])
    instead: httpx2.Response | Exception | None = None
    asked: int = 0
    now: float = 0.0

    def key_set(self) -> KeySet:
        """What the server keeps of it."""
        return KeySet(JWKS_URL, transport=httpx2.MockTransport(self._answer), clock=lambda: self.now)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == JWKS_URL
        self.asked += 1
        if isinstance(self.instead, Exception):
            raise self.instead
        return unread(self.instead or httpx2.Response(200, json={"keys": self.keys}))


def unread(response: httpx2.Response) -> httpx2.Response:
    """A response as it comes from a network, to be read piece by piece."""
    return httpx2.Response(response.status_code, headers=response.headers, stream=response.stream)


def token(
    *,
    key: Any = None,
    kid: str | None = "one",
    algorithm: str = "ES256",
    headers: Mapping[str, Any] | None = None,
    **changes: Any,
) -> str:
    """A good token, or one with changed claims; a claim that is None is left out."""
    claims = {
        "iss": ISSUER,
        "aud": URL,
        "sub": "user-7",
        "client_id": "agent",
        "exp": int(time.time()) + 600,
        "scope": "openid orders:read orders:write",
        **changes,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    named = {**({"kid": kid} if kid is not None else {}), **(headers or {})}
    return jwt.encode(present, key or ec_key(), algorithm, headers=named)


@dataclass
class Desk:
    """A running site and what stands behind it."""

    site: Site
    world: SandboxWorld
    wire: Wire
    ledger: SqliteLedger

    def http(self, bearer: str = "", **headers: str) -> httpx2.AsyncClient:
        """A client that reaches the site without a port."""
        given = {"authorization": f"Bearer {bearer}"} if bearer else {}
        transport = httpx2.ASGITransport(app=self.site.app)
        return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers={**given, **headers})

    @asynccontextmanager
    async def client(self, era: Era = "auto", bearer: str = "") -> AsyncGenerator[Client]:
        """The SDK's client."""
        async with (
            self.http(bearer) as http,
            Client(streamable_http_client(URL, http_client=http), mode=era, cache=None) as client,
        ):
            yield client


@asynccontextmanager
async def desk(
    folder: Path,
    http: HttpSettings | None = None,
    *,
    issuer: Issuer | None = None,
    provider: str = "",
    tenant: str | None = None,
    telemetry: Telemetry | None = None,
) -> AsyncGenerator[Desk]:
    """A site with sandboxes in memory. `provider`: only this one. `tenant`: whose it is. `telemetry`: who watches."""
    settings = Settings(providers=(provider,)) if provider else Settings()
    settings = settings._replace(ledger=folder / "ledger.sqlite3")
    clock = Clock()
    world, wire, ledger = world_at(clock), Wire(), SqliteLedger(folder / "ledger.sqlite3", now=clock)
    accounts = WatchedAccounts(settings, world, wire, NO_PAUSES, telemetry)
    leaving = Leaving()
    server = build_app(settings, accounts=accounts, ledger=ledger, telemetry=telemetry, leaving=leaving)
    metrics = telemetry.page if telemetry else None
    keys = (issuer or Issuer()).key_set()
    site = Site(http or HttpSettings(), {tenant: server}, {}, 8000, keys=keys, metrics=metrics, leaving=leaving)
    async with site.running():
        yield Desk(site, world, wire, ledger)


def modern(method: str, params: Mapping[str, Any] | None = None, request_id: int = 1) -> dict[str, Any]:
    """A request of the newer era: body and headers for `AsyncClient.post`."""
    body: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": request_id,
        "method": method,
        "params": {
            **(params or {}),
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    }
    headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": method, "accept": ACCEPT}
    if params and "name" in params:
        headers["mcp-name"] = params["name"]
    return {"json": body, "headers": headers}


def legacy(method: str, params: Mapping[str, Any] | None = None, request_id: int = 1) -> dict[str, Any]:
    """A request of the older era, which names the tool nowhere but in its body."""
    body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": dict(params or {})}
    return {"json": body, "headers": {"mcp-protocol-version": "2025-11-25", "accept": ACCEPT}}


ACCEPT = "application/json, text/event-stream"
REQUESTS = {"auto": modern, "legacy": legacy}
