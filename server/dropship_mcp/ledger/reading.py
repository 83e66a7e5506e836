"""From the ledger's tables to its words."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from dropship_mcp.ledger.rows import Content, OrderKey, Row

COLUMNS = (
    "id, mode, provider, account, reference, state, attempt, owner, fingerprint, fields, trace, parcel, order_id, "
    "answer, reason, since, sent_at, changed_at"
)


def time_text(value: datetime) -> str:
    """A time as the ledger keeps it: UTC, so that text sorts as time does."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds")


def select(db: sqlite3.Connection, key: OrderKey) -> Row | None:
    """One order, as it is stored."""
    query = f"SELECT {COLUMNS} FROM orders WHERE mode = ? AND provider = ? AND account = ? AND reference = ?"
    found = db.execute(query, (key.mode, key.provider, key.account, key.reference)).fetchone()
    return read_row(found) if found else None


def read_row(found: Any) -> Row:
    """`COLUMNS` as a row. Raises ValueError for what the ledger never wrote."""
    (id_, mode, provider, account, reference, state, attempt, owner, fingerprint, fields, *rest) = found
    trace, parcel, order_id, answer, reason, since, sent_at, changed_at = rest
    return Row(
        id=id_,
        key=OrderKey(mode, provider, account, reference),
        state=state,
        attempt=attempt,
        owner=owner,
        content=Content(fingerprint, json.loads(fields), trace, parcel=parcel),
        order_id=order_id,
        answer=json.loads(answer) if answer else {},
        reason=reason,
        since=datetime.fromisoformat(since),
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        changed_at=datetime.fromisoformat(changed_at),
    )
