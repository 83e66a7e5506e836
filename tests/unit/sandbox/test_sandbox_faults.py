"""Faults, through the in-process transport."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio
import httpx2
import pytest

from dropship_tools.sandbox.faults import (
    FAULT_KINDS,
    Fault,
    FaultKind,
    add_fault,
    clear_faults,
    pending_faults,
    take_fault,
)
from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.store import SandboxStore
from dropship_tools.sandbox.transport import SandboxTransport
from unit.sandbox.worlds import DIPLI_ORDER, Clock, client_for, world_at

pytestmark = pytest.mark.anyio


async def answer_to_a_create(fault: Fault) -> tuple[httpx2.Response, int]:
    """The answer of the sandbox, and how many orders it has afterwards."""
    world = world_at(Clock())
    add_fault(world.store, fault)
    async with client_for(world, "dipli") as client:
        response = await client.post("/api-drop/v2/orders", json=DIPLI_ORDER)
    return response, world.store.count("dipli", "order")


async def error_of_a_create(fault: Fault) -> tuple[type[Exception], int]:
    """How the client's connection failed, and how many orders the sandbox has afterwards."""
    world = world_at(Clock())
    add_fault(world.store, fault)
    async with client_for(world, "dipli") as client:
        with pytest.raises(httpx2.TransportError) as caught:
            await client.post("/api-drop/v2/orders", json=DIPLI_ORDER, timeout=0.05)
    return caught.type, world.store.count("dipli", "order")


@pytest.mark.parametrize(
    ("kind", "error", "orders"),
    [
        ("reset_before", httpx2.ReadError, 0),
        ("reset_after", httpx2.ReadError, 1),
        ("hang_after", httpx2.ReadTimeout, 1),
        ("truncated", httpx2.RemoteProtocolError, 1),
    ],
)
async def test_a_broken_connection_says_nothing_about_whether_the_order_was_stored(
    kind: FaultKind, error: type[Exception], orders: int
) -> None:
    assert await error_of_a_create(Fault("dipli", "create", kind)) == (error, orders)


async def test_who_gives_up_on_a_slow_answer_has_ordered_all_the_same() -> None:
    assert await error_of_a_create(Fault("dipli", "create", "latency", value=60)) == (httpx2.ReadTimeout, 1)


async def test_a_slow_answer_is_the_real_one() -> None:
    response, orders = await answer_to_a_create(Fault("dipli", "create", "latency", value=0.01))
    assert (response.json()["public_id"], orders) == ("A-412001", 1)


@pytest.mark.parametrize(
    ("kind", "value", "status", "orders"),
    [("status", 0, 500, 0), ("status", 503, 503, 0), ("status_after", 0, 504, 1), ("status_after", 502, 502, 1)],
)
async def test_a_gateway_answers_html(kind: FaultKind, value: float, status: int, orders: int) -> None:
    response, stored = await answer_to_a_create(Fault("dipli", "create", kind, value=value))
    assert (response.status_code, response.headers["content-type"], stored) == (
        status,
        "text/html; charset=utf-8",
        orders,
    )


async def test_too_many_requests_names_a_time_to_wait() -> None:
    response, orders = await answer_to_a_create(Fault("dipli", "create", "status", value=429))
    assert (response.status_code, response.headers["retry-after"], orders) == (429, "1", 0)


async def test_a_malformed_answer_keeps_its_status_and_stores_the_order() -> None:
    response, orders = await answer_to_a_create(Fault("dipli", "create", "malformed"))
    assert (response.status_code, response.headers["content-type"], orders) == (200, "application/json", 1)
    with pytest.raises(json.JSONDecodeError):
        response.json()


@pytest.mark.parametrize(("value", "body"), [(0, ["unexpected"]), (1, "unexpected"), (2, 42), (3, None)])
async def test_an_answer_of_the_wrong_type_is_valid_json(value: float, body: object) -> None:
    response, orders = await answer_to_a_create(Fault("dipli", "create", "wrong_type", value=value))
    assert (response.status_code, response.json(), orders) == (200, body, 1)


async def test_a_redirect_leads_to_another_host_and_stores_nothing() -> None:
    response, orders = await answer_to_a_create(Fault("dipli", "create", "redirect"))
    assert (response.status_code, response.headers["location"], orders) == (
        302,
        "https://elsewhere.invalid/api-drop/v2/orders",
        0,
    )


