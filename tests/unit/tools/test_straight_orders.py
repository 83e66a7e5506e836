"""Orders over real sockets: each leaves once, whole, over a connection that is fit for it; what never left is told."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable

import anyio
import pytest

from dropship_tools import straight
from dropship_tools.errors import OutcomeUnknown, ProviderUnavailable
from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.wire import WireRequest, post_json
from unit.tools.http_fakes import KEY, LOOK, ORDER, permission
from unit.tools.loopback import OK, provider, request_head

pytestmark = pytest.mark.anyio

REFUSAL = b"HTTP/1.1 422 Unprocessable\r\nContent-Length: 0\r\n\r\n"


class Orders:
    """A server that keeps every connection open, reads each request whole and gives one answer after the other."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers) or [OK]
        self.connections: list[list[bytes]] = []
        self.answering = anyio.Event()
        self.answering.set()

    @property
    def requests(self) -> list[bytes]:
        """Heads and bodies, whichever connection they came over."""
        return [request for connection in self.connections for request in connection]

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        requests: list[bytes] = []
        self.connections.append(requests)
        try:
            while True:
                head = await request_head(reader)
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0"
                requests.append(head + await reader.readexactly(int(length)))
                await self.answering.wait()
                writer.write(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the connection and says nothing, until the other side gives up."""
    await reader.read()


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the connection and hangs up."""


# --- what leaves ------------------------------------------------------------------------------------------------


async def test_an_order_leaves_whole_with_the_credentials_and_nothing_surprising() -> None:
    orders = Orders()

    async with provider(orders) as http:
        await http.send_order(post_json("/orders", {"name": "Zoë"}), permission())

    [request] = orders.requests
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert (line, body.decode()) == ("POST /orders HTTP/1.1", '{"name":"Zoë"}')
    assert sorted(headers) == sorted(
        [
            f"Host: {http.base_url.removeprefix('http://')}",
            "User-Agent: dropship-mcp",
            "Accept: application/json",
            "Accept-Encoding: gzip",
            "Content-Length: 15",
            "Content-Type: application/json",
            f"api-key: {KEY}",
        ]
    )


async def test_a_request_without_a_body_says_so_and_names_no_type() -> None:
    orders = Orders()

    async with provider(orders) as http:
        await http.change(WireRequest("POST", "/lock"))

    [request] = orders.requests
    assert b"Content-Length: 0\r\n" in request
    assert b"content-type" not in request.lower()


@pytest.mark.parametrize(
    "request_",
    [
        WireRequest("POST", "/orders", headers={"X-Name": "Zoë"}),
        WireRequest("POST", "/orders", headers={"X-Name": "a\r\nX-Other: b"}),
        WireRequest("POST", "/orders HTTP/1.1"),
        WireRequest("POST", "/orders", (("name", "\ud800"),)),
        WireRequest("POST", "/" + "a" * 70_000),
    ],
    ids=["letter", "header", "blank", "surrogate", "length"],
)
async def test_an_order_that_cannot_be_written_is_not_sent(request_: WireRequest) -> None:
    orders, once = Orders(), permission()

    async with provider(orders) as http:
        with pytest.raises(ProviderUnavailable, match="the request holds characters that cannot be sent"):
            await http.send_order(request_, once)

    assert (orders.connections, once.nothing_left) == ([], True)


# --- connections ------------------------------------------------------------------------------------------------


async def test_orders_that_come_at_once_share_a_connection_with_each_other_and_not_with_look_ups() -> None:
    orders = Orders()

    async with provider(orders) as http:
        await http.send_order(ORDER, permission())
        await http.read(LOOK)
        await http.send_order(ORDER, permission())
        await http.change(ORDER)

    assert list(map(len, orders.connections)) == [3, 1]


async def test_an_order_takes_a_new_connection_when_the_last_one_has_rested(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = Orders()

    async with provider(orders) as http:
        await http.send_order(ORDER, permission())
        began = time.monotonic()
        monkeypatch.setattr("dropship_tools.straight.monotonic", lambda: began + 1.1)
        await http.send_order(ORDER, permission())

    assert list(map(len, orders.connections)) == [1, 1]


@pytest.mark.parametrize("ways", ["look-up, order", "order, order"])
async def test_an_answer_nobody_asked_for_answers_no_order(ways: str) -> None:
    orders = Orders(OK + REFUSAL, OK)

    async with provider(orders) as http:
        await (http.read(LOOK) if ways.startswith("look-up") else http.send_order(ORDER, permission()))
        assert (await http.send_order(ORDER, permission())).status == 200

    assert list(map(len, orders.connections)) == [1, 1]


class Undertow(threading.Thread):
    """A server on another thread, which answers one request on each connection and then, when it is told, does
    something to the first one that the client's event loop has no chance to notice.
    """

    def __init__(self, done: Callable[[socket.socket], object]) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._done = done
        self._now, self._did = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[bytes] = []

    def run(self) -> None:
        """Two connections."""
        with self._listener, self._accepted() as first:
            self._now.wait(5)
            self._done(first)
            self._did.set()
            self._accepted().close()

    def strike(self) -> None:
        """Do it, and come back when it is done. Nothing else happens in the calling thread meanwhile."""
        self._now.set()
        assert self._did.wait(5)

    def _accepted(self) -> socket.socket:
        connection, _ = self._listener.accept()
        connection.settimeout(5)
        request = b""
        while not request.endswith(ORDER.body):
            request += connection.recv(65_536)
        self.requests.append(request)
        connection.sendall(OK)
        return connection


def hang_up(connection: socket.socket) -> None:
    """The provider has waited long enough."""
    connection.shutdown(socket.SHUT_RDWR)


def say_something(connection: socket.socket) -> None:
    """As balancers do before they hang up."""
    connection.sendall(REFUSAL)


@pytest.mark.parametrize("done", [hang_up, say_something])
async def test_an_order_gives_up_a_connection_on_which_something_happened_unnoticed(
    done: Callable[[socket.socket], object],
) -> None:
    server = Undertow(done)
    server.start()
    http = ProviderHttp("Shop", server.url, {})

    first = await http.send_order(ORDER, permission())
    server.strike()
    second = await http.send_order(ORDER, permission())
    await http.aclose()
    server.join(5)

    assert (first.status, second.status, len(server.requests)) == (200, 200, 2)


async def test_many_orders_at_once_all_leave_once_and_are_answered() -> None:
    orders = Orders()
    bodies = [f"order {number}".encode() for number in range(150)]

    async with provider(orders) as http, anyio.create_task_group() as tasks:
        for body in bodies:
            tasks.start_soon(http.send_order, WireRequest("POST", "/orders", body=body), permission())

    assert sorted(request.partition(b"\r\n\r\n")[2] for request in orders.requests) == sorted(bodies)


async def test_an_order_that_nobody_waits_for_any_more_ends_with_its_connection() -> None:
    left = anyio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()

    async with provider(serve) as http:
        with anyio.move_on_after(0.1):
            await http.send_order(ORDER, permission())
        with anyio.fail_after(5):
            await left.wait()


# --- what left and what did not ---------------------------------------------------------------------------------


@pytest.mark.parametrize("timing", [Timing(connect=0.1), Timing(order=0.1)], ids=["connect", "order"])
async def test_a_connection_that_never_stands_means_that_nothing_was_sent(timing: Timing) -> None:
    once = permission()

    async with provider(silent, "https", timing) as http:
        with pytest.raises(ProviderUnavailable, match="the connection could not be made") as raised:
            await http.send_order(ORDER, once)

    assert (raised.value.sent, once.nothing_left) == ("no", True)


async def test_an_order_that_waits_in_vain_for_a_free_connection_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = Orders()
    orders.answering = anyio.Event()
    last = permission()

    monkeypatch.setattr(straight, "MAX_CONNECTIONS", 10)
    async with provider(orders) as http, anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(http.send_order, ORDER, permission())
        while len(orders.requests) < 10:
            await anyio.lowlevel.checkpoint()
        http.timing = Timing(order=0.1)
        with pytest.raises(ProviderUnavailable, match="the connection could not be made"):
            await http.send_order(ORDER, last)
        orders.answering.set()

    assert (len(orders.requests), last.nothing_left) == (10, True)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_what_changes_something_is_never_repeated_when_the_provider_hangs_up(method: str) -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await request_head(reader))

    async with provider(serve) as http:
        with pytest.raises(ProviderUnavailable, match="the change may or may not have happened"):
            await http.change(WireRequest(method, "/lock", body=b"{}"))

    assert len(seen) == 1


async def test_a_provider_that_hangs_up_at_once_may_have_the_order() -> None:
    once = permission()

    async with provider(deaf) as http:
        with pytest.raises(OutcomeUnknown, match="the connection broke off"):
            await http.send_order(ORDER, once)

    assert (once.used, once.nothing_left) == (True, False)


async def test_a_provider_that_stays_silent_may_have_the_order() -> None:
    once = permission()

    async with provider(silent, timing=Timing(order=0.1)) as http:
        with pytest.raises(OutcomeUnknown, match=r"no answer came within 0\.1 s"):
            await http.send_order(ORDER, once)

    assert (once.used, once.nothing_left) == (True, False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_an_order_follows_no_redirect(status: int) -> None:
    answer = f"HTTP/1.1 {status} Elsewhere\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".encode()
    orders = Orders(answer, OK)

    async with provider(orders) as http:
        with pytest.raises(OutcomeUnknown, match="it answered with a redirect"):
            await http.send_order(ORDER, permission())

    assert len(orders.requests) == 1


async def test_a_word_before_the_answer_is_not_the_answer() -> None:
    orders = Orders(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK)

    async with provider(orders) as http:
        answer = await http.send_order(ORDER, permission())

    assert (answer.status, answer.body, len(orders.requests)) == (200, b"{}", 1)
