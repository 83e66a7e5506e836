"""The official conformance suite against `dropship-mcp http`: every scenario that needs no tools made for the suite.

What fails is listed with its reason, and must fail: a check that starts to pass leaves the list.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from node.inspector import NODE
from web.webprocess import web_process

pytestmark = [pytest.mark.node, pytest.mark.timeout(120)]

SUITE = Path(__file__).with_name("node_modules") / "@modelcontextprotocol/conformance/dist/index.js"

SCENARIOS = {
    "2025-11-25": (
        "server-initialize",
        "ping",
        "tools-list",
        "resources-list",
        "dns-rebinding-protection",
        "completion-complete",
    ),
    "2026-07-28": (
        "tools-list",
        "resources-list",
        "server-sse-multiple-streams",
        "dns-rebinding-protection",
        "caching",
        "sep-2164-resource-not-found",
        "http-header-validation",
        "completion-complete",
        "input-required-result-unsupported-methods",
        "server-stateless",
    ),
}

NO_SUCH_TOOL = "calls a tool that only a server made for the suite has"
FAILING = {
    "sep-2549-resources-templates-list-caching-hints": "there are no resource templates to list",
    "sep-2575-server-rejects-undeclared-capability": NO_SUCH_TOOL,
    "sep-2575-missing-capability-http-400": NO_SUCH_TOOL,
    "sep-2575-http-server-no-independent-requests-on-stream": NO_SUCH_TOOL,
    "sep-2575-server-no-log-without-loglevel": NO_SUCH_TOOL,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A server for all scenarios: it keeps nothing between requests."""
    with web_process(tmp_path_factory.mktemp("conformance")) as server:
        yield server.url


@pytest.mark.parametrize(("revision", "scenario"), [(r, s) for r, several in SCENARIOS.items() for s in several])
def test_the_server_conforms(url: str, revision: str, scenario: str, tmp_path: Path) -> None:
    assert SUITE.exists(), "the conformance suite is not installed; `make test-all` installs it"
    done = subprocess.run(
        [NODE, SUITE, "server", "--url", url, "--scenario", scenario, "--spec-version", revision],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    told = re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)
    passed = re.search(r"Passed: (\d+)/(\d+), (\d+) failed", told)
    failed = set(re.findall(r"\[(\S+)\s*\] FAILURE", told))

    assert passed, told
    assert int(passed[1]) > 0, told
    assert failed == {check for check in FAILING if check in told}, told
    assert int(passed[3]) == len(failed), told
