"""From Rewix's orders to our answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dropship_tools.rewix.dates import to_iso
from dropship_tools.rewix.models import RewixOrder, RewixPlaced, WireOrder
from dropship_tools.rewix.statuses import BOOKED, RESERVATION, in_words, meaning

EXISTED = (
    "Rewix already had an order with this key; nothing was ordered now. Its content cannot be read and may differ."
)


def placed(orders: Sequence[WireOrder], warnings: Sequence[str] = ()) -> RewixPlaced:
    """What the ledger keeps of the first of `orders`, which all have one key."""
    return RewixPlaced(**_common(orders, warnings))


def full(orders: Sequence[WireOrder]) -> RewixOrder:
    """The first of `orders` with everything Rewix tells."""
    order = orders[0]
    return RewixOrder(
        **_common(orders),
        substatus=order.substatus or "",
        tracking_code=order.tracking_code or "",
        tracking_url=order.tracking_url or "",
        last_update=to_iso(order.last_update or ""),
    )


def without_reservation(orders: Sequence[WireOrder]) -> list[WireOrder]:
    """The rows that are orders."""
    return [order for order in orders if order.status != RESERVATION]


def _common(orders: Sequence[WireOrder], warnings: Sequence[str] = ()) -> dict[str, Any]:
    order = orders[0]
    code = order.status or ""
    several = [f"Rewix shows {len(orders)} orders with this key: the parcel may be sent more than once."]
    return {
        "reference": order.ext_ref or "",
        "order_id": order.order_id,
        "status": meaning(code).status,
        "provider_status": in_words(code),
        "warnings": [*warnings, *(several if len(orders) > 1 else [])],
        "next_step": meaning(code).next_step,
        "payment_due": code == BOOKED,
        "carrier_name": order.carrier_name or "",
    }
