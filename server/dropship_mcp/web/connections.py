"""Connections: how their requests are read, and those that cost more than they bring: too many, those on which no
request arrives, and those nobody reads.

httptools reads several times quicker than h11. But it takes trailers for headers, sets heads no limit, and leaves the
body of an upgrade to be read as the next request. So it gets nothing but what can hold none of that: a whole head of a
POST to the endpoint, and then as many bytes as this head announced. From the first request that is anything else, h11
reads the connection.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
from dataclasses import dataclass
from typing import Any, cast

import h11
import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from dropship_mcp.web.patience import Patience

log = logging.getLogger(__name__)

HEADER_SECONDS = 30.0
"""So long a client has for the headers of a request."""

MARGIN = 100
"""Connections beyond the requests answered at the same time, so that the next ones can be told to wait."""

MOST_HEAD = 16 * 1024
"""Bytes of a head that may be plain. h11 takes more."""

QUIET_SECONDS = 60.0
"""So long nothing more is said of connections that cannot be accepted."""

_USED_UP = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})\r\n")

_NOT_PLAIN = (
    *(b"\r\ntransfer-encoding", b"\r\nupgrade", b"\r\nexpect", b"\r\nproxy-connection"),
    *(b"\r\n ", b"\r\n\t", b" \r\n", b"\t\r\n"),
)


def plain_length(head: bytes, beginning: bytes) -> int | None:
    """The bytes of a request's body; None if parsers might not read the same in its head.

    Args:
        beginning: the request line and the line's end.
    """
    if len(head) > MOST_HEAD or not head.startswith(beginning):
        return None
    lines = head.count(b"\r\n")
    if head.count(b"\n") != lines or head.count(b"\r") != lines:
        return None
    head = head.lower()
    lengths = _LENGTH.findall(head)
    if head.count(b"\r\nhost:") != 1 or head.count(b"\r\ncontent-length") != len(lengths) or len(lengths) > 1:
        return None
    return None if any(word in head for word in _NOT_PLAIN) else int(lengths[0]) if lengths else 0


@dataclass(frozen=True)
class Limits:
    """What a connection may cost, and what is read quickly.

    Attributes:
        most: connections at the same time.
        path: of the endpoint.
        seconds: see `Patience`.
    """

    most: int
    path: str
    seconds: float = HEADER_SECONDS

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> Quick:
        """For a new connection, as uvicorn makes one."""
        return Quick(self, config, server_state, app_state)


class Patient(asyncio.Protocol):
    """A connection whose client is not waited for for ever."""

    _patience: Patience

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._patience.end()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take what it is told."""
        self._patience.for_reading(True)
        super().pause_writing()

    def resume_writing(self) -> None:
        """It has taken it."""
        self._patience.for_reading(False)
        super().resume_writing()


class Strict(Patient, H11Protocol):
    """A connection that h11 reads. All of them were `Quick` before."""

    def __init__(self, limits: Limits, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self._limits = limits

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It was counted when it began."""
        transport = cast("asyncio.Transport", transport)
        super().connection_made(transport)
        self._patience = Patience(transport, self._limits.seconds)

    def data_received(self, data: bytes) -> None:
        """Requests and parts of requests."""
        super().data_received(data)
        # either the head is not complete, or all is answered and the rest of a body is thrown away
        self._patience.for_more(self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE)

    def send_400_response(self, msg: str) -> None:
        """Unless the request has its answer already: uvicorn would fail, and fill the log."""
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:
            self.transport.close()


class Flow(FlowControl):
    """Reading and writing, stopped and gone on with.

    Attributes:
        held: a request waits for the one before it, and no more is read, even if the application asks for more.
    """

    held = False

    def resume_reading(self) -> None:
        """Unless it is held."""
        if not self.held:
            super().resume_reading()


class Quick(Patient, HttpToolsProtocol):
    """A connection on which only plain requests have come so far, one after the other."""

    def __init__(self, limits: Limits, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self._limits = limits
        self._beginning = f"POST {limits.path} HTTP/1.1\r\n".encode()
        self._unread = bytearray()
        self._rest = 0
        """Bytes of the present request's body that are still to come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """From a client; closed if it is one too many."""
        transport = cast("asyncio.Transport", transport)
        super().connection_made(transport)
        self.flow = self._flow = Flow(transport)
        self._patience = Patience(transport, self._limits.seconds)
        if len(self.connections) > self._limits.most:
            transport.close()
        else:
            self._patience.for_more(True)

    def data_received(self, data: bytes) -> None:
        """Requests and parts of requests."""
        self._unset_keepalive_if_required()
        self._unread += data
        self._read()

    def on_response_complete(self) -> None:
        """The next request may have come already."""
        self._flow.held = False
        super().on_response_complete()
        self._read()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._unread.clear()
        super().connection_lost(exc)

    def _read(self) -> None:
        """As much as there is and may be read now."""
        while self._unread and self.parser and not self.transport.is_closing():
            if self._rest:
                piece = self._taken(self._rest)
                self._rest -= len(piece)
                self.parser.feed_data(piece)
            elif self._is_answering():
                self.flow.pause_reading()
                self._flow.held = True
                break
            elif not self._read_head(self.parser):
                break
        # the head is not complete, or all is answered and the rest of a body is thrown away, or was: then uvicorn waits
        # for nothing any more
        waiting = self._unread or self._rest or self.timeout_keep_alive_task is None
        self._patience.for_more(bool(waiting) and not self._is_answering())

    def _is_answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    def _read_head(self, parser: httptools.HttpRequestParser) -> bool:
        """Whether there was one, and it was plain."""
        end = self._unread.find(b"\r\n\r\n") + 4
        if end < 4:
            begins = self._beginning.startswith(bytes(self._unread[: len(self._beginning)]))
            if not begins or len(self._unread) > MOST_HEAD:
                self._hand_over(bytes(self._unread))
            return False
        head = self._taken(end)
        length = plain_length(head, self._beginning)
        try:
            if length is not None:
                parser.feed_data(head)
        except httptools.HttpParserError:
            length = None
        if length is None:  # h11 takes it, or says why not
            self._hand_over(head + self._unread)
            return False
        self._unset_keepalive_if_required()  # set if this one waited for an answer to the one before
        self._rest = length
        return True

    def _hand_over(self, unread: bytes) -> None:
        """To h11, with whatever comes."""
        self._unread.clear()
        self._patience.end()
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        strict = Strict(self._limits, self.config, self.server_state, self.app_state)
        self.transport.set_protocol(strict)
        strict.connection_made(self.transport)
        if self.flow.write_paused:
            strict.pause_writing()
        self.flow.resume_reading()
        strict.data_received(unread)


class LoopErrors:
    """The event loop's exception handler: says now and then, and not a thousand times a second, that no connection can
    be accepted."""

    def __init__(self) -> None:
        self._quiet_until = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """One error."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _USED_UP:
            loop.default_exception_handler(context)
        elif loop.time() >= self._quiet_until:
            self._quiet_until = loop.time() + QUIET_SECONDS
            log.error("connections cannot be accepted: the system gives no more file descriptors (ulimit -n)")
