"""`/metrics`: numbers for whoever watches the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from dropship_mcp.caller import METRICS
from dropship_mcp.http_settings import is_loopback
from dropship_mcp.web.entrance import Entrance

Render = Callable[[str], Awaitable[tuple[bytes, str]]]
"""The metrics as text and their content type, for an `Accept` header."""


class MetricsPage:
    """Open to this machine where only this machine is listened to; otherwise one has to come in, with a scope.

    Args:
        local: the server listens to this machine only.
    """

    def __init__(self, entrance: Entrance, render: Render, *, local: bool) -> None:
        self._entrance = entrance
        self._render = render
        self._local = local

    async def __call__(self, request: Request) -> Response:
        """One request."""
        if not (self._local and _from_here(request)):
            caller = await self._entrance.admit(request.scope, request.headers)
            if isinstance(caller, Response):
                return caller
            if caller and METRICS not in caller.scopes:
                return self._entrance.challenges.forbidden((METRICS,), (METRICS,))
        text, content_type = await self._render(request.headers.get("accept", ""))
        return Response(text, media_type=content_type, headers={"cache-control": "no-store"})


def _from_here(request: Request) -> bool:
    """Whether it came without detours: a proxy passes on another name, a page elsewhere says where it is from."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return is_loopback(host) and "origin" not in request.headers
