"""Requests straight over the network.

They go through aiohttp, whose call costs a fifth of one through httpx2 (tests/bench/README.md). Connections are kept
for the next request, but before one is used again it is looked at: one that was closed meanwhile, or that holds an
answer nobody asked for, is given up. What has left is never repeated, but for a GET by aiohttp itself.
"""

from __future__ import annotations

import asyncio
import re
import select
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakSet

import aiohttp
import anyio
from yarl import URL

from dropship_tools.body import NoAnswer, read_body
from dropship_tools.wire import Answer

if TYPE_CHECKING:
    import ssl

    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

MAX_HEADER_BYTES = 32 * 1024
"""The longest header that is read; there may be 128."""

_URL = re.compile(r"[!-~]{1,65536}")
_HEADER = re.compile(r"[ -~]*")


@dataclass(slots=True)
class _Attempt:
    """`stood`: there was a connection for it, so that something may have left."""

    stood: bool = False


_ATTEMPT: ContextVar[_Attempt] = ContextVar("attempt")


class Straight:
    """Sends over connections of its own: no redirects, no cookies, no proxies.

    Args:
        tls: whom to trust.
        connect: seconds until there must be a connection.
        idle: seconds for which one is kept.
    """

    def __init__(self, tls: ssl.SSLContext, connect: float, idle: float) -> None:
        self._session = aiohttp.ClientSession(
            connector=_LookingConnector(ssl=tls, keepalive_timeout=idle),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=connect),
            auto_decompress=False,
            skip_auto_headers=("Content-Type",),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float, limit: int
    ) -> Answer:
        """As `dropship_tools.http.Way.send`."""
        assert method in ("GET", "POST"), "aiohttp repeats others that change something"
        if not (_URL.fullmatch(url) and all(map(_HEADER.fullmatch, headers.values()))):
            raise NoAnswer("the request holds characters that cannot be sent", left=False)
        attempt = _Attempt()
        _ATTEMPT.set(attempt)
        try:
            with anyio.move_on_after(seconds):
                response = await self._session.request(
                    method, URL(url, encoded=True), headers=headers, data=body or None, allow_redirects=False
                )
                try:
                    encodings = response.headers.getall("content-encoding", ())
                    read = await read_body(response.content.iter_any(), ", ".join(encodings), limit)
                finally:
                    response.close()  # a connection whose answer was read to its end is kept all the same
                return Answer(response.status, response.headers, read)
            raise TimeoutError
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is one
            if not attempt.stood:
                why = "the connection could not be made"
            elif isinstance(error, TimeoutError):
                why = f"no answer came within {seconds:g} s"
            else:
                why = "the connection broke off"
            raise NoAnswer(why, left=attempt.stood) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()


class _LookingConnector(aiohttp.TCPConnector):
    """Looks at a connection before it is used again; by itself aiohttp notices only what it has read already."""

    _used: ClassVar[WeakSet[asyncio.Transport]] = WeakSet()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """A new connection, or one on which nothing has happened since it was used."""
        while True:
            connection = await super().connect(req, traces, timeout)
            transport = connection.transport
            if transport is None or transport not in self._used:
                break
            if not (connection.protocol and connection.protocol.should_close) and not _is_readable(transport):
                break
            connection.close()
        if transport:
            self._used.add(transport)
        _ATTEMPT.get().stood = True
        return connection


def _is_readable(transport: asyncio.Transport) -> bool:
    """Whether the other side has said something or hung up. It is not its turn."""
    number = transport.get_extra_info("socket").fileno()
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))
