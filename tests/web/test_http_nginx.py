"""The example configuration for nginx with the real nginx (Debian's package `nginx`): TLS ends there, answers and
challenges pass unchanged, and nothing is ever sent to the server twice."""

from __future__ import annotations

import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.to_thread
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from dropship_mcp.web.tokens import digest, new_token
from dropship_tools.sandbox.faults import Fault, add_fault, pending_faults
from dropship_tools.sandbox.store import SandboxStore
from e2e.ports import free_port
from e2e.processes import DEADLINE
from protocol.bench import Era
from protocol.samples import REFERENCE, SAMPLES, Sample
from web.nginx import certificate, nginx
from web.sites import REQUESTS
from web.webprocess import WebProcess, web_process

STAFF = "staff-token"
pytestmark = [pytest.mark.anyio, pytest.mark.nginx, pytest.mark.timeout(90)]


@dataclass
class Front:
    """nginx with the server behind it."""

    url: str
    trust: ssl.SSLContext
    token: str
    server: WebProcess
    store: SandboxStore

    def http(self, *, token: bool = True) -> httpx2.AsyncClient:
        """A client that trusts the test's certificate and nothing else."""
        headers = {"authorization": f"Bearer {self.token}"} if token else {}
        return httpx2.AsyncClient(verify=self.trust, headers=headers, timeout=30)


@contextmanager
def front(folder: Path) -> Generator[Front]:
    """The server and nginx before it, both as real processes."""
    trust, port = certificate(folder), free_port()
    url = f"https://127.0.0.1:{port}/mcp"
    token, sha256 = new_token()
    settings = {
        "DROPSHIP_HTTP_PUBLIC_URL": url,
        "DROPSHIP_AUTH_ISSUER": "https://login.example.com",
        "DROPSHIP_AUTH_JWKS_URL": "https://login.example.com/jwks.json",
        "DROPSHIP_AUTH_TOKENS": f"alice {sha256} orders:read orders:write, staff {digest(STAFF)} orders:approve",
        "DROPSHIP_LEDGER": str(folder / "ledger.sqlite3"),
        "DROPSHIP_SANDBOX": str(folder / "sandbox.sqlite3"),
    }
    with web_process(folder, **settings) as server, nginx(folder, port, server.address):
        yield Front(url, trust, token, server, SandboxStore(folder / "sandbox.sqlite3"))


async def test_orders_pass_through_nginx(tmp_path: Path, era: Era, sample: Sample) -> None:
    with front(tmp_path) as proxied:
        async with (
            proxied.http() as http,
            Client(streamable_http_client(proxied.url, http_client=http), mode=era, cache=None) as client,
        ):
            first = await client.call_tool(sample.create, sample.order)
            again = await client.call_tool(sample.create, sample.order)

    outcomes = [cast("dict[str, Any]", result.structured_content)["outcome"] for result in (first, again)]
    assert outcomes == ["placed", "already_placed"]


async def test_challenges_and_metadata_name_the_public_address(tmp_path: Path, era: Era) -> None:
    with front(tmp_path) as proxied:
        async with proxied.http(token=False) as http:
            challenge = await http.post(proxied.url, **REQUESTS[era]("tools/list"))
            where = challenge.headers["www-authenticate"].split('resource_metadata="')[1].rstrip('"')
            metadata = await http.get(where)
            inside = await http.get(proxied.url.replace("/mcp", "/readyz"))
            too_large = await http.post(proxied.url, content=b" " * 1_100_000)

    assert challenge.status_code == 401
    assert where == proxied.url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
    assert metadata.json()["resource"] == proxied.url
    assert inside.status_code == 404
    assert too_large.status_code == 413


async def test_an_order_whose_server_dies_is_not_sent_again_by_nginx(tmp_path: Path) -> None:
    sample = SAMPLES["dropday"]
    with front(tmp_path) as proxied:
        add_fault(proxied.store, Fault(sample.provider, "create", "latency", 1, 20))
        call = REQUESTS["auto"]("tools/call", {"name": sample.create, "arguments": sample.order})
        statuses: list[int] = []
        async with proxied.http() as http, anyio.create_task_group() as tasks:

            async def place() -> None:
                statuses.append((await http.post(proxied.url, **call)).status_code)

            def wait_until_under_way() -> None:
                until = time.monotonic() + DEADLINE
                while pending_faults(proxied.store):
                    assert time.monotonic() < until
                    time.sleep(0.02)

            tasks.start_soon(place)
            await anyio.to_thread.run_sync(wait_until_under_way)
            proxied.server.process.kill()

    assert statuses == [502]
    assert len(proxied.store.find(sample.provider, "order", REFERENCE)) <= 1


async def test_people_sign_in_to_the_approvals_page_and_not_without_end(tmp_path: Path) -> None:
    with front(tmp_path) as proxied:
        page = proxied.url.replace("/mcp", "/approvals")
        ours = {"origin": page.removesuffix("/approvals")}
        async with proxied.http(token=False) as http:
            signed_in = await http.post(f"{page}/sign-in", data={"token": STAFF}, headers=ours)
            overview = await http.get(page)
            beside = await http.get(f"{page}x")
            tried = [await http.post(f"{page}/sign-in", data={"token": "guess"}, headers=ours) for _ in range(7)]

    assert signed_in.headers["location"] == "/approvals"
    assert signed_in.headers["set-cookie"].startswith("__Secure-dropship-approvals=")
    assert "Signed in as staff" in overview.text
    assert overview.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert beside.status_code == 404
    assert [answered.status_code for answered in (tried[0], tried[-1])] == [401, 503]
