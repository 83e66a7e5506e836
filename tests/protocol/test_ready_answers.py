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
from dropship_tools.provider import Account
from protocol.bench import EXTRA
from protocol.sdk_says import line, sdk_says

pytestmark = pytest.mark.anyio

ACCOUNTS = tuple(provider.sandbox_account() for provider in PROVIDERS)


def several(account: Account, number: int, *, apart: bool) -> tuple[Account, ...]:
    """So many accounts like this one, at one host or each at its own."""
    return tuple(
        account._replace(name=f"{account.provider}-{n}", base_url=f"https://shop{n * apart}.example:8443/a")
        for n in range(number)
    )


DIPLI, REWIX, DROPDAY, DUOPLANE = ACCOUNTS
MANY: dict[str, tuple[Account, ...]] = {
    "two accounts of one provider at one host": several(DROPDAY, 2, apart=False),
    "two accounts of one provider at two hosts": several(REWIX, 2, apart=True),
    "two accounts at one host and one at another": (*several(DUOPLANE, 2, apart=False), DUOPLANE),
    "a hundred accounts": several(DIPLI, 100, apart=True),
    "one, two and three accounts in a mixed order": (
        *several(DUOPLANE, 3, apart=True),
        DIPLI,
        *several(REWIX, 2, apart=False),
    ),
    "two accounts of each": tuple(account for one in ACCOUNTS for account in several(one, 2, apart=True)),
}
"""Accounts of which some provider has several."""

SETTINGS = {
    "the sandbox": Settings(),
    "the sandbox, asking": Settings(orders="ask"),
    "without ordering": Settings(orders="off"),
    "two providers and a tool more": Settings(providers=("dipli", "duoplane"), extra_tools=EXTRA),
    "live": Settings(mode="live", orders="ask", accounts=ACCOUNTS),
    "live with one provider, without ordering": Settings(mode="live", orders="off", accounts=ACCOUNTS[2:3]),
    "live without any account": Settings(mode="live", orders="allow"),
    **{what: Settings(mode="live", orders="ask", accounts=accounts) for what, accounts in MANY.items()},
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
