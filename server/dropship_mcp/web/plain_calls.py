"""Tool calls that come over HTTP, answered past the SDK's streams where they are plain.

All other requests go to the SDK: those that want to hear of progress, those that are not calls, and those that are not
as they should be, which it words best.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, cast

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    InboundModernRoute,
    classify_inbound_request,
    find_duplicated_routing_header,
    x_mcp_header_map,
)
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic_core import to_json
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from dropship_mcp.plain_calls import Kernel, PlainCall

MESSAGE_KEY = "dropship.message"
"""Where the ASGI scope has the request's body, read as JSON, if it `is_read_alike`."""

MOST_BRACKETS = 100
"""The SDK's own parsers go no deeper than that."""

_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")

QUICK_SECONDS = 1.0
"""A call that takes longer is watched: its client may leave, and whoever stands between may think it dead."""

SIGN_SECONDS = 15.0
"""Between two signs of life."""

_EVENT = b"event: message\r\ndata: "
_STREAM = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]


def is_read_alike(body: bytes) -> bool:
    """Whether all the SDK's parsers, those of the older eras too, make the same of a body that is JSON."""
    if body.count(b"{") + body.count(b"[") > MOST_BRACKETS or _HALF_CHARACTER.search(body):
        return False
    try:
        return not body.decode().startswith("\ufeff")
    except UnicodeDecodeError:
        return False


class Reply:
    """What a client hears: one message, or a stream that ends with it, once anything was said before."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._streaming = False
        self._saying = asyncio.Lock()  # what stands in for a call that takes long speaks as well

    async def say(self, piece: bytes, *, more: bool = True) -> None:
        """A piece of the stream."""
        async with self._saying:
            if not self._streaming:
                await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM})
                self._streaming = True  # not before: whoever speaks may be cut off while the client takes nothing
            await self._send({"type": "http.response.body", "body": piece + b"\r\n\r\n", "more_body": more})

    async def tell(self, notification: Mapping[str, Any]) -> None:
        """Something before the answer."""
        await self.say(_EVENT + _json(notification))

    async def end(self, status: int, message: bytes) -> None:
        """The answer. A stream's status is gone already."""
        if self._streaming:
            await self.say(_EVENT + message, more=False)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(message)).encode())]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": message})


def plain_call(scope: Scope, receive: Receive, reply: Reply) -> PlainCall | None:
    """The call that a request makes, if it is plain; what it has to tell goes to `reply`."""
    match scope.get(MESSAGE_KEY):
        case {"jsonrpc": "2.0", "id": str() | int() as request_id, "method": "tools/call", "params": {"name": str()}}:
            message = cast("dict[str, Any]", scope[MESSAGE_KEY])
        case _:
            return None
    headers = Headers(scope=scope)
    accepted, content = headers.get("accept", ""), headers.get("content-type", "")
    versions = headers.getlist("mcp-protocol-version")
    params: dict[str, Any] = message["params"]
    meta: Any = params.get("_meta", {})
    if (
        isinstance(request_id, bool)
        or not message.keys() <= {"jsonrpc", "id", "method", "params"}
        or content.partition(";")[0] != "application/json"
        or not ("application/json" in accepted and "text/event-stream" in accepted)
        or len(versions) != 1
        or not isinstance(meta, dict)
        or "progressToken" in meta
    ):
        return None
    version, client, capabilities = versions[0], None, None
    if version not in HANDSHAKE_PROTOCOL_VERSIONS:
        route = classify_inbound_request(message, headers=headers)
        if not isinstance(route, InboundModernRoute) or find_duplicated_routing_header(headers.items()):
            return None
        version, client, capabilities = route.protocol_version, route.client_info, route.client_capabilities
    transport = TransportContext(kind="streamable-http", can_send_request=False, headers=headers)
    metadata = ServerMessageMetadata(request_context=Request(scope, receive))
    return PlainCall(request_id, params, version, client, capabilities, transport, metadata, reply.tell)


class PlainCalls:
    """The MCP server behind the gate: calls that are plain are answered here.

    Args:
        server: answers them.
        others: all other requests.
    """

    def __init__(self, server: Server[None], others: ASGIApp) -> None:
        self._server = server
        self._kernel = Kernel(server)
        self._others = others
        self._mirrored: dict[str, bool] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Its call ends when the client leaves."""
        reply = Reply(send)
        call = plain_call(scope, receive, reply)
        if call is None or self._mirrors(call.params["name"]):
            await self._others(scope, receive, send)
            return
        answer: tuple[int, bytes] | None = None
        watch: asyncio.Task[None] | None = None

        def begin_watch() -> None:
            nonlocal watch
            watch = asyncio.create_task(_accompany(receive, reply, ending))

        slow = asyncio.get_running_loop().call_later(QUICK_SECONDS, begin_watch)
        try:
            with anyio.CancelScope() as ending:
                answer = await self._answer(call)
        finally:
            slow.cancel()
            if watch:
                watch.cancel()
                await asyncio.wait((watch,))  # it must not say anything amid the answer
        if answer:
            await reply.end(*answer)

    def _mirrors(self, tool: str) -> bool:
        """Whether arguments of the tool stand in headers as well, which the SDK compares."""
        if tool not in self._mirrored:
            known = self._server.get_tool_input_schema
            schema = known(tool) if known else None
            if schema is None:
                return False
            self._mirrored[tool] = bool(x_mcp_header_map(schema))
        return self._mirrored[tool]

    async def _answer(self, call: PlainCall) -> tuple[int, bytes]:
        """HTTP status and message."""
        result = await self._kernel.answer(call)
        if not isinstance(result, types.ErrorData):
            return 200, _json({"jsonrpc": "2.0", "id": call.request_id, "result": result})
        status = 200 if call.version in HANDSHAKE_PROTOCOL_VERSIONS else ERROR_CODE_HTTP_STATUS.get(result.code, 200)
        error = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        return status, _json({"jsonrpc": "2.0", "id": call.request_id, "error": error})


def _json(message: Mapping[str, Any]) -> bytes:
    try:
        return to_json(message)
    except ValueError:  # clients may send halves of characters, and then these come back
        return json.dumps(message, separators=(",", ":")).encode()


async def _accompany(receive: Receive, reply: Reply, ending: anyio.CancelScope) -> None:
    """Give signs of life of a call that takes long, and end it once its client has left."""
    while True:
        with anyio.move_on_after(SIGN_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass
            ending.cancel()
            return
        await reply.say(b": still working")
