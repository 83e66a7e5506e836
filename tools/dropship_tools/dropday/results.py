"""From Dropday's orders to our answers."""

from __future__ import annotations

from dropship_tools.dropday.dates import to_iso
from dropship_tools.dropday.models import DropdayOrder, DropdayPlaced, LineResult, WireLine, WireOrder
from dropship_tools.dropday.statuses import in_words, order_status
from dropship_tools.orders import ShipTo

CURRENCY = "not stated by Dropday"
NOT_DELIVERY = "completed means handed to the supplier; Dropday knows no shipping, tracking or delivery"
BLOCKED = "Dropday has blocked this order and gives no reason; a person must look in the Dropday dashboard."


def _words(lines: list[WireLine]) -> list[str]:
    return [line.current_status or "unknown" for line in lines]


def placed(order: WireOrder) -> DropdayPlaced:
    """What the ledger keeps of an order: no personal data."""
    lines = order.order_lines or []
    blocked = bool(order.blocked)
    unmatched = [line.external_id or line.name or "?" for line in lines if line.matched_supplier is None]
    warnings = [BLOCKED] if blocked else []
    if unmatched and not order.test:
        warnings.append(
            "No supplier is matched yet to the lines in unmatched_lines; if that stays so, nobody will buy them."
        )
    return DropdayPlaced(
        reference=order.external_id or "",
        order_id=order.reference,
        status=order_status(_words(lines), blocked=blocked),
        provider_status=in_words(_words(lines), blocked=blocked),
        warnings=warnings,
        test=bool(order.test),
        blocked=blocked,
        unmatched_lines=[] if order.test else unmatched,
        next_step="Follow it with dropday_get_order.",
    )


def full(order: WireOrder) -> DropdayOrder:
    """The whole order."""
    lines = order.order_lines or []
    blocked = bool(order.blocked)
    address, shipping = order.shipping_address, order.shipping
    return DropdayOrder(
        reference=order.external_id or "",
        order_id=order.reference,
        status=order_status(_words(lines), blocked=blocked),
        provider_status=in_words(_words(lines), blocked=blocked),
        warnings=[BLOCKED] if blocked else [],
        next_step=NOT_DELIVERY,
        blocked=blocked,
        test=bool(order.test),
        source=order.source or "",
        total=order.total or "",
        shipping_cost=(shipping and shipping.cost) or "",
        currency=CURRENCY,
        delivery_date=to_iso((shipping and shipping.delivery_date) or ""),
        ship_to=ShipTo(
            name=" ".join(filter(None, (address.first_name, address.last_name))),
            company=address.company_name or "",
            street=" ".join(filter(None, (address.address1, address.address2))),
            postcode=address.postcode or "",
            city=address.city or "",
            state=address.state or "",
            country=address.country or "",
        )
        if address
        else None,
        lines=[
            LineResult(
                external_id=line.external_id or "",
                name=line.name or "",
                quantity=line.quantity or "",
                price=line.price or "",
                status=line.current_status or "unknown",
                supplier=(line.matched_supplier and line.matched_supplier.name) or "",
            )
            for line in lines
        ],
        created_at=order.created_at or "",
        updated_at=order.updated_at or "",
    )
