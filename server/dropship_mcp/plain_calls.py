"""Tool calls for the SDK's kernel, without the streams and tasks that its transports open around each message.

What is done around a call costs more than many a call. One that is complete in its request and has one answer needs
none of it. It is handled by the SDK all the same, middleware, validation and serialisation included.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import mcp_types as types
from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import ServerRunner, modern_error_data
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from mcp.shared.message import MessageMetadata
from mcp.shared.transport_context import TransportContext


@dataclass(slots=True)
class PlainCall:
    """A call, and the context that it came in: a `DispatchContext` of the SDK.

    Attributes:
        version: of the protocol.
        client, capabilities: what is known of who calls, as it came.
        message_metadata: the request around it, if there is one.
        tell: sends a notification, where that is possible.
    """

    request_id: str | int
    params: Mapping[str, Any]
    version: str
    client: Any
    capabilities: Any
    transport: TransportContext
    message_metadata: MessageMetadata = None
    tell: Callable[[dict[str, Any]], Awaitable[None]] | None = None

    @property
    def can_send_request(self) -> bool:
        """There is no way back to the client but the answer."""
        return False

    @property
    def cancel_requested(self) -> anyio.Event:
        """Never; whoever makes the call cancels its task."""
        return anyio.Event()

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """The client cannot be asked."""
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Tell the client, where there is a way."""
        if self.tell:
            given = {} if params is None else {"params": dict(params)}
            await self.tell({"jsonrpc": "2.0", "method": method, **given})

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Tell how far it is, if the client asked for it."""
        token = progress_token_from_params(self.params)
        if token is not None:
            facts = {"progressToken": token, "progress": progress, "total": total, "message": message}
            known = {name: value for name, value in facts.items() if value is not None}
            await self.notify("notifications/progress", known)


MOST_CALLERS = 256
"""So many are remembered, whose names have so many characters at most."""

LONGEST_CALLER = 1024


class Kernel:
    """The SDK's kernel. Who calls is made known to it once and not with every call, which would be half of its cost.

    Nothing of this server is kept for a caller: no state, and no work for the end of a conversation.
    """

    def __init__(self, server: Server[None]) -> None:
        self._server = server
        self._runners: dict[str, ServerRunner[None]] = {}

    async def answer(self, call: PlainCall) -> dict[str, Any] | types.ErrorData:
        """The result as it stands on the wire, or the error."""
        try:
            return await self._runner(call).on_request(call, "tools/call", call.params)
        except Exception as error:
            return modern_error_data(error)

    def _runner(self, call: PlainCall) -> ServerRunner[None]:
        caller = repr((call.version, call.client, call.capabilities))
        runner = self._runners.get(caller)
        if runner is None:
            connection = Connection.from_envelope(call.version, call.client, call.capabilities)
            runner = ServerRunner(self._server, connection, None)
            if len(self._runners) >= MOST_CALLERS:
                self._runners.clear()
            if len(caller) <= LONGEST_CALLER:
                self._runners[caller] = runner
        return runner
