"""Who may ask the Duoplane sandbox, and how often: two API users, and a leaky bucket for each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from dropship_tools.duoplane.sandbox import CREDENTIALS, VENDOR_CREDENTIALS, build
from dropship_tools.sandbox.store import SandboxStore
from dropship_tools.sandbox.world import SandboxWorld
from unit.sandbox.worlds import Clock, world_at

pytestmark = pytest.mark.anyio

AUTH = (CREDENTIALS["api_key"], CREDENTIALS["password"])
VENDOR_AUTH = (VENDOR_CREDENTIALS["api_key"], VENDOR_CREDENTIALS["password"])


def connect(clock: Clock, world: SandboxWorld | None = None, auth: tuple[str, str] = AUTH) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(build(world or world_at(clock)))
    return httpx2.AsyncClient(transport=transport, base_url="https://app.duoplane.example", auth=auth)


@asynccontextmanager
async def company(clock: Clock | None = None) -> AsyncGenerator[httpx2.AsyncClient]:
    async with connect(clock or Clock()) as client:
        yield client


async def test_wrong_credentials_are_401_without_json() -> None:
    async with company() as client:
        for header in ("Basic ***", "Basic c2FuZGJveC1rZXk6bm8=", "Bearer x", ""):
            request = client.build_request("GET", "/api/orders", headers={"Authorization": header})
            answer = await client.send(request, auth=None)
            assert (answer.status_code, answer.text) == (401, "HTTP Basic: Access denied.\n")
        # And not counted against anybody.
        assert (await client.get("/api/orders")).json()["metadata"]["requests_remaining"] == 39


async def test_a_vendor_key_authenticates_and_is_403_on_orders_and_products() -> None:
    async with connect(Clock(), auth=VENDOR_AUTH) as client:
        for path in ("/api/orders", "/api/orders/8800001", "/api/products/2100001", "/orders.json", "/products.json"):
            assert (await client.get(path)).status_code == 403
        answer = await client.post("/api/orders", json={})
        assert (answer.status_code, answer.json()["data"]) == (403, None)
        assert (await client.post("/api/products", json={})).status_code == 403
        assert (await client.get("/purchase_orders.json")).json() == []


async def test_the_bucket_holds_40_requests_over_both_apis_and_leaks_two_a_second() -> None:
    clock = Clock()
    async with company(clock) as client:
        for number in range(20):
            assert (await client.get("/api/orders")).json()["metadata"]["requests_remaining"] == 39 - 2 * number
            answer = await client.get("/purchase_orders.json")
            assert answer.headers["duoplane-requests-left"] == str(38 - 2 * number)
        limited = await client.get("/api/orders")
        assert limited.status_code == 429
        assert limited.json() == {
            "metadata": {"requests_remaining": 0, "retry_after_seconds": 1},
            "data": None,
            "errors": ["Rate limit exceeded"],
        }
        clock.move(seconds=1)
        assert (await client.get("/api/orders")).status_code == 200
        clock.move(seconds=30)
        assert (await client.get("/api/orders")).json()["metadata"]["requests_remaining"] == 39


async def test_requests_sent_while_limited_make_the_wait_longer() -> None:
    clock = Clock()
    async with company(clock) as client:
        for _ in range(40):
            await client.get("/api/orders")
        waits = [(await client.get("/purchase_orders.json")).headers["duoplane-retry-after-seconds"] for _ in range(5)]
        assert waits == ["1", "2", "2", "3", "3"]
        clock.move(seconds=2)
        assert (await client.get("/api/orders")).status_code == 429
        clock.move(seconds=4)
        assert (await client.get("/api/orders")).status_code == 200


async def test_each_api_user_has_a_bucket_of_its_own_which_processes_share(tmp_path: Path) -> None:
    clock = Clock()
    worlds = [SandboxWorld(SandboxStore(tmp_path / "s.db", clock), clock) for _ in range(3)]
    left: list[int] = []
    for world in worlds[:2]:
        async with connect(clock, world) as client:
            left.append((await client.get("/api/orders")).json()["metadata"]["requests_remaining"])
    assert left == [39, 38]
    async with connect(clock, worlds[2], VENDOR_AUTH) as client:
        assert (await client.get("/purchase_orders.json")).headers["duoplane-requests-left"] == "39"
