"""A uvicorn server for loopback addresses whose connections can be broken on request."""

from __future__ import annotations

import ipaddress
import signal
import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dropship_tools.sandbox.faults import ABORT, CLOSE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Longer than any honest answer of the sandbox, short enough for Ctrl+C during a hang_after.
GRACE_SECONDS = 1


async def serve(app: ASGIApp, host: str, port: int, on_ready: Callable[[int], None] | None) -> None:
    """Serve until SIGINT, SIGTERM or cancellation. ValueError: not a loopback host. OSError: port taken."""
    with listen(host, port) as listener:
        config = uvicorn.Config(
            app,
            http=BreakableProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            # uvicorn's own logging set-up writes to stdout, which belongs to MCP.
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = LoopbackServer(config, on_ready)
        try:
            await server.serve(sockets=[listener])
        except BaseException:
            # Cancelled: uvicorn on its own would leave the open connections behind.
            if server.started:
                with anyio.CancelScope(shield=True):
                    await server.shutdown(sockets=[listener])
            raise


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on a loopback address."""
    if not is_loopback(host):
        raise ValueError(f"the sandbox is served on loopback addresses only, not on {host!r}")
    address = "127.0.0.1" if host == "localhost" else host
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host. Names other than localhost are not looked up."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class LoopbackServer(uvicorn.Server):
    """Tells when it listens, and stops without raising the signal again, so that its caller can clean up."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[int], None] | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections."""
        await super().startup(sockets)
        if self._on_ready is not None and sockets:
            self._on_ready(sockets[0].getsockname()[1])

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """SIGINT and SIGTERM ask the server to stop; the handlers of before come back afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class BreakableProtocol(H11Protocol):
    """Hands each request the means to break its own connection, as extensions of the ASGI scope."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        app: Any = self.app

        async def with_means(scope: Scope, receive: Receive, send: Send) -> None:
            means = {ABORT: self._reset, CLOSE: self.transport.close}
            await app({**scope, "extensions": {**scope.get("extensions", {}), **means}}, receive, send)

        self.app: Any = with_means

    def _reset(self) -> None:
        # Without this the kernel says goodbye politely (FIN); zero linger makes it a reset (RST).
        linger = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()
