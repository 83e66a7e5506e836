"""What a request passes before an MCP server sees it: the entrance, its size, its scopes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dropship_mcp.caller import CALLER, Caller
from dropship_mcp.leaving import Leaving
from dropship_mcp.web.bodies import read_body
from dropship_mcp.web.challenges import refusal, try_later
from dropship_mcp.web.entrance import Entrance
from dropship_mcp.web.plain_calls import MESSAGE_KEY, is_read_alike
from dropship_mcp.web.rules import needed_scopes

MOST_CALLERS = 256
"""So many are remembered in the SDK's form."""

CALLER_KEY = "dropship.caller"
"""Where the ASGI scope has the verified `Caller`."""


@dataclass(frozen=True)
class Endpoint:
    """One MCP server behind the gate, and which of its tools write."""

    app: ASGIApp
    writing: Collection[str]


AppFor = Callable[[Caller | None], Endpoint | None]
"""The server for a caller; None if there is none. The caller is None where nobody has to say who they are."""


class Gate:
    """The MCP endpoint.

    Args:
        entrance: who may come in.
        app_for: the server behind the gate.
        leaving: cuts off requests that are still being sent.
        max_body: bytes.
        max_calls: requests at the same time.
    """

    def __init__(self, entrance: Entrance, app_for: AppFor, leaving: Leaving, *, max_body: int, max_calls: int) -> None:
        self._entrance = entrance
        self._app_for = app_for
        self._leaving = leaving
        self._max_body = max_body
        self._max_calls = max_calls
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if self._calls >= self._max_calls:
            await try_later("too many requests at the same time")(scope, receive, send)
            return
        self._calls += 1
        try:
            await self._pass(scope, receive, send)
        except ClientDisconnect:
            pass  # nobody is left to answer
        finally:
            self._calls -= 1

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        caller = await self._entrance.admit(scope, headers)
        if isinstance(caller, Response):
            await caller(scope, receive, send)
            return
        if scope["method"] != "POST":  # nothing is said outside the answer to a request, so there is nothing to GET
            await refusal(405, "method_not_allowed", "POST only", allow="POST")(scope, receive, send)
            return
        body = await read_body(headers, receive, self._max_body, self._leaving)
        if isinstance(body, Response):
            await body(scope, receive, send)
            return
        endpoint = self._app_for(caller)
        if endpoint is None:
            await refusal(403, "unknown_tenant", "nothing is set up for this caller")(scope, receive, send)
            return
        message = _message(body)
        scope = {**scope, MESSAGE_KEY: message if is_read_alike(body) else None}
        if caller:
            needed = needed_scopes(*_peek(message), endpoint.writing)
            if missing := [name for name in needed if name not in caller.scopes]:
                await self._entrance.challenges.forbidden(needed, missing)(scope, receive, send)
                return
            user = _sdk_user(caller.client or caller.subject, caller.subject, caller.scopes, caller.issuer)
            scope |= {CALLER_KEY: caller, "user": user}
        set_before = CALLER.set(caller)
        try:
            await AuthContextMiddleware(endpoint.app)(scope, _replaying(body, receive), send)
        finally:
            CALLER.reset(set_before)


def _message(body: bytes) -> object:
    """None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _peek(message: object) -> tuple[str, str]:
    """Method and tool name. What cannot be read needs no more than the base scope: the server will refuse it."""
    if not isinstance(message, dict):
        return "", ""
    found = cast("dict[str, Any]", message)
    params: Any = found.get("params")
    name: Any = cast("dict[str, Any]", params).get("name") if isinstance(params, dict) else None
    return str(found.get("method")), str(name)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever comes."""
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return unread.pop() if unread else await receive()

    return replay


@lru_cache(MOST_CALLERS)
def _sdk_user(client: str, subject: str, scopes: frozenset[str], issuer: str) -> AuthenticatedUser:
    """A caller as the SDK knows it, which binds sealed states to whoever was asked. Without the token."""
    return AuthenticatedUser(
        AccessToken(token="", client_id=client, subject=subject, scopes=sorted(scopes), claims={"iss": issuer})
    )
