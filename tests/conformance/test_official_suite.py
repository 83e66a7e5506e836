"""The official conformance suite, all its server scenarios of both revisions, against the server with the suite's own
tools beside its own: over HTTP with everything that stands before the server, and over stdin and stdout.

What does not simply pass is listed with its reason, and must be as listed: a check that starts to pass leaves the list.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.bridge import bridge
from conformance.official import REVISIONS, not_good, required, run_suite
from e2e.processes import environment

pytestmark = [pytest.mark.anyio, pytest.mark.node, pytest.mark.timeout(120)]

COMMAND = [sys.executable, "-m", "conformance.everything"]

STATELESS = "calls keep nothing on the server, so in the older era it cannot ask the client in the midst of one"
NO_SESSION = "there are no sessions"
NOTHING_CHANGES = "the lists last as long as the process, so there is nothing to subscribe to"

OVER_HTTP: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "2025-11-25": {
        "tools-call-sampling:tools-call-sampling": ("FAILURE", STATELESS),
        "tools-call-elicitation:tools-call-elicitation": ("FAILURE", STATELESS),
        "elicitation-sep1034-defaults:elicitation-sep1034-general": ("FAILURE", STATELESS),
        "elicitation-sep1330-enums:elicitation-sep1330-general": ("FAILURE", STATELESS),
        "server-sse-multiple-streams:server-sse-multiple-streams-session": ("WARNING", NO_SESSION),
        "server-sse-polling:server-sse-polling-session": ("WARNING", NO_SESSION),
    },
    "2026-07-28": {
        f"server-stateless:sep-2575-server-{check}": ("SKIPPED", NOTHING_CHANGES)
        for check in (
            "sends-subscription-ack",
            "tags-subscription-id",
            "honors-notification-filter",
            "sends-prompts-list-changed-on-subscription",
            "sends-tools-list-changed-on-subscription",
        )
    },
}


def environment_of(folder: Path) -> dict[str, str]:
    return environment(folder, PYTHONPATH=str(Path(__file__).parents[1]))


@contextmanager
def everything(folder: Path) -> Generator[str]:
    """The address of a server with the suite's tools."""
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, stdout=pipe, env=environment_of(folder), cwd=folder, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("revision", REVISIONS)
async def test_the_server_conforms_over_http(revision: str, tmp_path: Path) -> None:
    with everything(tmp_path) as url:
        found = await run_suite(url, revision, tmp_path)

    assert not_good(found) == {check: status for check, (status, _) in OVER_HTTP[revision].items()}
    needed = await required(revision, tmp_path)
    assert len(needed) >= 30
    assert needed <= found.keys()


ABOUT_HTTP = {
    "dns-rebinding-protection",
    "http-header-validation",
    "http-custom-header-server-validation",
    "server-session-lifecycle",
    "server-sse-multiple-streams",
    "server-sse-polling",
    "server-stateless",
}
"""Scenarios that say nothing of pipes."""


@pytest.mark.parametrize("revision", REVISIONS)
async def test_the_server_conforms_over_pipes(revision: str, tmp_path: Path) -> None:
    async with bridge([*COMMAND, "stdio"], environment_of(tmp_path), str(tmp_path)) as url:
        found = await run_suite(url, revision, tmp_path)

    assert not_good({scenario: checks for scenario, checks in found.items() if scenario not in ABOUT_HTTP}) == {}
    assert await required(revision, tmp_path) <= found.keys()
