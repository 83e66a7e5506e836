"""Connections that cost more than they bring: too many, those on which no request arrives, and those nobody reads."""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)

HEADER_SECONDS = 30.0
"""So long a client has for the headers of a request."""

MARGIN = 100
"""Connections beyond the requests answered at the same time, so that the next ones can be told to wait."""

QUIET_SECONDS = 60.0
"""So long nothing more is said of connections that cannot be accepted."""

_USED_UP = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def guarded(most: int, seconds: float = HEADER_SECONDS) -> type[H11Protocol]:
    """Closes connections beyond `most`, and those that are for `seconds` without a complete request head, or whose
    client does not take what it is told.

    uvicorn itself limits only the time between two requests, and that only until a first byte comes. It reads with h11
    here and not with httptools, which is quicker: that one takes trailers for headers, sets them no limit, and leaves
    the body of an upgrade to be read as the next request.
    """

    class Guarded(H11Protocol):
        _patience: asyncio.TimerHandle | None = None
        _unread: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.close()
            else:
                self._patience = self.loop.call_later(seconds, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            # either the head is not complete, or all is answered and the rest of a body is thrown away
            waiting = self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE
            if not waiting:
                self._stop_waiting()
            elif not self._patience:
                self._patience = self.loop.call_later(seconds, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            self._is_read()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            self._unread = self.loop.call_later(seconds, self.transport.abort)
            super().pause_writing()

        def resume_writing(self) -> None:
            self._is_read()
            super().resume_writing()

        def _is_read(self) -> None:
            if self._unread:
                self._unread.cancel()
                self._unread = None

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
