"""Ledgers of each kind, for the tests that hold for all of them."""

from __future__ import annotations

import stat
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dropship_mcp.ledger import Ledger, OrderKey, Row, SqliteLedger, make_ledger
from dropship_mcp.ledger_settings import LedgerDatabase
from dropship_tools.secret import Secret
from unit.sandbox.worlds import Clock

KEY = OrderKey("sandbox", "dipli", "sandbox", "R-1")
CONTENT = {"buyer": "Jane Doe", "address": {"street": "1 rue Haute", "city": "Lyon"}, "product_id": 11}
FACTS = {"order_id": "A-1", "status": "received"}


@dataclass(frozen=True)
class Ledgers:
    """Where a test keeps its orders."""

    place: Path | LedgerDatabase
    scope: str = ""

    @classmethod
    def of(cls, where: str, scope: str, *key: str) -> Ledgers:
        """From `words`."""
        return cls(LedgerDatabase(Secret(where), Secret(key[0])) if key else Path(where), scope)

    def words(self) -> list[str]:
        """For a process that is told on its command line."""
        if isinstance(self.place, Path):
            return [str(self.place), self.scope]
        return [self.place.url.reveal(), self.scope, self.place.key.reveal()]

    def make(self, now: Callable[[], datetime] | None = None) -> Ledger:
        """The ledger there. Several at once are several processes to it."""
        return make_ledger(self.place, scope=self.scope, now=now or Clock())

    @asynccontextmanager
    async def open(self, now: Callable[[], datetime] | None = None) -> AsyncGenerator[Ledger]:
        """The ledger there, closed at the end."""
        ledger = self.make(now)
        try:
            yield ledger
        finally:
            await ledger.close()


@asynccontextmanager
async def open_ledger(folder: Path, clock: Clock | None = None, **options: Any) -> AsyncGenerator[SqliteLedger]:
    """The ledger in `folder`. Several at once are several processes to the ledger."""
    ledger = SqliteLedger(folder / "ledger.sqlite3", now=clock or Clock(), **options)
    try:
        yield ledger
    finally:
        await ledger.close()


async def won(ledger: Ledger, key: OrderKey = KEY) -> Row:
    """A row this ledger has promised to send."""
    claim = await ledger.claim(key, await ledger.hashes(CONTENT))
    assert claim.won
    return claim.row


async def in_state(ledger: Ledger, state: str, key: OrderKey = KEY) -> Row:
    """A row in any state, on the shortest way there."""
    row = await won(ledger, key)
    if state in ("sending", "unknown"):
        row = await ledger.sending(row)
    if state == "unknown":
        row = await ledger.unknown(row, "no answer came")
    if state == "placed":
        row = await ledger.placed(row, "A-1", FACTS)
    if state == "refused":
        row = await ledger.refused(row, "provider_refused")
    assert row.state == state
    return row


def mode_of(path: Path) -> str:
    """Permissions, as `chmod` writes them."""
    return oct(stat.S_IMODE(path.stat().st_mode))
