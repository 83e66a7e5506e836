"""What was promised, and what became of it."""

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
from dropship_mcp.ledger.sqlite import SqliteLedger as Ledger
from dropship_mcp.ledger.sqlite import utc_now

__all__ = [
    "Approval",
    "Claim",
    "Content",
    "Decided",
    "Ledger",
    "LostOrder",
    "OrderKey",
    "Row",
    "State",
    "Terms",
    "Withheld",
    "utc_now",
]
