"""The SDK's kernel knows who makes a plain call, though it is told once and not with every call."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

import mcp_types as types
import pytest
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.runner import ServerRunner
from mcp.shared.transport_context import TransportContext

from dropship_mcp import plain_calls
from dropship_mcp.plain_calls import Kernel, PlainCall
from dropship_mcp.plain_requests import CAPABILITIES, VERSION

pytestmark = pytest.mark.anyio

NOTHING: Mapping[str, object] = {}
TRANSPORT = TransportContext(kind="stdio", can_send_request=False)
Seen = tuple[str, str | None, bool]


def call(name: object, *, asks: bool = False, version: str = "2026-07-28") -> PlainCall:
    """By a client of that name, which may be asked or not."""
    client, capabilities = {"name": name, "version": "1"}, dict.fromkeys(["elicitation"] if asks else [], NOTHING)
    meta: Mapping[str, object] = {} if version == "2025-11-25" else {VERSION: version, CAPABILITIES: capabilities}
    return PlainCall(1, {"name": "tell", "_meta": meta}, version, client, capabilities, TRANSPORT)


def kernel(seen: list[Seen]) -> Kernel:
    """Of a server that looks who calls."""

    async def tell(context: ServerRequestContext[Any, Any], _: types.CallToolRequestParams) -> types.CallToolResult:
        client, capabilities = context.session.client_params, context.session.client_capabilities
        name = client.client_info.name if client else None
        seen.append((context.protocol_version, name, bool(capabilities and capabilities.elicitation)))
        return types.CallToolResult(content=[])

    return Kernel(Server("who", on_call_tool=tell))


def runners() -> int:
    """What is kept of callers, in the whole process."""
    gc.collect()
    return sum(type(known) is ServerRunner for known in gc.get_objects())


async def test_every_call_is_its_callers() -> None:
    seen: list[Seen] = []
    asked = kernel(seen)

    calls = [call("ann"), call("bob"), call("ann", asks=True), call("ann", version="2025-11-25"), call(7), call("7")]
    for _ in range(2):
        for each in calls:
            assert isinstance(await asked.answer(each), dict)

    once = [
        ("2026-07-28", "ann", False),
        ("2026-07-28", "bob", False),
        ("2026-07-28", "ann", True),
        ("2025-11-25", "ann", False),
        ("2026-07-28", None, False),
        ("2026-07-28", "7", False),
    ]
    assert seen == once * 2


@pytest.mark.parametrize("length", [1, plain_calls.LONGEST_CALLER])
async def test_callers_without_number_or_with_long_names_fill_no_memory(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_calls, "MOST_CALLERS", 4)
    seen: list[Seen] = []
    asked = kernel(seen)
    names = [f"{'n' * length}{number}" for number in range(9)]

    before = runners()
    for name in names:
        await asked.answer(call(name))

    assert [name for _, name, _ in seen] == names
    assert runners() - before <= (4 if length == 1 else 0)
