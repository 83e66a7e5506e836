"""The tool list that is kept ready says what the tools say, and is used only where it does.

After a change of a tool that is meant, `UPDATE_SNAPSHOTS=1 python -m pytest tests/protocol` writes it anew.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dropship_mcp.accounts import Accounts
from dropship_mcp.binding import as_listed
from dropship_mcp.catalogue import offers
from dropship_mcp.ledger import Ledger
from dropship_mcp.ordering import Ordering
from dropship_mcp.ready import READY_LIST, ready_list
from dropship_mcp.settings import Settings
from dropship_tools import PROVIDERS
from protocol.snapshots import REGENERATE, UPDATE
from protocol.test_tool_list import EXTRA

ONE_EACH = tuple(provider.sandbox_account() for provider in PROVIDERS)

USUAL = {"the sandbox": Settings(), "live with an account each": Settings(mode="live", accounts=ONE_EACH)}

OTHERS = {
    "no ordering": Settings(ordering=False),
    "a tool more": Settings(extra_tools=EXTRA),
    "fewer providers": Settings(providers=("dipli", "dropday")),
    "live with fewer providers": Settings(mode="live", accounts=ONE_EACH[:2]),
    "live with two accounts of one provider": Settings(
        mode="live", accounts=(*ONE_EACH, replace(ONE_EACH[0], name="second"))
    ),
}


def told_by_the_tools(settings: Settings, folder: Path) -> list[dict[str, Any]]:
    ledger = Ledger(folder / "ledger.sqlite3")
    return [as_listed(offer) for offer in offers(settings, Accounts(settings), ledger, Ordering(ledger))]


@pytest.mark.parametrize("settings", USUAL.values(), ids=list(USUAL))
def test_the_list_kept_ready_is_what_the_tools_say(settings: Settings, tmp_path: Path) -> None:
    told = told_by_the_tools(settings, tmp_path)
    if os.environ.get(UPDATE):
        READY_LIST.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    assert ready_list(settings) == told, f"a tool has changed; if that is meant: {REGENERATE}"


@pytest.mark.parametrize("settings", OTHERS.values(), ids=list(OTHERS))
def test_where_settings_change_the_list_it_is_not_the_one_kept_ready(settings: Settings, tmp_path: Path) -> None:
    assert ready_list(settings) is None
    assert told_by_the_tools(settings, tmp_path) != ready_list(Settings())
