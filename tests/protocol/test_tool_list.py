"""The tool list under every kind of settings: names, words, hints, schemas that all hosts can read, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from mcp import Client

from dropship_mcp.app import build_app
from dropship_mcp.commands.tools import compact, token_counter
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.settings import Settings
from dropship_tools import PROVIDERS
from protocol.bench import EXTRA, jsonschema, listed

NO_LEDGER = Path("/nonexistent/ledger.sqlite3")
"""Listing tools must not need one."""

TOKEN_BUDGET = 6500

ACCOUNTS = tuple(provider.sandbox_account() for provider in PROVIDERS)

SETTINGS = {
    "the defaults": Settings(),
    "everything switched on": Settings(extra_tools=EXTRA),
    "ordering off": Settings(orders="off"),
    "live": Settings(mode="live", accounts=ACCOUNTS),
    "live without credentials": Settings(mode="live", missing={p.name: (p.credentials[0].env,) for p in PROVIDERS}),
    **{f"{provider.name} alone": Settings(providers=(provider.name,)) for provider in PROVIDERS},
}

INPUT_KEYWORDS = {
    "object": {"type", "properties", "required", "additionalProperties", "description"},
    "array": {"type", "items", "description"},
    "string": {"type", "enum", "description", "default"},
    "integer": {"type", "minimum", "maximum", "description", "default"},
    "number": {"type", "minimum", "maximum", "description", "default"},
    "boolean": {"type", "description", "default"},
}
"""For each type, what may stand beside it. Descriptions are everywhere, references and unions nowhere."""

OUTPUT_KEYWORDS = {"type", "properties", "required", "items"}

pytestmark = pytest.mark.parametrize("case", SETTINGS)


@cache
def served(case: str) -> tuple[list[dict[str, Any]], str]:
    """The tool list and the instructions under these settings."""

    async def ask() -> tuple[list[dict[str, Any]], str]:
        async with Client(build_app(SETTINGS[case], ledger=SqliteLedger(NO_LEDGER)), cache=None) as client:
            first, second = await listed(client), await listed(client)
            assert first == second
            return first, client.instructions or ""

    return anyio.run(ask)


def tools(case: str) -> list[dict[str, Any]]:
    """The tool list under these settings."""
    return served(case)[0]


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside a schema, with its place."""
    yield path or "(root)", schema
    for name, child in cast("dict[str, Any]", schema.get("properties", {})).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def test_names_are_short_plain_and_unique(case: str) -> None:
    names = [tool["name"] for tool in tools(case)]
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]{2,20}", name)] == []
    assert len(set(names)) == len(names)


def test_every_tool_has_a_title_and_a_description_of_at_most_300_characters(case: str) -> None:
    for tool in tools(case):
        assert 3 <= len(tool["title"]) <= 60, tool["name"]
        assert 30 <= len(tool["description"]) <= 300, tool["name"]


def test_every_tool_says_all_four_hints_and_they_fit_what_its_name_promises(case: str) -> None:
    reads = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": True}
    expected = {
        "create_order": {**reads, "readOnlyHint": False, "destructiveHint": True},
        "settle_order": {**reads, "readOnlyHint": False},
        "status": {**reads, "openWorldHint": False},
        "reserve_stock": {**reads, "readOnlyHint": False, "destructiveHint": True, "idempotentHint": False},
        "add_product": {**reads, "readOnlyHint": False, "destructiveHint": True, "idempotentHint": False},
    }
    for tool in tools(case):
        _, _, does = tool["name"].partition("_")
        assert does in expected or does.partition("_")[0] in ("get", "list", "find"), "say here what this tool changes"
        assert tool["annotations"] == expected.get(does, reads), tool["name"]


def test_input_schemas_keep_to_what_every_host_understands(case: str) -> None:
    for tool in tools(case):
        for path, node in nodes(tool["inputSchema"]):
            assert set(node) <= INPUT_KEYWORDS[node["type"]], (tool["name"], path)


def test_input_schemas_are_valid_and_every_object_in_them_is_closed(case: str) -> None:
    for tool in tools(case):
        jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
        assert tool["inputSchema"]["type"] == "object"
        for path, node in nodes(tool["inputSchema"]):
            if node["type"] == "object":
                assert node["additionalProperties"] is False, (tool["name"], path)
                assert node.get("required", ["-"]) != [], (tool["name"], path)
                assert set(node.get("required", [])) <= set(node["properties"]), (tool["name"], path)
            if node["type"] == "array":
                assert node["items"], (tool["name"], path)


def test_enums_are_of_texts_only_and_defaults_are_of_the_declared_type(case: str) -> None:
    python = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}
    for tool in tools(case):
        for path, node in nodes(tool["inputSchema"]):
            assert all(isinstance(value, str) for value in node.get("enum", [])), (tool["name"], path)
            if "default" in node:
                assert isinstance(node["default"], python[node["type"]]), (tool["name"], path)


def test_descriptions_inside_schemas_are_few_words_and_not_for_developers(case: str) -> None:
    for tool in tools(case):
        for path, node in nodes(tool["inputSchema"]):
            words = node.get("description", "")
            assert len(words) <= 100, (tool["name"], path)
            assert not re.search(r"sheet|`|\bsection\b|\n", words), (tool["name"], path)


def test_output_schemas_are_valid_portable_objects(case: str) -> None:
    for tool in tools(case):
        schema = tool["outputSchema"]
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        for path, node in nodes(schema):
            assert set(node) <= OUTPUT_KEYWORDS, (tool["name"], path)
        assert "mode" in schema["required"], tool["name"]
        if not tool["name"].startswith("dropship_"):
            assert {"provider", "account"} <= set(schema["required"]), tool["name"]


@pytest.mark.filterwarnings("ignore:open_binary is deprecated")  # the tokenizer reads its vocabulary that way
def test_the_list_fits_the_token_budget(case: str) -> None:
    count = token_counter()
    assert count is not None
    assert count(compact(tools(case))) <= TOKEN_BUDGET


def test_only_what_the_settings_allow_is_listed(case: str) -> None:
    settings, names = SETTINGS[case], [tool["name"] for tool in tools(case)]
    asked = {name.partition("_")[0] for name in names} - {"dropship"}
    ordering = [tool["name"] for tool in tools(case) if tool["annotations"]["destructiveHint"]]
    if settings.mode == "live" and not settings.accounts:
        assert names == ["dropship_status"]
    else:
        assert asked == set(settings.providers)
        assert {"dropship_status", "dropship_find_order", "dropship_settle_order"} <= set(names)
    assert bool(ordering) == (settings.ordering and bool(asked))
    assert {name for name in EXTRA if name in names} == set(settings.extra_tools)


def test_the_instructions_say_the_mode_first_and_whether_ordering_is_possible(case: str) -> None:
    settings, instructions = SETTINGS[case], served(case)[1]
    mode = "Mode is sandbox: " if settings.mode == "sandbox" else "Mode is LIVE: "
    assert instructions.startswith(mode)
    assert ("DROPSHIP_ORDERS=off" in instructions) is not settings.ordering
    assert len(instructions) <= 700
