"""What was promised, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from dropship_mcp.ledger.protocol import Approvals, Ledger
from dropship_mcp.ledger.rows import (
    Approval,
    Claim,
    Content,
    Decided,
    LostOrder,
    OrderKey,
    Row,
    State,
    Terms,
    Withheld,
)
from dropship_mcp.ledger.sqlite import SqliteLedger, utc_now
from dropship_mcp.ledger_settings import LedgerDatabase

__all__ = [
    "Approval",
    "Approvals",
    "Claim",
    "Content",
    "Decided",
    "Ledger",
    "LostOrder",
    "OrderKey",
    "Row",
    "SqliteLedger",
    "State",
    "Terms",
    "Withheld",
    "make_ledger",
    "utc_now",
]


def make_ledger(place: Path | LedgerDatabase, *, scope: str = "", now: Callable[[], datetime] = utc_now) -> Ledger:
    """The ledger at `place`. Each scope has one of its own there: another file, or another schema."""
    if isinstance(place, LedgerDatabase):
        from dropship_mcp.ledger.postgres import PostgresLedger  # asyncpg is an extra

        return PostgresLedger(place, now=now, scope=scope)
    return SqliteLedger(_scoped(place, scope), now=now)


def _scoped(path: Path, scope: str) -> Path:
    if not scope:
        return path
    digest = hashlib.sha256(scope.encode()).hexdigest()[:16]  # some file systems take A for a, and cut long names
    return path.with_name(f"{path.stem}.{quote(scope, safe='')[:64]}-{digest}{path.suffix}")
