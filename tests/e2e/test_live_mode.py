"""Live mode against the sandbox's own web service: the same answers through a real socket, and nothing else differs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import httpx2
import pytest
from mcp import Client

from dropship_mcp.app import build_app
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.ordering import Ordering
from dropship_mcp.settings import read_settings
from dropship_tools import PROVIDERS
from dropship_tools.sandbox.service import serve
from protocol.bench import bench, listed, text_of
from protocol.samples import REFERENCE, Sample
from unit.sandbox.worlds import Clock, world_at

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]


def live(port: int, *names: str) -> dict[str, str]:
    """The environment that leads these providers' accounts to the sandbox's service, with its credentials."""
    env = {"DROPSHIP_MODE": "live"}
    for provider in PROVIDERS:
        if provider.name in names:
            account = provider.sandbox_account()
            env[provider.url_env] = f"http://127.0.0.1:{port}/{provider.name}"
            env |= {c.env: account.value(c.name) for c in provider.credentials if account.value(c.name)}
    return env


@asynccontextmanager
async def service(clock: Clock) -> AsyncGenerator[int]:
    """The sandbox on a loopback port; the port."""
    ports: list[int] = []
    ready = anyio.Event()

    def on_ready(port: int) -> None:
        ports.append(port)
        ready.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: serve(world_at(clock), 0, on_ready=on_ready))
        await ready.wait()
        yield ports[0]
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def connected(env: dict[str, str], folder: Path, clock: Clock) -> AsyncGenerator[Client]:
    """A client of a server with these settings, whose ledger `bench` in the same folder has used for sandbox orders."""
    ledger = SqliteLedger(folder / "ledger.sqlite3", now=clock)
    app = build_app(read_settings(env), ledger=ledger, ordering=Ordering(ledger, now=clock))
    async with Client(app, cache=None) as client:
        yield client


async def answer(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The answer of a call that ends well."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return cast("dict[str, Any]", result.structured_content)


def as_sandbox(value: dict[str, Any], sample: Sample, port: int) -> dict[str, Any]:
    """A live answer with the sandbox's mode, account and host."""
    text = json.dumps(value).replace(f"http://127.0.0.1:{port}/{sample.provider}", host(sample))
    return {**json.loads(text), "mode": "sandbox", "account": "sandbox"}


def host(sample: Sample) -> str:
    """The host that the sandbox account pretends to have."""
    return f"https://{sample.provider}.sandbox.invalid"


async def test_live_answers_are_the_sandboxs_except_for_mode_account_and_host(tmp_path: Path, sample: Sample) -> None:
    by_reference = {sample.own_number: REFERENCE}
    calls = [
        (sample.create, sample.arguments()),
        (sample.create, sample.arguments()),
        (sample.get, by_reference),
        ("dropship_settle_order", {"provider": sample.provider, "reference": REFERENCE}),
    ]
    async with bench(tmp_path) as desk:
        expected = [await desk.call(tool, arguments) for tool, arguments in calls]
    clock = Clock()
    async with service(clock) as port, connected(live(port, sample.provider), tmp_path, clock) as client:
        found = [await answer(client, tool, arguments) for tool, arguments in calls]
        preview = await answer(client, sample.create, sample.arguments(dry_run=True))
    assert {(a["mode"], a["account"]) for a in found} == {("live", sample.provider)}
    assert [as_sandbox(a, sample, port) for a in found] == expected
    assert preview["mode"] == "live"
    assert preview["request"]["url"] == f"http://127.0.0.1:{port}/{sample.provider}{sample.create_path}"


async def test_only_providers_with_credentials_are_served_and_the_tools_are_the_same(tmp_path: Path) -> None:
    async with bench(tmp_path) as desk:
        expected = {name: tool for name, tool in desk.tools.items() if name.startswith("dropday_")}
    async with connected(live(9, "dropday"), tmp_path, Clock()) as client:
        tools = {tool["name"]: tool for tool in await listed(client)}
        status = await answer(client, "dropship_status", {})
    assert {name: tool for name, tool in tools.items() if not name.startswith("dropship_")} == expected
    assert [name for name in tools if name.startswith("dropship_")] == [
        "dropship_status",
        "dropship_find_order",
        "dropship_settle_order",
    ]
    states = {account["provider"]: (account["state"], account.get("set", [])) for account in status["accounts"]}
    assert states == {
        "dipli": ("not configured", ["DIPLI_API_KEY"]),
        "rewix": ("not configured", ["REWIX_URL", "REWIX_API_KEY", "REWIX_PASSWORD"]),
        "dropday": ("ready", []),
        "duoplane": ("not configured", ["DUOPLANE_API_KEY", "DUOPLANE_PASSWORD"]),
    }


async def test_live_without_any_credential_starts_and_says_what_a_person_has_to_set(tmp_path: Path) -> None:
    async with connected({"DROPSHIP_MODE": "live"}, tmp_path, Clock()) as client:
        assert [tool["name"] for tool in await listed(client)] == ["dropship_status"]
        status = await answer(client, "dropship_status", {})
        assert (client.instructions or "").startswith("Mode is LIVE: an order costs real money")
    assert status["mode"] == "live"
    assert all(account["state"] == "not configured" and account["set"] for account in status["accounts"])
    assert status["next_step"].startswith("No provider is configured.")


async def test_a_wrong_key_is_told_as_such_and_nothing_is_ordered(tmp_path: Path, sample: Sample) -> None:
    clock = Clock()
    provider = next(p for p in PROVIDERS if p.name == sample.provider)
    async with service(clock) as port:
        env = {**live(port, sample.provider), provider.credentials[0].env: "wrong-key-4711"}
        async with connected(env, tmp_path, clock) as client:
            look = await client.call_tool(sample.get, {sample.their_number: sample.unknown_number})
            order = await client.call_tool(sample.create, sample.arguments())
    assert look.is_error
    assert text_of(look).startswith("provider_auth: ")
    assert text_of(order).startswith("provider_auth: ")
    assert "\norder sent: no\n" in text_of(order)
    assert "wrong-key-4711" not in text_of(look) + text_of(order)


async def test_before_the_first_call_neither_a_secure_connection_nor_a_ledger_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def trap(name: str) -> Callable[..., None]:
        def spring(*_: object, **__: object) -> None:
            opened.append(name)
            raise RuntimeError(name)

        return spring

    monkeypatch.setattr(httpx2, "create_ssl_context", trap("TLS"))
    monkeypatch.setattr(sqlite3, "connect", trap("SQLite"))
    monkeypatch.setattr("dropship_tools.http._tls", [])
    env = {"DROPSHIP_MODE": "live", "DIPLI_API_KEY": "k-1"}
    async with connected(env, tmp_path, Clock()) as client:
        assert await listed(client)
        assert opened == []
        assert (await client.call_tool("dipli_get_order", {"public_id": "A-1"})).is_error
        assert (await client.call_tool("dipli_get_order", {"alternative_id": "WEB-1"})).is_error
    assert opened == ["TLS", "SQLite"]
