"""Tool calls that come through a pipe, answered past the SDK's streams where they are plain."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from mcp.shared.transport_context import TransportContext
from pydantic_core import to_json

from dropship_mcp.opening import Heard
from dropship_mcp.plain_calls import PlainCall
from dropship_mcp.plain_requests import CAPABILITIES, CLIENT, MODERN, is_plain_call, plain_message

Json = dict[str, Any]

_PIPE = TransportContext(kind="stdio", can_send_request=False)


class PipeCalls:
    """Takes the calls of a conversation whose opening was plain, until it is told to stop.

    Args:
        server: answers them.
        heard: how the conversation was opened.
        say: writes a line.
    """

    def __init__(self, server: Server[None], heard: Heard, say: Callable[[bytes], Awaitable[None]]) -> None:
        self._server = server
        self._say = say
        self._version = heard.version
        self._client: tuple[Json | None, Json | None] = (None, None)
        if heard.version and heard.version != MODERN:
            hello = json.loads(heard.lines.partition(b"\n")[0])["params"]
            self._client = (hello["clientInfo"], hello["capabilities"])
            if "elicitation" in hello["capabilities"]:  # a question is a request in the middle of a call
                self._version = ""
        self._tasks: dict[str | int, asyncio.Task[None]] = {}

    def take(self, line: bytes) -> bool:
        """Whether a line is dealt with here: a plain call, or the end of one that nobody waits for any more."""
        message = plain_message(line) if self._version else None
        if message is None:
            return False
        if message["method"] == "notifications/cancelled" and "id" not in message:
            return self._cancel(message)
        number = coerce_request_id(message.get("id", ""))
        if number in self._tasks or not is_plain_call(message, self._version):
            return False
        params: Json = message["params"]
        client, capabilities = self._client
        if self._version == MODERN:
            client, capabilities = params["_meta"].get(CLIENT), params["_meta"][CAPABILITIES]
        call = PlainCall(message["id"], params, self._version, client, capabilities, _PIPE, tell=self._write)
        self._tasks[number] = asyncio.get_running_loop().create_task(self._answer(call))
        self._tasks[number].add_done_callback(lambda _: self._tasks.pop(number))
        return True

    async def stop(self) -> None:
        """Nobody waits for answers any more."""
        while self._tasks:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.wait(self._tasks.values())

    def _cancel(self, message: Json) -> bool:
        number = cancelled_request_id_from_params(message.get("params"))
        task = None if number is None else self._tasks.get(coerce_request_id(number))
        return task is not None and task.cancel()

    async def _write(self, message: Json) -> None:
        await self._say(to_json(message) + b"\n")

    async def _answer(self, call: PlainCall) -> None:
        result = await call.answered_by(self._server)
        if isinstance(result, types.ErrorData):
            outcome: Json = {"error": result.model_dump(mode="json", by_alias=True, exclude_unset=True)}
        else:
            outcome = {"result": result}
        await self._write({"jsonrpc": "2.0", "id": call.request_id, **outcome})
