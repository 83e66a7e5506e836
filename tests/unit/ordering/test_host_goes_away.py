"""A host cancels a call, or goes away in the middle of one: the order under way is finished and recorded all the same.

In both protocol eras, through the real server and client.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from contract.providers import NAMES, Row, row_of
from contract.rigs import Rig, make_rig, open_rig
from dropship_mcp.placing import Budget

pytestmark = pytest.mark.anyio

ERAS = ["auto", "legacy"]


class Gate:
    """Holds an order up at a point until it is opened."""

    def __init__(self, point: str = "before create") -> None:
        self._point = point
        self.reached = anyio.Event()
        self.open = anyio.Event()

    async def __call__(self, point: str) -> None:
        """Wait, if this is the point."""
        if point == self._point:
            self.reached.set()
            await self.open.wait()


async def cancelled(gate: Gate, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Make a call, and cancel it while the order is held up."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await gate.reached.wait()
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("point", ["before claim", "before sending", "before create", "after create", "before placed"])
async def test_a_cancelled_call_leaves_its_order_flying(name: str, point: str, tmp_path: Path) -> None:
    row, gate = row_of(name), Gate(point)
    async with open_rig(tmp_path) as rig:
        rig.trace.at = gate
        await cancelled(gate, lambda: rig.create(row, row.arguments("R-1")))
        gate.open.set()
        await rig.ordering.landed()
        assert (await rig.state(row, "R-1"), rig.trace.sent(), rig.orders(row, "R-1")) == ("placed", 1, 1)
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "already_placed"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_call_that_the_host_cancels_is_finished_and_recorded(name: str, era: str, tmp_path: Path) -> None:
    row, gate, rig = row_of(name), Gate(), make_rig(tmp_path)
    rig.trace.at = gate
    async with Client(rig.server(), mode=era) as client:
        await cancelled(gate, lambda: client.call_tool(row.create, row.arguments("R-1")))
        gate.open.set()
        answer = await client.call_tool(row.create, row.arguments("R-1"))
        assert answer.structured_content is not None
        assert answer.structured_content["outcome"] == "already_placed"
    assert await left_behind(rig, row) == ("placed", 1, 1)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", NAMES)
async def test_an_order_under_way_is_finished_and_recorded_when_the_host_goes_away(
    name: str, era: str, tmp_path: Path
) -> None:
    row, gate, rig = row_of(name), Gate(), make_rig(tmp_path)
    rig.trace.at = gate

    async def host() -> None:
        async with Client(rig.server(), mode=era) as client, anyio.create_task_group() as calls:
            calls.start_soon(client.call_tool, row.create, row.arguments("R-1"))
            await gate.reached.wait()
            calls.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host)
        await gate.reached.wait()
        await anyio.wait_all_tasks_blocked()  # the server is closing, and waits for its order
        gate.open.set()
    assert await left_behind(rig, row) == ("placed", 1, 1)


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_that_is_told_to_stop_finishes_its_order_first(name: str, tmp_path: Path) -> None:
    row, gate, rig = row_of(name), Gate(), make_rig(tmp_path)
    rig.trace.at = gate
    stop = anyio.CancelScope()

    async def server() -> None:
        with stop:
            async with rig.running():
                await rig.create(row, row.arguments("R-1"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server)
        await gate.reached.wait()
        stop.cancel()
        await anyio.wait_all_tasks_blocked()
        gate.open.set()
    assert await left_behind(rig, row) == ("placed", 1, 1)


async def test_a_server_that_is_told_to_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    row, gate, rig = row_of("dipli"), Gate("after create"), make_rig(tmp_path, budget=Budget(call=1, flight=0.5))
    rig.trace.at = gate
    with anyio.fail_after(4):
        async with rig.running(), anyio.create_task_group() as tasks:
            tasks.start_soon(rig.create, row, row.arguments("R-1"))
            await gate.reached.wait()
            tasks.cancel_scope.cancel()
    assert await left_behind(rig, row) == ("unknown", 1, 1)


async def left_behind(rig: Rig, row: Row) -> tuple[str, int, int]:
    """The state in the ledger, how often the order left, and how many orders the provider has."""
    try:
        return await rig.state(row, "R-1"), rig.trace.sent(), rig.orders(row, "R-1")
    finally:
        await rig.ledger.close()


@pytest.mark.parametrize("era", ERAS)
async def test_hosts_that_ask_for_progress_get_signs_of_life(era: str, tmp_path: Path) -> None:
    row, gate = row_of("dipli"), Gate()
    rig = make_rig(tmp_path, budget=Budget(report=0.02))
    rig.trace.at = gate
    seen: list[tuple[float, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, message))
        if len(seen) == 3:
            gate.open.set()

    async with Client(rig.server(), mode=era) as client:
        answer = await client.call_tool(row.create, row.arguments("R-1"), progress_callback=on_progress)
        assert answer.structured_content is not None
        assert answer.structured_content["outcome"] == "placed"
    assert seen[:3] == [(1, "placing the order"), (2, "placing the order"), (3, "placing the order")]
