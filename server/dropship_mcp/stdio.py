"""The pipe transport: MCP over stdin and stdout.

The SDK's own streams hop through threads for every message, lose answers at end of file and do not obey signals.
These read and write the pipes in the event loop, answer what is under way before leaving, and close the server in
order on SIGTERM and SIGINT. Where stdin or stdout is no pipe or socket (Windows, a file, a terminal), the SDK's
streams are used.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from dropship_mcp.opening import Heard, Opening, on_pipes

log = logging.getLogger(__name__)

MAX_LINE = 4 * 1024 * 1024
DRAIN_SECONDS = 50.0
"""Longer than any call: at end of file the calls under way still get their answers."""

FLUSH_SECONDS = 0.05


class CallsUnderWay:
    """Server middleware that knows when nothing is being answered."""

    def __init__(self) -> None:
        self._count = 0
        self._none = anyio.Event()
        self._none.set()

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Counts one message."""
        if self._count == 0:
            self._none = anyio.Event()
        self._count += 1
        try:
            return await call_next(ctx)
        finally:
            self._count -= 1
            if self._count == 0:
                self._none.set()

    async def finished(self) -> None:
        """Wait until every message read so far is answered, within limits."""
        with anyio.move_on_after(DRAIN_SECONDS):
            await anyio.sleep(FLUSH_SECONDS)  # messages just read start to be handled
            await self._none.wait()
            await anyio.sleep(FLUSH_SECONDS)  # the last answers reach the writer


class PipeReader:
    """Lines from a pipe, as the SDK's transport wants them."""

    def __init__(self, stream: asyncio.StreamReader, calls: CallsUnderWay, close: Callable[[], None]) -> None:
        self._stream = stream
        self._calls = calls
        self._close = close

    def end(self) -> None:
        """Read no more: what follows is as if the host had closed the pipe."""
        self._close()

    def __aiter__(self) -> PipeReader:
        return self

    async def __anext__(self) -> str:
        while True:
            try:
                line = await self._stream.readline()
            except ValueError:  # readline throws an over-long line away
                log.warning("a message longer than %d bytes was dropped", MAX_LINE)
                continue
            if not line:
                await self._calls.finished()
                raise StopAsyncIteration
            return line.decode("utf-8", "replace")


class PipeWriter:
    """Writes to a pipe without blocking the event loop when the host reads slowly."""

    def __init__(self, descriptor: int, host_left: Callable[[], None], answered: str) -> None:
        self._descriptor = descriptor
        self._host_left = host_left
        self._answered = answered

    async def write(self, text: str) -> None:
        """Write all of it, unless nobody reads any more. What was answered before is not said twice."""
        if self._answered and text.startswith(self._answered.partition('"result":')[0]):
            if text != self._answered:
                log.warning("the conversation was opened with another answer than the SDK's")
            self._answered = ""
            return
        rest = memoryview(text.encode())
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self._descriptor)
            except (BrokenPipeError, ConnectionResetError):
                self._host_left()
                return

    async def flush(self) -> None:
        """Nothing is held back."""


@asynccontextmanager
async def _wire(
    calls: CallsUnderWay, host_left: Callable[[], None], opening: Opening | None
) -> AsyncGenerator[tuple[Any, Any]]:
    """Our streams over private copies of the descriptors; (None, None) where only the SDK's will do."""
    if not on_pipes():
        yield None, None
        return
    heard = opening.hand_over() if opening else Heard(b"", "")
    incoming, outgoing = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)  # a stray print must not end up between messages
    os.set_blocking(outgoing, False)
    stream = asyncio.StreamReader(limit=MAX_LINE)
    stream.feed_data(heard.lines)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(incoming, "rb", buffering=0)
    )
    try:
        yield PipeReader(stream, calls, transport.close), PipeWriter(outgoing, host_left, heard.answered)
    finally:
        transport.close()


async def serve_stdio(server: Server[Any], opening: Opening | None = None) -> None:
    """Serve until the host closes the pipe or a signal arrives. `opening`: who has answered so far."""
    calls = CallsUnderWay()
    server.middleware.append(calls)
    async with anyio.create_task_group() as tasks, _wire(calls, tasks.cancel_scope.cancel, opening) as wire:
        reader, writer = wire

        async def stop_on_signal() -> None:
            """The first signal is like the end of the pipe: what is under way is still answered."""
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                stopping = opening is not None and opening.stopping
                if stopping:
                    reader.end()
                async for _ in signals:
                    if stopping or reader is None:  # asked twice, or the SDK's streams, which cannot be ended
                        tasks.cancel_scope.cancel()
                        return
                    stopping = True
                    reader.end()

        if sys.platform != "win32":
            tasks.start_soon(stop_on_signal)
        async with stdio_server(reader, writer) as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
        tasks.cancel_scope.cancel()
