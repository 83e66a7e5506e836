"""Tool calls that come through a pipe, answered past the SDK's streams where they are plain."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from mcp.shared.transport_context import TransportContext
from mcp_types import CONNECTION_CLOSED, ErrorData, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest
from pydantic_core import to_json

from dropship_mcp.opening import Heard
from dropship_mcp.plain_calls import Kernel, PlainCall
from dropship_mcp.plain_requests import CAPABILITIES, CLIENT, MODERN, is_plain_call, plain_message

Json = dict[str, Any]

LAST_WORDS_SECONDS = 0.5
"""So long a host has to read that its calls were cut off."""

_PIPE = TransportContext(kind="stdio", can_send_request=False)


@dataclass(slots=True)
class _Running:
    """A call under way. It is ended by its scope and never by its task: the ledger's work must not be torn."""

    scope: anyio.CancelScope
    wanted: bool = True
    task: asyncio.Task[None] | None = None


class PipeCalls:
    """Takes the calls of a conversation whose opening was plain.

    Args:
        server: answers them.
        heard: how the conversation was opened.
        say: writes a line.
    """

    def __init__(self, server: Server[None], heard: Heard, say: Callable[[bytes], Awaitable[None]]) -> None:
        self._kernel = Kernel(server)
        self._say = say
        self._version = heard.version
        self._client: tuple[Json | None, Json | None] = (None, None)
        if heard.version and heard.version != MODERN:
            hello = json.loads(heard.lines.partition(b"\n")[0])["params"]
            self._client = (hello["clientInfo"], hello["capabilities"])
            if "elicitation" in hello["capabilities"]:  # a question is a request in the middle of a call
                self._version = ""
        self._is_opened = False
        self._running: dict[str | int, _Running] = {}

    def take(self, line: bytes) -> bool:
        """Whether a line is a plain call, which is answered here then."""
        message = plain_message(line) if self._version else None
        if message is None or not is_plain_call(message, self._version):
            return False
        number = coerce_request_id(message["id"])
        if number in self._running:
            return False
        params: Json = message["params"]
        client, capabilities = self._client
        if self._version == MODERN:
            client, capabilities = params["_meta"].get(CLIENT), params["_meta"][CAPABILITIES]
        call = PlainCall(message["id"], params, self._version, client, capabilities, _PIPE, tell=self._write)
        running = self._running[number] = _Running(anyio.CancelScope())
        running.task = asyncio.get_running_loop().create_task(self._answer(call, running))
        running.task.add_done_callback(lambda _: self._running.pop(number))
        return True

    def concerns(self, message: JSONRPCMessage) -> bool:
        """Whether another message is about a call that is answered here, and so not for the SDK."""
        if isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            number = cancelled_request_id_from_params(message.params)
            running = None if number is None else self._running.get(coerce_request_id(number))
            if running is not None:
                running.wanted = False
                running.scope.cancel()
            return running is not None
        if isinstance(message, JSONRPCRequest) and message.method == "initialize":
            if self._is_opened:  # who calls, and what can be asked, is not as it was any more
                self._version = ""
            self._is_opened = True
        return False

    async def stop(self) -> None:
        """End all calls; those who wait for them are told."""
        with anyio.CancelScope(shield=True):
            tasks = [running.task for running in self._running.values() if running.task]
            for running in self._running.values():
                running.scope.cancel()
            if tasks:
                await asyncio.wait(tasks)

    async def _answer(self, call: PlainCall, running: _Running) -> None:
        result: Json | ErrorData | None = None
        with running.scope:
            result = await self._kernel.answer(call)
            if running.wanted:  # a call that was being recorded goes on to its end
                await self._write(_answer(call, result))
        if result is None and running.wanted:
            with anyio.move_on_after(LAST_WORDS_SECONDS):
                await self._write(_answer(call, ErrorData(code=CONNECTION_CLOSED, message="Connection closed")))

    async def _write(self, message: Json) -> None:
        await self._say(to_json(message) + b"\n")


def _answer(call: PlainCall, result: Json | ErrorData) -> Json:
    """As it stands on the wire."""
    if isinstance(result, ErrorData):
        outcome: Json = {"error": result.model_dump(mode="json", by_alias=True, exclude_unset=True)}
    else:
        outcome = {"result": result}
    return {"jsonrpc": "2.0", "id": call.request_id, **outcome}
