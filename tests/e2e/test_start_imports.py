"""The cold start's budget in facts that no machine's speed can change.

`make bench` measures the time to the first tool list against a bare server of the SDK. What may make it longer is what
this server imports and builds on top of the SDK, so that is counted here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import cast

import pytest

from e2e.processes import environment

pytestmark = pytest.mark.timeout(60)

LIST_TOOLS = """
import json, sys
import anyio, mcp.server.lowlevel, mcp.server.stdio
sdk = set(sys.modules)
from dropship_mcp.app import build_app
from dropship_mcp.settings import read_settings
from dropship_mcp.stdio import serve_stdio

async def list_tools():
    async with mcp.Client(build_app(read_settings())) as client:
        assert (await client.list_tools()).tools

anyio.run(list_tools)
from dropship_tools.answers import WireModel
from dropship_tools.orders import Result

def below(model):
    for child in model.__subclasses__():
        yield child
        yield from below(child)

built = [f"{m.__module__}.{m.__name__}" for base in (WireModel, Result) for m in below(base) if m.__pydantic_complete__]
print(json.dumps([sorted(set(sys.modules) - sdk), built]))
"""
"""Does what the server does until a host has its tools; prints what was imported beyond the SDK, and built models."""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], list[str]]:
    """Imported modules and built answer models."""
    home = tmp_path_factory.mktemp("home")
    done = subprocess.run(
        [sys.executable, "-c", LIST_TOOLS], env=environment(home), cwd=home, capture_output=True, check=True
    )
    modules, built = cast("tuple[list[str], list[str]]", json.loads(done.stdout))
    return set(modules), built


def test_until_the_first_tool_list_nothing_foreign_is_imported_beyond_what_the_sdk_brings(
    start: tuple[set[str], list[str]],
) -> None:
    packages = {module.partition(".")[0] for module in start[0]}

    foreign = packages - sys.stdlib_module_names - {"anyio"}  # more of a package that the SDK has begun with
    assert foreign == {"dropship_mcp", "dropship_tools", "platformdirs"}
    assert not packages & {"xml", "pyexpat", "zoneinfo"}
