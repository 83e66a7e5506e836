"""Real sockets on this machine: what the network does, and what the logs of a call hold."""

from __future__ import annotations

import asyncio
import logging

import pytest

from dropship_tools.errors import OutcomeUnknown, ProviderUnavailable
from dropship_tools.http import ProviderHttp
from dropship_tools.wire import WireRequest, get
from unit.tools.http_fakes import KEY, LOOK, ORDER, permission
from unit.tools.loopback import OK, provider, request_head

pytestmark = pytest.mark.anyio


async def test_a_request_reaches_the_provider_as_written() -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await request_head(reader))
        writer.write(OK)
        await writer.drain()

    async with provider(serve) as http:
        answer = await http.read(get("/orders/A%2F1", {"q": "a b&c"}))

    assert answer.body == b"{}"
    assert heads[0].startswith(b"GET /orders/A%2F1?q=a%20b%26c HTTP/1.1\r\n")
    assert f"api-key: {KEY}\r\n".encode() in heads[0]


async def test_a_port_nobody_listens_on_means_that_nothing_was_sent() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...

    async with provider(serve) as closed:
        url = closed.base_url
    http, once = ProviderHttp("Shop", url, {}), permission()

    with pytest.raises(ProviderUnavailable, match="the connection could not be made") as raised:
        await http.send_order(ORDER, once)
    await http.aclose()

    assert (raised.value.sent, once.nothing_left) == ("no", True)


async def test_a_failed_tls_handshake_means_that_nothing_was_sent() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    once = permission()
    async with provider(serve, "https") as http:
        with pytest.raises(ProviderUnavailable, match="the connection could not be made"):
            await http.send_order(ORDER, once)

    assert once.nothing_left


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    ],
    ids=["nothing", "half-headers", "half-body", "bad-chunks", "another-protocol"],
)
async def test_a_provider_that_hangs_up_after_reading_an_order_may_have_it(answer: bytes) -> None:
    connections: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(await request_head(reader))
        writer.write(answer)
        await writer.drain()

    async with provider(serve) as http:
        with pytest.raises(OutcomeUnknown, match="the connection broke off") as raised:
            await http.send_order(ORDER, permission())

    assert (raised.value.sent, len(connections)) == ("maybe", 1)


async def test_no_log_record_of_a_call_holds_a_secret_or_a_buyer(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.write(OK)
        await writer.drain()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)

    caplog.set_level(logging.DEBUG)
    async with provider(serve) as http:
        await http.send_order(ORDER, permission())
        await http.read(LOOK)
    async with provider(hang_up) as http:
        with pytest.raises(OutcomeUnknown):
            await http.send_order(WireRequest("POST", "/orders/REF-1", body=b"REF-1"), permission())

    told = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    assert "POST Shop" in told
    for hidden in (KEY, "REF-1", "ann@example.org", "ann%40example.org"):
        assert hidden not in told
