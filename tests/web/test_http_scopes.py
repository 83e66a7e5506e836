"""Scopes: callers see and call what their token allows, and learn what to ask for; an agent never learns to ask for the
scope that approves its own orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.server.auth.middleware.auth_context import get_access_token

from dropship_mcp.app import build_app
from dropship_mcp.caller import CALLER, Caller, present_caller
from dropship_mcp.http_settings import AuthSettings, HttpSettings
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.settings import Settings
from dropship_mcp.web.rules import ScopeRules, writing_tools
from protocol.bench import Era, listed
from protocol.samples import REFERENCE, Sample
from web.sites import (
    APPROVER,
    COMPANY,
    ISSUER,
    JWKS_URL,
    READER,
    REQUESTS,
    TEAM,
    URL,
    WRITER,
    Desk,
    Issuer,
    desk,
    token,
)

pytestmark = pytest.mark.anyio

CHANGING = {
    *(f"{provider}_create_order" for provider in ("dipli", "rewix", "dropday", "duoplane")),
    "rewix_reserve_stock",
    "dropship_settle_order",
}


async def names(served: Desk, era: Era, bearer: str) -> set[str]:
    async with served.client(era, bearer) as client:
        return {tool["name"] for tool in await listed(client)}


async def test_a_caller_sees_the_tools_it_may_call(tmp_path: Path, era: Era) -> None:
    async with desk(tmp_path, TEAM) as served:
        reader, writer = await names(served, era, READER), await names(served, era, WRITER)

    assert writer - reader == CHANGING
    assert reader < writer


async def test_lists_that_depend_on_the_caller_are_not_shared(tmp_path: Path) -> None:
    async with desk(tmp_path, TEAM) as served, served.http(READER) as http:
        answer = await http.post(URL, **REQUESTS["auto"]("tools/list"))

    assert answer.json()["result"]["cacheScope"] == "private"


async def test_an_order_beyond_the_scopes_is_refused_and_says_what_to_ask_for(
    tmp_path: Path, era: Era, sample: Sample
) -> None:
    call = REQUESTS[era]("tools/call", {"name": sample.create, "arguments": sample.order})
    reader = token(scope="orders:read")
    async with desk(tmp_path, COMPANY, provider=sample.provider) as served, served.http(reader) as http:
        answer = await http.post(URL, **call)

    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == (
        'Bearer error="insufficient_scope", error_description="needs orders:write", scope="orders:read orders:write", '
        'resource_metadata="http://127.0.0.1:8000/.well-known/oauth-protected-resource/mcp"'
    )
    assert served.wire.requests == []


@pytest.mark.parametrize("bearer", [READER, WRITER])
async def test_a_look_up_needs_no_more_than_reading(tmp_path: Path, era: Era, sample: Sample, bearer: str) -> None:
    async with desk(tmp_path, TEAM, provider=sample.provider) as served, served.client(era, bearer) as client:
        result = await client.call_tool(sample.get, {sample.own_number: "WEB-404"})

    assert result.is_error
    assert "not_found" in str(result.content)


@pytest.mark.parametrize("method", ["tools/list", "prompts/list", "resources/list", "server/discover"])
async def test_whoever_only_approves_is_no_client_of_the_tools(tmp_path: Path, era: Era, method: str) -> None:
    async with desk(tmp_path, TEAM) as served, served.http(APPROVER) as http:
        answer = await http.post(URL, **REQUESTS[era](method))

    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == (
        'Bearer error="insufficient_scope", error_description="needs orders:read", scope="orders:read"'
    )


async def test_a_header_that_names_a_harmless_tool_opens_nothing(tmp_path: Path, sample: Sample) -> None:
    call = REQUESTS["auto"]("tools/call", {"name": sample.create, "arguments": sample.order})
    call["headers"]["mcp-name"] = sample.get
    async with desk(tmp_path, TEAM, provider=sample.provider) as served, served.http(READER) as http:
        answer = await http.post(URL, **call)

    assert answer.status_code == 403
    assert served.wire.requests == []


async def test_the_server_itself_refuses_what_the_gate_let_through(tmp_path: Path, era: Era, sample: Sample) -> None:
    server = build_app(Settings(providers=(sample.provider,)), ledger=SqliteLedger(tmp_path / "ledger.sqlite3"))
    server.middleware.append(ScopeRules(await writing_tools(server)))
    before = CALLER.set(Caller("reader", scopes=frozenset({"orders:read"})))
    try:
        async with Client(server, mode=era, cache=None) as client:
            with pytest.raises(MCPError, match="insufficient_scope: needs orders:write"):
                await client.call_tool(sample.create, sample.order)
    finally:
        CALLER.reset(before)


async def test_a_caller_without_a_server_of_its_own_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path, TEAM, provider="dipli", tenant="acme") as served, served.http(READER) as http:
        answer = await http.post(URL, **REQUESTS["auto"]("tools/list"))

    assert (answer.status_code, answer.json()["error"]) == (403, "unknown_tenant")


METADATA: list[tuple[HttpSettings, str, str]] = [
    (COMPANY, "/.well-known/oauth-protected-resource/mcp", URL),
    (COMPANY, "/.well-known/oauth-protected-resource", URL),
    (
        COMPANY._replace(public_url="https://orders.example.com/shop/mcp"),
        "/.well-known/oauth-protected-resource/shop/mcp",
        "https://orders.example.com/shop/mcp",
    ),
]


@pytest.mark.parametrize(("settings", "path", "resource"), METADATA)
async def test_metadata_leads_to_the_issuer(tmp_path: Path, settings: HttpSettings, path: str, resource: str) -> None:
    async with desk(tmp_path, settings) as served, served.http(origin="https://any.example.com") as http:
        answer = await http.get(path)

    assert answer.json() == {
        "resource": resource,
        "authorization_servers": [ISSUER],
        "scopes_supported": ["orders:read", "orders:write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "dropship-mcp",
    }
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_the_audience_is_the_operators_where_the_issuer_uses_another(tmp_path: Path) -> None:
    auth = AuthSettings(issuer=ISSUER, jwks_url=JWKS_URL, audience="api://orders")
    async with desk(tmp_path, HttpSettings(auth=auth), issuer=Issuer()) as served:
        statuses: list[int] = []
        for audience in ("api://orders", URL):
            async with served.http(token(aud=audience)) as http:
                statuses.append((await http.post(URL, **REQUESTS["auto"]("tools/list"))).status_code)

    assert statuses == [200, 401]


async def test_a_tool_and_an_order_under_way_know_who_calls(tmp_path: Path, era: Era, sample: Sample) -> None:
    seen: set[tuple[Any, ...]] = set()

    def look(_: httpx2.Request) -> None:
        caller, sdk = present_caller(), get_access_token()
        assert caller
        assert sdk
        seen.add((caller.subject, caller.issuer, sdk.client_id, sdk.subject, sdk.token))

    async with desk(tmp_path, COMPANY, provider=sample.provider) as served, served.client(era, token()) as client:
        served.wire.instead = look
        for tool, arguments in ((sample.create, sample.order), (sample.get, {sample.own_number: REFERENCE})):
            assert not (await client.call_tool(tool, arguments)).is_error

    assert seen == {("user-7", ISSUER, "agent", "user-7", "")}
