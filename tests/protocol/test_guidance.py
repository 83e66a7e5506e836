"""Guides, prompts and completions, as hosts of both protocol eras get them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import mcp_types as types
import pytest
from mcp import Client, MCPError

from dropship_mcp.accounts import Accounts
from dropship_mcp.app import build_app
from dropship_mcp.ledger import make_ledger
from dropship_mcp.settings import Settings
from dropship_tools.sandbox.store import SandboxStore
from dropship_tools.sandbox.world import SandboxWorld

pytestmark = pytest.mark.anyio

NAMES = ("dipli", "rewix", "dropday", "duoplane")


@pytest.fixture(params=["auto", "legacy"])
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Client]:
    """A client of either era on a server in the sandbox."""
    settings = Settings(ledger=tmp_path / "ledger.sqlite3")
    accounts = Accounts(settings, world=SandboxWorld(SandboxStore(None)))
    server = build_app(settings, accounts=accounts, ledger=make_ledger(settings.ledger_place()))
    async with Client(server, mode=request.param, cache=None) as client:
        yield client


async def test_every_provider_has_a_guide_that_fits_into_a_prompt(host: Client) -> None:
    listed = await host.list_resources()
    assert [str(r.uri) for r in listed.resources] == [f"dropship://guides/{name}" for name in NAMES]
    for resource in listed.resources:
        read = await host.read_resource(str(resource.uri))
        content = read.contents[0]
        assert isinstance(content, types.TextResourceContents)
        assert content.mime_type == "text/markdown"
        assert 20 <= len(content.text.splitlines()) <= 120


async def test_a_guide_that_does_not_exist_names_those_that_do(host: Client) -> None:
    with pytest.raises(MCPError) as error:
        await host.read_resource("dropship://guides/nobody")
    assert error.value.error.code == types.INVALID_PARAMS
    assert "dropship://guides/dipli" in error.value.error.message
    assert error.value.error.data == {"uri": "dropship://guides/nobody"}


async def test_the_guides_addresses_are_one_template_whose_providers_can_be_completed(host: Client) -> None:
    [template] = (await host.list_resource_templates()).resource_templates
    assert (template.uri_template, template.mime_type) == ("dropship://guides/{provider}", "text/markdown")
    guide = types.ResourceTemplateReference(type="ref/resource", uri=template.uri_template)
    completed = await host.complete(guide, {"name": "provider", "value": "d"})
    assert completed.completion.values == ["dipli", "dropday", "duoplane"]
    other = types.ResourceTemplateReference(type="ref/resource", uri="dropship://orders/{provider}")
    assert (await host.complete(other, {"name": "provider", "value": "d"})).completion.values == []


async def test_prompts_say_what_they_need(host: Client) -> None:
    listed = await host.list_prompts()
    assert {p.name: [(a.name, a.required) for a in p.arguments or []] for p in listed.prompts} == {
        "place_order": [("provider", True), ("reference", True), ("country", False), ("carrier", False)],
        "where_is_my_order": [("reference", True), ("provider", False)],
    }


async def test_placing_an_order_by_prompt_shows_a_dry_run_before_it_orders(host: Client) -> None:
    prompt = await host.get_prompt("place_order", {"provider": "rewix", "reference": "WEB-1", "country": "IT"})
    text = cast("types.TextContent", prompt.messages[0].content).text
    assert text.startswith("Place one dropship order with rewix, reference WEB-1. The buyer is in IT.")
    assert text.index("dry_run true") < text.index("Wait for my yes") < text.index("without dry_run")


async def test_a_prompts_country_may_be_written_small(host: Client) -> None:
    prompt = await host.get_prompt("place_order", {"provider": "rewix", "reference": "WEB-1", "country": "it"})
    assert "The buyer is in IT." in cast("types.TextContent", prompt.messages[0].content).text


async def test_asking_for_an_order_by_prompt_looks_and_orders_nothing(host: Client) -> None:
    prompt = await host.get_prompt("where_is_my_order", {"reference": "WEB-1"})
    text = cast("types.TextContent", prompt.messages[0].content).text
    assert text.startswith("Where is the order WEB-1?")
    assert "create" not in text


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("nothing", {}, "No such prompt"),
        ("place_order", {"provider": "dipli"}, "Missing arguments: reference"),
        ("place_order", {"provider": "amazon", "reference": "1"}, "No such provider"),
        ("place_order", {"provider": "dipli", "reference": "1", "country": "ZZ"}, "No such country"),
        ("place_order", {"provider": "dipli", "reference": "1", "country": "France"}, "No such country"),
    ],
)
async def test_a_wrong_prompt_call_says_what_is_wrong(
    host: Client, name: str, arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(MCPError) as error:
        await host.get_prompt(name, arguments)
    assert error.value.error.code == types.INVALID_PARAMS
    assert message in error.value.error.message


async def test_invisible_characters_in_prompt_arguments_are_dropped(host: Client) -> None:
    prompt = await host.get_prompt("where_is_my_order", {"reference": "WEB\u202e-1\u200b"})
    assert "WEB-1?" in cast("types.TextContent", prompt.messages[0].content).text


@pytest.mark.parametrize(
    ("argument", "typed", "expected"),
    [
        ("provider", "d", ["dipli", "dropday", "duoplane"]),
        ("country", "fr", ["FR", "GF", "PF", "TF"]),
        ("country", "de", ["DE", "DK"]),
        ("country", "Germ", ["DE"]),
        ("country", "united k", ["GB"]),
        ("country", "zz", []),
        ("carrier", "", ["Bartolini", "DHL", "GLS", "TNT", "UPS"]),
        ("carrier", "g", ["GLS"]),
        ("reference", "W", []),
    ],
)
async def test_completions_begin_with_what_was_typed(
    host: Client, argument: str, typed: str, expected: list[str]
) -> None:
    prompt = types.PromptReference(type="ref/prompt", name="place_order")
    completed = await host.complete(prompt, {"name": argument, "value": typed})
    assert completed.completion.values == expected
