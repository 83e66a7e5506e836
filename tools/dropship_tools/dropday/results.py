"""From Dropday's orders to our answers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from dropship_tools.dropday.dates import to_iso
from dropship_tools.dropday.models import DropdayOrder, DropdayPlaced, LineResult, WireAddress, WireLine, WireOrder
from dropship_tools.dropday.statuses import in_words, line_status, order_status
from dropship_tools.orders import ShipTo

CURRENCY = "not stated by Dropday"
BLOCKED = "Dropday has blocked this order and gives no reason; a person must look in the Dropday dashboard."
UNMATCHED = "No supplier is matched yet to the lines in unmatched_lines; if that stays so, nobody will buy them."
ASK_SUPPLIER = (
    "For shipping and tracking ask the supplier: completed means handed to the supplier, Dropday knows nothing later."
)


def placed(order: WireOrder) -> DropdayPlaced:
    """What the ledger keeps of an order: no personal data."""
    lines = order.order_lines or []
    words, blocked, test = line_words(order), bool(order.blocked), bool(order.test)
    unmatched = [] if test else [line.external_id or line.name or "?" for line in lines if not _supplier(line)]
    return DropdayPlaced(
        reference=order.external_id or "",
        order_id=order.reference,
        status=order_status(words, blocked=blocked),
        provider_status=in_words(words, blocked=blocked),
        warnings=[BLOCKED] * blocked + [UNMATCHED] * bool(unmatched),
        next_step="Follow it with dropday_get_order.",
        blocked=blocked,
        test=test,
        unmatched_lines=unmatched,
    )


def full(order: WireOrder) -> DropdayOrder:
    """The whole order."""
    lines = order.order_lines or []
    words, blocked, shipping = line_words(order), bool(order.blocked), order.shipping
    return DropdayOrder(
        reference=order.external_id or "",
        order_id=order.reference,
        status=order_status(words, blocked=blocked),
        provider_status=in_words(words, blocked=blocked),
        warnings=[BLOCKED] * blocked,
        next_step=ASK_SUPPLIER,
        blocked=blocked,
        test=bool(order.test),
        source=order.source or "",
        total=money(order.total),
        shipping_cost=money(shipping.cost if shipping else None),
        currency=CURRENCY,
        delivery_date=to_iso((shipping and shipping.delivery_date) or ""),
        ship_to=_ship_to(order.shipping_address) if order.shipping_address else None,
        lines=[_line(line) for line in lines],
        created_at=order.created_at or "",
        updated_at=order.updated_at or "",
    )


def line_words(order: WireOrder) -> list[str]:
    """Dropday's words about the lines."""
    return [line.current_status or "unknown" for line in order.order_lines or []]


def _supplier(line: WireLine) -> str:
    supplier = line.matched_supplier
    return (supplier and (supplier.name or supplier.id)) or ""


def _line(line: WireLine) -> LineResult:
    status = line.current_status or "unknown"
    told = [log.message for log in line.logs or [] if log.status == status and log.message]
    return LineResult(
        external_id=line.external_id or "",
        name=line.name or "",
        quantity=line.quantity or "",
        price=money(line.price),
        status=status,
        supplier=_supplier(line),
        why=told[-1] if told and line_status(status) == "problem" else "",
    )


def _ship_to(address: WireAddress) -> ShipTo:
    return ShipTo(
        name=" ".join(filter(None, (address.first_name, address.last_name))),
        company=address.company_name or "",
        street=" ".join(filter(None, (address.address1, address.address2))),
        postcode=address.postcode or "",
        city=address.city or "",
        state=address.state or "",
        country=address.country or "",
    )


def money(text: str | None) -> str:
    """`435.4` as `435.40`; more places, and what is no number, stay as they are."""
    if not text:
        return ""
    try:
        amount = Decimal(text)
        rounded = round(amount, 2)
        return str(rounded) if rounded == amount else text
    except (InvalidOperation, ValueError, OverflowError):
        return text
