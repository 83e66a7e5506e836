"""The quick parser reads plain requests as h11 does, and gets no others: both are given the same bytes, in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import anyio
import httptools
import pytest
import uvicorn
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from dropship_mcp.web.connections import MOST_HEAD, Limits, Quick, plain_length

pytestmark = pytest.mark.anyio

PATH = "/mcp"
LINE = b"POST /mcp HTTP/1.1\r\n"

LINES = (
    LINE,
    LINE,
    LINE,
    b"POST /mcp HTTP/1.0\r\n",
    b"POST /mcp?x HTTP/1.1\r\n",
    b"post /mcp HTTP/1.1\r\n",
    b"\r\n" + LINE,
)
HEADERS = (
    b"content-length: 5\r\n",
    b"Content-Length:5\r\n",
    b"content-length: 05\r\n",
    b"content-length: +5\r\n",
    b"content-length: 5, 5\r\n",
    b"content-length: 0\r\n",
    b"content-length: 99999999999999999999999\r\n",
    b"content-length: " + b"0" * 30 + b"5\r\n",
    b"content-length: " + b"0" * 5000 + b"5\r\n",
    b"content-length:\r\n",
    b"content-length : 5\r\n",
    b"transfer-encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"transfer-encoding : chunked\r\n",
    b"host: y\r\n",
    b"host:\r\n",
    b"connection: close\r\n",
    b"proxy-connection: close\r\n",
    b"connection: keep-alive, upgrade\r\n",
    b"upgrade: websocket\r\n",
    b"expect: 100-continue\r\n",
    b"accept: a\r\naccept: b\r\n",
    b"name: a\r\n b\r\n",
    b"name:\ta \r\n",
    b"name: caf\xc3\xa9 \xff\r\n",
    b"name: \x01\r\n",
    b"name: a\0b\r\n",
    b"name: a\rb\r\n",
    b"name: a\nother: b\r\n",
    b"name: a\n\r\n",
    b"na me: a\r\n",
    b"n\xe4me: a\r\n",
    b": a\r\n",
    b"name\r\n",
    b"name:\r\n",
    b"(name): a\r\n",
)
BODIES = (b"hello", b"", b"hel", b"5\r\nhello\r\n0\r\n\r\n", b"hello more", b"\r\n\r\n", LINE)


def request(line: bytes, headers: list[bytes], body: bytes) -> bytes:
    """Whatever comes of it."""
    return line + b"host: x\r\n" + b"".join(headers) + b"\r\n" + body


def plain_request(name: bytes, value: bytes, body: bytes) -> bytes:
    """With a header of any kind, and a length."""
    head = b"host: x\r\n%s: %s\r\ncontent-length: %d\r\n\r\n" % (name, value, len(body))
    return LINE + head + body


REQUESTS = st.one_of(
    st.builds(request, st.sampled_from(LINES), st.lists(st.sampled_from(HEADERS), max_size=3), st.sampled_from(BODIES)),
    st.builds(
        plain_request,
        st.text("abcXYZ09-_!#$%&'*+.^`|~", min_size=1).map(str.encode),
        st.binary(max_size=20),
        st.binary(max_size=40),
    ),
)


class Wire(asyncio.Transport):
    """A client that takes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""
        self.over = asyncio.Event()
        self.paused = False
        self.protocol: asyncio.Protocol | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Taken, unless it hung up."""
        self.said += b"" if self.is_closing() else bytes(data)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who hears from now on."""
        self.protocol = cast("asyncio.Protocol", protocol)

    def is_closing(self) -> bool:
        """Whether it is over."""
        return self.over.is_set()

    def close(self) -> None:
        """It is over."""
        self.over.set()

    def abort(self) -> None:
        """It is over."""
        self.over.set()

    def pause_reading(self) -> None:
        """It goes on talking in some tests, which must not matter."""
        self.paused = True

    def resume_reading(self) -> None:
        """As before."""
        self.paused = False

    def made(self) -> None:
        """The connection stands."""
        assert self.protocol
        self.protocol.connection_made(self)

    def hears(self, data: bytes) -> None:
        """The client says something, unless it is over."""
        assert self.protocol
        if not self.is_closing():
            self.protocol.data_received(data)


