"""The least a server on this SDK can be: one tool, started and connected the way dropship-mcp is.

What dropship-mcp takes longer than this is its own.
"""

from __future__ import annotations

import gc
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from dropship_mcp.stdio import serve_stdio

Context = ServerRequestContext[Any, Any]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
ECHO = types.Tool(name="echo", description="Says it again.", input_schema=SCHEMA, output_schema=SCHEMA)


async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    """One tool."""
    return types.ListToolsResult(tools=[ECHO])


async def call_tool(_: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    """The arguments, as they came."""
    answer = params.arguments or {}
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=str(answer["text"]))], structured_content=answer
    )


def main() -> None:
    """Serve. The collector is off since before the imports."""
    server: Server[Any] = Server(
        "bare",
        version="1",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=lambda _: SCHEMA,
    )
    gc.freeze()
    gc.enable()
    anyio.run(serve_stdio, server)
