"""Look-ups over real sockets: what leaves, what of hostile answers is read, and which connections they use."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc

import anyio
import pytest

from dropship_tools.errors import ProviderUnavailable
from dropship_tools.http import MAX_ANSWER_BYTES, ProviderHttp, Timing
from dropship_tools.straight import MAX_CONNECTIONS
from dropship_tools.wire import WireRequest, get
from unit.tools.http_fakes import KEY, LOOK, ORDER, permission
from unit.tools.loopback import OK, Serve, provider, request_head

pytestmark = pytest.mark.anyio

MEGABYTE = 1024**2
ONE_ATTEMPT = Timing(attempts=1)
HASTY = Timing(read=0.1, attempts=1)


def head(status: str = "200 OK", **headers: str | int) -> bytes:
    """The head of an answer. `content_length` becomes `content-length`."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def whole(body: bytes, status: str = "200 OK", **headers: str | int) -> bytes:
    """An answer with its length."""
    return head(status, content_length=len(body), **headers) + body


def saying(*answers: bytes, heads: list[bytes] | None = None, hangs: bool = False) -> Serve:
    """A server that gives so many answers on each connection, then hangs up or stays on the line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            received = await request_head(reader)
            if heads is not None:
                heads.append(received)
            writer.write(answer)
            await writer.drain()
        if hangs:
            await reader.read()

    return serve


async def refusal(answer: bytes, *, hangs: bool = False, timing: Timing = ONE_ATTEMPT) -> str:
    """Why an answer to a look-up is not usable."""
    async with provider(saying(answer, hangs=hangs), timing=timing) as http:
        with pytest.raises(ProviderUnavailable) as raised:
            await http.read(LOOK)
    assert raised.value.sent == "no"
    return raised.value.what.removeprefix("Shop gave no usable answer: ")


# --- what leaves ------------------------------------------------------------------------------------------------


async def test_a_look_up_leaves_with_its_own_headers_the_credentials_and_nothing_surprising() -> None:
    heads: list[bytes] = []

    async with provider(saying(OK, heads=heads)) as http:
        await http.read(get("/orders/A%2F1", {"q": "a b&c"}))

    [line, *headers] = heads[0].decode().removesuffix("\r\n\r\n").split("\r\n")
    assert line == "GET /orders/A%2F1?q=a%20b%26c HTTP/1.1"
    assert sorted(headers) == sorted(
        [
            f"Host: {http.base_url.removeprefix('http://')}",
            "User-Agent: dropship-mcp",
            "Accept: application/json",
            "Accept-Encoding: gzip",
            f"api-key: {KEY}",
        ]
    )


@pytest.mark.parametrize(
    "request_",
    [
        WireRequest("GET", "/orders", headers={"X-Name": "Zo\u00eb"}),
        WireRequest("GET", "/orders", headers={"X-Name": "a\r\nX-Other: b"}),
        WireRequest("GET", "/orders HTTP/1.1"),
        WireRequest("GET", "/orders\r\nX-Other: b"),
        WireRequest("GET", "/\ud800"),
        WireRequest("GET", "/" + "a" * 70_000),
    ],
    ids=["letter", "header", "blank", "newline", "surrogate", "length"],
)
async def test_a_look_up_that_cannot_be_written_is_not_sent(request_: WireRequest) -> None:
    heads: list[bytes] = []

    async with provider(saying(OK, heads=heads), timing=ONE_ATTEMPT) as http:
        with pytest.raises(ProviderUnavailable, match="the request holds characters that cannot be sent"):
            await http.read(request_)

    assert heads == []


# --- answers nobody asked for -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        head(long="x" * 40_000),
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X%d: 1\r\n" % number for number in range(5000)) + b"\r\n",
    ],
    ids=lambda answer: answer[:60].decode().replace("\r\n", " ")[-25:],
)
async def test_what_is_no_http_is_no_answer(answer: bytes) -> None:
    assert await refusal(answer) == "the connection broke off"


@pytest.mark.parametrize("location", ["https://thief.example/orders", "/login", ""])
async def test_redirects_are_not_followed(location: str) -> None:
    answer = whole(b"", "302 Found", location=location)

    assert await refusal(answer) == "it answered with a redirect, which is never followed"


async def test_an_answer_without_end_is_cut_off_at_the_limit() -> None:
    endless = head(content_length=10**12) + b"x" * (MAX_ANSWER_BYTES + 1)

    assert await refusal(endless, hangs=True) == "the answer is larger than 2 MB"


async def test_an_answer_of_exactly_the_limit_is_read() -> None:
    async with provider(saying(whole(gzip.compress(b"x" * MAX_ANSWER_BYTES), content_encoding="gzip"))) as http:
        assert (await http.read(LOOK)).body == b"x" * MAX_ANSWER_BYTES


async def test_a_bomb_is_not_inflated_beyond_the_limit() -> None:
    bomb = whole(gzip.compress(b"\0" * 64 * MEGABYTE), content_encoding="gzip")

    tracemalloc.start()
    try:
        assert await refusal(bomb) == "the answer is larger than 2 MB"
        assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name", ["br", "deflate", "zstd", "gzip, gzip", "gzip\r\nContent-Encoding: gzip", "gzip\u00e9"]
)
async def test_encodings_nobody_asked_for_are_not_read(name: str) -> None:
    assert await refusal(whole(b"{}", content_encoding=name)) == "the answer has an encoding that was not asked for"


async def test_damaged_compressed_answers_are_not_half_read() -> None:
    cut = gzip.compress(b"{}" * 99)[:-9]

    assert await refusal(whole(cut, content_encoding="gzip")) == "the compressed answer is damaged"


@pytest.mark.parametrize("answer", [b"", head(content_length=2) + b"{"], ids=["silence", "half-body"])
async def test_an_answer_that_never_ends_is_cut_off_in_time(answer: bytes) -> None:
    assert await refusal(answer, hangs=True, timing=HASTY) == "no answer came within 0.1 s"


async def test_answers_leave_no_cookies_behind() -> None:
    heads: list[bytes] = []

    async with provider(saying(OK, OK, heads=heads)) as http:
        await http.read(LOOK)
        await http.read(LOOK)

    assert heads[0] == heads[1]
    assert b"cookie" not in heads[1].lower()


# --- connections ------------------------------------------------------------------------------------------------


async def test_a_port_nobody_listens_on_is_told_as_such() -> None:
    async with provider(saying(), timing=ONE_ATTEMPT) as closed:
        url = closed.base_url
    http = ProviderHttp("Shop", url, {}, timing=ONE_ATTEMPT)

    with pytest.raises(ProviderUnavailable, match="the connection could not be made"):
        await http.read(LOOK)
    await http.aclose()


async def test_a_closed_client_opens_again_when_it_is_needed() -> None:
    async with provider(saying(OK)) as http:
        await http.read(LOOK)
        await http.aclose()

        assert (await http.read(LOOK)).ok


class Connections:
    """A server that answers everything, and counts its connections."""

    def __init__(self) -> None:
        self.made = 0
        self.left = anyio.Event()
        self.answer = anyio.Event()
        self.answer.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.made += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await self.answer.wait()
                writer.write(whole(b"{}"))
        except asyncio.IncompleteReadError:
            self.left.set()


async def test_look_ups_share_a_connection() -> None:
    connections = Connections()

    async with provider(connections) as http:
        for _ in range(3):
            assert (await http.read(LOOK)).body == b"{}"

    assert connections.made == 1


async def test_an_order_never_takes_the_connection_of_a_look_up() -> None:
    connections = Connections()

    async with provider(connections) as http:
        await http.read(LOOK)
        # the body of an order is not read by this server: nothing may come after it
        await http.send_order(WireRequest("POST", "/orders"), permission())
        await http.read(LOOK)

    assert connections.made == 2


async def test_a_look_up_asks_again_when_the_provider_closed_an_idle_connection() -> None:
    heads: list[bytes] = []

    async with provider(saying(OK, heads=heads), timing=ONE_ATTEMPT) as http:
        for _ in range(3):
            assert (await http.read(LOOK)).ok

    assert len(heads) == 3


async def test_many_look_ups_at_once_are_all_answered() -> None:
    connections = Connections()
    answers: list[bytes] = []

    async with provider(connections) as http, anyio.create_task_group() as tasks:

        async def look() -> None:
            answers.append((await http.read(LOOK)).body)

        for _ in range(200):
            tasks.start_soon(look)

    assert answers == [b"{}"] * 200
    assert connections.made <= MAX_CONNECTIONS < 200


async def test_a_look_up_that_nobody_waits_for_any_more_ends_with_its_connection() -> None:
    connections = Connections()
    connections.answer = anyio.Event()

    async with provider(connections) as http:
        with anyio.move_on_after(0.1):
            await http.read(LOOK)
        connections.answer.set()
        with anyio.fail_after(5):
            await connections.left.wait()
        assert (await http.read(LOOK)).ok

    assert connections.made == 2


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_look_ups_and_orders_go_through_the_proxy_that_the_environment_names(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads: list[bytes] = []
    async with provider(saying(OK, heads=heads)) as proxy:
        monkeypatch.setenv(name, proxy.base_url)
        http = ProviderHttp("Shop", "http://localhost:9", {}, timing=ONE_ATTEMPT)
        await http.read(LOOK)
        await http.send_order(ORDER, permission())
        await http.aclose()

    assert [received.partition(b"\r\n")[0] for received in heads] == [
        b"GET http://localhost:9/orders/REF-1?email=ann%40example.org HTTP/1.1",
        b"POST http://localhost:9/orders HTTP/1.1",
    ]


async def test_a_look_up_goes_past_the_proxy_where_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    heads: list[bytes] = []

    async with provider(saying(OK, heads=heads)) as http:
        assert (await http.read(LOOK)).ok

    assert heads[0].startswith(b"GET /orders/REF-1?")


async def test_a_host_whose_name_is_not_ascii_is_looked_for_under_its_ascii_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sought: list[str] = []

    async def nowhere(host: str | bytes, *_: object, **__: object) -> list[object]:
        sought.append(host if isinstance(host, str) else host.decode())
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    http = ProviderHttp("Shop", "https://b\u00fccher.example", {}, timing=ONE_ATTEMPT)

    with pytest.raises(ProviderUnavailable, match="the connection could not be made"):
        await http.read(LOOK)

    assert sought == ["xn--bcher-kva.example"]
