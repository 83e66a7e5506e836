"""`/readyz` is about writing: a ledger that can only be read is not ready, all are asked at once and not all the time,
and one that does not answer holds nobody up."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.web.readiness import KEPT_SECONDS, Readiness
from dropship_tools.errors import LedgerUnavailable

pytestmark = pytest.mark.anyio


class Watched(SqliteLedger):
    """A ledger that does as the test says when it is asked to write."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "ledger.sqlite3")
        self.asked = 0
        self.asking = anyio.Event()
        self.until: anyio.Event | None = None
        self.broken = False

    async def check(self) -> None:
        self.asked += 1
        self.asking.set()
        if self.until:
            await self.until.wait()
        if self.broken:
            raise LedgerUnavailable("it is read-only", fix="mend it")


async def test_a_ledger_that_can_be_written_is_ready_and_keeps_nothing(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3")

    assert await Readiness([ledger])()
    assert await ledger.recent() == []


async def test_one_ledger_that_cannot_be_written_makes_the_server_unready(tmp_path: Path) -> None:
    broken = Watched(tmp_path)
    broken.broken = True

    assert not await Readiness([Watched(tmp_path), broken])()


async def test_all_ledgers_are_asked_at_once(tmp_path: Path) -> None:
    one, other = Watched(tmp_path), Watched(tmp_path)
    one.until, other.until = other.asking, one.asking  # each answers once the other was asked

    assert await Readiness([one, other])()


async def test_a_ledger_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    silent = Watched(tmp_path)
    silent.until = anyio.Event()

    assert not await Readiness([Watched(tmp_path), silent], deadline=0.05)()


async def test_an_answer_counts_for_a_moment_whoever_asks(tmp_path: Path) -> None:
    now, ledger = [100.0], Watched(tmp_path)
    ready = Readiness([ledger], lambda: now[0])
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ready)
    assert ledger.asked == 1

    ledger.broken = True
    assert await ready()
    now[0] += KEPT_SECONDS
    assert not await ready()
    assert ledger.asked == 2
