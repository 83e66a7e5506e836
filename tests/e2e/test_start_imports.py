"""The cold start's budget in facts that no machine's speed can change.

`make bench` measures the time to the first tool list. What decides it is what is imported before the handshake and the
list are answered; what decides the time to the first call is what this server imports and builds on top of the SDK.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dropship_tools import PROVIDERS
from e2e.processes import environment
from protocol.test_ready_answers import opening

pytestmark = pytest.mark.timeout(60)

LIST_TOOLS = """
import json, sys
import anyio, mcp.server.lowlevel, mcp.server.stdio

async def list_tools(server=mcp.server.lowlevel.Server("bare")):
    async with mcp.Client(server) as client:
        return server.name == "bare" or (await client.list_tools()).tools

anyio.run(list_tools)
sdk = set(sys.modules)
from dropship_mcp.app import build_app
from dropship_mcp.settings import read_settings
from dropship_mcp.stdio import serve_stdio

assert anyio.run(list_tools, build_app(read_settings()))
beyond = sorted(set(sys.modules) - sdk)
from dropship_tools.answers import WireModel
from dropship_tools.arguments import Part
from dropship_tools.orders import Result

def below(model):
    for child in model.__subclasses__():
        yield child
        yield from below(child)

models = [model for base in (Part, Result, WireModel) for model in below(base)]
print(json.dumps({"imported": beyond, "models": len(models), "built": sum(m.__pydantic_complete__ for m in models)}))
"""
"""Does what the server does until a host has its tools; tells what was imported beyond the SDK and what was built."""


AT_START = {"sitecustomize", "usercustomize", "_distutils_hack", "coverage", "org"}
"""What an environment may import before any program starts, and what the standard library tries for Jython."""

SLOW = {
    "argparse",
    "asyncio",
    "csv",
    "email",
    "http",
    "importlib.metadata",
    "logging",
    "sqlite3",
    "ssl",
    "tempfile",
    "xml",
}


def start(home: Path, **settings: str) -> dict[str, Any]:
    """What a fresh process did."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_TOOLS], env=environment(home, **settings), cwd=home, capture_output=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_the_handshake_and_the_list_are_answered_by_the_standard_library(tmp_path: Path, version: str) -> None:
    """A host that leaves right after its opening has seen all that was imported for it."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "dropship_mcp"],
        input="".join(json.dumps(message) + "\n" for message in opening(version)),
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(re.findall(r"^import time: +\d+ \| +\d+ \| *(\w+)", done.stderr, re.MULTILINE))

    assert ["tools" in json.loads(line)["result"] for line in done.stdout.splitlines()] == [False, True]
    assert imported - sys.stdlib_module_names - AT_START == {"dropship_mcp", "dropship_tools"}
    assert imported & SLOW == set()


def test_until_the_first_tool_list_nothing_foreign_is_imported_beyond_the_sdk(tmp_path: Path) -> None:
    packages = {module.partition(".")[0] for module in start(tmp_path)["imported"]}

    assert packages - sys.stdlib_module_names == {"dropship_mcp", "dropship_tools", "platformdirs"}
    assert packages & {"argparse", "csv", "tempfile", "xml"} == set()


@pytest.mark.parametrize(
    "settings",
    [{}, {"DROPSHIP_ORDERS": "off"}, {"DROPSHIP_PROVIDERS": "dipli", "DROPSHIP_EXTRA_TOOLS": "duoplane_add_product"}],
    ids=["usual", "without ordering", "a choice of tools"],
)
def test_no_providers_code_is_loaded_to_list_its_tools(tmp_path: Path, settings: dict[str, str]) -> None:
    loaded = [
        module
        for module in start(tmp_path, **settings)["imported"]
        if any(module.startswith(f"dropship_tools.{provider.name}.") for provider in PROVIDERS)
    ]

    assert loaded == []


def test_for_several_accounts_of_a_provider_models_are_read_but_not_built_to_list_their_tools(tmp_path: Path) -> None:
    accounts = [
        f"[accounts.{provider.name}-{number}]\nprovider = '{provider.name}'\nurl = 'https://{number}.example'\n"
        + "".join(f"{c.name} = '{number}'\n" for c in provider.credentials if c.required)
        for provider in PROVIDERS
        for number in (1, 2)
    ]
    configuration = tmp_path / "dropship.toml"
    configuration.write_text("\n".join(accounts))
    configuration.chmod(0o600)

    told = start(tmp_path, DROPSHIP_MODE="live", DROPSHIP_CONFIG=str(configuration))

    assert told["models"] > 100
    assert told["built"] == 0
