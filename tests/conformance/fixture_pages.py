"""The resources and prompts that the conformance suite asks for by name."""

from __future__ import annotations

import json
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.uri_template import UriTemplate

Context = ServerRequestContext[Any, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
IMAGE = types.ImageContent(type="image", data=PNG, mime_type="image/png")
TEMPLATE = UriTemplate.parse("test://template/{id}/data")

TEXTS = {
    "test://static-text": "This is the content of the static text resource.",
    "test://watched-resource": "This resource can be watched.",
}
BINARY = "test://static-binary"

RESOURCES = [
    *(types.Resource(uri=uri, name=uri.partition("://")[2], mime_type="text/plain") for uri in TEXTS),
    types.Resource(uri=BINARY, name="static-binary", mime_type="image/png"),
]
TEMPLATES = [types.ResourceTemplate(uri_template=str(TEMPLATE), name="template", mime_type="application/json")]


def embedded(uri: str) -> types.EmbeddedResource:
    """A resource inside another answer."""
    text = types.TextResourceContents(uri=uri, mime_type="text/plain", text="An embedded resource for testing.")
    return types.EmbeddedResource(type="resource", resource=text)


def page(uri: str) -> types.ReadResourceResult | None:
    """What is at an address of the suite; None for any other."""
    if uri == BINARY:
        contents = types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
        return types.ReadResourceResult(contents=[contents])
    found, mime = TEXTS.get(uri), "text/plain"
    if (filled := TEMPLATE.match(uri)) is not None:
        found, mime = json.dumps({"id": filled["id"], "templateTest": True}), "application/json"
    if found is None:
        return None
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=mime, text=found)])


PROMPTS = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}


def listed_prompts() -> list[types.Prompt]:
    """As they stand in the list."""
    return [
        types.Prompt(
            name=name,
            description=f"{name} of the suite",
            arguments=[types.PromptArgument(name=argument, required=True) for argument in arguments],
        )
        for name, arguments in PROMPTS.items()
    ]


def filled_prompt(params: types.GetPromptRequestParams) -> types.GetPromptResult | types.InputRequiredResult | None:
    """A prompt of the suite with its arguments; None for any other."""
    if params.name not in PROMPTS:
        return None
    given = params.arguments or {}
    if missing := [name for name in PROMPTS[params.name] if name not in given]:
        raise MCPError(types.INVALID_PARAMS, f"Missing arguments: {', '.join(missing)}")
    if params.name == "test_prompt_with_arguments":
        return _said(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")
    if params.name == "test_prompt_with_embedded_resource":
        return _said(embedded(given["resourceUri"]), "Please process the embedded resource above.")
    if params.name == "test_prompt_with_image":
        return _said(IMAGE, "Please analyze the image above.")
    if params.name == "test_input_required_result_prompt":
        reply = (params.input_responses or {}).get("user_context")
        if not isinstance(reply, types.ElicitResult):
            form = {"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]}
            asked = types.ElicitRequestFormParams(message="Which context?", requested_schema=form)
            return types.InputRequiredResult(input_requests={"user_context": types.ElicitRequest(params=asked)})
        return _said(f"Use the following context: {(reply.content or {}).get('context')}")
    return _said("This is a simple prompt for testing.")


def _said(*content: types.ContentBlock | str) -> types.GetPromptResult:
    blocks = [types.TextContent(type="text", text=c) if isinstance(c, str) else c for c in content]
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=block) for block in blocks])
