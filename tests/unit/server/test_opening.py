"""The opening of a conversation over real pipes: what is answered, what is left for the SDK, and in which order."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import pytest

from dropship_mcp.opening import MOST_KEPT, Opening

CLIENT = {"name": "host", "version": "1"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
META: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "dropship_status"}}
PING = {"jsonrpc": "2.0", "id": 8, "method": "ping"}


def line(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def list_tools(number: int | str = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": "tools/list", "params": params}


def known(method: str, version: str) -> str | None:
    """Answers that name what was asked."""
    return json.dumps(f"{method} in {version}", separators=(",", ":"))


def answer(number: int | str, method: str, version: str = "2025-11-25") -> str:
    return f'{{"jsonrpc":"2.0","id":{json.dumps(number)},"result":{known(method, version)}}}\n'


@dataclass
class Host:
    """The other ends of the pipes."""

    theirs_in: int
    incoming: int
    outgoing: int
    theirs_out: int
    opening: Opening
    said: str = field(default="")

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            os.write(self.incoming, piece)

    def hear(self, *answers: str) -> None:
        """Exactly these answers come."""
        expected = "".join(answers)
        while len(self.said) < len(expected):
            ready, _, _ = select.select([self.outgoing], [], [], 5)
            assert ready, f"no answer after {self.said!r}"
            self.said += os.read(self.outgoing, 65_536).decode()
        assert self.said == expected
        self.said = ""


@pytest.fixture
def host() -> Generator[Host]:
    """A host connected to an opening that has not begun."""
    theirs_in, ours_in = os.pipe()
    ours_out, theirs_out = os.pipe()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield Host(theirs_in, ours_in, ours_out, theirs_out, Opening(known, theirs_in, theirs_out))
    for number, handler in handlers.items():
        signal.signal(number, handler)
    for descriptor in (theirs_in, ours_in, ours_out, theirs_out):
        os.close(descriptor)


def test_what_was_said_before_is_answered_before_anything_else_happens(host: Host) -> None:
    host.say(line(HELLO) + line(INITIALIZED) + line(list_tools()))

    host.opening.begin()

    assert os.read(host.outgoing, 65_536).decode() == answer(0, "initialize") + answer(1, "tools/list")
    heard = host.opening.hand_over()
    assert heard.lines == line(HELLO) + line(INITIALIZED)
    assert heard.answered == answer(0, "initialize")


def test_a_host_that_takes_its_time_is_answered_meanwhile(host: Host) -> None:
    host.opening.begin()

    host.say(line(HELLO))
    host.hear(answer(0, "initialize"))
    host.say(line(INITIALIZED), line(list_tools("a")))
    host.hear(answer("a", "tools/list"))
    host.say(line(list_tools("b")))
    host.hear(answer("b", "tools/list"))

    assert host.opening.hand_over().lines == line(HELLO) + line(INITIALIZED)


@pytest.mark.parametrize("method", ["server/discover", "tools/list"])
def test_a_conversation_without_handshake_is_opened_by_its_first_request(host: Host, method: str) -> None:
    first: dict[str, Any] = {"jsonrpc": "2.0", "id": "x", "method": method, "params": {"_meta": META}}
    host.say(line(first), line(list_tools(2, _meta=META)))

    host.opening.begin()

    host.hear(answer("x", method, "2026-07-28"), answer(2, "tools/list", "2026-07-28"))
    heard = host.opening.hand_over()
    assert (heard.lines, heard.answered) == (line(first), answer("x", method, "2026-07-28"))


def test_lines_may_come_in_any_pieces(host: Host) -> None:
    host.opening.begin()

    for number in line(HELLO) + line(INITIALIZED) + line(list_tools()):
        host.say(bytes([number]))

    host.hear(answer(0, "initialize"), answer(1, "tools/list"))
    assert host.opening.hand_over().lines == line(HELLO) + line(INITIALIZED)


def test_what_is_not_known_waits_in_order_and_holds_up_nothing(host: Host) -> None:
    host.say(line(HELLO), line(CALL), b"\xff no JSON\n", line(PING), line(list_tools()), line(INITIALIZED), b'{"json')

    host.opening.begin()

    host.hear(answer(0, "initialize"), answer(1, "tools/list"))
    heard = host.opening.hand_over()
    assert heard.lines == line(HELLO) + line(CALL) + b"\xff no JSON\n" + line(PING) + line(INITIALIZED) + b'{"json'


@pytest.mark.parametrize("first", [line(PING), line(CALL), line(list_tools()), line(INITIALIZED), b"\n", b"hello\n"])
def test_where_the_first_line_is_not_known_everything_waits(host: Host, first: bytes) -> None:
    host.say(first, line(HELLO), line(list_tools()))

    host.opening.begin()

    heard = host.opening.hand_over()
    assert (heard.lines, heard.answered) == (first + line(HELLO) + line(list_tools()), "")
    assert select.select([host.outgoing], [], [], 0)[0] == []


def test_a_request_of_the_other_era_waits(host: Host) -> None:
    modern = list_tools(5, _meta=META)
    host.say(line(HELLO), line(modern))

    host.opening.begin()

    host.hear(answer(0, "initialize"))
    assert host.opening.hand_over().lines == line(HELLO) + line(modern)


def test_a_host_that_says_too_much_before_the_sdk_is_ready_has_to_wait(host: Host) -> None:
    os.set_blocking(host.incoming, False)
    host.opening.begin()

    sent = 0
    while sent < 4 * MOST_KEPT and select.select([], [host.incoming], [], 0.5)[1]:
        sent += os.write(host.incoming, b"x" * 65_536)

    assert MOST_KEPT <= len(host.opening.hand_over().lines) < 2 * MOST_KEPT
    assert sent < 2 * MOST_KEPT


def test_a_host_that_reads_slowly_gets_all_of_a_long_answer(host: Host) -> None:
    host.opening.hand_over()
    os.set_blocking(host.theirs_out, False)
    long = json.dumps("x" * 300_000)
    opening = Opening(lambda _, __: long, host.theirs_in, host.theirs_out)
    opening.begin()

    host.say(line(HELLO))

    host.hear(f'{{"jsonrpc":"2.0","id":0,"result":{long}}}\n')
    opening.hand_over()
