"""The look-up as one writes it by hand with the Python SDK: low-level server, streamable HTTP without sessions, httpx2.

Prints its port.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx2
import mcp_types as types
import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

Context = ServerRequestContext[httpx2.AsyncClient, Any]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"public_id": {"type": "string"}},
    "required": ["public_id"],
}
LOOK_UP = types.Tool(name="dipli_get_order", description="dipli_get_order", input_schema=SCHEMA)


@asynccontextmanager
async def lifespan(_: Server[httpx2.AsyncClient]) -> AsyncGenerator[httpx2.AsyncClient]:
    """One client for all calls."""
    headers = {"accept": "application/json", "apikey": os.environ["DIPLI_API_KEY"]}
    async with httpx2.AsyncClient(base_url=os.environ["DIPLI_URL"], headers=headers) as client:
        yield client


async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    """One tool."""
    return types.ListToolsResult(tools=[LOOK_UP])


async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    """A request and its JSON."""
    try:
        response = await context.lifespan_context.get(f"/api-drop/v2/orders/{(params.arguments or {})['public_id']}")
        response.raise_for_status()
    except httpx2.HTTPError as error:
        text = type(error).__name__
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
    answer = {"provider": "dipli", **cast("dict[str, Any]", response.json())}
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=json.dumps(answer))], structured_content=answer
    )


def main() -> None:
    """Serve until killed."""
    server: Server[httpx2.AsyncClient] = Server(
        "peer",
        version="1",
        lifespan=lifespan,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=lambda _: SCHEMA,
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    app = server.streamable_http_app(stateless_http=True, json_response=True)
    uvicorn.Server(uvicorn.Config(app, http="h11", log_config=None, access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main()
