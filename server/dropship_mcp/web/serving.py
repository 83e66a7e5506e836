"""Listening, and stopping so that no answer is lost."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import anyio
import uvicorn

from dropship_mcp.web.connections import MARGIN, Limits, LoopErrors
from dropship_mcp.web.site import Site

IDLE_SECONDS = 75
"""So long a used idle connection stays open: longer than a proxy keeps one, or it would send into a closed one."""

BACKLOG = 2048
"""Connections that wait to be accepted: a thousand clients may call at the same moment."""

ACCEPTED_AT_ONCE = 128
"""asyncio's backlog. It is also how often asyncio tries in one go, even without file descriptors."""


LAST_WORDS_SECONDS = 2
"""So long calls have to say that they are cut off."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError where that is not possible."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class WebServer(uvicorn.Server):
    """Leaves signals to its caller, which has orders to finish.

    Args:
        config: its grace period ends with `LAST_WORDS_SECONDS`.
        leave: cuts off the calls under way, which say so.
    """

    def __init__(self, config: uvicorn.Config, leave: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._leave = leave

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; asyncio has shortened the queue to its own backlog."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """None are captured."""
        yield

    def stop(self) -> None:
        """Take no more connections and answer what is under way; asked a second time, cut it off."""
        if self.should_exit:
            self._leave()
            asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, self._give_up)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for what is under way. uvicorn would end the rest of it with a bare status 500."""
        patience = (self.config.timeout_graceful_shutdown or 0) - LAST_WORDS_SECONDS
        leaving = asyncio.get_running_loop().call_later(patience, self._leave)
        await super().shutdown(sockets)
        leaving.cancel()

    def _give_up(self) -> None:
        self.force_exit = True


async def serve(site: Site, listener: socket.socket, grace: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Calls under way are answered within `grace` seconds, at its end by saying so, and orders under way are finished and
    recorded after that.
    """
    config = uvicorn.Config(
        site.app,
        http=cast("Any", Limits(site.max_calls + MARGIN, site.path).protocol),  # what makes one will do
        backlog=ACCEPTED_AT_ONCE,
        ws="none",
        loop="asyncio",
        interface="asgi3",
        lifespan="off",  # what it would do is done here, whatever stops the server
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nothing depends on who says to be the client
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=grace + LAST_WORDS_SECONDS,
    )
    server = WebServer(config, site.leaving.leave)
    asyncio.get_running_loop().set_exception_handler(LoopErrors())
    async with site.running(), anyio.create_task_group() as tasks:
        if sys.platform != "win32":
            tasks.start_soon(_stop_on_signal, server)
        await server.serve(sockets=[listener])
        tasks.cancel_scope.cancel()


async def _stop_on_signal(server: WebServer) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            server.stop()
