"""The cold start's budget in facts that no machine's speed can change.

`make bench` measures the time to the first tool list against a bare server of the SDK. What may make it longer is what
this server imports and builds on top of the SDK, so that is what is counted here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dropship_tools import PROVIDERS
from e2e.processes import environment

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


def start(home: Path, **settings: str) -> dict[str, Any]:
    """What a fresh process did."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_TOOLS], env=environment(home, **settings), cwd=home, capture_output=True, check=True
    )
    return json.loads(done.stdout)


def test_until_the_first_tool_list_nothing_foreign_is_imported_beyond_the_sdk(tmp_path: Path) -> None:
    packages = {module.partition(".")[0] for module in start(tmp_path)["imported"]}

    assert packages - sys.stdlib_module_names == {"dropship_mcp", "dropship_tools", "platformdirs"}
    assert packages & {"argparse", "csv", "tempfile", "xml"} == set()


def test_with_the_usual_settings_no_providers_code_is_loaded_to_list_its_tools(tmp_path: Path) -> None:
    loaded = [
        module
        for module in start(tmp_path)["imported"]
        if any(module.startswith(f"dropship_tools.{provider.name}.") for provider in PROVIDERS)
    ]

    assert loaded == []


def test_with_other_settings_models_are_read_but_not_built_to_list_their_tools(tmp_path: Path) -> None:
    told = start(tmp_path, DROPSHIP_ORDERS="off")

    assert told["models"] > 100
    assert told["built"] == 0
