"""The tool list that is kept ready says what the tools say, under all settings that it knows.

After a change of a tool that is meant, `UPDATE_SNAPSHOTS=1 python -m pytest tests/protocol` writes it anew.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dropship_mcp.accounts import Accounts
from dropship_mcp.binding import as_listed
from dropship_mcp.catalogue import offers
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.ordering import Ordering
from dropship_mcp.ready import READY_LIST, ready_list
from dropship_mcp.settings import Settings, SettingsError
from dropship_tools import PROVIDERS
from dropship_tools.provider import Account
from protocol.bench import EXTRA
from protocol.snapshots import UPDATE
from protocol.test_ready_answers import MANY

NAMES = tuple(provider.name for provider in PROVIDERS)
ACCOUNTS = {provider.name: provider.sandbox_account() for provider in PROVIDERS}


def told_by_the_tools(settings: Settings, folder: Path) -> list[dict[str, Any]]:
    """The list of the tools themselves, in the order in which the SDK writes what a tool is made of."""
    ledger = SqliteLedger(folder / "ledger.sqlite3")
    listed = (as_listed(offer) for offer in offers(settings, Accounts(settings), ledger, Ordering(ledger)))
    return [
        dict(sorted((tool | {"annotations": dict(sorted(tool["annotations"].items()))}).items())) for tool in listed
    ]


def every_choice() -> Iterator[Settings]:
    """Every choice of providers, with and without ordering and the extra tools, in both modes."""
    for number in range(len(NAMES) + 1):
        for names in itertools.combinations(NAMES, number):
            for orders, extra in itertools.product(("off", "ask", "allow"), ((), EXTRA)):
                settings = Settings(orders=orders, extra_tools=extra)
                yield settings._replace(mode="live", accounts=tuple(ACCOUNTS[name] for name in names))
                if names:
                    yield settings._replace(providers=names)


def test_the_list_kept_ready_holds_all_tools(tmp_path: Path) -> None:
    told = {"extra": list(EXTRA), "tools": told_by_the_tools(Settings(extra_tools=EXTRA), tmp_path)}
    if os.environ.get(UPDATE):
        Path(READY_LIST).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    kept = Path(READY_LIST).read_text(encoding="utf-8")
    assert json.dumps(json.loads(kept)) == json.dumps(told), (
        f"a tool has changed; if that is meant: {UPDATE}=1 python -m pytest tests/protocol"
    )


def test_under_all_settings_it_says_what_the_tools_say_in_the_same_order(tmp_path: Path) -> None:
    for settings in every_choice():
        ready = ready_list(settings)

        assert json.dumps(ready) == json.dumps(told_by_the_tools(settings, tmp_path)), settings


@pytest.mark.parametrize("accounts", MANY.values(), ids=list(MANY))
def test_where_a_provider_has_several_accounts_its_tools_and_settling_ask_which(
    accounts: tuple[Account, ...], tmp_path: Path
) -> None:
    several = {account.provider for account in accounts if [a.provider for a in accounts].count(account.provider) > 1}
    for orders, extra in itertools.product(("off", "ask"), ((), EXTRA)):
        settings = Settings(mode="live", orders=orders, extra_tools=extra, accounts=accounts)
        ready = ready_list(settings)
        assert ready is not None

        assert json.dumps(ready) == json.dumps(told_by_the_tools(settings, tmp_path))
        asking = {tool["name"] for tool in ready if "account" in tool["inputSchema"]["properties"]}
        owned = {tool["name"] for tool in ready if tool["name"].partition("_")[0] in several}
        assert asking == {*owned, "dropship_settle_order"}


def test_extra_tools_that_do_not_exist_are_left_to_the_tools_which_refuse_them(tmp_path: Path) -> None:
    settings = Settings(extra_tools=(*EXTRA, "duoplane_drop_table"))

    assert ready_list(settings) is None
    with pytest.raises(SettingsError, match="duoplane_drop_table cannot be switched on"):
        told_by_the_tools(settings, tmp_path)
