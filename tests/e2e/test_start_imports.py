"""The cold start's budget in facts that no machine's speed can change.

`make bench` measures the time to the first tool list, and to the refusal of wrong settings. What decides both is what is
imported before; what decides the time to the first call is what this server imports and builds on top of the SDK.
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
print(json.dumps(sorted(set(sys.modules) - sdk)))
"""
"""Does what the server does until a host has its tools; tells what was imported beyond the SDK."""

MAKE_TOOLS = """
import json
from dropship_mcp.accounts import Accounts
from dropship_mcp.catalogue import offers
from dropship_mcp.ledger import make_ledger
from dropship_mcp.ordering import Ordering
from dropship_mcp.settings import read_settings

settings = read_settings()
ledger = make_ledger(settings.ledger_place())
assert offers(settings, Accounts(settings), ledger, Ordering(ledger))
from dropship_tools.answers import WireModel
from dropship_tools.arguments import Part
from dropship_tools.orders import Result

def below(model):
    for child in model.__subclasses__():
        yield child
        yield from below(child)

models = [model for base in (Part, Result, WireModel) for model in below(base)]
print(json.dumps({"read": len(models), "built": sum(m.__pydantic_complete__ for m in models)}))
"""
"""Makes the tools, as the first call does; tells how many of their models were built."""


AT_START = {"sitecustomize", "usercustomize", "_distutils_hack", "coverage", "org"}
"""What an environment may import before any program starts, and what the standard library tries for Jython."""

SLOW = {
    "argparse",
    "asyncio",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "email",
    "http",
    "importlib.metadata",
    "inspect",
    "logging",
    "pathlib",
    "sqlite3",
    "ssl",
    "tempfile",
    "tomllib",
    "urllib.parse",
    "xml",
}
"""Of the standard library; together slower than Python's own start."""


def several_accounts(folder: Path) -> dict[str, str]:
    """Two live accounts of each provider."""
    accounts = [
        f"[accounts.{provider.name}-{number}]\nprovider = '{provider.name}'\nurl = 'https://{number}.example'\n"
        + "".join(f"{c.name} = '{number}'\n" for c in provider.credentials if c.required)
        for provider in PROVIDERS
        for number in (1, 2)
    ]
    configuration = folder / "dropship.toml"
    configuration.write_text("\n".join(accounts))
    configuration.chmod(0o600)
    return {"DROPSHIP_MODE": "live", "DROPSHIP_CONFIG": str(configuration)}


def start(home: Path, said: str = "", **settings: str) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """What the server answered to a host that leaves at once, and what it has imported until then."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "dropship_mcp"],
        input=said,
        env=environment(home, **settings),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    imported = set(re.findall(r"^import time: +\d+ \| +\d+ \| *([\w.]+)", done.stderr, re.MULTILINE))
    assert "dropship_mcp.settings" in imported
    packages = {module.partition(".")[0] for module in imported}
    assert packages - sys.stdlib_module_names - AT_START == {"dropship_mcp", "dropship_tools"}
    return done, imported


def told(home: Path, program: str, **settings: str) -> Any:
    """What a fresh process found out."""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(home, **settings), cwd=home, capture_output=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({}, set[str]()),
        ({"DROPSHIP_MODE": "live", "DIPLI_API_KEY": "k"}, set[str]()),
        (None, {"datetime", "tomllib", "urllib.parse"}),
    ],
    ids=["the sandbox", "one account", "several accounts"],
)
def test_the_handshake_and_the_list_are_answered_by_the_standard_library(
    tmp_path: Path, version: str, settings: dict[str, str] | None, needed: set[str]
) -> None:
    said = "".join(json.dumps(message) + "\n" for message in opening(version))

    done, imported = start(tmp_path, said, **(several_accounts(tmp_path) if settings is None else settings))

    assert ["tools" in json.loads(line)["result"] for line in done.stdout.splitlines()] == [False, True]
    assert imported & SLOW == needed


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({"DROPSHIP_MODE": "nonsense"}, set[str]()),
        ({"DROPSHIP_MODE": "live", "REWIX_API_KEY": "k"}, set[str]()),
        ({"DROPSHIP_ODERS": "ask"}, {"difflib"}),
        ({"DROPSHIP_MODE": "live", "DIPLI_URL": "ftp://x"}, {"urllib.parse"}),
    ],
    ids=["a value", "half an account", "a name", "an address"],
)
def test_wrong_settings_are_refused_with_hardly_more_than_python_itself(
    tmp_path: Path, settings: dict[str, str], needed: set[str]
) -> None:
    done, imported = start(tmp_path, **settings)

    assert (done.returncode, done.stdout) == (2, "")
    assert len([line for line in done.stderr.splitlines() if line.startswith("dropship-mcp: ")]) == 1
    assert imported & (SLOW | {"json", "dropship_mcp.opening", "dropship_mcp.ready"}) == needed


def test_until_the_first_tool_list_nothing_foreign_is_imported_beyond_the_sdk(tmp_path: Path) -> None:
    packages = {module.partition(".")[0] for module in told(tmp_path, LIST_TOOLS)}

    assert packages - sys.stdlib_module_names == {"dropship_mcp", "dropship_tools", "platformdirs"}
    assert packages & {"argparse", "csv", "tempfile", "xml"} == set()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"DROPSHIP_ORDERS": "off"},
        {"DROPSHIP_PROVIDERS": "dipli", "DROPSHIP_EXTRA_TOOLS": "duoplane_add_product"},
        None,
    ],
    ids=["usual", "without ordering", "a choice of tools", "several accounts"],
)
def test_no_providers_code_is_loaded_to_list_its_tools(tmp_path: Path, settings: dict[str, str] | None) -> None:
    imported = told(tmp_path, LIST_TOOLS, **(several_accounts(tmp_path) if settings is None else settings))
    loaded = [
        module
        for module in imported
        if any(module.startswith(f"dropship_tools.{provider.name}.") for provider in PROVIDERS)
    ]

    assert loaded == []


def test_when_the_tools_are_made_their_models_are_read_but_not_built(tmp_path: Path) -> None:
    models = told(tmp_path, MAKE_TOOLS, **several_accounts(tmp_path))

    assert models["read"] > 100
    assert models["built"] == 0
