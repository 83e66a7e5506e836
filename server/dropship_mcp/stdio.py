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
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import mcp_types as types
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from dropship_mcp.opening import Heard, Opening, on_pipes
from dropship_mcp.pipe_calls import LAST_WORDS_SECONDS, PipeCalls

log = logging.getLogger(__name__)

MAX_LINE = 4 * 1024 * 1024
DRAIN_SECONDS = 50.0
"""Longer than any call: at end of file the calls under way still get their answers."""

FLUSH_SECONDS = 0.05

MOST_TOGETHER = 64 * 1024
"""Bytes that may be said without waiting for the host: what a pipe holds."""

Finished = Callable[[], Awaitable[None]]


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

    async def finished(self, writer: PipeWriter) -> None:
        """Wait until every message read so far is answered, within limits."""
        with anyio.move_on_after(DRAIN_SECONDS):
            await anyio.sleep(FLUSH_SECONDS)  # messages just read start to be handled
            await self._none.wait()
            await anyio.sleep(FLUSH_SECONDS)  # the last answers reach the writer
            await writer.sent()


class PipeReader(ObjectReceiveStream[SessionMessage | Exception]):
    """The messages that come through a pipe: a read stream of the SDK."""

    def __init__(
        self,
        stream: asyncio.StreamReader,
        close: Callable[[], None],
        finished: Finished,
        plain: PipeCalls,
    ) -> None:
        self._stream = stream
        self._close = close
        self._finished = finished
        self._plain = plain

    def end(self) -> None:
        """Read no more: what follows is as if the host had closed the pipe."""
        self._close()

    async def receive(self) -> SessionMessage | Exception:
        """The next message, or why the next line is none. At the end of the pipe, once everything is answered:

        Raises:
            EndOfStream: nothing follows.
        """
        while True:
            try:
                line = await self._stream.readline()
            except ValueError:  # readline throws an over-long line away
                log.warning("a message longer than %d bytes was dropped", MAX_LINE)
                continue
            if not line:
                await self._finished()
                raise anyio.EndOfStream
            if self._plain.take(line):
                continue
            try:
                text = line.decode("utf-8", "replace")
                message = types.jsonrpc_message_adapter.validate_json(text, by_name=False)
            except ValueError as error:
                return error
            if not self._plain.concerns(message):
                return SessionMessage(message)

    async def aclose(self) -> None:
        """Read no more. What was called is over before the server closes what it works with."""
        self._close()
        await self._plain.stop()


class PipeWriter(ObjectSendStream[SessionMessage]):
    """Messages into a pipe: a write stream of the SDK.

    A host that reads slowly makes those wait who have something to say, not the event loop. What has begun to be
    written is written to its end, even if its sender is cancelled meanwhile.

    Attributes:
        is_full: the host has not read what was written before.
    """

    def __init__(self, descriptor: int, host_left: Callable[[], None], answered: str) -> None:
        self._descriptor = descriptor
        self._host_left = host_left
        self._answered = answered
        self.is_full = False
        self._unsent = bytearray()
        self._sent = asyncio.Event()
        self._sent.set()

    async def send(self, item: SessionMessage) -> None:
        """Write a message; what was answered before is not said twice."""
        text = item.message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
        if self._answered and text.startswith(self._answered.partition('"result":')[0]):
            if text != self._answered:
                log.warning("the conversation was opened with another answer than the SDK's")
            self._answered = ""
            return
        await self.say(text.encode())

    async def say(self, line: bytes) -> None:
        """Write a line, unless nobody reads any more. Lines that are ready at the same moment leave together."""
        if not self._unsent:
            self._sent.clear()
            asyncio.get_running_loop().call_soon(self._begin)
        self._unsent += line
        if self.is_full or len(self._unsent) > MOST_TOGETHER:
            await self.sent()

    async def sent(self) -> None:
        """Wait until the host has taken everything."""
        await self._sent.wait()

    def _begin(self) -> None:
        if not self._write():
            self.is_full = True
            asyncio.get_running_loop().add_writer(self._descriptor, self._go_on)

    def _go_on(self) -> None:
        if self._write():
            self.is_full = False
            asyncio.get_running_loop().remove_writer(self._descriptor)

    def _write(self) -> bool:
        """Write what the pipe takes; whether that was all."""
        try:
            del self._unsent[: os.write(self._descriptor, self._unsent)]
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            self._unsent.clear()
            self._host_left()
        if not self._unsent:
            self._sent.set()
        return not self._unsent

    async def aclose(self) -> None:
        """Wait a little for a host that reads slowly. The descriptor stays open: the process ends now."""
        with anyio.move_on_after(LAST_WORDS_SECONDS, shield=True):
            await self.sent()


@asynccontextmanager
async def _pipes(
    server: Server[None], calls: CallsUnderWay, host_left: Callable[[], None], opening: Opening | None
) -> AsyncGenerator[tuple[PipeReader, PipeWriter]]:
    """Streams over private copies of the descriptors."""
    heard = opening.hand_over() if opening else Heard()
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
    writer = PipeWriter(outgoing, host_left, heard.answered)
    plain = PipeCalls(server, heard, writer.say)
    try:
        yield PipeReader(stream, transport.close, partial(calls.finished, writer), plain), writer
    finally:
        transport.close()


async def serve_stdio(server: Server[None], opening: Opening | None = None) -> None:
    """Serve until the host closes the pipe or a signal arrives. `opening`: who has answered so far."""
    calls = CallsUnderWay()
    server.middleware.append(calls)
    async with anyio.create_task_group() as tasks:
        streams = _pipes(server, calls, tasks.cancel_scope.cancel, opening) if on_pipes() else stdio_server()
        async with streams as (incoming, outgoing):
            if sys.platform != "win32":
                reader = incoming if isinstance(incoming, PipeReader) else None
                tasks.start_soon(_stop_on_signal, tasks.cancel_scope, reader, opening)
            await server.run(incoming, outgoing, server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def _stop_on_signal(scope: anyio.CancelScope, reader: PipeReader | None, opening: Opening | None) -> None:
    """The first signal is like the end of the pipe: what is under way is still answered. The second one ends it."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        stopping = opening is not None and opening.stopping
        if stopping and reader:
            reader.end()
        async for _ in signals:
            if stopping or reader is None:  # the SDK's streams cannot be ended
                scope.cancel()
                return
            stopping = True
            reader.end()
