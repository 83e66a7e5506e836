"""Connections: how an answer ends, what makes a connection useless, and how long it is kept."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Callable

import anyio
import pytest

from dropship_tools import straight
from dropship_tools.body import NoAnswer
from dropship_tools.connection import HttpConnection
from dropship_tools.errors import OutcomeUnknown
from dropship_tools.http import MAX_ANSWER_BYTES, Timing
from dropship_tools.straight import Straight
from dropship_tools.wire import Answer
from unit.tools.http_fakes import LOOK, ORDER, permission
from unit.tools.loopback import OK, Serve, provider, request_head

pytestmark = pytest.mark.anyio

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def saying(*answers: bytes, hangs: bool = True) -> tuple[Serve, list[int]]:
    """A server that gives these answers over each connection; and how many requests each connection brought."""
    requests: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(requests)
        requests.append(0)
        for answer in answers:
            if reader.at_eof() or not await _heard(reader):
                return
            requests[number] += 1
            writer.write(answer)
            await writer.drain()
        if hangs:
            await reader.read()

    return serve, requests


async def _heard(reader: asyncio.StreamReader) -> bool:
    try:
        await request_head(reader)
    except asyncio.IncompleteReadError:
        return False
    return True


async def answers(*said: bytes, hangs: bool = True) -> tuple[list[Answer], list[int]]:
    """What two look-ups bring, and the requests of each connection."""
    serve, requests = saying(*said, hangs=hangs)
    async with provider(serve) as http:
        return [await http.read(LOOK), await http.read(LOOK)], requests


async def the_answer(said: bytes) -> Answer:
    """What one look-up brings."""
    serve, _ = saying(said)
    async with provider(serve) as http:
        return await http.read(LOOK)


# --- how an answer ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"{}"),
        (b"HTTP/1.1 200 OK\r\ncontent-LENGTH:2   \r\n\r\n{}", b"{}"),
        (CHUNKED + b"1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n", b"{}"),
        (CHUNKED.replace(b"chunked", b"Chunked ") + b"2\r\n{}\r\n0\r\nX-Trailer: yes\r\n\r\n", b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 102 Processing\r\nX-More: yes\r\n\r\n" + OK, b"{}"),
    ],
    ids=["length", "odd-length", "chunks", "trailer", "nothing", "word-before"],
)
async def test_a_connection_serves_again_after_an_answer_that_came_to_its_end(answer: bytes, body: bytes) -> None:
    told, requests = await answers(answer, answer)

    assert [each.body for each in told] == [body] * 2
    assert requests == [2]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"{}",
        OK + b"HTTP/1.1",
        CHUNKED + b"2\r\n{}\r\n0\r\n\r\n" + OK,
    ],
    ids=["close", "old", "more", "begun", "another"],
)
async def test_a_connection_that_ends_or_says_too_much_is_not_used_again(answer: bytes) -> None:
    told, requests = await answers(answer, answer)

    assert [(each.status, each.body) for each in told] == [(200, b"{}")] * 2
    assert requests == [1, 1]


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    told, requests = await answers(b"HTTP/1.1 200 OK\r\n\r\n{}", hangs=False)

    assert [(each.status, each.body) for each in told] == [(200, b"{}")] * 2
    assert requests == [1, 1]


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED + b"2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + OK,
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
    ids=["no-last-chunk", "length-and-chunks", "too-short", "another-protocol", "no-answer"],
)
async def test_an_answer_that_does_not_end_as_it_should_is_none(answer: bytes) -> None:
    serve, requests = saying(answer, hangs=False)

    async with provider(serve) as http:
        with pytest.raises(OutcomeUnknown, match="the connection broke off"):
            await http.send_order(ORDER, permission())

    assert requests == [1]


async def test_headers_are_found_by_their_lower_case_names_and_trailers_are_none() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Many: a\r\nx-many:  b \r\nRETRY-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await the_answer(head + b"2\r\n{}\r\n0\r\nX-Many: c\r\nX-Late: d\r\n\r\n")

    assert dict(answer.headers) == {"x-many": "a, b", "retry-after": "7", "transfer-encoding": "chunked"}
    assert answer.retry_after == 7


async def test_a_body_that_comes_byte_by_byte_is_read_whole() -> None:
    body = gzip.compress(b"[" + b"1," * 5000 + b"1]")
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    answer = await the_answer(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") + chunks)

    assert answer.body == gzip.decompress(body)


@pytest.mark.parametrize("size", [MAX_ANSWER_BYTES, MAX_ANSWER_BYTES // 200])
async def test_what_frames_the_largest_body_does_not_count(size: int) -> None:
    piece = max(size // 10_000, 1)
    chunks = b"%x\r\n%b\r\n" % (piece, b"x" * piece)
    answer = await the_answer(CHUNKED + chunks * (size // piece) + b"0\r\n\r\n")

    assert len(answer.body) == size // piece * piece


# --- what happens between requests ------------------------------------------------------------------------------


class Opened:
    """The connections that were made, and a way to send over them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, url: str, *, idle: float = 5) -> None:
        self.connections: list[HttpConnection] = []
        monkeypatch.setattr(straight, "HttpConnection", self._connection)
        self.way = Straight(url, ssl.create_default_context, 10, idle)

    def _connection(self) -> HttpConnection:
        self.connections.append(HttpConnection())
        return self.connections[-1]

    async def send(self) -> Answer:
        """One look-up."""
        return await self.way.send("GET", "/", {}, b"", 5, 100)