async def test_a_huge_answer_is_valid_and_comes_in_pieces() -> None:
    world = world_at(Clock())
    add_fault(world.store, Fault("dipli", "create", "huge"))
    sizes: list[int] = []
    async with (
        client_for(world, "dipli") as client,
        client.stream("POST", "/api-drop/v2/orders", json=DIPLI_ORDER) as response,
    ):
        declared = int(response.headers["content-length"])
        body = bytearray()
        async for piece in response.aiter_raw():
            sizes.append(len(piece))
            body += piece
    assert len(body) == declared > 10_000_000
    assert max(sizes) <= 65_536
    assert json.loads(body)["public_id"] == "A-412001"


async def test_a_truncated_answer_shows_its_first_half_before_it_breaks() -> None:
    world = world_at(Clock())
    add_fault(world.store, Fault("dipli", "create", "truncated"))
    body = bytearray()

    async def read(response: httpx2.Response) -> None:
        async for piece in response.aiter_raw():
            body.extend(piece)

    async with (
        client_for(world, "dipli") as client,
        client.stream("POST", "/api-drop/v2/orders", json=DIPLI_ORDER) as response,
    ):
        declared = int(response.headers["content-length"])
        with pytest.raises(httpx2.RemoteProtocolError):
            await read(response)
    assert len(body) == declared // 2
    assert body.startswith(b'{"code":200')


async def test_a_fault_strikes_as_often_as_asked_and_only_where_asked() -> None:
    world = world_at(Clock())
    add_fault(world.store, Fault("dropday", "*", "status"))
    add_fault(world.store, Fault("dipli", "list", "status", times=2, value=503))
    async with client_for(world, "dipli") as client:
        created = await client.post("/api-drop/v2/orders", json=DIPLI_ORDER)
        listed = [(await client.get("/api-drop/v2/orders")).status_code for _ in range(3)]
    assert (created.status_code, listed) == (200, [503, 503, 200])
    assert pending_faults(world.store) == [Fault("dropday", "*", "status")]


def test_faults_are_used_up_oldest_first_across_stores(tmp_path: Path) -> None:
    asking, hit = SandboxStore(tmp_path / "s.db"), SandboxStore(tmp_path / "s.db")
    add_fault(asking, Fault("*", "*", "latency", times=2))
    add_fault(asking, Fault("rewix", "create", "huge"))
    taken = [take_fault(hit, "rewix", "create") for _ in range(4)]
    assert [fault.kind if fault else None for fault in taken] == ["latency", "latency", "huge", None]
    asking.close()
    hit.close()


def test_faults_can_be_dropped() -> None:
    store = SandboxStore(None)
    add_fault(store, Fault("dipli", "get", "huge"))
    add_fault(store, Fault("dipli", "get", "huge"))
    assert (clear_faults(store), pending_faults(store)) == (2, [])


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_fault_survives_json(kind: FaultKind) -> None:
    data = {"provider": "dipli", "operation": "create", "kind": kind, "times": 3, "value": 503}
    assert Fault.from_json(data) == Fault("dipli", "create", kind, 3, 503)


def test_every_problem_of_a_fault_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"unknown field 'count'.*provider.*operation.*kind.*times.*value"):
        Fault.from_json({"operation": 1, "kind": "fire", "times": 0, "value": -1, "count": 2})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, True, "1"])
def test_a_value_that_no_fault_can_use_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="value: a number from 0 to 3600"):
        Fault.from_json({"provider": "*", "kind": "latency", "value": value})


async def test_a_request_that_hangs_can_be_given_up() -> None:
    world = world_at(Clock())
    add_fault(world.store, Fault("dipli", "create", "hang_after"))
    async with client_for(world, "dipli") as client:
        with anyio.move_on_after(0.02) as scope:
            await client.post("/api-drop/v2/orders", json=DIPLI_ORDER, timeout=None)
    assert (scope.cancelled_caught, world.store.count("dipli", "order")) == (True, 1)


async def test_a_provider_is_built_at_its_first_request() -> None:
    sys.modules.pop("dropship_tools.dipli.sandbox", None)
    app = in_process_app(world_at(Clock()), "dipli")
    transport = SandboxTransport(app)
    assert "dropship_tools.dipli.sandbox" not in sys.modules
    async with httpx2.AsyncClient(transport=transport, base_url="https://provider.example") as client:
        assert (await client.get("/")).status_code == 404
    assert "dropship_tools.dipli.sandbox" in sys.modules
