"""What hosts say first, and random changes to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, cast

from hypothesis import strategies as st

from dropship_mcp.plain_requests import MODERN

Json = dict[str, Any]
KEY = "io.modelcontextprotocol/"

THE_LEAST: Json = {"name": "host", "version": "1"}
CLIENTS: dict[str, Json] = {
    "the least": THE_LEAST,
    "all there is": {
        "name": "höst",
        "version": "1.2",
        "title": "A host",
        "description": "hosts",
        "websiteUrl": "https://host.example",
        "icons": [{"src": "https://host.example/icon.png", "mimeType": "image/png", "sizes": ["48x48"]}],
    },
}
CAPABILITIES: dict[str, Json] = {
    "none": {},
    "all there are": {
        "experimental": {"x": {"list": [1, None]}},
        "extensions": {f"{KEY}ui": {"mimeTypes": ["text/html;profile=mcp-app"]}},
        "elicitation": {"form": {"applyDefaults": True}, "url": {}},
        "roots": {"listChanged": True},
        "sampling": {"context": {}, "tools": {}},
        "tasks": {
            "list": {},
            "cancel": {},
            "requests": {"sampling": {"createMessage": {}}, "elicitation": {"create": {}}},
        },
    },
}


def hello(client: Json, capabilities: Json, version: str = "2025-11-25") -> Json:
    """The handshake of the older era."""
    params = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": client}
    return {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}


def modern(method: str, client: Json, capabilities: Json) -> Json:
    """A request of the newer era, with a progress token."""
    meta = {
        f"{KEY}protocolVersion": MODERN,
        f"{KEY}clientCapabilities": capabilities,
        f"{KEY}clientInfo": client,
        "progressToken": 1,
    }
    return {"jsonrpc": "2.0", "id": "a-1", "method": method, "params": {"_meta": meta}}


_ODD_ICONS = [{"src": "x"}, {"src": "x", "theme": "odd"}]
_VALUES: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([1.5, "", "x", "2025-06-18", MODERN, "tools/list", "initialize", "server/discover", 2**60]),
    st.sampled_from(cast("list[object]", [[], {}, ["x"], {"x": 1}, {"x": {}}, [{}], _ODD_ICONS[:1], _ODD_ICONS])),
)
_NAMES = st.sampled_from(
    ["x", "name", "cursor", "listChanged", "form", "icons", "_meta", "progressToken", f"{KEY}logLevel"]
)


@st.composite
def changed(draw: st.DrawFn, messages: Sequence[Json]) -> Json:
    """One of them with one to three changes anywhere: a value replaced, left out or added."""
    message = copy.deepcopy(draw(st.sampled_from(messages)))
    for _ in range(draw(st.integers(1, 3))):
        objects = [message, *_inside(message)]
        chosen = draw(st.sampled_from(objects))
        match draw(st.sampled_from(["replace", "leave out", "add"])):
            case "replace" if chosen:
                chosen[draw(st.sampled_from(sorted(chosen)))] = copy.deepcopy(draw(_VALUES))
            case "leave out" if chosen:
                del chosen[draw(st.sampled_from(sorted(chosen)))]
            case _:
                chosen[draw(_NAMES)] = copy.deepcopy(draw(_VALUES))
    return message


def _inside(value: object) -> Iterator[Json]:
    """All objects within."""
    children: list[object] = []
    if isinstance(value, dict):
        children = list(cast("Json", value).values())
    elif isinstance(value, list):
        children = cast("list[object]", value)
    for child in children:
        yield from [cast("Json", child)] if isinstance(child, dict) else []
        yield from _inside(cast("object", child))
