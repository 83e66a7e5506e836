"""The installed server over real pipes: both eras, leaving in order, and surviving what a host may write."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from e2e.processes import COMMAND, environment, line, started
from protocol.bench import ERAS, VERSIONS, Era
from protocol.samples import DROPDAY, REFERENCE, SAMPLES

STRAY = """
import os, sys
from dropship_mcp import answers, cli
real = answers.as_text
def noisy(answer):
    print("a stray print")
    os.system("echo a stray child")
    return real(answer)
answers.as_text = noisy
sys.exit(cli.main([]))
"""

pytestmark = pytest.mark.timeout(60)


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_installed_command_serves_both_eras(tmp_path: Path, era: Era) -> None:
    server = StdioServerParameters(command=COMMAND, env=environment(tmp_path))
    async with Client(server, mode=era, cache=None) as client:
        assert client.protocol_version == VERSIONS[era]
        names = [tool.name for tool in (await client.list_tools()).tools]
        placed = await client.call_tool(DROPDAY.create, DROPDAY.order)
        again = await client.call_tool(DROPDAY.create, DROPDAY.order)
    assert {sample.create for sample in SAMPLES.values()} <= set(names)
    assert placed.structured_content
    assert again.structured_content
    assert placed.structured_content["outcome"] == "placed"
    assert again.structured_content["outcome"] == "already_placed"
    assert again.structured_content["order_id"] == placed.structured_content["order_id"]


@pytest.mark.parametrize("era", ERAS)
def test_calls_under_way_are_answered_when_the_host_closes_the_pipe_at_once(tmp_path: Path, era: Era) -> None:
    with started(tmp_path, era) as server:
        lines = [server.hello(), server.call(DROPDAY.create, DROPDAY.order), server.call("dropship_status")]
        server.send(*lines)
        server.close()
        if era == "legacy":
            assert server.read()["result"]["protocolVersion"] == VERSIONS["legacy"]
        answers = {message["id"]: message["result"] for message in (server.read(), server.read())}
        assert server.finish() == (0, "")
    created, status = (answers[number]["structuredContent"] for number in sorted(answers))
    assert (created["outcome"], created["reference"]) == ("placed", REFERENCE)
    assert status["mode"] == "sandbox"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_promptly_and_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path) as server:
        server.send(server.hello(), server.call(DROPDAY.create, DROPDAY.order))
        server.read()
        assert server.answer()["outcome"] == "placed"
        before = time.monotonic()
        server.process.send_signal(number)
        assert server.finish() == (0, "")
        assert time.monotonic() - before < 5
    with sqlite3.connect(tmp_path / "dropship-mcp" / "ledger.sqlite3") as ledger:
        assert ledger.execute("SELECT reference, state FROM orders").fetchall() == [(REFERENCE, "placed")]
    ledger.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_call_under_way_is_answered_before_a_signal_ends_the_server(tmp_path: Path, number: signal.Signals) -> None:
    ask_for_fault = [COMMAND, "sandbox", "fault", "dropday", "latency", "--operation", "create", "--value", "2"]
    subprocess.run(ask_for_fault, env=environment(tmp_path), check=True, capture_output=True)
    with started(tmp_path) as server:
        server.send(server.hello(), server.call(DROPDAY.create, DROPDAY.order))
        server.read()
        wait_for_state(tmp_path / "dropship-mcp" / "ledger.sqlite3", "sending")
        server.process.send_signal(number)
        assert server.answer()["outcome"] == "placed"
        assert server.finish() == (0, "")


@pytest.mark.parametrize("era", ERAS)
def test_an_order_whose_call_is_cancelled_is_finished_and_told_to_the_next_one(tmp_path: Path, era: Era) -> None:
    ask_for_fault = [COMMAND, "sandbox", "fault", "dropday", "latency", "--operation", "create", "--value", "2"]
    subprocess.run(ask_for_fault, env=environment(tmp_path), check=True, capture_output=True)
    with started(tmp_path, era) as server:
        server.send(server.hello() or server.request("server/discover"))
        server.read()
        first = server.call(DROPDAY.create, DROPDAY.order)
        server.send(first)
        wait_for_state(tmp_path / "dropship-mcp" / "ledger.sqlite3", "sending")
        cancelled = {"requestId": json.loads(first)["id"]}
        server.send(line({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled}))
        second = server.call(DROPDAY.create, DROPDAY.order)
        server.send(second)
        answer = server.read()
        assert answer["id"] == json.loads(second)["id"]
        assert answer["result"]["structuredContent"]["outcome"] == "already_placed"
        server.close()
        assert server.finish() == (0, "")
    with sqlite3.connect(tmp_path / "dropship-mcp" / "ledger.sqlite3") as ledger:
        assert ledger.execute("SELECT reference, state, attempt FROM orders").fetchall() == [(REFERENCE, "placed", 1)]
    ledger.close()


def wait_for_state(ledger: Path, state: str) -> None:
    """Until the only order is in this state; the test's timeout bounds it."""
    while True:
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as db,
        ):
            if db.execute("SELECT state FROM orders").fetchall() == [(state,)]:
                return
        time.sleep(0.02)


def test_a_host_that_vanishes_ends_the_server_without_a_word(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        server.send(server.hello())
        server.read()
        assert server.process.stdout
        server.process.stdout.close()
        server.send(server.request("tools/list"))
        assert server.process.wait(timeout=30) == 0
        assert server.process.stderr
        assert server.process.stderr.read() == b""


def test_garbage_long_lines_and_stray_prints_do_not_disturb_the_conversation(tmp_path: Path) -> None:
    secret = "zenobia@quastel.example"
    with started(tmp_path, command=(sys.executable, "-c", STRAY)) as server:
        server.send(server.hello())
        server.read()
        server.send(
            b"no JSON at all " + secret.encode() + b"\n",
            b'{"jsonrpc": "2.0", "id": 7, "method": 5}\n',
            b"\xff\xfe\n",
            b"\n",
            b'{"padding": "' + b"x" * (5 * 1024 * 1024) + secret.encode() + b'"}\n',
            server.call("dropship_status"),
        )
        assert server.answer()["mode"] == "sandbox"
        server.send(server.call(DROPDAY.create, DROPDAY.order))
        assert server.answer()["outcome"] == "placed"
        server.close()
        code, errors = server.finish()
    assert code == 0
    assert errors.count("a stray print") == errors.count("a stray child") == 2
    assert "a message longer than 4194304 bytes was dropped" in errors
    assert secret not in errors
