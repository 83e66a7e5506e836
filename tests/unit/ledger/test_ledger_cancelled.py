"""Whoever is cancelled while the ledger writes, in whatever way, the write is finished and nobody else is misled.

`Task.cancel` goes through anyio's shields, so it is tried as well as a cancelled scope.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from dropship_mcp.finishing import finished
from dropship_mcp.ledger.file import LedgerFile

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def ledger(folder: Path) -> AsyncGenerator[LedgerFile]:
    """With a table of its own."""
    file = LedgerFile(folder / "ledger.sqlite3")
    await file.write(create)
    try:
        yield file
    finally:
        await file.close()


def create(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE seen (what TEXT)")


def adding(what: str) -> Callable[[sqlite3.Connection], None]:
    def add(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO seen VALUES (?)", (what,))

    return add


def on_disk(folder: Path) -> list[str]:
    """What another process sees."""
    db = sqlite3.connect(folder / "ledger.sqlite3")
    try:
        return [what for (what,) in db.execute("SELECT what FROM seen ORDER BY rowid")]
    finally:
        db.close()


class Held:
    """Work with the file that takes as long as the test likes."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.began = anyio.Event()
        self._loop = asyncio.get_running_loop()
        self._go_on = threading.Event()

    def __call__(self, db: sqlite3.Connection) -> None:
        """In the ledger's thread."""
        self._loop.call_soon_threadsafe(self.began.set)
        assert self._go_on.wait(10)
        adding(self._what)(db)

    def go_on(self) -> None:
        """Enough."""
        self._go_on.set()


@pytest.mark.parametrize("how", ["task", "scope"])
async def test_a_write_that_shares_its_transaction_counts_only_once_it_is_committed(tmp_path: Path, how: str) -> None:
    scope = anyio.CancelScope()
    seen_after: list[list[str]] = []

    async def leader(file: LedgerFile, held: Held) -> None:
        with scope:
            await file.write(held)

    async def follower(file: LedgerFile) -> None:
        await file.write(adding("order leaves"))
        seen_after.append(on_disk(tmp_path))

    async with ledger(tmp_path) as file:
        first, held = Held("before"), Held("held")
        reading = asyncio.create_task(file.read(first))  # so that both writes wait for their turn together
        await first.began.wait()
        led = asyncio.create_task(leader(file, held))
        await anyio.wait_all_tasks_blocked()
        follows = asyncio.create_task(follower(file))
        await anyio.wait_all_tasks_blocked()
        first.go_on()
        await held.began.wait()
        led.cancel() if how == "task" else scope.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not follows.done()
        held.go_on()
        await asyncio.wait((reading, led, follows))

        assert seen_after == [["before", "held", "order leaves"]]


@pytest.mark.parametrize("cancel", ["write", "read"])
async def test_the_next_one_waits_until_the_thread_is_done_with_the_file(tmp_path: Path, cancel: str) -> None:
    async with ledger(tmp_path) as file:
        held = Held("held")
        work = asyncio.create_task(file.write(held) if cancel == "write" else file.read(held))
        await held.began.wait()
        work.cancel()
        second = asyncio.create_task(file.write(adding("second")))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not second.done()
        held.go_on()
        await second
        assert work.cancelled()
    assert on_disk(tmp_path)[-1] == "second"


async def test_what_failed_after_its_caller_was_cancelled_is_not_heard_of() -> None:
    go_on = anyio.Event()

    async def fail() -> None:
        await go_on.wait()
        raise ValueError

    waiting = asyncio.create_task(finished(fail()))
    await anyio.wait_all_tasks_blocked()
    waiting.cancel()
    await anyio.wait_all_tasks_blocked()
    assert not waiting.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
