"""What every provider promises alike, through the real server and client, in both protocol eras.

One row of facts a provider (`contract/providers.py`); whoever adds a provider adds a row, and nothing here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult

from contract.providers import NAMES, ROWS, Json, row_of
from contract.rigs import Rig, make_rig
from dropship_tools import PROVIDERS
from dropship_tools.orders import STATUSES, Certainty
from dropship_tools.sandbox.faults import Fault, FaultKind, add_fault
from unit.sandbox.worlds import Clock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("era", ["auto", "legacy"]),
    pytest.mark.parametrize("name", NAMES),
]


@asynccontextmanager
async def served(folder: Path, era: Any) -> AsyncGenerator[tuple[Client, Rig]]:
    """A client of a server over a sandbox."""
    rig = make_rig(folder, clock=Clock(datetime.now(UTC)))  # the server's own tools go by the real time
    async with Client(rig.server(), mode=era) as client:
        yield client, rig


def answer(result: CallToolResult) -> Json:
    """What a tool answered well."""
    assert result.structured_content is not None, result.content
    return result.structured_content


def error(result: CallToolResult) -> list[str]:
    """The lines of a tool's error."""
    assert result.is_error
    return str(getattr(result.content[0], "text", "")).split("\n")


async def test_an_order_is_placed_once_and_read_by_both_numbers(name: str, era: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with served(tmp_path, era) as (client, rig):
        placed = answer(await client.call_tool(row.create, row.arguments("R-1")))
        asked = len(rig.trace.requests())
        repeated = answer(await client.call_tool(row.create, row.arguments("R-1")))
        assert len(rig.trace.requests()) == asked
        by_number = answer(await client.call_tool(row.get, {row.order_id: placed["order_id"]}))
        by_reference = answer(await client.call_tool(row.get, {row.reference: "R-1"}))
        assert {key: placed[key] for key in ("provider", "account", "mode", "outcome", "reference")} == {
            "provider": name,
            "account": "sandbox",
            "mode": "sandbox",
            "outcome": "placed",
            "reference": "R-1",
        }
        assert placed["status"] in STATUSES
        assert {**repeated, "outcome": "placed", "warnings": []} == {**placed, "warnings": []}
        assert repeated["outcome"] == "already_placed"
        assert by_number["order_id"] == by_reference["order_id"] == placed["order_id"]
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (1, 1)


async def test_a_preview_sends_and_records_nothing(name: str, era: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with served(tmp_path, era) as (client, rig):
        preview = answer(await client.call_tool(row.create, {**row.arguments("R-1"), "dry_run": True}))
        assert (preview["outcome"], preview["reference"]) == ("preview", "R-1")
        assert (rig.trace.points, await rig.state(row, "R-1")) == ([], "")
        other = row.changed(row.arguments("R-1"), "Harbour Road 9")
        assert answer(await client.call_tool(row.create, other))["outcome"] == "placed"


async def test_other_content_under_the_reference_is_a_conflict(name: str, era: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with served(tmp_path, era) as (client, rig):
        await client.call_tool(row.create, row.arguments("R-1"))
        lines = error(await client.call_tool(row.create, row.changed(row.arguments("R-1"), "Zanzibarstraat 1")))
        assert lines[:2] == [
            f"reference_conflict: reference R-1 belongs to another order at {name}; different: {row.street_name}",
            "order sent: no",
        ]
        assert "Zanzibarstraat" not in "".join(lines)
        assert rig.orders(row, "R-1") == 1


@pytest.mark.parametrize(
    ("kind", "value", "code", "sent"),
    [
        ("status", 422, "provider_refused", "no"),
        ("status", 401, "provider_auth", "no"),
        ("status", 503, "outcome_unknown", "maybe"),
        ("reset_before", 0, "outcome_unknown", "maybe"),
    ],
)
async def test_an_error_says_whether_an_order_was_sent(
    name: str, era: str, kind: FaultKind, value: float, code: str, sent: str, tmp_path: Path
) -> None:
    row = row_of(name)
    async with served(tmp_path, era) as (client, rig):
        add_fault(rig.world.store, Fault(name, "create", kind, value=value))
        lines = error(await client.call_tool(row.create, row.arguments("R-1")))
        assert (lines[0].partition(":")[0], lines[1], lines[2][:5]) == (code, f"order sent: {sent}", "fix: ")
        assert rig.orders(row, "R-1") == 0


async def test_an_unknown_outcome_is_reported_and_settled(name: str, era: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with served(tmp_path, era) as (client, rig):
        add_fault(rig.world.store, Fault(name, "create", "reset_before"))
        await client.call_tool(row.create, row.arguments("R-1"))
        sent = rig.trace.sent()
        status = answer(await client.call_tool("dropship_status", {}))
        settled = answer(await client.call_tool("dropship_settle_order", {"provider": name, "reference": "R-1"}))
        found = answer(await client.call_tool("dropship_find_order", {"reference": "R-1"}))
        assert [(order["provider"], order["reference"]) for order in status["unknown_outcomes"]] == [(name, "R-1")]
        assert (settled["outcome"], settled["reference"], settled["provider"]) == ("unknown", "R-1", name)
        verdict = next(verdict for verdict in found["verdicts"] if verdict["provider"] == name)
        assert (verdict["verdict"], verdict["conclusive"]) == ("unknown", False)
        assert rig.trace.sent() == sent


def test_the_row_says_what_the_provider_says(name: str, era: str) -> None:
    row = row_of(name)
    told: Certainty = row.create_tool().certainty
    expected = {
        "resend": Certainty(conclusive=True, after=row.settled_after, dedupes=True),
        "in time": Certainty(conclusive=True, after=row.settled_after),
        "never": Certainty(conclusive=False),
    }
    assert told == expected[row.silence]
    assert (row.create_tool().name, row.provider) == (row.create, PROVIDERS[NAMES.index(name)])
    assert len(ROWS) == len(PROVIDERS)
