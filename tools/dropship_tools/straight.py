"""Requests straight over the network.

A call costs a quarter of one through aiohttp, and that a fifth of one through httpx2 (tests/bench/README.md).
Connections are kept for the next request, but before one is used again it is looked at: one that was closed meanwhile,
or that holds an answer nobody asked for, is given up. What may change something is never repeated; a GET is, when the
connection that it was to be the next on ends without a word.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from dropship_tools.addresses import Addresses
from dropship_tools.body import NoAnswer
from dropship_tools.connection import Broken, HttpConnection, Unheard
from dropship_tools.wire import Answer

if TYPE_CHECKING:
    import ssl

MAX_CONNECTIONS = 150
"""To one provider at a time; others wait. A thousand look-ups of 5 s that come at once are all answered within 35 s."""

_TARGET = re.compile(r"/[!-~]{0,65536}")
_HEADER = re.compile(r"[ -~]*")


class _Request(bytes):
    """With credentials, which crash reports do not show."""

    def __repr__(self) -> str:
        return "Request(***)"


class Straight:
    """Sends over connections of its own: no redirects, no cookies, no proxies.

    Args:
        base_url: checked by `check_base_url`, its host in ASCII.
        tls: whom to trust, where that matters.
        connect: seconds that making a connection may take.
        idle: seconds for which one is kept.
    """

    def __init__(self, base_url: str, tls: Callable[[], ssl.SSLContext], connect: float, idle: float) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        self._tls = tls() if parts.scheme == "https" else None
        self._addresses = Addresses(self._host, parts.port or (443 if self._tls else 80))
        self._prefix = parts.path
        self._head = f" HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        self._connect = connect
        self._idle = idle
        self._free = anyio.Semaphore(MAX_CONNECTIONS, fast_acquire=True)
        self._resting: list[tuple[float, HttpConnection]] = []
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, seconds: float, limit: int
    ) -> Answer:
        """As `dropship_tools.http.Way.send`."""
        target = self._prefix + target
        if not (_TARGET.fullmatch(target) and all(map(_HEADER.fullmatch, headers.values()))):
            raise NoAnswer("the request holds characters that cannot be sent", left=False)
        request = _Request(self._written(f"{method} {target}", headers, body))
        looks = method == "GET"
        ends = monotonic() + seconds
        stood = False
        try:
            connection = await self._take(seconds if looks else min(seconds / 2, self._connect))
            stood = True
            if looks:  # that it had to wait for others makes its answer no slower
                ends = monotonic() + seconds
            try:
                return await self._asked(connection, request, ends, limit)
            except Unheard:
                if not (looks and connection.served):
                    raise
            self._close_resting()  # they will have ended as well
            return await self._asked(await self._take(ends - monotonic()), request, ends, limit)
        except (Broken, OSError) as error:  # TimeoutError is one
            if not stood:
                why = "the connection could not be made"
            elif isinstance(error, TimeoutError):
                why = f"no answer came within {seconds:g} s"
            else:
                why = "the connection broke off"
            raise NoAnswer(why, left=stood) from error

    async def aclose(self) -> None:
        """Close the connections that nobody uses, and the others when they are given back."""
        self._closed = True
        self._close_resting()
        if self._sweeping:
            self._sweeping.cancel()

    def _written(self, line: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """As it goes over the wire."""
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        length = f"Content-Length: {len(body)}\r\n" if body or not line.startswith("GET ") else ""
        return f"{line}{self._head}{fields}{length}\r\n".encode() + body

    async def _asked(self, connection: HttpConnection, request: bytes, ends: float, limit: int) -> Answer:
        try:
            return await connection.ask(request, ends - monotonic(), limit)
        finally:
            self._give_back(connection)

    async def _take(self, seconds: float) -> HttpConnection:
        """A connection on which nothing has happened since it was used, or a new one.

        Raises:
            OSError: none could be made in time.
        """
        if self._free.value and (connection := self._rested()):
            self._free.acquire_nowait()
            return connection
        with anyio.move_on_after(seconds):
            await self._free.acquire()
            try:
                return self._rested() or await self._new()
            except BaseException:
                self._free.release()
                raise
        raise TimeoutError

    def _rested(self) -> HttpConnection | None:
        while self._resting:
            since, connection = self._resting.pop()
            if monotonic() - since < self._idle and connection.is_open and connection.is_quiet:
                return connection
            connection.abort()
        return None

    async def _new(self) -> HttpConnection:
        name = self._host.rstrip(".") if self._tls else None
        with anyio.move_on_after(self._connect):
            reached = await self._addresses.connect()
            try:
                _, connection = await asyncio.get_running_loop().create_connection(
                    HttpConnection, sock=reached, ssl=self._tls, server_hostname=name
                )
            except BaseException:
                reached.close()
                raise
            return connection
        raise TimeoutError

    def _give_back(self, connection: HttpConnection) -> None:
        self._free.release()
        if self._closed or not connection.is_open:
            connection.abort()
            return
        self._resting.append((monotonic(), connection))
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(self._idle, self._sweep)

    def _close_resting(self) -> None:
        while self._resting:
            self._resting.pop()[1].abort()

    def _sweep(self) -> None:
        """Close what has rested long enough. The longest rested come first."""
        while self._resting and monotonic() - self._resting[0][0] >= self._idle:
            self._resting.pop(0)[1].abort()
        self._sweeping = None
        if self._resting:
            rest = self._idle - (monotonic() - self._resting[0][0])
            self._sweeping = asyncio.get_running_loop().call_later(rest, self._sweep)
