"""Looking and claiming ask the database for as much work among thousands of orders as among none.

Counted in the steps of SQLite's own machine, which do not depend on how busy the computer is.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.growth import asked_of, fill
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.ledger.opening import open_file

pytestmark = pytest.mark.anyio

ORDERS = 5_000
"""Over two years: seven a day."""

ALLOWED = 1_000
"""Steps beside those of an empty ledger, for seven orders of the last day and a list of twenty. Looking at every order
takes ten thousand."""


async def test_a_ledger_of_thousands_of_orders_is_looked_at_and_written_as_quickly_as_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def counted(path: Path, busy_seconds: float) -> sqlite3.Connection:
        connection = open_file(path, busy_seconds)

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        connection.set_progress_handler(step, 1)
        return connection

    monkeypatch.setattr("dropship_mcp.ledger.file.open_file", counted)
    taken: dict[int, dict[str, int]] = {}
    for size in (0, ORDERS):
        fill(path := tmp_path / f"{size}.sqlite3", size, datetime.now(UTC))
        ledger = SqliteLedger(path)
        taken[size] = {}
        for what, work in (await asked_of(ledger)).items():
            await work(0)
            began = steps
            await work(1)
            taken[size][what] = steps - began
        await ledger.close()

    more = {what: taken[ORDERS][what] - few for what, few in taken[0].items()}
    assert {what: count for what, count in more.items() if count > ALLOWED} == {}, taken
