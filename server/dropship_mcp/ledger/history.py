"""What went out before, as far as the operator's rules ask for it. Runs inside the transaction that claims an order."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal

from dropship_mcp.ledger.reading import time_text
from dropship_mcp.ledger.rows import Content, Terms
from dropship_mcp.policy import DAY, HOUR, Before, Policy

TOTAL_UNIT = Decimal("0.0001")
"""Totals are kept as whole numbers of this, so that they add up exactly."""

LARGEST_TOTAL = 10**17
"""In units: more than any limit can allow, and a number that the database can hold."""


def total_of(terms: Terms | None) -> int | None:
    """For the ledger's `total` column; rounded up, so that no limit is passed by a fraction."""
    total = terms.facts.total if terms else None
    if total is None:
        return None
    return min(int((total / TOTAL_UNIT).to_integral_value("ROUND_CEILING")), LARGEST_TOTAL)


def before(
    db: sqlite3.Connection, mode: str, own: int | None, content: Content, policy: Policy, now: datetime
) -> Before:
    """Orders of this mode that were not refused. This order's own row does not count: it is promised anew.

    A time in the future (a clock was set back) counts as now.
    """
    if not policy.counts():
        return Before()
    hour, day = time_text(now - HOUR), time_text(now - DAY)
    others = "since > ? AND mode = ? AND state <> 'refused' AND id IS NOT ?"
    known = (day, mode, own)
    count_hour, count, total, twin = 0, 0, 0, None
    if policy.deny.counts() or policy.ask.counts():
        count_hour, count, total = db.execute(
            # sum() fails on what total() can add up; that is exact up to 2**53 units
            "SELECT coalesce(sum(since > ?), 0), count(*), CAST(total(total) AS INTEGER) "
            f"FROM orders INDEXED BY orders_by_time WHERE {others}",
            (hour, *known),
        ).fetchone()
    if policy.same_parcel != "allow":
        twin = db.execute(
            f"SELECT reference FROM orders WHERE parcel = ? AND parcel <> '' AND {others} ORDER BY since DESC LIMIT 1",
            (content.parcel, *known),
        ).fetchone()
    return Before(
        orders_last_hour=count_hour,
        orders_last_day=count,
        total_last_day=total * TOTAL_UNIT,
        same_parcel=twin[0] if twin else "",
    )
