"""The server with the conformance suite's tools, resources and prompts beside its own: `python -m conformance.everything`.

It is built and served by the same parts as the product. Whatever is not of the suite, the product's handlers answer.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from conformance.fixture_pages import RESOURCES, TEMPLATES, filled_prompt, listed_prompts, page
from conformance.fixture_questions import QUESTIONS
from conformance.fixture_tools import OFFERS, TOOLS
from dropship_mcp.app import build_app
from dropship_mcp.binding import ToolBinding
from dropship_mcp.settings import Settings, read_settings
from dropship_mcp.stdio import serve_stdio
from dropship_mcp.web.serving import listen, serve
from dropship_mcp.web.site import Site

Context = ServerRequestContext[Any, Any]


def everything(settings: Settings) -> Server[Any]:
    """The server that the suite is run against."""
    server: Server[Any] = build_app(settings)
    _add_tools(server)
    _add_pages(server)

    async def fine(_: Context, __: types.RequestParams) -> types.EmptyResult:
        return types.EmptyResult()

    # of the older versions only; the product offers none of these
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, fine)
    server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, fine)
    server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, fine)
    return server


def _product(server: Server[Any], method: str) -> Any:
    entry = server.get_request_handler(method)
    assert entry
    return entry.handler


def _add_tools(server: Server[Any]) -> None:
    fixtures = {**TOOLS, **QUESTIONS}
    binding = ToolBinding(lambda: OFFERS)
    list_product, call_product = _product(server, "tools/list"), _product(server, "tools/call")
    schema_of_product = server.get_tool_input_schema
    assert schema_of_product

    async def list_tools(context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        ours: types.ListToolsResult = await list_product(context, params)
        bound = await binding.list_tools(context, params)
        return types.ListToolsResult(tools=[*ours.tools, *bound.tools, *(f.listed() for f in fixtures.values())])

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> Any:
        if fixture := fixtures.get(params.name):
            return await fixture.answer(context, params)
        return await (binding.call_tool if binding.input_schema(params.name) else call_product)(context, params)

    server.add_request_handler("tools/list", types.PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", types.CallToolRequestParams, call_tool)

    def schema(name: str) -> Mapping[str, Any] | None:
        return binding.input_schema(name) or schema_of_product(name)

    server.get_tool_input_schema = schema


def _add_pages(server: Server[Any]) -> None:
    list_product, read_product = _product(server, "resources/list"), _product(server, "resources/read")
    templates_of_product = _product(server, "resources/templates/list")
    prompts_of_product, prompt_of_product = _product(server, "prompts/list"), _product(server, "prompts/get")

    async def list_resources(context: Context, params: types.PaginatedRequestParams) -> types.ListResourcesResult:
        ours: types.ListResourcesResult = await list_product(context, params)
        return types.ListResourcesResult(resources=[*ours.resources, *RESOURCES])

    async def list_templates(
        context: Context, params: types.PaginatedRequestParams
    ) -> types.ListResourceTemplatesResult:
        ours: types.ListResourceTemplatesResult = await templates_of_product(context, params)
        return types.ListResourceTemplatesResult(resource_templates=[*ours.resource_templates, *TEMPLATES])

    async def read(context: Context, params: types.ReadResourceRequestParams) -> Any:
        return page(str(params.uri)) or await read_product(context, params)

    async def list_prompts(context: Context, params: types.PaginatedRequestParams) -> types.ListPromptsResult:
        ours: types.ListPromptsResult = await prompts_of_product(context, params)
        return types.ListPromptsResult(prompts=[*ours.prompts, *listed_prompts()])

    async def get_prompt(context: Context, params: types.GetPromptRequestParams) -> Any:
        return filled_prompt(params) or await prompt_of_product(context, params)

    server.add_request_handler("resources/list", types.PaginatedRequestParams, list_resources)
    server.add_request_handler("resources/templates/list", types.PaginatedRequestParams, list_templates)
    server.add_request_handler("resources/read", types.ReadResourceRequestParams, read)
    server.add_request_handler("prompts/list", types.PaginatedRequestParams, list_prompts)
    server.add_request_handler("prompts/get", types.GetPromptRequestParams, get_prompt)


def main() -> None:
    """Serve over HTTP on a free port, or over stdin and stdout."""
    settings = read_settings()
    server = everything(settings)
    if sys.argv[1:] == ["stdio"]:
        anyio.run(serve_stdio, server)
        return
    http = settings.http
    listener = listen(http.host, 0)
    site = Site(http, {None: server}, {}, listener.getsockname()[1])
    sys.stdout.write(f"{site.url}\n")
    sys.stdout.flush()
    anyio.run(serve, site, listener, http.grace)


if __name__ == "__main__":
    main()
