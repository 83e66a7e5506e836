"""The tools as one writes them by hand with the Python SDK: low-level server, httpx2, JSON as text and structured.

Over stdio, or with `http` over streamable HTTP without sessions, on a port that it prints.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import quote

import anyio
import httpx2
import mcp_types as types
import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from bench.spec import OPERATIONS, Operation

Context = ServerRequestContext[httpx2.AsyncClient, Any]

TOOLS = [
    types.Tool(name=operation.name, description=operation.name, input_schema=operation.schema)
    for operation in OPERATIONS.values()
]


@asynccontextmanager
async def lifespan(_: Server[httpx2.AsyncClient]) -> AsyncGenerator[httpx2.AsyncClient]:
    """One client for all calls."""
    headers = {"accept": "application/json", "apikey": os.environ["DIPLI_API_KEY"]}
    async with httpx2.AsyncClient(base_url=os.environ["UPSTREAM"], headers=headers) as client:
        yield client


async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    """All of them."""
    return types.ListToolsResult(tools=TOOLS)


async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    """A request and its JSON."""
    try:
        response = await send(context.lifespan_context, OPERATIONS[params.name], params.arguments or {})
        response.raise_for_status()
    except httpx2.HTTPError as error:
        text = type(error).__name__
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
    answer = {"provider": params.name.partition("_")[0], **cast("dict[str, Any]", response.json())}
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=json.dumps(answer))], structured_content=answer
    )


async def send(client: httpx2.AsyncClient, operation: Operation, arguments: dict[str, Any]) -> httpx2.Response:
    """The request of an operation."""
    if operation.method == "post":
        return await client.post(operation.path, json=arguments)
    path = operation.path.format_map({name: quote(str(value), safe="") for name, value in arguments.items()})
    return await client.get(path, params={name: arguments[name] for name in operation.query})


def make_server() -> Server[httpx2.AsyncClient]:
    """The server."""
    return Server[httpx2.AsyncClient](
        "peer",
        version="1",
        lifespan=lifespan,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=lambda name: OPERATIONS[name].schema,
    )


async def serve_stdio() -> None:
    """Until the host leaves."""
    server = make_server()
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def serve_http() -> None:
    """Until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    app = make_server().streamable_http_app(stateless_http=True, json_response=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        serve_http()
    else:
        anyio.run(serve_stdio)
