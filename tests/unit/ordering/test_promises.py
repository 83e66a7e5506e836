"""An order is promised in the ledger, durably, before the first byte of it leaves."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.providers import NAMES, row_of
from contract.rigs import WRITES, Rig, is_request, open_rig
from dropship_tools.errors import LedgerUnavailable, OutcomeUnknown
from unit.sandbox.worlds import NOON

pytestmark = pytest.mark.anyio


def seen_from_outside(rig: Rig) -> list[tuple[Any, ...]]:
    """What another process reads in the ledger at this moment."""
    other = sqlite3.connect(f"file:{rig.ledger.path}?mode=ro", uri=True)
    try:
        return other.execute("SELECT provider, reference, state, sent_at FROM orders").fetchall()
    finally:
        other.close()


@pytest.mark.parametrize("name", NAMES)
async def test_when_the_provider_gets_the_order_the_ledger_says_already_that_it_is_being_sent(
    name: str, tmp_path: Path
) -> None:
    row, seen = row_of(name), dict[str, list[tuple[Any, ...]]]()
    async with open_rig(tmp_path) as rig:

        async def look(point: str) -> None:
            if is_request(point):
                seen[point] = seen_from_outside(rig)

        rig.trace.at = look
        await rig.create(row, row.arguments("R-1"))
    sent_at = datetime.fromisoformat(seen["before create"][0][3]).astimezone(UTC)
    assert [entry[:3] for entry in seen["before create"]] == [(name, "R-1", "sending")]
    assert sent_at == NOON
    assert all(rows[0][:2] == (name, "R-1") for rows in seen.values())  # nothing at all is asked before the promise


@pytest.mark.parametrize("name", NAMES)
async def test_every_step_is_written_before_the_next_one_is_taken(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        await rig.create(row, row.arguments("R-1"))
        steps = [p for p in rig.trace.points if p.endswith((*WRITES, "create"))]
        assert steps == [
            "before claim",
            "after claim",
            "before sending",
            "after sending",
            "before create",
            "after create",
            "before placed",
            "after placed",
        ]


async def test_every_write_reaches_the_disk_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remember(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", remember)
    row = row_of("dipli")
    async with open_rig(tmp_path) as rig:
        await rig.create(row, row.arguments("R-1"))
        ledger = next(c for c in opened if c.execute("PRAGMA database_list").fetchone()[2] == str(rig.ledger.path))
        full = 2  # https://sqlite.org/pragma.html#pragma_synchronous
        assert ledger.execute("PRAGMA synchronous").fetchone() == (full,)
        assert ledger.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert not ledger.in_transaction


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", ["claim", "sending"])
async def test_an_order_that_cannot_be_promised_does_not_leave(name: str, step: str, tmp_path: Path) -> None:
    row = row_of(name)

    async def fail(point: str) -> None:
        if point == f"before {step}":
            raise LedgerUnavailable("the ledger cannot be used", fix="Mend it.")

    async with open_rig(tmp_path) as rig:
        rig.trace.at = fail
        with pytest.raises(LedgerUnavailable) as caught:
            await rig.create(row, row.arguments("R-1"))
        assert (caught.value.sent, rig.trace.sent(), rig.orders(row, "R-1")) == ("no", 0, 0)
        rig.trace.at = None
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "placed"
        assert rig.orders(row, "R-1") == 1


@pytest.mark.parametrize("name", NAMES)
async def test_a_bug_after_sending_counts_as_unknown_and_one_before_as_refused(name: str, tmp_path: Path) -> None:
    row = row_of(name)

    def fail_at(wanted: str) -> Any:
        async def fail(point: str) -> None:
            if point == wanted:
                raise ZeroDivisionError(point)

        return fail

    async with open_rig(tmp_path) as rig:
        states: list[str] = []
        for reference, point in (("R-1", "before sending"), ("R-2", "after create")):
            rig.trace.at = fail_at(point)
            with pytest.raises(OutcomeUnknown) as caught:
                await rig.create(row, row.arguments(reference))
            assert "ZeroDivisionError" not in str(caught.value)
            states.append(await rig.state(row, reference))
            rig.trace.at = None
            await rig.create(row, row.arguments(reference))
        assert states == ["refused", "unknown"]
        assert (rig.orders(row, "R-1"), rig.orders(row, "R-2")) == (1, 1)
