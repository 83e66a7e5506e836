"""The real program on a real port: signals, a thousand calls at once, clients that leave, what it prints and when it
does not start."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.to_thread
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from dropship_mcp.web.tokens import new_token
from dropship_tools.sandbox.faults import Fault, add_fault, pending_faults
from dropship_tools.sandbox.store import SandboxStore
from e2e.processes import COMMAND, DEADLINE, environment
from protocol.bench import Era
from protocol.samples import REFERENCE, SAMPLES, Sample
from web.sites import REQUESTS, modern
from web.webprocess import WebProcess, web_process

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]

MEGABYTE = 1 << 20


def sandbox(folder: Path) -> SandboxStore:
    """The store that the process uses too."""
    return SandboxStore(folder / "sandbox.sqlite3")


def files(folder: Path) -> dict[str, str]:
    return {
        "DROPSHIP_LEDGER": str(folder / "ledger.sqlite3"),
        "DROPSHIP_SANDBOX": str(folder / "sandbox.sqlite3"),
    }


async def order(server: WebProcess, era: Era, sample: Sample, reference: str = REFERENCE) -> dict[str, Any]:
    async with Client(server.url, mode=era, cache=None) as client:
        result = await client.call_tool(sample.create, sample.arguments(**{sample.reference: reference}))
        return cast("dict[str, Any]", result.structured_content)


def wait_until_used(folder: Path) -> None:
    """Until the server has met the fault, so that its order is under way."""
    store, until = sandbox(folder), time.monotonic() + DEADLINE
    while pending_faults(store):
        assert time.monotonic() < until
        time.sleep(0.02)


async def until_used(folder: Path) -> None:
    """The same without holding up the clients."""
    await anyio.to_thread.run_sync(wait_until_used, folder)


async def test_a_stop_answers_the_order_under_way_and_records_it(tmp_path: Path, era: Era, sample: Sample) -> None:
    store = sandbox(tmp_path)
    add_fault(store, Fault(sample.provider, "create", "latency", 1, 1.0))
    call = REQUESTS[era]("tools/call", {"name": sample.create, "arguments": sample.order})
    answers: list[str] = []
    with web_process(tmp_path, **files(tmp_path)) as server:
        async with httpx2.AsyncClient() as http, anyio.create_task_group() as tasks:

            async def place() -> None:
                answers.append((await http.post(server.url, **call, timeout=30)).text)

            tasks.start_soon(place)
            await until_used(tmp_path)
            server.stop()
        ended = await anyio.to_thread.run_sync(server.finish)

    assert ['"outcome":"placed"' in answer for answer in answers] == [True]
    assert ended == (0, "")
    assert len(store.find(sample.provider, "order", REFERENCE)) == 1
    assert states(tmp_path) == ["placed"]


@pytest.mark.parametrize("signals", [1, 2])
async def test_a_stop_that_waits_no_longer_says_so_and_still_records_the_order(
    tmp_path: Path, era: Era, signals: int
) -> None:
    sample, store = SAMPLES["dropday"], sandbox(tmp_path)
    add_fault(store, Fault(sample.provider, "create", "latency", 1, 2.5))
    call = REQUESTS[era]("tools/call", {"name": sample.create, "arguments": sample.order})
    grace = {1: "1", 2: "50"}[signals]
    answers: list[tuple[int, str]] = []
    with web_process(tmp_path, DROPSHIP_HTTP_GRACE=grace, **files(tmp_path)) as server:
        async with httpx2.AsyncClient() as http, anyio.create_task_group() as tasks:

            async def place() -> None:
                answer = await http.post(server.url, **call, timeout=30)
                answers.append((answer.status_code, answer.text))

            tasks.start_soon(place)
            await until_used(tmp_path)
            for _ in range(signals):
                server.stop()
                await anyio.sleep(0.2)
        ended = await anyio.to_thread.run_sync(server.finish)

    assert [(status, "in_progress: the server is being stopped" in text) for status, text in answers] == [(200, True)]
    assert ended == (0, "")
    assert states(tmp_path) == ["placed"]


async def test_a_client_that_leaves_gets_its_order_and_no_second_one(tmp_path: Path) -> None:
    sample, store = SAMPLES["dropday"], sandbox(tmp_path)
    add_fault(store, Fault(sample.provider, "create", "latency", 1, 1.0))
    call = modern("tools/call", {"name": sample.create, "arguments": sample.order})
    with web_process(tmp_path, **files(tmp_path)) as server:
        async with httpx2.AsyncClient() as http:
            with anyio.move_on_after(0.4):
                await http.post(server.url, **call, timeout=30)
        await until_used(tmp_path)
        again = await order(server, "auto", sample)

    assert again["outcome"] == "already_placed"
    assert len(store.find(sample.provider, "order", REFERENCE)) == 1


def states(folder: Path) -> list[str]:
    done = subprocess.run(
        [COMMAND, "orders", "--json"],
        env=environment(folder, **files(folder)),
        capture_output=True,
        check=True,
        text=True,
    )
    return [row["state"] for row in json.loads(done.stdout)]


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_thousand_calls_at_once_are_all_answered(tmp_path: Path, era: Era) -> None:
    call = REQUESTS[era]("tools/call", {"name": "dropship_status", "arguments": {}})
    statuses: Counter[tuple[int, bool]] = Counter()
    with web_process(tmp_path, **files(tmp_path)) as server:
        limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=0)
        async with httpx2.AsyncClient(timeout=150, limits=limits) as http:

            async def ask() -> None:
                answer = await http.post(server.url, **call)
                statuses[answer.status_code, '"mode":"sandbox"' in answer.text] += 1

            await ask()
            before = server.resident()
            async with anyio.create_task_group() as tasks:
                for _ in range(1000):
                    tasks.start_soon(ask)
            grown = server.resident() - before
        server.stop()
        ended = await anyio.to_thread.run_sync(server.finish)

    assert statuses == {(200, True): 1001}
    assert grown < 200 * MEGABYTE
    assert ended == (0, "")


async def test_a_token_opens_the_real_server(tmp_path: Path, era: Era) -> None:
    token, sha256 = new_token()
    team = f"alice {sha256} orders:read"
    with web_process(tmp_path, DROPSHIP_AUTH_TOKENS=team, **files(tmp_path)) as server:
        async with (
            httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}) as http,
            Client(streamable_http_client(server.url, http_client=http), mode=era, cache=None) as client,
        ):
            tools = {tool.name for tool in (await client.list_tools()).tools}
        async with httpx2.AsyncClient() as http:
            without = await http.post(server.url, **REQUESTS[era]("tools/list"))
            ready = await http.get(f"{server.base}/readyz")

    assert "dipli_get_order" in tools
    assert "dipli_create_order" not in tools
    assert without.status_code == 401
    assert ready.json() == {"ready": True, "ledger": True}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, r"Approvals: http://127\.0\.0\.1:\d+/approvals\n"),
        (
            {"DROPSHIP_HTTP_HOST": "0.0.0.0", "DROPSHIP_HTTP_HOSTS": "orders.internal"},
            r"Approvals: none, because the public address is not https \(DROPSHIP_HTTP_PUBLIC_URL\)\n",
        ),
    ],
)
def test_the_server_says_where_people_decide_or_why_nowhere(
    settings: dict[str, str], said: str, tmp_path: Path
) -> None:
    team = f"alice {new_token()[1]} orders:approve"
    with web_process(tmp_path, DROPSHIP_AUTH_TOKENS=team, **settings, **files(tmp_path)) as server:
        assert server.process.stdout
        assert re.fullmatch(said, server.process.stdout.readline())


async def test_a_ledger_that_cannot_be_used_is_not_ready_but_alive(tmp_path: Path) -> None:
    broken = tmp_path / "ledger.sqlite3"
    broken.write_bytes(b"this is no database" * 100)
    with web_process(tmp_path, **files(tmp_path)) as server:
        async with httpx2.AsyncClient() as http:
            alive, ready = await http.get(f"{server.base}/healthz"), await http.get(f"{server.base}/readyz")

    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.json() == {"ready": False, "ledger": False}


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [COMMAND, "http", "--port", str(port)], env=environment(tmp_path), capture_output=True, text=True
        )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"dropship-mcp: 127.0.0.1 port {port} cannot be used: Address already in use\n"
