"""Ledgers over files in a test's folder."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dropship_mcp.ledger import Ledger, OrderKey, Row, SqliteLedger
from unit.sandbox.worlds import Clock

KEY = OrderKey("sandbox", "dipli", "sandbox", "R-1")
CONTENT = {"buyer": "Jane Doe", "address": {"street": "1 rue Haute", "city": "Lyon"}, "product_id": 11}
FACTS = {"order_id": "A-1", "status": "received"}


@asynccontextmanager
async def open_ledger(folder: Path, clock: Clock | None = None, **options: Any) -> AsyncGenerator[Ledger]:
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