class Answers:
    """What a client makes of what it is told.

    Attributes:
        all: status and body of each.
    """

    def __init__(self, said: bytes) -> None:
        self.all: list[tuple[int, bytes]] = []
        self._parser = httptools.HttpResponseParser(self)
        self._parser.feed_data(said)

    def on_headers_complete(self) -> None:
        """One begins."""
        self.all.append((self._parser.get_status_code(), b""))

    def on_body(self, body: bytes) -> None:
        """A piece of the last one."""
        status, before = self.all.pop()
        self.all.append((status, before + body))


Heard = tuple[list[tuple[Any, ...]], list[tuple[int, bytes]], bool]


async def heard(endpoint: str, pieces: Sequence[bytes]) -> tuple[Heard, bool]:
    """What the application and the client hear, and whether the connection was closed; whether h11 read in the end."""
    calls: list[tuple[Any, ...]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            body = None
        known = ("method", "path", "raw_path", "query_string", "http_version", "scheme", "root_path")
        calls.append((*(scope[name] for name in known), sorted(scope["headers"]), body))
        await PlainTextResponse(f"{len(calls)} {body!r}")(scope, receive, send)

    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
    state, wire = ServerState(), Wire()
    wire.set_protocol(Limits(10, endpoint).protocol(config, state, {}))
    wire.made()
    for piece in pieces:
        wire.hears(piece)
        for _ in range(10):
            await asyncio.sleep(0)
    is_strict = not isinstance(wire.protocol, Quick)
    result = (list(calls), Answers(wire.said).all, wire.is_closing())
    assert wire.protocol
    wire.protocol.connection_lost(None)
    await asyncio.gather(*state.tasks)
    return (result, is_strict)


def both(pieces: Sequence[bytes]) -> bool:
    """The same is heard whoever reads; whether that was the quick one all the time."""

    async def run() -> bool:
        quick, handed_over = await heard(PATH, pieces)
        strict, _ = await heard("/elsewhere", pieces)
        assert quick == strict
        return not handed_over

    return asyncio.run(run())


def cut(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """Pieces of it."""
    places = sorted({at % (len(data) + 1) for at in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in pairwise(places)]


@settings(max_examples=400)
@given(st.lists(REQUESTS, min_size=1, max_size=3).map(b"".join), st.lists(st.integers(0, 10_000), max_size=5))
@example((LINE + b"host: x\r\ncontent-length: 5\r\n\r\nhello") * 2, [])
@example(LINE + b"host: x\r\ncontent-length: 5\r\n\r\nhello and more", [])
@example(LINE + b"content-length: 5\r\n\r\nhello", [])
@example(LINE + b"host: x\r\nname:\ta \r\n\r\n", [])
@example(LINE + b"host: x\r\nupgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 5\r\n\r\nhello", [])
@example(LINE + b"host: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nhost: y\r\n\r\n", [])
def test_the_same_is_heard_whoever_reads(data: bytes, cuts: list[int]) -> None:
    both(cut(data, cuts))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_plain_requests_are_read_quickly_to_the_end(size: int) -> None:
    data = (LINE + b"Host: x\r\nname: value\r\ncontent-length: 5\r\n\r\nhello") * 3
    assert both([data[at : at + size] for at in range(0, len(data), size)])


@pytest.mark.parametrize(
    "extra",
    [
        b"transfer-encoding: chunked\r\n",
        b"Upgrade: websocket\r\n",
        b"expect: 100-continue\r\n",
        b"Proxy-Connection: close\r\n",
        b"host: y\r\n",
        b"content-length: 5\r\ncontent-length: 5\r\n",
        b"content-length: 5, 5\r\n",
        b"content-length: " + b"0" * 30 + b"5\r\n",
        b"content-length : 5\r\n",
        b"name: value \r\n",
        b"name: value\r\n more\r\n",
    ],
)
def test_what_parsers_differ_on_is_not_plain(extra: bytes) -> None:
    assert plain_length(LINE + b"host: x\r\n" + extra + b"\r\n", LINE) is None


def test_the_length_of_a_plain_body_is_told() -> None:
    assert plain_length(LINE + b"host: x\r\nContent-Length: 05\r\n\r\n", LINE) == 5
    assert plain_length(LINE + b"host: x\r\nname: content-length: 7\r\n\r\n", LINE) == 0


def test_a_long_head_is_not_plain() -> None:
    head = LINE + b"host: x\r\nname: " + b"x" * MOST_HEAD + b"\r\n\r\n"
    assert not both([head])
    assert not both([head[: MOST_HEAD + 1], head[MOST_HEAD + 1 :]])


SOON = 0.01
PLAIN = LINE + b"host: x\r\ncontent-length: 5\r\n\r\nhello"


async def done(_: Scope, __: Receive, send: Send) -> None:
    """Answers at once, whatever the body."""
    await PlainTextResponse("done")(_, __, send)


def connected(app: ASGIApp, state: ServerState, most: int = 10) -> Wire:
    """A new connection to the endpoint."""
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
    config.timeout_keep_alive = cast("int", SOON)
    wire = Wire()
    wire.set_protocol(Limits(most, PATH, SOON).protocol(config, state, {}))
    wire.made()
    return wire


@settings(max_examples=60)
@given(st.lists(REQUESTS, max_size=2).map(b"".join), st.lists(st.integers(0, 10_000), max_size=5))
@example(PLAIN[:-5] + b"hel", [len(PLAIN) - 5])
@example(PLAIN, [len(PLAIN) - 5])
@example(b"", [])
def test_a_connection_on_which_no_more_comes_is_closed(data: bytes, cuts: list[int]) -> None:
    async def run() -> None:
        wire = connected(done, ServerState())
        for piece in cut(data, cuts):
            wire.hears(piece)
            for _ in range(10):
                await asyncio.sleep(0)
        with anyio.fail_after(5):
            await wire.over.wait()

    asyncio.run(run())


async def test_nonsense_after_an_answer_ends_the_connection() -> None:
    state = ServerState()
    wire = connected(done, state)
    wire.hears(LINE + b"host: x\r\ntransfer-encoding: chunked\r\n\r\n")
    await asyncio.gather(*state.tasks)
    wire.hears(b"nonsense\r\n")
    assert wire.is_closing()
    assert wire.said.count(b"HTTP/1.1 ") == 1


async def test_a_connection_that_was_let_in_stays_so_while_one_too_many_goes() -> None:
    state = ServerState()
    first, second = connected(done, state, most=1), connected(done, state, most=1)
    first.hears(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    await asyncio.gather(*state.tasks)
    assert (first.is_closing(), second.is_closing()) == (False, True)
    assert first.said.startswith(b"HTTP/1.1 200 ")


async def test_nothing_more_is_read_while_a_request_waits_for_the_one_before_it() -> None:
    going_on, answered, all_answered = asyncio.Event(), 0, asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal answered
        await receive()
        with anyio.move_on_after(SOON):
            await receive()  # whether the client has left, as a call that takes long asks
        await going_on.wait()
        await done(scope, receive, send)
        answered += 1
        if answered == 3:
            all_answered.set()

    state = ServerState()
    wire = connected(slow, state)
    wire.hears(PLAIN * 3)
    await asyncio.sleep(SOON * 3)
    assert wire.paused
    going_on.set()
    with anyio.fail_after(5):
        await all_answered.wait()
    assert not wire.paused
    assert wire.said.count(b"HTTP/1.1 200 ") == 3
