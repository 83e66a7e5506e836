"""Connections that cost more than they bring: too many of them, and those on which no request arrives."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger(__name__)

HEADER_SECONDS = 30.0
"""So long a client has for the headers of a request."""

LONGEST_HEAD = 64 * 1024
"""Bytes of a head that are kept while more of it comes."""

MARGIN = 100
"""Connections beyond the requests answered at the same time, so that the next ones can be told to wait."""

QUIET_SECONDS = 60.0
"""So long nothing more is said of connections that cannot be accepted."""

_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*", re.IGNORECASE)
_USED_UP = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def guarded(most: int, seconds: float = HEADER_SECONDS) -> type[HttpToolsProtocol]:
    """Closes connections beyond `most`, and those that are without a complete request head for `seconds`.

    uvicorn itself limits only the time between two requests, and that only until a first byte comes. And its parser
    sets no limit to a head, takes the blanks around a header's value for a part of it, and for one `Upgrade` drops the
    body; so it gets heads that are whole, and without that header: nothing is upgraded here.
    """

    class Guarded(HttpToolsProtocol):
        _patience: asyncio.TimerHandle | None = None
        _head = b""
        _in_body = False

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.close()
            else:
                self._patience = self.loop.call_later(seconds, transport.close)

        def data_received(self, data: bytes) -> None:
            if self._in_body:
                super().data_received(data)
            else:
                self._head_received(data)
            # either the head is not complete, or all is answered and the rest of a body is thrown away
            waiting = not self.cycle or self.cycle.response_complete
            if not waiting:
                self._stop_waiting()
            elif not self._patience:
                self._patience = self.loop.call_later(seconds, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def on_header(self, name: bytes, value: bytes) -> None:
            super().on_header(name, value.strip(b" \t"))

        def on_headers_complete(self) -> None:
            self._in_body = True
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._in_body = False
            super().on_message_complete()

        def _head_received(self, data: bytes) -> None:
            head, end, rest = (self._head + data).partition(b"\r\n\r\n")
            if end:
                self._head = b""
                super().data_received(_UPGRADE.sub(b"", head) + end + rest)
            elif len(head) > LONGEST_HEAD:
                self.send_400_response("The head of the request is too long.")
            else:
                self._head = head

        def _stop_waiting(self) -> None:
            if self._patience:
                self._patience.cancel()
                self._patience = None

    return Guarded


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
