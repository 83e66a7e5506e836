"""The opening of a conversation in the real process, with the imports of the SDK held up as long as the test likes.

So nothing depends on how fast a machine imports: what is answered while the SDK is held up was answered without it.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.processes import COMMAND, ServerProcess, started
from protocol.bench import ERAS, VERSIONS, Era
from protocol.samples import DROPDAY, SAMPLES

pytestmark = pytest.mark.timeout(60)

HELD_UP = """
import os, sys, time

class Gate:
    def find_spec(self, name, path=None, target=None):
        if name in ("mcp", "mcp_types", "anyio"):
            open("held-up", "w").close()
            while not os.path.exists("go-on"):
                time.sleep(0.005)

sys.meta_path.insert(0, Gate())
from dropship_mcp.cli import main
sys.exit(main([]))
"""


@contextmanager
def held_up(folder: Path, era: Era = "legacy") -> Generator[ServerProcess]:
    """A server that gets no further than its first heavy import before `go_on`."""
    with started(folder, era, (sys.executable, "-c", HELD_UP)) as server:
        yield server


def go_on(folder: Path) -> None:
    """Let the imports go on."""
    (folder / "go-on").touch()


def wait_until_held_up(folder: Path) -> None:
    """The thread listens now; the test's timeout bounds it."""
    while not (folder / "held-up").exists():
        time.sleep(0.005)


def open_conversation(server: ServerProcess, era: Era) -> None:
    """The handshake and the tool list, as a host does it."""
    server.send(server.hello() or server.request("server/discover"))
    assert VERSIONS[era] in str(server.read()["result"])
    server.send(server.request("tools/list"))
    assert len(server.read()["result"]["tools"]) > len(SAMPLES)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("early", [True, False], ids=["a quick host", "a slow host"])
def test_a_host_has_handshake_and_tools_before_the_sdk_and_calls_wait_for_it(
    tmp_path: Path, era: Era, early: bool
) -> None:
    with held_up(tmp_path, era) as server:
        if not early:
            wait_until_held_up(tmp_path)
        open_conversation(server, era)
        server.send(server.call(DROPDAY.create, DROPDAY.order), server.request("tools/list"))
        assert "tools" in server.read()["result"]
        go_on(tmp_path)
        assert server.answer()["outcome"] == "placed"
        server.send(server.request("tools/list"), server.call("dropship_status"))
        answers = [server.read()["result"] for _ in range(2)]
        server.close()
        assert server.finish() == (0, "")
    assert sorted("tools" in answer for answer in answers) == [False, True]


@pytest.mark.parametrize("era", ERAS)
def test_the_session_is_the_one_that_was_opened(tmp_path: Path, era: Era) -> None:
    """The other era is refused as it is without an opening, which only a session that knows of it can do."""
    other: Era = "legacy" if era == "auto" else "auto"
    with held_up(tmp_path, era) as server:
        open_conversation(server, era)
        stranger = ServerProcess(server.process, other)
        server.send(stranger.hello() or stranger.request("tools/list"))
        go_on(tmp_path)
        assert server.read()["error"]["code"] == (-32022 if era == "auto" else -32600)


@pytest.mark.parametrize("spoken", [False, True], ids=["at once", "after the opening"])
def test_a_host_that_leaves_again_does_not_wait_for_the_sdk(tmp_path: Path, spoken: bool) -> None:
    with held_up(tmp_path) as server:
        if spoken:
            open_conversation(server, "legacy")
        server.close()
        assert server.finish() == (0, "")


def test_a_host_that_leaves_while_a_call_waits_gets_its_answer(tmp_path: Path) -> None:
    with held_up(tmp_path) as server:
        server.send(server.hello(), server.call(DROPDAY.create, DROPDAY.order))
        server.close()
        server.read()
        wait_until_held_up(tmp_path)
        go_on(tmp_path)
        assert server.answer()["outcome"] == "placed"
        assert server.finish() == (0, "")


def test_a_host_that_does_not_listen_any_more_ends_the_server_without_a_word(tmp_path: Path) -> None:
    with held_up(tmp_path) as server:
        assert server.process.stdout
        server.process.stdout.close()
        server.send(server.hello())
        assert server.process.wait(timeout=30) == 0
        assert server.process.stderr
        assert server.process.stderr.read() == b""


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_host_that_connects_only_one_pipe_is_told_so(tmp_path: Path, closed: str) -> None:
    with started(tmp_path, command=("/bin/sh", "-c", f"exec {COMMAND} {closed}")) as server:
        assert server.finish() == (1, "dropship-mcp: stdin or stdout is closed; the host has to connect both\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("spoken", [False, True], ids=["at once", "after the opening"])
def test_a_signal_ends_a_server_at_once_for_which_nothing_waits(
    tmp_path: Path, number: signal.Signals, spoken: bool
) -> None:
    with held_up(tmp_path) as server:
        if spoken:
            open_conversation(server, "legacy")
        wait_until_held_up(tmp_path)
        server.process.send_signal(number)
        assert server.finish() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_call_that_waits_for_the_sdk_is_answered_before_a_signal_ends_the_server(
    tmp_path: Path, number: signal.Signals
) -> None:
    with held_up(tmp_path) as server:
        server.send(server.hello(), server.call(DROPDAY.create, DROPDAY.order), server.request("tools/list"))
        server.read()
        server.read()  # the list: the call was heard before it
        wait_until_held_up(tmp_path)
        server.process.send_signal(number)
        go_on(tmp_path)
        assert server.answer()["outcome"] == "placed"
        assert server.finish() == (0, "")


def test_a_second_signal_does_not_wait_for_the_sdk(tmp_path: Path) -> None:
    with held_up(tmp_path) as server:
        server.send(server.hello(), server.call(DROPDAY.create, DROPDAY.order), server.request("tools/list"))
        server.read()
        server.read()
        wait_until_held_up(tmp_path)
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGINT)
        assert server.finish() == (0, "")


def test_settings_that_name_a_tool_nobody_has_are_an_error_before_anything_is_answered(tmp_path: Path) -> None:
    with started(tmp_path, command=("/usr/bin/env", "DROPSHIP_EXTRA_TOOLS=duoplane_drop_table", COMMAND)) as server:
        server.send(server.hello())
        assert server.process.stdout
        assert server.process.stdout.read() == b""
        code, said = server.finish()
    assert code == 2
    assert said.startswith("dropship-mcp: DROPSHIP_EXTRA_TOOLS: duoplane_drop_table cannot be switched on; there are: ")
