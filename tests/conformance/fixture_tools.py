"""The tools that the conformance suite calls by name: what the suite wants of each stands in its own scenario.

Tools that the server's own binding can express are `Offer`s like any other tool; the rest answer the SDK themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata

from conformance.fixture_pages import IMAGE, embedded
from dropship_mcp.approval import Host
from dropship_mcp.catalogue import Offer
from dropship_mcp.report import Report
from dropship_tools.arguments import Arguments
from dropship_tools.errors import NotFound

Context = ServerRequestContext[Any, Any]
Schema = dict[str, Any]
Answer = types.CallToolResult | types.InputRequiredResult
Answering = Callable[[Context, types.CallToolRequestParams], Awaitable[Answer]]

AUDIO = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
NOTHING: Schema = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True)
class FixtureTool:
    """A tool that answers the SDK itself."""

    name: str
    answer: Answering
    schema: Schema = field(default_factory=lambda: NOTHING)

    def listed(self) -> types.Tool:
        """As it stands in the list."""
        return types.Tool(name=self.name, description=f"{self.name} of the suite", input_schema=self.schema)


def answered(*content: types.ContentBlock | str) -> types.CallToolResult:
    """A complete result."""
    blocks = [types.TextContent(type="text", text=c) if isinstance(c, str) else c for c in content]
    return types.CallToolResult(content=blocks)


def strings(*names: str) -> Schema:
    """Required arguments that are strings; also a form for a person."""
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}


# --- through the server's own binding ---


class Anything(Arguments):
    """Takes nothing."""


class Region(Arguments):
    """What `test_x_mcp_header` takes."""

    region: str = ""


async def _simple(_: Anything, __: Report, ___: Host) -> dict[str, Any]:
    return {"text": "This is a simple text response for testing."}


async def _fail(_: Anything, __: Report, ___: Host) -> dict[str, Any]:
    raise NotFound("this tool intentionally returns an error for testing", fix="Nothing to fix.")


async def _progress(_: Anything, report: Report, ___: Host) -> dict[str, Any]:
    for step in (0, 50, 100):
        await report(f"Completed step {step} of 100")
    return {"done": True}


async def _region(given: Region, _: Report, __: Host) -> dict[str, Any]:
    return {"region": given.region}


SCHEMA_2020_12: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
HEADER: Schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}

OFFERS = tuple(
    Offer(
        name=name,
        title=name,
        description=f"{name} of the suite",
        arguments=arguments,
        input_schema=schema,
        output_schema={"type": "object"},
        run=run,
    )
    for name, run, arguments, schema in (
        ("test_simple_text", _simple, Anything, NOTHING),
        ("test_error_handling", _fail, Anything, NOTHING),
        ("test_tool_with_progress", _progress, Anything, NOTHING),
        ("test_x_mcp_header", _region, Region, HEADER),
        ("json_schema_2020_12_tool", _simple, Anything, SCHEMA_2020_12),
    )
)


# --- content of all kinds ---


async def _image(_: Context, __: types.CallToolRequestParams) -> Answer:
    return answered(IMAGE)


async def _audio(_: Context, __: types.CallToolRequestParams) -> Answer:
    return answered(types.AudioContent(type="audio", data=AUDIO, mime_type="audio/wav"))


async def _embedded(_: Context, __: types.CallToolRequestParams) -> Answer:
    return answered(embedded("test://embedded-resource"))


async def _mixed(_: Context, __: types.CallToolRequestParams) -> Answer:
    return answered("Multiple content types test:", IMAGE, embedded("test://mixed-content-resource"))


# --- messages while a call is under way ---


async def _log(context: Context, text: str) -> None:
    session = cast("Any", context.session)  # protocol logging is deprecated; the suite still asks for it
    await session.send_log_message("info", text, related_request_id=context.request_id)


async def _logging(context: Context, _: types.CallToolRequestParams) -> Answer:
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await _log(context, text)
    return answered("logged")


async def _missing_capability(context: Context, _: types.CallToolRequestParams) -> Answer:
    capabilities = context.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        needed: Schema = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool needs sampling", needed)
    return answered("the client can sample")


async def _sampling(context: Context, params: types.CallToolRequestParams) -> Answer:
    said = await context.session.send_request(
        sampling_request(str((params.arguments or {})["prompt"])),
        types.CreateMessageResult,
        metadata=ServerMessageMetadata(related_request_id=context.request_id),
    )
    return answered(f"LLM response: {getattr(said.content, 'text', '')}")


def sampling_request(text: str) -> types.CreateMessageRequest:
    """Asks the client's model."""
    message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text=text))
    return types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=100))


def _eliciting(form: Schema) -> Answering:
    async def ask(context: Context, params: types.CallToolRequestParams) -> Answer:
        message = str((params.arguments or {}).get("message", "Please answer"))
        reply = await context.session.elicit_form(message, form, related_request_id=context.request_id)
        return answered(f"User response: action={reply.action}, content={reply.content}")

    return ask


def _titled(*values: str) -> list[Schema]:
    return [{"const": value, "title": value.title()} for value in values]


DEFAULTS: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    },
}
ENUMS: Schema = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {"type": "string", "oneOf": _titled("low", "medium", "high")},
        "legacyEnum": {"type": "string", "enum": ["s", "m", "l"], "enumNames": ["Small", "Medium", "Large"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["read", "write", "execute"]}},
        "titledMulti": {"type": "array", "items": {"anyOf": _titled("feature", "bug", "docs")}},
    },
}

TOOLS: Mapping[str, FixtureTool] = {
    tool.name: tool
    for tool in (
        FixtureTool("test_image_content", _image),
        FixtureTool("test_audio_content", _audio),
        FixtureTool("test_embedded_resource", _embedded),
        FixtureTool("test_multiple_content_types", _mixed),
        FixtureTool("test_tool_with_logging", _logging),
        FixtureTool("test_logging_tool", _logging),
        FixtureTool("test_missing_capability", _missing_capability),
        FixtureTool("test_sampling", _sampling, strings("prompt")),
        FixtureTool("test_elicitation", _eliciting(strings("response")), strings("message")),
        FixtureTool("test_elicitation_sep1034_defaults", _eliciting(DEFAULTS)),
        FixtureTool("test_elicitation_sep1330_enums", _eliciting(ENUMS)),
    )
}
