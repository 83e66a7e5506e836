"""A host ends, or ends its server, while an order is under way: the real server finishes and records it first."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import Process

from contract.providers import row_of
from dropship_mcp.ledger import OrderKey, SqliteLedger
from dropship_tools.sandbox.faults import Fault, add_fault
from dropship_tools.sandbox.store import SandboxStore

pytestmark = pytest.mark.anyio

ROW = row_of("dipli")
KEY = OrderKey("sandbox", "dipli", "sandbox", "R-1")

SLOW_ANSWER = 0.7
"""Seconds for which the provider keeps its answer back."""


def line(method: str, params: dict[str, Any], number: int | None = None) -> bytes:
    """A message as it stands on the pipe."""
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(message if number is None else {**message, "id": number}).encode() + b"\n"


LEGACY = [
    line(
        "initialize",
        {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
        1,
    ),
    line("notifications/initialized", {}),
    line("tools/call", {"name": ROW.create, "arguments": ROW.arguments("R-1")}, 2),
]
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
}
MODERN = [line("tools/call", {"name": ROW.create, "arguments": ROW.arguments("R-1"), "_meta": _META}, 2)]


async def close_the_pipe(process: Process) -> None:
    """The host ends."""
    assert process.stdin is not None
    await process.stdin.aclose()


async def terminate(process: Process) -> None:
    """The host, or the system, asks the server to stop."""
    process.send_signal(signal.SIGTERM)


async def interrupt(process: Process) -> None:
    """A person presses Ctrl-C."""
    process.send_signal(signal.SIGINT)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("end", "messages"),
    [(close_the_pipe, LEGACY), (close_the_pipe, MODERN), (terminate, MODERN), (interrupt, LEGACY)],
    ids=["pipe closed, legacy", "pipe closed, modern", "SIGTERM", "SIGINT"],
)
async def test_an_order_under_way_is_finished_and_recorded_before_the_server_ends(
    end: Callable[[Process], Awaitable[None]], messages: list[bytes], tmp_path: Path
) -> None:
    store = SandboxStore(tmp_path / "sandbox.sqlite3")
    add_fault(store, Fault("dipli", "create", "latency", value=SLOW_ANSWER))
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3")
    environment = {"DROPSHIP_LEDGER": str(ledger.path), "DROPSHIP_SANDBOX": str(tmp_path / "sandbox.sqlite3")}
    try:
        async with await anyio.open_process([sys.executable, "-m", "dropship_mcp"], env=environment) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            await server.stdin.send(b"".join(messages))
            await taken(store)
            before = await ledger.get(KEY)
            await end(server)
            said = b"".join([piece async for piece in server.stdout])
            assert await server.wait() == 0
        after = await ledger.get(KEY)
        assert before is not None
        assert after is not None
        assert (before.state, after.state, after.order_id) == ("sending", "placed", "A-412001")
        assert store.count("dipli", "order") == 1
        if end is close_the_pipe:  # who still listens is answered
            assert b'"outcome":"placed"' in said
    finally:
        store.close()
        await ledger.close()


async def taken(store: SandboxStore) -> None:
    """Wait until the provider has the order; its answer is on the way then."""
    for _ in range(1000):
        if store.count("dipli", "order"):
            return
        await anyio.sleep(0.02)
    raise AssertionError("no order arrived")
