"""What went out before, as far as the operator's rules ask for it. Runs inside the transaction that claims an order."""

from __future__ import annotations

from dataclasses import astuple
from datetime import datetime

from dropship_mcp.ledger.history import TOTAL_UNIT
from dropship_mcp.ledger.postgres_driver import Connection
from dropship_mcp.ledger.reading import time_text
from dropship_mcp.ledger.rows import Content, OrderKey
from dropship_mcp.policy import DAY, HOUR, Before, Policy

_OTHERS = (
    "FROM orders WHERE since > $1 AND mode = $2 AND state <> 'refused' "
    "AND NOT (provider = $3 AND account = $4 AND reference = $5)"
)


async def before(db: Connection, key: OrderKey, content: Content, policy: Policy, now: datetime) -> Before:
    """Orders of this mode that were not refused. This order's own row does not count: it is promised anew.

    A time in the future (a clock was set back) counts as now.
    """
    if not policy.counts():
        return Before()
    own = (time_text(now - DAY), *astuple(key))
    counted = await db.fetchrow(
        f"SELECT count(*) FILTER (WHERE since > $6), count(*), coalesce(sum(total), 0) {_OTHERS}",
        *(*own, time_text(now - HOUR)),
    )
    assert counted is not None  # it always has one row
    count_hour, count, total = counted
    twin = await db.fetchval(
        f"SELECT reference {_OTHERS} AND parcel = $6 AND parcel <> '' ORDER BY since DESC LIMIT 1",
        *(*own, content.parcel),
    )
    return Before(
        orders_last_hour=count_hour,
        orders_last_day=count,
        total_last_day=total * TOTAL_UNIT,
        same_parcel=twin or "",
    )
