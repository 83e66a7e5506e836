"""Listening, and stopping so that no answer is lost."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import uvicorn

from dropship_mcp.web.connections import MARGIN, LoopErrors, guarded
from dropship_mcp.web.site import Site

IDLE_SECONDS = 75
"""So long a used idle connection stays open: longer than a proxy keeps one, or it would send into a closed one."""

BACKLOG = 2048
"""Connections that wait to be accepted: a thousand clients may call at the same moment."""

ACCEPTED_AT_ONCE = 128
"""asyncio's backlog. It is also how often asyncio tries in one go, even without file descriptors."""


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
    """Leaves signals to its caller, which has orders to finish."""

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
        """Take no more connections and answer what is under way; asked a second time, do not wait for answers."""
        self.force_exit = self.should_exit
        self.should_exit = True


async def serve(site: Site, listener: socket.socket, grace: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Calls under way are answered within `grace` seconds, and orders under way are finished and recorded after that.
    """
    config = uvicorn.Config(
        site.app,
        http=guarded(site.max_calls + MARGIN),  # of h11: httptools lets blanks pass around header values
        backlog=ACCEPTED_AT_ONCE,
        ws="none",
        loop="asyncio",
        lifespan="off",  # what it would do is done here, whatever stops the server
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nothing depends on who says to be the client
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=grace,
    )
    server = WebServer(config)
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
