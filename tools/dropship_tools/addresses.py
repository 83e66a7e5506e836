"""A host's addresses: asked for once by all who want to know at the same time, and kept for some seconds.

The system's look-up takes a thread until it gives up. A name that cannot be found must not take those of other hosts.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import socket
from collections.abc import Sequence
from time import monotonic
from typing import Any, cast

import aiohappyeyeballs
import anyio
import anyio.to_thread

KEPT_SECONDS = 10.0
"""As long as what was found is used."""

EYEBALLS_SECONDS = 0.25
"""So long an address may be silent before the next one is tried as well (RFC 8305)."""

Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
"""As `socket.getaddrinfo` gives it."""


class Addresses:
    """Where a host can be reached.

    Args:
        host: a name, or an address.
        port: of the service.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._found: Sequence[Address] = ()
        self._until = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._thread = anyio.CapacityLimiter(1)

    async def connect(self) -> socket.socket:
        """A socket that is connected to the first address that answers.

        Raises:
            OSError: the host is not known, or cannot be reached.
        """
        start = cast("Any", aiohappyeyeballs).start_connection  # its addresses have no type
        return await start(await self._find(), happy_eyeballs_delay=EYEBALLS_SECONDS)

    async def _find(self) -> Sequence[Address]:
        if monotonic() >= self._until and not self._is_address():
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask(), context=contextvars.Context())
                self._asking.add_done_callback(_heard)
            await asyncio.shield(self._asking)  # others wait for it as well
        return self._found

    def _is_address(self) -> bool:
        """It needs no look-up then."""
        try:
            self._found, self._until = self._look_up(socket.AI_NUMERICHOST), math.inf
        except OSError:
            return False
        return True

    async def _ask(self) -> None:
        try:
            found = await anyio.to_thread.run_sync(self._look_up, abandon_on_cancel=True, limiter=self._thread)
            self._found, self._until = found, monotonic() + KEPT_SECONDS
        finally:
            self._asking = None

    def _look_up(self, flags: int = 0) -> Sequence[Address]:
        return socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=flags)


def _heard(asking: asyncio.Task[None]) -> None:
    """Nobody may be left to hear of a failure."""
    if not asking.cancelled():
        asking.exception()
