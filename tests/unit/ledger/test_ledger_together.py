"""What an order's records cost: few waits for the disk, shared by orders at the same moment, and each still on its own."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from dropship_mcp.ledger import OrderKey
from dropship_mcp.ledger.file import LedgerFile
from dropship_mcp.ledger.rows import LostOrder
from dropship_tools.errors import LedgerUnavailable
from unit.ledger.ledgers import CONTENT, FACTS, KEY, open_ledger

pytestmark = pytest.mark.anyio


class Statements:
    """What was said to SQLite, by every connection opened since."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        said = self.said

        class Noted(sqlite3.Connection):
            def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
                said.append(sql)
                return super().execute(sql, parameters)

        real: Any = sqlite3.connect

        def connect(path: Path, **options: Any) -> sqlite3.Connection:
            return real(path, factory=Noted, **options)

        monkeypatch.setattr(sqlite3, "connect", connect)

    def waits(self) -> int:
        """How often a commit waited for the disk."""
        count, full = 0, True
        for sql in self.said:
            full = sql.endswith("FULL") if sql.startswith("PRAGMA synchronous") else full
            count += sql == "COMMIT" and full
        return count

    def queries(self) -> int:
        """How many statements there were within transactions."""
        return sum(not sql.startswith(("PRAGMA", "BEGIN", "COMMIT")) for sql in self.said)

    def commits(self) -> int:
        """How many transactions there were."""
        return self.said.count("COMMIT")


def key_of(number: int) -> OrderKey:
    """One of many orders."""
    return OrderKey("sandbox", "dipli", "sandbox", f"R-{number}")


async def test_a_placed_order_waits_for_the_disk_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_ledger(tmp_path) as ledger:
        await ledger.recent()
    statements = Statements(monkeypatch)
    async with open_ledger(tmp_path) as ledger:
        row = (await ledger.claim(KEY, await ledger.hashes(CONTENT))).row
        assert statements.waits() == 0
        row = await ledger.sending(row)
        assert statements.waits() == 1
        await ledger.placed(row, "A-1", FACTS)
        assert statements.waits() == 2


async def test_a_placed_order_takes_seven_statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements = Statements(monkeypatch)
    async with open_ledger(tmp_path) as ledger:
        await ledger.recent()
        before = statements.queries()
        row = (await ledger.claim(KEY, await ledger.hashes(CONTENT))).row
        await ledger.placed(await ledger.sending(row), "A-1", FACTS)
        assert statements.queries() - before == 7


async def test_orders_at_the_same_moment_share_their_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements = Statements(monkeypatch)
    async with open_ledger(tmp_path) as ledger:
        content = await ledger.hashes(CONTENT)
        before = statements.commits()

        async def order(number: int) -> None:
            row = (await ledger.claim(key_of(number), content)).row
            await ledger.placed(await ledger.sending(row), f"A-{number}", FACTS)

        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(order, number)
        assert len(await ledger.recent()) == 50
    assert statements.commits() - before <= 12  # three rounds for all, and stragglers; one by one it were 150


async def test_one_that_fails_leaves_the_others_written(tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        content = await ledger.hashes(CONTENT)
        rows = [(await ledger.claim(key_of(number), content)).row for number in range(6)]
        await ledger.refused(rows[3], "settled before")
        failed: list[int] = []

        async def send(number: int) -> None:
            try:
                await ledger.sending(rows[number])
            except LostOrder:
                failed.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(send, number)
        states = {row.key.reference: row.state for row in await ledger.recent()}
        assert failed == [3]
        assert states == {f"R-{number}": "refused" if number == 3 else "sending" for number in range(6)}


def put(name: str, fault: Exception | None = None) -> Callable[[sqlite3.Connection], str]:
    """A change, which may fail after it was made."""

    def work(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO facts (name, value) VALUES (?, '')", (name,))
        if fault:
            raise fault
        return name

    return work


async def names(file: LedgerFile) -> set[str]:
    """What was put."""
    found = await file.read(lambda db: db.execute("SELECT name FROM facts").fetchall())
    return {name for (name,) in found} - {"key_id"}


@pytest.mark.parametrize(
    "fault", [sqlite3.OperationalError("database or disk is full"), OSError(28, "full"), LostOrder("x")]
)
async def test_nothing_of_a_change_that_fails_is_kept(tmp_path: Path, fault: Exception) -> None:
    file = LedgerFile(tmp_path / "ledger.sqlite3")
    ends: dict[str, str] = {}

    async def write(name: str) -> None:
        try:
            ends[name] = await file.write(put(name, fault if name == "bad" else None))
        except (LedgerUnavailable, LostOrder) as error:
            ends[name] = type(error).__name__

    try:
        await names(file)
        async with anyio.create_task_group() as tasks:
            for name in ("first", "bad", "last"):
                tasks.start_soon(write, name)
        why = "LostOrder" if isinstance(fault, LostOrder) else "LedgerUnavailable"
        assert ends == {"first": "first", "bad": why, "last": "last"}
        assert await names(file) == {"first", "last"}
    finally:
        await file.close()


async def test_a_change_whose_caller_went_away_before_its_turn_is_not_made(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path / "ledger.sqlite3")
    go_on = threading.Event()

    def hold(_: sqlite3.Connection) -> bool:
        return go_on.wait(20)

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(file.read, hold)
            await anyio.wait_all_tasks_blocked()
            with anyio.move_on_after(0):
                await file.write(put("gone"))
            go_on.set()
        await file.write(put("here"))
        assert await names(file) == {"here"}
    finally:
        await file.close()
