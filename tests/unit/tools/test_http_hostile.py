"""A hostile provider on a real socket: whatever it sends, a call ends soon, in little memory, at one host.

Every row goes through the client as it is used in live mode, as a look-up and as an order.
"""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from dropship_tools.errors import DropshipError, OutcomeUnknown, ProviderUnavailable
from dropship_tools.http import Timing
from dropship_tools.wire import Answer, Unreadable
from unit.tools.http_fakes import KEY, LOOK, ORDER, permission
from unit.tools.loopback import Serve, provider, request_head

pytestmark = pytest.mark.anyio

HASTY = Timing(connect=2, read=0.3, order=0.3, attempts=1, pause=0)
LONGEST = 4.0
"""Seconds on a busy machine."""

MEGABYTE = 1024**2
MOST_MEMORY = 24 * MEGABYTE
"""With the hostile server in the same process."""

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Endless:
    """Something, then more of the same for ever."""

    start: bytes
    more: bytes

    def __iter__(self) -> Iterator[bytes]:
        yield self.start
        while True:
            yield self.more


def plain(body: bytes, *headers: bytes) -> bytes:
    """An answer of the usual form."""
    return OK + b"".join(h + b"\r\n" for h in headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def packed(body: bytes, *names: bytes) -> bytes:
    """An answer that says how it is encoded."""
    return plain(body, *(b"Content-Encoding: " + name for name in names))


def raw_deflate(body: bytes) -> bytes:
    """Without a header."""
    pack = zlib.compressobj(wbits=-15)
    return pack.compress(body) + pack.flush()


ZEROS = b"\0" * 48 * MEGABYTE
BOMB = gzip.compress(ZEROS)
PACKED = gzip.compress(b"{}")

UNUSABLE: dict[str, Iterable[bytes]] = {
    "headers without end": Endless(OK, b"X-More: yes\r\n" * 500),
    "a header line without end": Endless(OK + b"X-More: ", b"a" * 8192),
    "a header name without end": Endless(OK, b"a" * 8192),
    "a status line without end": Endless(b"HTTP/1.1 200 ", b"OK" * 4096),
    "line ends without end": Endless(b"", b"\r\n" * 4096),
    "a body without end": Endless(OK + b"\r\n", b"x" * 65_536),
    "chunks without end": Endless(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "tiny chunks without end": Endless(CHUNKED, b"1\r\nx\r\n" * 500),
    "a chunk extension without end": Endless(CHUNKED + b"1;x=", b"a" * 8192),
    "a chunk size without end": Endless(CHUNKED, b"0" * 8192),
    "trailers without end": Endless(CHUNKED + b"0\r\n", b"X-More: yes\r\n" * 500),
    "100 Continue without end": Endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 200),
    "103 Early Hints without end": Endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 200),
    "a word before the answer with a body": [b"HTTP/1.1 199 Word\r\nContent-Length: 6\r\n\r\n[true]" + plain(b"{}")],
    "a word before the answer without end": Endless(
        b"HTTP/1.1 199 Word\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"
    ),
    "rubbish without end behind gzip": Endless(
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}"), b"x" * 65_536
    ),
    "a trailer without end behind a body": Endless(
        CHUNKED + b"100000\r\n" + b"x" * MEGABYTE + b"\r\n0\r\nX-More: ", b"a" * 65_536
    ),
    "gzip for the way": [OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(PACKED), PACKED)],
    "chunks twice": [OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"],
    "a status below all others": [b"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\n{}"],
    "a chunk that is too large": [CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nx"],
    "a chunk of negative size": [CHUNKED + b"-5\r\nx\r\n0\r\n\r\n"],
    "two different lengths": [OK + b"Content-Length: 2\r\nContent-Length: 20\r\n\r\n{}"],
    "two lengths in one": [OK + b"Content-Length: 2, 20\r\n\r\n{}"],
    "a negative length": [OK + b"Content-Length: -1\r\n\r\n{}"],
    "a length that is no number": [OK + b"Content-Length: 0x2\r\n\r\n{}"],
    "a length beyond all measure": [OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}"],
    "less than promised": [OK + b"Content-Length: 20000\r\n\r\n{}"],
    "a header without a colon": [OK + b"X-More yes\r\nContent-Length: 2\r\n\r\n{}"],
    "a NUL in a header": [OK + b"X-More: a\0b\r\nContent-Length: 2\r\n\r\n{}"],
    "HTTP/2": [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    "another protocol": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"],
    "a body only": [b'{"id": 1}\n'],
    "a status that is none": [b"HTTP/1.1 9999 OK\r\nContent-Length: 2\r\n\r\n{}"],
    "a bomb": [packed(BOMB, b"gzip")],
    "a bomb in a bomb": [packed(gzip.compress(BOMB), b"gzip, gzip")],
    "two encodings in two headers": [packed(gzip.compress(BOMB), b"gzip", b"gzip")],
    "a deflate bomb": [packed(zlib.compress(ZEROS), b"deflate")],
    "a raw deflate bomb": [packed(raw_deflate(ZEROS), b"deflate")],
    "Brotli": [packed(b"\x0b\x00\x80{}\x03", b"br")],
    "Zstandard": [packed(b"\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00{}", b"zstd")],
    "bytes that are not gzip": [packed(b"{}", b"gzip")],
    "a redirect elsewhere": [b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.2:1/\r\nContent-Length: 0\r\n\r\n"],
    "a redirect without end": [b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"],
}
"""What comes over the wire, and is no answer."""


def serving(pieces: Iterable[bytes], heads: list[bytes], pause: float = 0) -> Serve:
    """A server that sends the pieces, for ever if need be, until the client hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await request_head(reader))
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)

    return serve


async def met(pieces: Iterable[bytes], *, orders: bool, pause: float = 0) -> Answer | DropshipError:
    """How a call ends that meets these pieces; it is bounded, asks once, and carries the key to one host only."""
    heads: list[bytes] = []
    pieces, memory = iter(pieces), tracemalloc.is_tracing()
    tracemalloc.start()
    began = time.monotonic()
    try:
        async with provider(serving(pieces, heads, pause), timing=HASTY) as http:
            try:
                end = await (http.send_order(ORDER, permission()) if orders else http.read(LOOK))
            except DropshipError as error:
                end = error
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        if not memory:
            tracemalloc.stop()
    assert time.monotonic() - began < LONGEST
    assert len(heads) == 1
    assert heads[0].count(KEY.encode()) == 1
    return end


@pytest.mark.parametrize("orders", [False, True], ids=["look-up", "order"])
@pytest.mark.parametrize("what", UNUSABLE)
async def test_what_is_no_answer_ends_the_call_soon_and_small(what: str, orders: bool) -> None:
    end = await met(UNUSABLE[what], orders=orders)
    assert isinstance(end, OutcomeUnknown if orders else ProviderUnavailable), end
    assert end.sent == ("maybe" if orders else "no")
    assert KEY not in f"{end} {end.what} {end.fix} {end.provider_said}"


DRIPS: dict[str, bytes] = {
    "the status line": b"HTTP/1.1 200 OK and so on and so on and so on and so on\r\n",
    "the headers": OK + b"X-More: and so on and so on and so on and so on and so on\r\n",
    "the body": plain(b"{} and so on and so on and so on and so on and so on"),
}


@pytest.mark.parametrize("orders", [False, True], ids=["look-up", "order"])
@pytest.mark.parametrize("what", DRIPS)
async def test_one_byte_after_the_other_is_not_waited_for(what: str, orders: bool) -> None:
    drops = DRIPS[what]
    start = max(drops.find(b"so on") - 2, 0)
    pieces = [drops[:start], *(drops[at : at + 1] for at in range(start, len(drops)))]
    end = await met(pieces, orders=orders, pause=0.02)
    assert isinstance(end, OutcomeUnknown if orders else ProviderUnavailable)
    assert "no answer came within 0.3 s" in end.what


DEEP = b"[" * 100_000 + b"]" * 100_000
DEEP_OBJECTS = b'{"a":' * 100_000 + b"1" + b"}" * 100_000

UNREADABLE: dict[str, bytes] = {
    "lists in lists": plain(DEEP, b"Content-Type: application/json"),
    "objects in objects": plain(DEEP_OBJECTS, b"Content-Type: application/json"),
    "lists that never end": plain(b"[" * 1_000_000),
    "UTF-16": plain('{"id": 1}'.encode("utf-16"), b"Content-Type: application/json; charset=utf-16"),
    "UTF-32": plain('{"id": 1}'.encode("utf-32"), b"Content-Type: application/json; charset=utf-32"),
    "UTF-7": plain(b"+AHsAIgBpAGQAIgA6ADEAfQ-", b"Content-Type: application/json; charset=utf-7"),
    "Latin-1": plain(b'{"name": "Jos\xe9"}', b"Content-Type: application/json; charset=iso-8859-1"),
    "overlong UTF-8": plain(b'{"name": "\xc0\xaf"}'),
    "halves of characters in UTF-8": plain(b'{"name": "\xed\xa0\x80"}'),
    "not a number": plain(b'{"id": NaN}'),
    "a number without end": plain(b'{"id": ' + b"9" * 1_000_000 + b"}"),
    "a number beyond all measure": plain(b'{"total": 1e999999999}'),
    "nothing": plain(b""),
    "a page": plain(b"<html>", b"Content-Type: application/json"),
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_an_answer_that_is_no_json_is_told_as_such(what: str) -> None:
    answer = await met([UNREADABLE[what]], orders=False)
    assert isinstance(answer, Answer)
    began = time.monotonic()
    with pytest.raises(Unreadable, match="the answer is"):
        answer.json()
    assert time.monotonic() - began < LONGEST


ODD = {
    "a status without a reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}",
    "a reason that is not ASCII": b"HTTP/1.1 200 \xc3\xa9\r\nContent-Length: 2\r\n\r\n{}",
    "early hints first": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + plain(b"{}"),
    "a wrong charset": plain(b"{}", b"Content-Type: application/json; charset=klingon"),
    "no type": plain(b"{}"),
    "chunk extensions": CHUNKED + b"2;a=b;c\r\n{}\r\n0\r\nX-Trailer: yes\r\n\r\n",
    "cookies and other services": plain(b"{}", b"Set-Cookie: a=b", b'Alt-Svc: h3=":1"', b"Refresh: 0; url=http://x/"),
}


@pytest.mark.parametrize("orders", [False, True], ids=["look-up", "order"])
@pytest.mark.parametrize("what", ODD)
async def test_an_odd_answer_is_an_answer(what: str, orders: bool) -> None:
    answer = await met([ODD[what]], orders=orders)
    assert isinstance(answer, Answer), answer
    assert (answer.status, answer.json()) == (200, {})


async def test_what_one_answer_brings_too_much_is_not_the_answer_to_the_next_question() -> None:
    """An answer that nobody asked for, sent behind another one."""
    heads: list[bytes] = []
    extra = plain(b'{"real": true}') + plain(b'{"real": false}')
    async with provider(serving([extra], heads), timing=HASTY) as http:
        told = [(await http.read(LOOK)).json() for _ in range(3)]
        told.append((await http.send_order(ORDER, permission())).json())
    assert told == [{"real": True}] * 4
