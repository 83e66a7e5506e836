"""The requests that open a conversation, and calls of tools, as far as they can be told without the SDK.

Everything here is stricter than the SDK: what it lets through, the SDK would have accepted and answered with the same
result (`tests/protocol/test_plain_requests.py`). The rest is not wrong, it is only not for this module.

Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn, cast

Json = dict[str, Any]

HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""The versions that begin with `initialize`."""

MODERN = "2026-07-28"
"""The version without a handshake: everything stands in each request."""

LONGEST_LINE = 16 * 1024
_DEEPEST = 50
_LARGEST_ID = 2**53

_CLIENT_INFO = {
    **dict.fromkeys(("name", "version", "title", "description", "websiteUrl"), str),
    "icons": [{"src": str, "mimeType": str, "sizes": [str]}],
}
_CAPABILITIES = {
    "experimental": {"*": dict},
    "extensions": {"*": dict},
    "elicitation": {"form": dict, "url": dict},
    "roots": {"listChanged": bool},
    "sampling": {"context": dict, "tools": dict},
    "tasks": {
        "list": dict,
        "cancel": dict,
        "requests": {"sampling": {"createMessage": dict}, "elicitation": {"create": dict}},
    },
}
_INITIALIZE = {"protocolVersion": str, "capabilities": _CAPABILITIES, "clientInfo": _CLIENT_INFO, "_meta": {}}
_META = {"progressToken": (int, str), "traceparent": str, "tracestate": str, "baggage": str}
_PREFIX = "io.modelcontextprotocol/"
VERSION = f"{_PREFIX}protocolVersion"
CAPABILITIES = f"{_PREFIX}clientCapabilities"
CLIENT = f"{_PREFIX}clientInfo"
_ENVELOPE = {**_META, VERSION: str, CAPABILITIES: _CAPABILITIES, CLIENT: _CLIENT_INFO}
_REQUEST = {"jsonrpc": str, "id": (int, str), "method": str, "params": dict}


def plain_message(line: bytes) -> Json | None:
    """The request or notification in a line, if every program would read it alike."""
    if len(line) > LONGEST_LINE or b"\\u" in line or line.count(b"{") + line.count(b"[") > _DEEPEST:
        return None
    try:
        message = _DECODER.decode(line.decode())
    except (ValueError, RecursionError):
        return None
    if not _fits(message, _REQUEST) or message.get("jsonrpc") != "2.0" or "method" not in message:
        return None
    number = message.get("id", 0)
    return message if isinstance(number, str) or abs(number) < _LARGEST_ID else None


def version_asked(message: Json, spoken: str | None) -> str | None:
    """The version of the protocol in which a plain request is to be answered; None if it is not for this module.

    Args:
        message: from `plain_message`.
        spoken: the version of the conversation; None before its first answer.
    """
    method, params = message["method"], message.get("params", {})
    if "id" not in message:
        return None
    if method == "initialize" and spoken is None:
        return params["protocolVersion"] if _is_hello(params) else None
    if method == "tools/list" and spoken in HANDSHAKE:
        return spoken if _fits(params, {"_meta": _META}) else None
    if method in ("tools/list", "server/discover") and spoken in (None, MODERN):
        return MODERN if _is_enveloped(params) else None
    return None


def is_plain_call(message: Json, spoken: str) -> bool:
    """Whether a plain message calls a tool, and is complete.

    Args:
        message: from `plain_message`.
        spoken: the version of the conversation.
    """
    params = message.get("params", {})
    meta = _protocols_own(params.get("_meta", {}))
    return (
        message["method"] == "tools/call"
        and "id" in message
        and params.keys() <= {"name", "arguments", "_meta"}
        and type(params.get("name")) is str
        and type(params.get("arguments", {})) is dict
        and (_is_enveloped({"_meta": meta}) if spoken == MODERN else _fits(meta, _META))
    )


def _protocols_own(meta: Any) -> Json | None:
    """Without what hosts add for themselves, under names that belong to nobody else."""
    if type(meta) is not dict:
        return None
    given = cast("Json", meta)
    return {name: value for name, value in given.items() if name in _META or name.startswith(_PREFIX)}


def _is_hello(params: Json) -> bool:
    complete = params.keys() >= {"protocolVersion", "capabilities", "clientInfo"}
    return (
        complete
        and _fits(params, _INITIALIZE)
        and params["protocolVersion"] in HANDSHAKE
        and _named(params["clientInfo"])
    )


def _is_enveloped(params: Json) -> bool:
    meta = params.get("_meta", {})
    complete = _fits(params, {"_meta": _ENVELOPE}) and CAPABILITIES in meta
    return complete and meta.get(VERSION) == MODERN and (CLIENT not in meta or _named(meta[CLIENT]))


def _named(client: Mapping[str, Any]) -> bool:
    return client.keys() >= {"name", "version"} and all("src" in icon for icon in client.get("icons", ()))


def _fits(value: object, shape: Any) -> bool:
    """Whether a value is made of nothing but what the shape names. A type is that type exactly; a tuple is a choice."""
    if isinstance(shape, dict):
        parts = cast("Json", shape)
        return type(value) is dict and all(
            _fits(inner, parts.get(name, parts.get("*", ()))) for name, inner in cast("Json", value).items()
        )
    if isinstance(shape, list):
        [part] = cast("list[Any]", shape)
        return type(value) is list and all(_fits(inner, part) for inner in cast("list[object]", value))
    return type(value) in (shape if isinstance(shape, tuple) else (shape,))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
