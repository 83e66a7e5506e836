"""Connections on real sockets: none stays without a request, none beyond the limit, heads are read as HTTP has them, and
a server without file descriptors says so once and recovers."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from dropship_mcp.web.connections import MARGIN, Limits, LoopErrors
from e2e.processes import DEADLINE
from web.webprocess import WebProcess, web_process

pytestmark = pytest.mark.anyio

SOON = 0.15
"""Seconds for a request head."""

HEAD = b"POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


MUCH = 16 * 1024 * 1024
"""More than sockets hold."""


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Without reading the body, unless the path says so; `/echo` tells what arrived, `/much` more than that."""
    if scope["path"] == "/echo":
        request = Request(scope, receive)
        text = f"{request.headers['name']}|{(await request.body()).decode()}|done"
        await PlainTextResponse(text)(scope, receive, send)
        return
    if scope["path"] == "/much":
        await PlainTextResponse("x" * MUCH + "done")(scope, receive, send)
        return
    if scope["path"] == "/read":
        await receive()
        await asyncio.sleep(SOON * 2)  # longer than a head may take
    await PlainTextResponse("done")(scope, receive, send)


class Port:
    """A listening server; its connections are closed with it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self, sent: bytes = b"") -> Stream:
        """A connection on which that much was sent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(writer)
        writer.write(sent)
        return reader, writer

    def close(self) -> None:
        """All connections."""
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def port(path: str, most: int = 10, seconds: float = SOON, idle: float = 5) -> AsyncGenerator[Port]:
    """The protocol on a real socket."""
    protocol, state = Limits(most, path, seconds).protocol, ServerState()
    config = uvicorn.Config(
        answer, http=cast("Any", protocol), ws="none", lifespan="off", log_config=None, access_log=False
    )
    config.timeout_keep_alive = cast("int", idle)
    server = await asyncio.get_running_loop().create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    opened = Port(server.sockets[0].getsockname()[1])
    try:
        yield opened
    finally:
        opened.close()
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # the loop tells the connections
        await server.wait_closed()


@pytest.fixture(params=["/mcp", "/echo", "/elsewhere"])
def path(request: pytest.FixtureRequest) -> str:
    """The endpoint, whose plain requests another parser reads."""
    return request.param


@pytest.mark.parametrize("sent", [b"", b"P", HEAD])
async def test_a_connection_without_a_whole_head_is_closed(path: str, sent: bytes) -> None:
    async with port(path) as opened:
        reader, _ = await opened.connect(sent)
        assert await reader.read() == b""


async def test_bytes_that_come_now_and_then_do_not_keep_a_connection_open(path: str) -> None:
    async with port(path) as opened:
        reader, writer = await opened.connect(b"GET / HTTP/1.1\r\n")
        begun = time.monotonic()
        ended = asyncio.ensure_future(reader.read())
        while not ended.done():
            writer.write(b"x: y\r\n")
            await asyncio.wait([ended], timeout=SOON / 5)
            assert time.monotonic() - begun < 3
        assert isinstance(ended.exception(), ConnectionResetError) or ended.result() == b""


