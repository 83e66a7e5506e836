"""What starting costs: nothing is opened before the first call, and nothing for people is ever imported."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from e2e.processes import started
from protocol.samples import SAMPLES

pytestmark = pytest.mark.timeout(60)

FOR_PEOPLE = {
    *("rich", "bpe_openai", "dropship_tools.sandbox.loopback", "uvicorn.protocols.http.h11_impl"),
    *("dropship_mcp.telemetry", "opentelemetry.sdk", "prometheus_client"),
}
"""Tables, the tokenizer, telemetry that nobody asked for, and the sandbox's web server (the SDK imports uvicorn itself,
without its protocols)."""

FOR_CALLS = r"sandbox|^truststore$|^defusedxml$"
"""The sandbox and the XML reader: not before somebody calls a tool that needs them."""


def imported(log: str) -> set[str]:
    """The modules named by `python -X importtime`."""
    return set(re.findall(r"^import time: +\d+ \| +\d+ \| *(\S+)$", log, re.MULTILINE))


def test_nothing_is_opened_before_the_first_call_and_nothing_for_people_is_imported(tmp_path: Path) -> None:
    command = (sys.executable, "-X", "importtime", "-m", "dropship_mcp")
    log = tmp_path / "stderr"
    state = tmp_path / "state"
    state.mkdir()
    with log.open("wb") as errors, started(state, command=command, errors=errors) as server:
        server.send(server.hello(), server.request("tools/list"))
        server.read()
        assert len(server.read()["result"]["tools"]) > len(SAMPLES)
        before = imported(log.read_text())
        assert list(state.iterdir()) == []

        for sample in SAMPLES.values():
            server.send(server.call(sample.create, sample.order))
            assert server.answer()["outcome"] == "placed"
        server.close()
        assert server.finish()[0] == 0
    after = imported(log.read_text())
    assert after & FOR_PEOPLE == set()
    assert [name for name in before if re.search(FOR_CALLS, name)] == []
    assert "dropship_tools.sandbox.store" in after
    assert sorted(path.name for path in (state / "dropship-mcp").glob("*.sqlite3")) == [
        "ledger.sqlite3",
        "sandbox.sqlite3",
    ]
