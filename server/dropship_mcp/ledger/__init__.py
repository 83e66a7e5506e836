"""What was promised, and what became of it."""

from dropship_mcp.ledger.rows import Claim, Content, OrderKey, Row, State
from dropship_mcp.ledger.sqlite import SqliteLedger as Ledger

__all__ = ["Claim", "Content", "Ledger", "OrderKey", "Row", "State"]
