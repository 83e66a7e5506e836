"""How long a connection may keep the server waiting."""

from __future__ import annotations

import asyncio


class Patience:
    """Closes a connection that is for `seconds` without a complete request head, or whose client does not take what it
    is told. uvicorn itself limits only the time between two requests, and that only until a first byte comes.
    """

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._seconds = seconds
        self._unheard: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._is_over = False

    def for_more(self, waiting: bool) -> None:
        """Whether the client has to say more before there is anything to do. Saying a little does not help."""
        if not waiting:
            self._unheard = _cancelled(self._unheard)
        elif not (self._unheard or self._is_over):
            self._unheard = self._loop.call_later(self._seconds, self._transport.close)

    def for_reading(self, waiting: bool) -> None:
        """Whether the client has to take something before more can be said."""
        self._unread = _cancelled(self._unread)
        if waiting:
            self._unread = self._loop.call_later(self._seconds, self._transport.abort)

    def end(self) -> None:
        """The connection is gone, or another's: nothing is waited for any more."""
        self.for_more(False)
        self.for_reading(False)
        self._is_over = True


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer:
        timer.cancel()
