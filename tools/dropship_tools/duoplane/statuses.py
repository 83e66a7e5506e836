"""What purchase orders and shipments mean for an order (sheet sections 5.1, 6.1 and 6.4).

Duoplane states no status of an order, and the words of its purchase orders are not documented; so the status is
computed from what was sent and shipped, and the raw words are shown beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dropship_tools.duoplane.wire_shapes import WireItemFacts, WirePurchaseOrder, WireShipment
from dropship_tools.orders import Status


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an order came: numbers of purchase orders.

    Attributes:
        shipped: those whose every piece was shipped; None where the shipments are not known.
        begun: whether anything was sent or shipped.
        missing: pieces of the order that stand on no purchase order.
    """

    purchase_orders: int
    sent: int
    shipped: int | None
    begun: bool
    missing: int

    def status(self) -> Status:
        """The neutral status."""
        if self.purchase_orders and self.shipped == self.purchase_orders and not self.missing:
            return "shipped"
        return "processing" if self.begun else "received"

    def in_words(self) -> str:
        """`2 purchase orders, 1 sent, 1 shipped; 3 pieces on none`."""
        if not self.purchase_orders:
            return "accepted; no purchase order seen"
        words = f"{self.purchase_orders} purchase order{'s' if self.purchase_orders > 1 else ''}, {self.sent} sent"
        if self.shipped is not None:
            words += f", {self.shipped} shipped"
        if self.missing:
            words += f"; {self.missing} piece{'s' if self.missing > 1 else ''} on none"
        return words


def progress(
    items: Sequence[WireItemFacts],
    purchase_orders: Sequence[WirePurchaseOrder],
    shipments: Sequence[WireShipment] | None,
) -> Progress:
    """Counts what was sent and shipped. `shipments` is None where they could not be read."""
    sent = sum(1 for row in purchase_orders if row.sent_at)
    ordered = sum(item.quantity or 0 for item in items)
    asked = sum(item.quantity or 0 for row in purchase_orders for item in row.order_items or [])
    return Progress(
        purchase_orders=len(purchase_orders),
        sent=sent,
        shipped=None if shipments is None else sum(1 for row in purchase_orders if _is_shipped(row, shipments)),
        begun=bool(sent or shipments),
        missing=max(0, ordered - asked) if purchase_orders else 0,
    )


def _is_shipped(purchase_order: WirePurchaseOrder, shipments: Sequence[WireShipment]) -> bool:
    """Whether shipments cover all of it. Nothing open alone is no proof: a deleted order has nothing open either."""
    parcels = [row for row in shipments if row.purchase_order_id == purchase_order.id]
    items = purchase_order.order_items or []
    if not parcels or not items:
        return False
    shipped: Counter[str | None] = Counter()
    for row in parcels:
        for line in row.shipment_items_attributes or []:
            shipped[line.order_item_id] += line.quantity or 0
    return all(
        item.quantity_open == 0 or (item.quantity is not None and shipped[item.id] >= item.quantity) for item in items
    )
