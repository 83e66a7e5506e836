"""Requests straight over the network.

They go through aiohttp, whose call costs a fifth to a half of one through httpx2 (tests/bench/README.md). Look-ups
share connections, and aiohttp asks a second time by itself when one of those turns out to be closed; it never repeats a
POST. Whatever may change something gets a connection made for it: an old one may turn out to be closed when the request
has left, or hold an answer nobody asked for. A request whose connection never stood has certainly not left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import aiohttp
import anyio
from yarl import URL

from dropship_tools.body import NoAnswer, read_body
from dropship_tools.wire import Answer

if TYPE_CHECKING:
    import ssl

IDLE_SECONDS = 5
"""How long a connection is kept for the next look-up."""

MAX_HEADER_BYTES = 32 * 1024
"""The longest header that is read; there may be 128."""

_URL = re.compile(r"[!-~]{1,65536}")
_HEADER = re.compile(r"[ -~]*")


@dataclass(slots=True)
class _Attempt:
    """`stood`: the connection was made, so that something may have left."""

    stood: bool = False


class Straight:
    """Sends over connections of its own: no redirects, no cookies, no proxies.

    Args:
        tls: whom to trust.
        connect: seconds until a connection must stand.
        shared: connections are kept for the next request. For look-ups only.
    """

    def __init__(self, tls: ssl.SSLContext, connect: float, *, shared: bool) -> None:
        self._shared = shared
        idle = IDLE_SECONDS if shared else None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, keepalive_timeout=idle, force_close=not shared),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=connect),
            auto_decompress=False,
            skip_auto_headers=("Content-Type",),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            trace_configs=[_watching_connections()],
        )

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float, limit: int
    ) -> Answer:
        """As `dropship_tools.http.Way.send`. Whether anything may have left is told with certainty."""
        assert method == "GET" if self._shared else method == "POST"
        if not (_URL.fullmatch(url) and all(map(_HEADER.fullmatch, headers.values()))):
            raise NoAnswer("the request holds characters that cannot be sent", left=False)
        attempt = _Attempt()
        try:
            with anyio.fail_after(seconds):
                response = await self._session.request(
                    method,
                    URL(url, encoded=True),
                    headers=headers,
                    data=body or None,
                    allow_redirects=False,
                    trace_request_ctx=attempt,
                )
                try:
                    encodings = response.headers.getall("content-encoding", ())
                    read = await read_body(response.content.iter_any(), ", ".join(encodings), limit)
                finally:
                    response.close()  # a shared connection whose answer was read to its end is kept all the same
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is one
            if not attempt.stood:
                why = "the connection could not be made"
            elif isinstance(error, TimeoutError):
                why = f"no answer came within {seconds:g} s"
            else:
                why = "the connection broke off"
            raise NoAnswer(why, left=attempt.stood) from error
        return Answer(response.status, response.headers, read)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()


def _watching_connections() -> aiohttp.TraceConfig:
    """Tells every `_Attempt` when its connection stands, before anything is written to it."""

    async def stands(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        attempt: _Attempt = context.trace_request_ctx
        attempt.stood = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(stands)
    trace.on_connection_reuseconn.append(stands)
    return trace
