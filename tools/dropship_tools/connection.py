"""One connection to a provider: a request leaves, its answer is read, and nothing else is listened to.

HTTP/1.1 is parsed by httptools (llhttp, the parser of Node), strictly. What an answer is goes by its head alone:
trailers are not read as headers, words before the answer (1xx) are passed over, and protocols are not changed.
"""

from __future__ import annotations

import asyncio
import select
from typing import cast

import httptools

from dropship_tools.body import Body, NoAnswer
from dropship_tools.wire import Answer

MAX_HEAD_BYTES = 32 * 1024
"""Everything that comes before a body, or behind it."""

MAX_SHORT = 16 * 1024
"""The longest request that leaves at once: what the system takes while nothing else is on its way."""

_FRAMING = 8
"""Bytes around one byte of a body, at most: those of a chunk for each byte are five."""


class Broken(Exception):
    """The connection ended before the answer did, or what came was no HTTP."""


class Unheard(Broken):
    """The connection ended without a word. Where it had served before, it may have ended before the request came."""


class HttpConnection(asyncio.Protocol):
    """A connection that stands. For one request at a time.

    Attributes:
        served: it has brought an answer.
    """

    _transport: asyncio.Transport
    _answered: asyncio.Future[Answer]

    def __init__(self) -> None:
        self.served = False
        self._asked = False
        self._is_fit = True
        self._poll: select.poll | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where requests go."""
        self._transport = cast("asyncio.Transport", transport)
        self._number: int = transport.get_extra_info("socket").fileno()

    async def ask(self, request: bytes, seconds: float, limit: int) -> Answer:
        """Send a request and read its answer, for so many seconds at most, and so many bytes of its body.

        Raises:
            NoAnswer: the answer is not usable.
            Broken: there is none.
            TimeoutError: there is none yet.
        """
        loop = asyncio.get_running_loop()
        self._limit = limit
        self._heard = False
        self._overhead = 0
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._body: Body | None = None
        self._status = 0
        self._ends_with_connection = False
        self._is_whole = False
        self._is_fit = False  # until the answer was read to its end
        self._is_short = len(request) <= MAX_SHORT  # an answer may come before a longer one has left
        self._parser = httptools.HttpResponseParser(self)
        self._answered = loop.create_future()
        self._asked = True
        timer = loop.call_later(seconds, self._give_up)
        try:
            if self._transport.is_closing():
                raise Unheard
            self._transport.write(request)
            answer = await self._answered
            self.served = True
            return answer
        finally:
            timer.cancel()
            self._asked = False

    @property
    def is_open(self) -> bool:
        """Whether another request may follow: all answers came to their end, and no more than that was heard."""
        return self._is_fit and not self._transport.is_closing()

    @property
    def is_quiet(self) -> bool:
        """Whether the other side has neither said anything nor hung up that was not heard yet. It is not its turn."""
        if not hasattr(select, "poll"):  # Windows
            return not select.select([self._number], [], [], 0)[0]
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._number, select.POLLIN)
        return not self._poll.poll(0)

    def abort(self) -> None:
        """Close it at once, whatever is on its way."""
        self._transport.abort()

    # --- what comes -------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Read on. What nobody asked for makes the connection useless."""
        if not self._asked or self._answered.done():
            self._is_fit = False
            self._transport.abort()
            return
        self._heard = True
        try:
            self._parse(data)
            if self._status:
                self._read_on()
        except (NoAnswer, Broken) as failure:
            self._answered.set_exception(failure)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """What is not whole now never will be, unless this is how the answer ends."""
        if not self._asked or self._answered.done():
            return
        try:
            if exc is not None or not self._ends_with_connection:
                raise Broken if self._heard else Unheard
            self._is_whole = True
            self._read_on()
        except (NoAnswer, Broken) as failure:
            self._answered.set_exception(failure)

    def _give_up(self) -> None:
        if not self._answered.done():
            self._answered.set_exception(TimeoutError())

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._is_fit = False
            if not self._is_whole:
                raise Broken from error
        size = sum(map(len, self._pieces))
        self._overhead = max(0, self._overhead + len(data) - (1 + _FRAMING) * size)
        if self._overhead > MAX_HEAD_BYTES and not self._is_whole:
            raise Broken

    def _read_on(self) -> None:
        if self._body is None:
            self._body = Body(self._headers.get("content-encoding", ""), self._limit)
        for piece in self._pieces:
            self._body.feed(piece)
        self._pieces.clear()
        if self._is_whole:
            self._answered.set_result(Answer(self._status, self._headers, self._body.whole()))

    # --- what the parser finds --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """An answer, or one more than was asked for."""
        if self._is_whole:
            self._is_fit = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of the head; or a trailer, which is not listened to."""
        if not self._status:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
            self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """The head is over. The one of a word before the answer is forgotten."""
        if self._status:
            return
        status = self._parser.get_status_code()
        coding = self._headers.get("transfer-encoding", "").lower()
        if status < 100 or coding not in ("", "chunked"):  # where such a body ends would be a matter of opinion
            raise Broken
        if status < 200:
            self._headers.clear()
            return
        self._status = status
        self._ends_with_connection = not (coding or "content-length" in self._headers or status in (204, 304))

    def on_body(self, piece: bytes) -> None:
        """A piece of the body, without what frames it. A word before the answer has none."""
        if not self._status:
            raise Broken
        if not self._is_whole:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The answer is over, or a word before it."""
        if self._status and not self._is_whole:
            self._is_whole = True
            self._is_fit = self._is_short and self._parser.should_keep_alive()
