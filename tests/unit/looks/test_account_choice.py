"""Where a provider has several accounts, every tool says which there are, and settling and finding name the one meant."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from dropship_mcp.accounts import Accounts
from dropship_mcp.approval import Desk as ApprovalDesk
from dropship_mcp.binding import as_listed
from dropship_mcp.catalogue import offers
from dropship_mcp.ledger import Ledger, OrderKey, SqliteLedger
from dropship_mcp.order_looks import FindOrder, OrderLooks, SettleOrder
from dropship_mcp.ordering import Ordering
from dropship_mcp.own_tools import build
from dropship_mcp.settings import Settings
from dropship_tools import PROVIDERS
from dropship_tools.errors import InvalidArguments
from dropship_tools.provider import Account, Provider
from dropship_tools.secret import Secret
from dropship_tools.tool import CreateTool
from e2e.test_live_mode import service
from unit.ledger.ledgers import won
from unit.sandbox.worlds import Clock

pytestmark = pytest.mark.anyio

SHOPS = ("griffati", "brandsy")


def shop(provider: Provider, name: str, url: str) -> Account:
    """One of several accounts, with the sandbox's keys."""
    return provider.sandbox_account()._replace(name=name, base_url=url)


def two_of_each() -> tuple[Account, ...]:
    """Two accounts for every provider: those of Dipli at one host, the others' each at its own."""
    return tuple(
        shop(
            p,
            f"{p.name}-{number}",
            "https://dipli.example" if p.name == "dipli" else f"https://{p.name}{number}.example/a",
        )
        for p in PROVIDERS
        for number in (1, 2)
    )


def tools(settings: Settings, folder: Path) -> dict[str, dict[str, dict[str, object]]]:
    """For each tool its arguments' schemas."""
    ledger = SqliteLedger(folder / "ledger.sqlite3")
    listed = map(as_listed, offers(settings, Accounts(settings), ledger, Ordering(ledger)))
    return {tool["name"]: tool["inputSchema"]["properties"] for tool in listed}


def test_every_tool_of_a_provider_with_several_accounts_says_how_they_differ(tmp_path: Path) -> None:
    schemas = tools(Settings(mode="live", accounts=two_of_each()), tmp_path)
    for provider in PROVIDERS:
        names = [f"{provider.name}-1", f"{provider.name}-2"]
        hosts = f"{names[0]} ({provider.name}1.example/a), {names[1]} ({provider.name}2.example/a)"
        expected = ", ".join(names) if provider.name == "dipli" else hosts
        own = [schema for name, schema in schemas.items() if name.startswith(f"{provider.name}_")]
        assert own
        for schema in own:
            assert schema["account"] == {"type": "string", "enum": names, "description": f"which account: {expected}"}


def test_with_one_account_each_no_tool_has_an_account_to_choose(tmp_path: Path) -> None:
    schemas = tools(Settings(), tmp_path)
    assert [name for name, schema in schemas.items() if "account" in schema] == []


def test_settling_offers_all_accounts_as_soon_as_one_provider_has_several(tmp_path: Path) -> None:
    dipli, rewix = PROVIDERS[0], PROVIDERS[1]
    shops = [shop(rewix, name, f"https://www.{name}.example") for name in SHOPS]
    settings = Settings(mode="live", accounts=(shop(dipli, "dipli", "https://dipli.example"), *shops))
    assert tools(settings, tmp_path)["dropship_settle_order"]["account"] == {
        "type": "string",
        "enum": ["dipli", "griffati", "brandsy"],
        "description": "which account, where more than one used the number. "
        "rewix: griffati (www.griffati.example), brandsy (www.brandsy.example)",
    }


def test_no_schema_tells_a_key(tmp_path: Path) -> None:
    accounts = tuple(a._replace(values={n: Secret("hush-4711") for n in a.values}) for a in two_of_each())
    assert "hush" not in json.dumps(tools(Settings(mode="live", accounts=accounts), tmp_path))


@dataclass
class Desk:
    """Two accounts of each provider at their sandboxes, and the tools that look for orders."""

    looks: OrderLooks
    ledger: Ledger
    settle_arguments: type[SettleOrder]

    async def lost(self, provider: str, account: str) -> None:
        """An order WEB-1 whose outcome is unknown."""
        row = await won(self.ledger, OrderKey("live", provider, account, "WEB-1"))
        await self.ledger.unknown(await self.ledger.sending(row), "no answer")

    async def settle(self, provider: str, account: str = "") -> str:
        """The account that was settled."""
        named = {"account": account} if account else {}
        arguments = self.settle_arguments.model_validate({"provider": provider, "reference": "WEB-1", **named})
        return (await self.looks.settle(arguments)).account


@asynccontextmanager
async def desk(folder: Path) -> AsyncGenerator[Desk]:
    """Open until the test ends."""
    clock = Clock()
    async with service(clock) as port:
        accounts = Accounts(
            Settings(
                mode="live",
                accounts=tuple(
                    shop(p, f"{p.name}-{number}", f"http://127.0.0.1:{port}/{p.name}")
                    for p in PROVIDERS
                    for number in (1, 2)
                ),
            )
        )
        ledger = SqliteLedger(folder / "ledger.sqlite3", now=clock)
        creators = {p.name: next(t for t in p.tools() if isinstance(t, CreateTool)) for p in PROVIDERS}
        settle = next(t for t in build(Settings(), accounts, ledger, ApprovalDesk(), creators) if t.settles)
        try:
            yield Desk(
                OrderLooks(accounts, ledger, creators, clock), ledger, cast("type[SettleOrder]", settle.arguments)
            )
        finally:
            await accounts.close()
            await ledger.close()


@pytest.mark.parametrize("name", [provider.name for provider in PROVIDERS])
async def test_an_order_of_several_accounts_is_settled_by_the_accounts_name(name: str, tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.lost(name, f"{name}-2")
        assert await at.settle(name) == f"{name}-2"  # only one account used the number
        await at.lost(name, f"{name}-1")
        with pytest.raises(InvalidArguments) as caught:
            await at.settle(name)
        assert [(p.field, p.problem) for p in caught.value.fields] == [("account", f"one of: {name}-1, {name}-2")]
        assert await at.settle(name, f"{name}-1") == f"{name}-1"


async def test_an_account_of_another_provider_is_not_looked_at(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.lost("rewix", "rewix-1")
        with pytest.raises(InvalidArguments) as caught:
            await at.settle("rewix", "dipli-1")
    assert [(p.field, p.problem) for p in caught.value.fields] == [
        ("account", "is not an account of this provider; it has: rewix-1, rewix-2")
    ]


async def test_what_was_found_and_what_to_do_name_the_account(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.lost("duoplane", "duoplane-2")
        found = await at.looks.find(FindOrder(reference="WEB-1"))
        told = await at.looks.settle(
            at.settle_arguments.model_validate({"provider": "duoplane", "account": "duoplane-2", "reference": "WEB-1"})
        )
    assert "duoplane (account duoplane-2)" in found.next_step
    assert found.next_step.startswith("Not proven absent at: dipli (account dipli-1), dipli (account dipli-2)")
    assert "dropship_settle_order (provider duoplane, account duoplane-2, reference WEB-1)" in told.next_step
    assert "--account duoplane-2" in told.next_step
