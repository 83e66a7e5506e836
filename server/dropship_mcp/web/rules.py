"""What a caller's scopes allow, told from the tools' own annotations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from dropship_mcp.caller import READ, WRITE, present_caller


async def writing_tools(server: Server[Any]) -> frozenset[str]:
    """The tools that do more than read. The list depends on settings only, so it is asked for without a request."""
    entry = server.get_request_handler("tools/list")
    if entry is None:
        return frozenset()
    listed = cast("types.ListToolsResult", await entry.handler(cast("Any", None), cast("Any", None)))
    return frozenset(t.name for t in listed.tools if not (t.annotations and t.annotations.read_only_hint))


def needed_scopes(method: str, tool: str, writing: Collection[str]) -> tuple[str, ...]:
    """All scopes that a message needs; a tool that writes also answers what it found."""
    return (READ, WRITE) if method == "tools/call" and tool in writing else (READ,)


class ScopeRules:
    """Server middleware: callers see the tools that they may call, and call no others.

    The gate has refused such a call before, by an HTTP status that lets a client ask for more. This one decides on what
    the server itself has read.
    """

    def __init__(self, writing: Collection[str]) -> None:
        self._writing = writing

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """One message."""
        caller = present_caller()
        if caller is None:
            return await call_next(ctx)
        tool = str((ctx.params or {}).get("name", ""))
        if missing := [s for s in needed_scopes(ctx.method, tool, self._writing) if s not in caller.scopes]:
            raise MCPError(code=types.INVALID_REQUEST, message=f"insufficient_scope: needs {' '.join(missing)}")
        result = await call_next(ctx)
        if ctx.method != "tools/list" or WRITE in caller.scopes or not isinstance(result, dict):
            return result
        return {**result, "tools": [tool for tool in result["tools"] if tool["name"] not in self._writing]}
