"""Look-ups straight over the network.

They go through aiohttp, whose call costs a fifth of one through httpx2 (tests/bench/README.md). Orders and changes do
not: aiohttp asks a second time by itself when a connection turns out to be closed, which only a look-up may do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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


class LookUps:
    """Looks things up over connections of its own: no redirects, no cookies, no proxies.

    Args:
        tls: whom to trust.
        connect: seconds until a connection must stand.
    """

    def __init__(self, tls: ssl.SSLContext, connect: float) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, keepalive_timeout=IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=connect),
            auto_decompress=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def get(self, url: str, headers: Mapping[str, str], seconds: float, limit: int) -> Answer:
        """GET `url`, in so many seconds and with at most so many bytes of body.

        Raises:
            NoAnswer: no usable answer.
        """
        if not (_URL.fullmatch(url) and all(map(_HEADER.fullmatch, headers.values()))):
            raise NoAnswer("the request holds characters that cannot be sent", left=False)
        try:
            with anyio.fail_after(seconds):
                response = await self._session.get(URL(url, encoded=True), headers=headers, allow_redirects=False)
                try:
                    encodings = response.headers.getall("content-encoding", ())
                    body = await read_body(response.content.iter_any(), ", ".join(encodings), limit)
                finally:
                    response.close()  # a connection whose answer was read to its end is kept all the same
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise NoAnswer("the connection could not be made", left=False) from error
        except TimeoutError as error:
            raise NoAnswer(f"no answer came within {seconds:g} s", left=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer("the connection broke off", left=True) from error
        return Answer(response.status, response.headers, body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()