async def until(done: Callable[[], bool]) -> None:
    """The event loop has got so far."""
    with anyio.fail_after(5):
        while not done():
            await anyio.lowlevel.checkpoint()


async def test_a_connection_that_nobody_uses_any_more_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    serve, requests = saying(OK, OK, OK)

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url, idle=0.05)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(opened.send)
        await until(lambda: not any(connection.is_open for connection in opened.connections))
        await opened.send()
        await opened.way.aclose()

    assert len(requests) == 4
    assert not any(connection.is_open for connection in opened.connections)


async def test_an_answer_to_half_a_request_is_the_last_of_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await request_head(reader))
        writer.write(OK)
        await anyio.sleep_forever()

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        for body in (b"x" * 8_000_000, b"{}"):
            assert (await opened.way.send("POST", "/", {}, body, 5, 100)).body == b"{}"
        await opened.way.aclose()

    assert [head.partition(b"Content-Length: ")[2] for head in heads] == [b"8000000\r\n\r\n", b"2\r\n\r\n"]


async def test_connections_that_are_used_while_the_way_is_closed_are_closed_after_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard, go_on = anyio.Event(), anyio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        heard.set()
        await go_on.wait()
        writer.write(OK)
        await reader.read()

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(opened.send)
            await heard.wait()
            await opened.way.aclose()
            go_on.set()

    assert not opened.connections[0].is_open


async def test_a_change_is_not_sent_with_little_time_left_for_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straight, "MAX_CONNECTIONS", 1)
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await request_head(reader))
        await reader.read()

    async def change() -> None:
        with pytest.raises(NoAnswer, match="no answer came within 1 s"):
            await opened.way.send("POST", "/", {}, b"", 1, 100)

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(change)
            await until(lambda: bool(heads))
            with pytest.raises(NoAnswer, match="the connection could not be made") as raised:
                await opened.way.send("POST", "/", {}, b"", 1, 100)
            assert not raised.value.left
        await opened.way.aclose()

    assert len(heads) == 1


async def test_what_is_said_between_two_requests_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await request_head(reader)
        writer.write(OK)
        await reader.read()

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        await opened.send()
        writers[0].write(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        await until(lambda: not opened.connections[0].is_open)
        assert (await opened.send()).body == b"{}"
        await opened.way.aclose()

    assert len(writers) == 2


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_only_a_get_is_repeated_when_a_used_connection_ends_without_a_word(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve, requests = saying(OK, b"", hangs=False)

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        await opened.send()
        sent = opened.way.send(method, "/", {}, b"", 5, 100)
        if method == "GET":
            assert (await sent).body == b"{}"
        else:
            with pytest.raises(NoAnswer, match="the connection broke off") as raised:
                await sent
            assert raised.value.left
        await opened.way.aclose()

    assert requests == ([2, 1] if method == "GET" else [2])


@pytest.mark.parametrize("word", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"], ids=["letter", "word-before"])
async def test_no_request_is_repeated_after_a_word(word: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    serve, requests = saying(OK, word, hangs=False)

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        await opened.send()
        with pytest.raises(NoAnswer, match="the connection broke off"):
            await opened.send()
        await opened.way.aclose()

    assert requests == [2]


async def test_a_get_is_repeated_once_whatever_other_connections_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    serve, requests = saying(OK, b"", hangs=False)

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(opened.send)
        assert (await opened.send()).body == b"{}"
        await opened.way.aclose()

    assert sorted(requests) == [1, 1, 1, 2]


async def test_a_get_is_not_repeated_over_new_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    serve, requests = saying(b"", hangs=False)

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        with pytest.raises(NoAnswer, match="the connection broke off"):
            await opened.send()
        await opened.way.aclose()

    assert requests == [1]


async def test_a_request_that_is_given_up_takes_its_connection_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    serve, requests = saying(b"", OK)

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        with anyio.move_on_after(0.05):
            await opened.send()
        assert not opened.connections[0].is_open
        await opened.way.aclose()

    assert requests == [1]


async def test_requests_wait_for_each_other_when_connections_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straight, "MAX_CONNECTIONS", 2)
    serve, requests = saying(*[OK] * 10)

    async with provider(serve) as http:
        opened = Opened(monkeypatch, http.base_url)
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(opened.send)
        await opened.way.aclose()

    assert (len(requests), sum(requests)) == (2, 10)


async def test_the_time_that_a_look_up_waits_for_others_is_not_its_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straight, "MAX_CONNECTIONS", 1)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await _heard(reader):
            await asyncio.sleep(0.6)
            writer.write(OK)

    told: list[bytes] = []
    async with provider(serve, timing=Timing(read=1, attempts=1)) as http:

        async def look() -> None:
            told.append((await http.read(LOOK)).body)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
            tasks.start_soon(look)

    assert told == [b"{}"] * 2