@pytest.mark.parametrize("more", [b"P", HEAD])
async def test_the_next_head_on_a_used_connection_has_as_long(path: str, more: bytes) -> None:
    async with port(path) as opened:
        reader, writer = await opened.connect(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200 ")
        writer.write(more)
        assert await reader.read() == b""


@pytest.mark.parametrize("rest", [b"1", b"12345"])
async def test_a_body_that_nobody_wants_is_not_waited_for_and_keeps_no_connection(path: str, rest: bytes) -> None:
    async with port(path) as opened:
        reader, writer = await opened.connect(HEAD + b"\r\n")
        await reader.readuntil(b"done")
        writer.write(rest)
        assert await reader.read() == b""


async def test_a_request_under_way_may_take_longer(path: str) -> None:
    async with port(path) as opened:
        reader, _ = await opened.connect(HEAD.replace(b"/mcp", b"/read") + b"\r\n12345")
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("endpoint", ["/read", "/elsewhere"])
async def test_requests_that_wait_for_their_turn_may_take_longer(endpoint: str) -> None:
    async with port(endpoint, idle=SOON) as opened:
        reader, _ = await opened.connect((HEAD.replace(b"/mcp", b"/read") + b"\r\n12345") * 2)
        for _ in range(2):
            assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200 ")


async def test_a_client_that_does_not_take_its_answer_is_left(path: str) -> None:
    async with port(path) as opened:
        reader, _ = await opened.connect(b"GET /much HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(SOON * 3)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(MUCH)


async def test_a_client_that_takes_its_answer_slowly_gets_it(path: str) -> None:
    async with port(path, seconds=1) as opened:
        reader, _ = await opened.connect(b"GET /much HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(0.3)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert (await reader.readexactly(MUCH + 4)).endswith(b"xdone")


async def test_trailers_are_not_headers(path: str) -> None:
    head = b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nname: head\r\n\r\n"
    async with port(path, seconds=60) as opened:
        reader, _ = await opened.connect(head + b"2\r\n{}\r\n0\r\nname: trailer\r\n\r\n")
        assert (await reader.readuntil(b"done")).endswith(b"\r\n\r\nhead|{}|done")


async def test_connections_beyond_the_limit_are_closed_and_the_others_serve(path: str) -> None:
    async with port(path, most=2, seconds=60) as opened:
        first, _ = await opened.connect()
        second, writer = await opened.connect()
        third, _ = await opened.connect()
        assert await third.read() == b""
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await second.readuntil(b"done")
        assert not first.at_eof()


ECHO = b"POST /echo HTTP/1.1\r\nhost: x\r\nname: value\r\ncontent-length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("given", "instead"),
    [
        (b"name: value", b"name: value"),
        (b"name: value", b"name: \t value \t"),
        (b"host: x", b"host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA"),
    ],
)
@pytest.mark.parametrize("size", [10_000, 7, 1])
async def test_a_head_is_read_as_http_has_it_however_it_comes(
    path: str, given: bytes, instead: bytes, size: int
) -> None:
    request = ECHO.replace(given, instead)
    async with port(path, seconds=60) as opened:
        reader, writer = await opened.connect()
        for _ in range(2):
            for at in range(0, len(request), size):
                writer.write(request[at : at + size])
                await asyncio.sleep(0)
            assert (await reader.readuntil(b"done")).endswith(b"\r\n\r\nvalue|{}|done")


@pytest.mark.parametrize("size", [10_000, 100, 7])
async def test_requests_that_do_not_wait_for_answers_are_answered_in_turn(path: str, size: int) -> None:
    requests = b"".join(ECHO.replace(b"value", b"%d" % number) for number in range(3))
    async with port(path, seconds=60) as opened:
        reader, writer = await opened.connect()
        for at in range(0, len(requests), size):
            writer.write(requests[at : at + size])
            await asyncio.sleep(0)
        answers = [await reader.readuntil(b"done") for _ in range(3)]

    assert [answer.rpartition(b"\r\n")[2] for answer in answers] == [b"0|{}|done", b"1|{}|done", b"2|{}|done"]


async def test_a_head_without_end_is_refused(path: str) -> None:
    async with port(path, seconds=60) as opened:
        reader, writer = await opened.connect(b"GET / HTTP/1.1\r\nname: ")
        writer.write(b"x" * 100_000)
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")


def test_want_of_descriptors_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    errors, now = LoopErrors(), [100.0]
    told: list[dict[str, Any]] = []

    class Loop(asyncio.SelectorEventLoop):
        def time(self) -> float:
            return now[0]

        def default_exception_handler(self, context: dict[str, Any]) -> None:
            told.append(context)

    loop = Loop()
    for later in (0, 1, 58, 1):
        now[0] += later
        errors(loop, {"message": "x", "exception": OSError(errno.EMFILE, "x")})
    others = [{"message": "x"}, {"message": "y", "exception": OSError(errno.EPERM, "x")}]
    for other in others:
        errors(loop, other)
    loop.close()

    assert len(caplog.records) == 2
    assert told == others


def files_of(server: WebProcess) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


@pytest.mark.timeout(60)
def test_a_server_without_file_descriptors_says_so_once_and_recovers(tmp_path: Path) -> None:
    with web_process(tmp_path) as server:
        assert httpx2.get(f"{server.base}/healthz").status_code == 200
        most = files_of(server) + 3
        before = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (most, before[1]))
        host, _, number = server.address.rpartition(":")
        with ExitStack() as stack:
            for _ in range(6):
                stack.enter_context(socket.create_connection((host, int(number))))
            until = time.monotonic() + DEADLINE
            while files_of(server) < most:
                assert time.monotonic() < until
                time.sleep(0.02)
        assert httpx2.get(f"{server.base}/healthz", timeout=DEADLINE).status_code == 200
        server.stop()
        code, errors = server.finish()

    assert code == 0
    assert [line.count("file descriptors") for line in errors.splitlines()] == [1]


@pytest.mark.timeout(60)
def test_the_real_server_limits_connections_by_the_calls_that_it_answers(tmp_path: Path) -> None:
    with web_process(tmp_path, DROPSHIP_HTTP_MAX_CALLS="1") as server, ExitStack() as stack:
        host, _, number = server.address.rpartition(":")
        streams = [stack.enter_context(socket.create_connection((host, int(number)))) for _ in range(MARGIN + 2)]
        streams[-1].settimeout(DEADLINE)
        assert streams[-1].recv(1) == b""
        streams[0].sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert streams[0].recv(12) == b"HTTP/1.1 200"
