"""Requests that cannot go straight over the network: to the sandbox, through a proxy or past it."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import anyio
import httpx2

from dropship_tools.body import Body, NoAnswer
from dropship_tools.wire import Answer


class Around:
    """Sends through httpx2, which looks whether a connection is still open before it uses it again.

    Args:
        base_url: what requests are for.
        tls: whom to trust, where the network is used.
        connect: seconds until a connection must stand.
        transport: in place of the network.
    """

    def __init__(
        self,
        base_url: str,
        tls: Callable[[], ssl.SSLContext],
        connect: float,
        transport: httpx2.AsyncBaseTransport | None,
    ) -> None:
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs every URL at INFO
        self._base_url = base_url
        self._client = httpx2.AsyncClient(
            transport=transport,
            verify=True if transport else tls(),
            timeout=httpx2.Timeout(None, connect=connect),
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # every request stands for itself
        )

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, seconds: float, limit: int
    ) -> Answer:
        """As `dropship_tools.http.Way.send`."""
        try:
            url = self._base_url + target
            outgoing = self._client.build_request(method, url, headers=headers, content=body or None)
        except (ValueError, httpx2.InvalidURL) as error:
            raise NoAnswer("the request holds characters that cannot be sent", left=False) from error
        try:
            with anyio.fail_after(seconds):
                response = await self._client.send(outgoing, stream=True)
                try:
                    read = Body(response.headers.get("content-encoding", ""), limit)
                    async for piece in response.aiter_raw():
                        read.feed(piece)
                finally:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                        await response.aclose()
        except (
            httpx2.ConnectError,
            httpx2.ConnectTimeout,
            httpx2.PoolTimeout,
            httpx2.UnsupportedProtocol,
        ) as error:
            raise NoAnswer("the connection could not be made", left=False) from error
        except httpx2.ProxyError as error:
            raise NoAnswer("the proxy refused the connection", left=False) from error
        except TimeoutError as error:
            raise NoAnswer(f"no answer came within {seconds:g} s", left=True) from error
        except httpx2.TimeoutException as error:
            raise NoAnswer("the connection timed out", left=True) from error
        except (httpx2.HTTPError, OSError) as error:
            raise NoAnswer("the connection broke off", left=True) from error
        return Answer(response.status_code, response.headers, read.whole())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
