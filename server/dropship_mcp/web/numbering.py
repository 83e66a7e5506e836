"""Every request has its ids from the start, so that refusals before an MCP server are logged with them too."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from dropship_mcp.watching import CALL, Call, sane_id


class Numbering:
    """ASGI middleware. A proxy's `X-Request-Id` is kept, if it is one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        before = CALL.set(Call(http=sane_id(Headers(scope=scope).get("x-request-id"))))
        try:
            await self._app(scope, receive, send)
        finally:
            CALL.reset(before)
