"""The service: prefixes, the control plane, and real connections that break."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest

from dropship_tools.sandbox import service
from dropship_tools.sandbox.service import build_service, in_process_app, serve
from dropship_tools.sandbox.transport import SandboxTransport
from dropship_tools.sandbox.world import SandboxWorld
from unit.sandbox.worlds import DIPLI_ORDER, HEADERS, Clock, world_at

pytestmark = pytest.mark.anyio

BUILT = ("dipli", "dropday")
ORDERS = "/dipli/api-drop/v2/orders"
SERVE = """
import sys
from pathlib import Path
import anyio
from dropship_tools.sandbox.service import serve
from dropship_tools.sandbox.store import SandboxStore
from dropship_tools.sandbox.world import SandboxWorld
world = SandboxWorld(SandboxStore(Path(sys.argv[1])))
anyio.run(lambda: serve(world, 0, on_ready=lambda port: print(port, flush=True)))
"""


def in_process(world: SandboxWorld) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=SandboxTransport(build_service(world, BUILT)), base_url="http://127.0.0.1:8000")


@asynccontextmanager
async def served(world: SandboxWorld) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of the service on a real loopback port."""
    ports: list[int] = []
    ready = anyio.Event()

    def on_ready(port: int) -> None:
        ports.append(port)
        ready.set()

    async with anyio.create_task_group() as group:
        group.start_soon(lambda: serve(world, 0, on_ready=on_ready, providers=BUILT))
        await ready.wait()
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{ports[0]}", headers=HEADERS["dipli"]) as client:
            yield client
        group.cancel_scope.cancel()


async def test_the_overview_says_what_is_served_and_how_to_get_in() -> None:
    async with in_process(world_at(Clock())) as client:
        assert (await client.get("/_sandbox")).json() == {
            "sandbox": True,
            "providers": {
                "dipli": {
                    "url": "http://127.0.0.1:8000/dipli",
                    "credentials": {"api_key": "sandbox-key"},
                    "orders": 0,
                },
                "dropday": {
                    "url": "http://127.0.0.1:8000/dropday",
                    "credentials": {"api_key": "sandbox-key", "account_id": "1001"},
                    "orders": 0,
                },
            },
            "faults": 0,
        }


async def test_each_provider_answers_under_its_prefix_and_orders_are_counted() -> None:
    async with in_process(world_at(Clock())) as client:
        created = await client.post(ORDERS, json=DIPLI_ORDER, headers=HEADERS["dipli"])
        products = await client.get("/dropday/api/v1/products", headers=HEADERS["dropday"])
        orders = await client.get("/_sandbox/orders")
    assert created.json()["public_id"] == "A-412001"
    assert products.json()["first_page_url"] == "http://127.0.0.1:8000/dropday/api/v1/products?page=1"
    assert orders.json() == {
        "dipli": {"count": 1, "references": ["WEB-1"]},
        "dropday": {"count": 0, "references": []},
    }


async def test_faults_are_asked_for_listed_and_dropped_over_http() -> None:
    fault = {"provider": "dipli", "operation": "create", "kind": "status", "times": 1, "value": 503}
    async with in_process(world_at(Clock())) as client:
        asked = await client.post("/_sandbox/faults", json=fault)
        listed = await client.get("/_sandbox/faults")
        hit = await client.post(ORDERS, json=DIPLI_ORDER, headers=HEADERS["dipli"])
        await client.post("/_sandbox/faults", json={"provider": "*", "kind": "huge"})
        dropped = await client.delete("/_sandbox/faults")
    assert (asked.status_code, asked.json(), listed.json()) == (201, fault, [fault])
    assert (hit.status_code, dropped.json()) == (503, {"dropped": 1})


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"provider":"dipli","kind":"fire"}',
        b'{"provider":"amazon","kind":"huge"}',
        b'{"provider":"dipli","kind":"status","value":200}',
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(body: bytes) -> None:
    async with in_process(world_at(Clock())) as client:
        answer = await client.post("/_sandbox/faults", content=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


async def test_reset_forgets_orders_and_faults() -> None:
    world = world_at(Clock())
    async with in_process(world) as client:
        await client.post(ORDERS, json=DIPLI_ORDER, headers=HEADERS["dipli"])
        await client.post("/_sandbox/faults", json={"provider": "*", "kind": "huge"})
        await client.post("/_sandbox/reset")
        overview = (await client.get("/_sandbox")).json()
    assert (overview["providers"]["dipli"]["orders"], overview["faults"]) == (0, 0)


@pytest.mark.parametrize("path", ["/", "/nothing", "/_sandbox/nothing", "/rewix/x", "/dipli"])
async def test_unknown_paths_are_not_found(path: str) -> None:
    async with in_process(world_at(Clock())) as client:
        assert (await client.get(path, headers=HEADERS["dipli"])).status_code == 404


async def test_over_a_real_connection_reset_after_stores_the_order_and_drops_the_line() -> None:
    async with served(world_at(Clock())) as client:
        await client.post("/_sandbox/faults", json={"provider": "dipli", "operation": "create", "kind": "reset_after"})
        with pytest.raises(httpx2.ReadError):
            await client.post(ORDERS, json=DIPLI_ORDER)
        assert (await client.get("/_sandbox/orders")).json()["dipli"] == {"count": 1, "references": ["WEB-1"]}


async def test_over_a_real_connection_reset_before_stores_nothing() -> None:
    async with served(world_at(Clock())) as client:
        await client.post("/_sandbox/faults", json={"provider": "dipli", "kind": "reset_before"})
        with pytest.raises(httpx2.ReadError):
            await client.post(ORDERS, json=DIPLI_ORDER)
        assert (await client.get("/_sandbox/orders")).json()["dipli"]["count"] == 0


async def test_over_a_real_connection_a_truncated_answer_ends_too_early() -> None:
    async with served(world_at(Clock())) as client:
        await client.post("/_sandbox/faults", json={"provider": "dipli", "kind": "truncated"})
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.post(ORDERS, json=DIPLI_ORDER)


async def test_over_a_real_connection_a_hanging_answer_never_comes_and_does_not_stop_the_service() -> None:
    async with served(world_at(Clock())) as client:
        await client.post("/_sandbox/faults", json={"provider": "dipli", "kind": "hang_after"})
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(ORDERS, json=DIPLI_ORDER, timeout=httpx2.Timeout(2, read=0.1))
        assert (await client.get("/_sandbox/orders")).json()["dipli"]["count"] == 1


async def test_over_a_real_connection_a_huge_answer_arrives_whole() -> None:
    async with served(world_at(Clock())) as client:
        await client.post("/_sandbox/faults", json={"provider": "dipli", "kind": "huge"})
        assert len((await client.post(ORDERS, json=DIPLI_ORDER)).content) > 10_000_000


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "example.org", ""])
async def test_only_loopback_hosts_are_served(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        await serve(world_at(Clock()), 0, host)


async def test_a_port_that_is_taken_is_an_error_of_the_system() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await serve(world_at(Clock()), taken.getsockname()[1], providers=BUILT)


def test_an_unknown_provider_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match="dipli, rewix, dropday, duoplane"):
        build_service(world_at(Clock()), ("dipli", "amazon"))
    with pytest.raises(ValueError, match="amazon"):
        in_process_app(world_at(Clock()), "amazon")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_service_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path / "sandbox.db")],
        env={"PYTHONPATH": str(Path(service.__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.send_signal(number)
        rest, errors = process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")
