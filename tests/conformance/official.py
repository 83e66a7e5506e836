"""Running the protocol's official conformance suite, and reading what it found."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import anyio

from node.inspector import LAUNCHER, NODE

SUITE = LAUNCHER.parents[5] / "@modelcontextprotocol/conformance/dist/index.js"
REVISIONS = ("2025-11-25", "2026-07-28")

# from good to bad; a check may be made several times in a scenario
STATUSES = ("SUCCESS", "INFO", "SKIPPED", "WARNING", "FAILURE")
GOOD = ("SUCCESS", "INFO")

Found = Mapping[str, Mapping[str, str]]
"""The worst status of each check, by scenario."""


async def run_suite(url: str, revision: str, folder: Path) -> Found:
    """What the suite finds at `url` in all scenarios of a revision."""
    await _suite(folder, "server", "--url", url, "--suite", "all", "--spec-version", revision, "-o", revision)
    found: dict[str, dict[str, str]] = {}
    for path in sorted((folder / revision).glob("*/checks.json")):
        scenario = re.fullmatch(r"server-(.+?)-\d{4}-\d\d-\d\dT.*", path.parent.name)
        assert scenario, path
        checks = found.setdefault(scenario[1], {})
        for check in cast("list[dict[str, Any]]", json.loads(path.read_text())):
            status = max(check["status"], checks.get(check["id"], "SUCCESS"), key=STATUSES.index)
            checks[check["id"]] = status
    return found


async def required(revision: str, folder: Path) -> set[str]:
    """The server scenarios that a revision of the protocol requires."""
    told = await _suite(folder, "list", "--requirements", revision)
    server = told.partition("Server scenarios")[2].partition("Client scenarios")[0]
    return set(re.findall(r"^  - (\S+)$", server, re.MULTILINE))


def not_good(found: Found) -> dict[str, str]:
    """The checks that did not simply pass, as `scenario:check`."""
    return {
        f"{scenario}:{check}": status
        for scenario, checks in found.items()
        for check, status in checks.items()
        if status not in GOOD
    }


async def _suite(folder: Path, *options: str) -> str:
    assert SUITE.exists(), "the conformance suite is not installed; `make test-all` installs it"
    env = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    with anyio.fail_after(100):
        done = await anyio.run_process([NODE, SUITE, *options], env=env, cwd=folder, check=False)
    return done.stdout.decode()
