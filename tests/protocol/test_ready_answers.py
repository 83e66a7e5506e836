"""What is answered before the SDK is loaded is what the SDK would have said, letter by letter.

Both eras, every version of the handshake, and settings that change instructions and tools.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dropship_mcp.plain_requests import HANDSHAKE, MODERN
from dropship_mcp.ready import ReadyAnswers, ready_list
from dropship_mcp.settings import Settings
from dropship_tools import PROVIDERS
from protocol.bench import EXTRA
from protocol.sdk_says import line, sdk_says

pytestmark = pytest.mark.anyio

ACCOUNTS = tuple(provider.sandbox_account() for provider in PROVIDERS)

SETTINGS = {
    "the sandbox": Settings(),
    "the sandbox, asking": Settings(orders="ask"),
    "without ordering": Settings(orders="off"),
    "two providers and a tool more": Settings(providers=("dipli", "duoplane"), extra_tools=EXTRA),
    "live": Settings(mode="live", orders="ask", accounts=ACCOUNTS),
    "live with one provider, without ordering": Settings(mode="live", orders="off", accounts=ACCOUNTS[2:3]),
    "live without any account": Settings(mode="live", orders="allow"),
}
CLIENT = {"name": "test", "version": "1"}


@pytest.fixture(params=SETTINGS.values(), ids=list(SETTINGS))
def settings(request: pytest.FixtureRequest) -> Settings:
    """Each of the settings above."""
    return request.param


def opening(version: str) -> list[dict[str, Any]]:
    """What a host says first."""
    if version == MODERN:
        meta: dict[str, Any] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": CLIENT,
        }
        return [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": {"_meta": meta}}
            for number, method in enumerate(("server/discover", "tools/list"))
        ]
    hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}
    return [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
    ]


@pytest.mark.parametrize("version", [*HANDSHAKE, MODERN])
async def test_the_answers_kept_ready_are_those_of_the_sdk(settings: Settings, version: str, tmp_path: Path) -> None:
    messages = opening(version)
    tools = ready_list(settings)
    assert tools is not None
    ready = ReadyAnswers(settings, tools)

    said = await sdk_says(settings, tmp_path, *map(line, messages), answers=2)

    asked = [message for message in messages if "id" in message]
    assert sorted(said) == [
        f'{{"jsonrpc":"2.0","id":{message["id"]},"result":{ready(message["method"], version)}}}\n' for message in asked
    ]


def test_nothing_else_is_kept_ready() -> None:
    ready = ReadyAnswers(Settings(), [])

    assert [ready(method, "2025-11-25") for method in ("ping", "server/discover", "prompts/list")] == [None] * 3
    assert [ready(method, MODERN) for method in ("ping", "initialize", "tools/call")] == [None] * 3
