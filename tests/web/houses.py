"""A server for two tenants as its settings describe it, in process: sandboxes in memory, one clock."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client

from dropship_mcp.app import build_app
from dropship_mcp.ledger import SqliteLedger, make_ledger
from dropship_mcp.settings import Settings, read_settings
from dropship_mcp.watching import NobodyWatches, Watch
from dropship_mcp.web.approvals import Office
from dropship_mcp.web.site import Site
from dropship_mcp.web.tokens import digest
from dropship_tools.sandbox.world import SandboxWorld
from protocol.bench import NO_PAUSES, Era, WatchedAccounts, Wire
from protocol.samples import Sample
from unit.sandbox.worlds import Clock, world_at
from web.sites import ISSUER, JWKS_URL, ORIGIN, URL, Issuer, modern

AGENT = ("orders:read", "orders:write")
STAFF = ("orders:approve",)
BOTH = (*AGENT, *STAFF)

PEOPLE = {
    "acme-agent": ("acme", AGENT),
    "acme-staff": ("acme", STAFF),
    "acme-both": ("acme", BOTH),
    "globex-agent": ("globex", AGENT),
    "globex-staff": ("globex", STAFF),
    "globex-both": ("globex", BOTH),
}
"""Tokens by the name of whoever holds them, with tenant and scopes. Each is that name with "-token" behind it."""

TENANTS = """
[tenants.acme]
claim = ["org_1", "org_1b"]
[tenants.globex]
claim = "org_2"
"""


def bearer(name: str) -> str:
    """Somebody's token."""
    return f"{name}-token"


def settings_file(folder: Path, tenants: str = TENANTS) -> dict[str, str]:
    """An environment whose configuration file has people and tenants."""
    tokens = "".join(
        f'[auth.tokens.{name}]\nsha256 = "{digest(bearer(name))}"\nscopes = {json.dumps(scopes)}\n'
        + (f'tenant = "{tenant}"\n' if tenants else "")
        for name, (tenant, scopes) in PEOPLE.items()
    )
    path = folder / "config.toml"
    path.write_text(
        f'[auth]\ntenant_claim = "org_id"\nissuer = "{ISSUER}"\njwks_url = "{JWKS_URL}"\n{tokens}{tenants}',
        encoding="utf-8",
    )
    path.chmod(0o600)
    return {
        "DROPSHIP_CONFIG": str(path),
        "DROPSHIP_LEDGER": str(folder / "ledger.sqlite3"),
        "DROPSHIP_SANDBOX": str(folder / "sandbox.sqlite3"),
    }


@dataclass
class Branch:
    """What stands behind one tenant's server."""

    settings: Settings
    world: SandboxWorld
    wire: Wire
    ledger: SqliteLedger


@dataclass
class House:
    """A running site with its tenants; that of the name "" is for callers without one."""

    site: Site
    branches: dict[str, Branch]
    clock: Clock

    def http(self, name: str = "", token: str = "", origin: str = ORIGIN) -> httpx2.AsyncClient:
        """A client that reaches the site without a port, with somebody's token in each request."""
        token = token or (bearer(name) if name else "")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx2.ASGITransport(app=self.site.app)
        return httpx2.AsyncClient(transport=transport, base_url=origin, headers=headers)

    @asynccontextmanager
    async def client(
        self, name: str, era: Era = "auto", person: ElicitationFnT | None = None, token: str = ""
    ) -> AsyncGenerator[Client]:
        """The SDK's client."""
        async with (
            self.http(name, token) as http,
            Client(
                streamable_http_client(URL, http_client=http), mode=era, cache=None, elicitation_callback=person
            ) as client,
        ):
            yield client


@asynccontextmanager
async def house(
    folder: Path, tenants: str = TENANTS, *, issuer: Issuer | None = None, watch: Watch | None = None, **env: str
) -> AsyncGenerator[House]:
    """What `dropship-mcp http` builds from these settings. `watch`: is told what people decide."""
    settings = read_settings({**settings_file(folder, tenants), **env})
    clock = Clock()
    branches: dict[str, Branch] = {}
    for own in settings.tenants.values() or [settings]:
        ledger = make_ledger(own.ledger_place(), scope=own.tenant, now=clock)
        assert isinstance(ledger, SqliteLedger)
        branches[own.tenant] = Branch(own, world_at(clock), Wire(), ledger)
    page = settings.http.approvals_url(8000)
    servers = {
        name or None: build_app(
            branch.settings,
            accounts=WatchedAccounts(branch.settings, branch.world, branch.wire, NO_PAUSES),
            ledger=branch.ledger,
            approvals_page=page,
        )
        for name, branch in branches.items()
    }
    watch = watch or NobodyWatches()
    offices = {
        name or None: Office(b.ledger, b.settings.mode, b.settings.policy.approval, watch)
        for name, b in branches.items()
    }
    keys = (issuer or Issuer()).key_set()
    site = Site(settings.http, servers, {}, 8000, keys=keys, offices=offices)
    async with site.running():
        yield House(site, branches, clock)


def agreeing(sample: Sample, state: str = "", **shows: Any) -> dict[str, Any]:
    """A create call in the newer era for `AsyncClient.post`, of a host that shows what `shows` says: by default forms.

    With a state it carries a person's yes.
    """
    answers = {
        "inputResponses": {"approval": {"action": "accept", "content": {"confirm": True}}},
        "requestState": state,
    }
    params = {"name": sample.create, "arguments": sample.order, **(answers if state else {})}
    request = modern("tools/call", params)
    capabilities = request["json"]["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"]
    capabilities["elicitation"] = shows or {"form": {}}
    return request


def asked(answered: httpx2.Response) -> dict[str, Any]:
    """The result of a call that ended with a question."""
    result = answered.json()["result"]
    assert result["resultType"] == "input_required", result
    return dict(result)
