"""From Dipli's orders to our answers."""

from __future__ import annotations

from dropship_tools.dipli.models import DipliOrder, LineResult, WireAddress, WireItem, WireOrder
from dropship_tools.dipli.statuses import next_step, order_status
from dropship_tools.orders import Placed, ShipTo, decimal_text

CURRENCY = "EUR (assumed, Dipli states none)"
RECOGNISED = "Recognised by buyer, address and product: Dipli shows no alternative_id to know it by."


def created(reference: str, public_id: str) -> Placed:
    """What is known right after ordering: Dipli answers with its number only."""
    return Placed(reference=reference, order_id=public_id, status="received", next_step=next_step("received"))


def placed(order: WireOrder, reference: str) -> Placed:
    """What the ledger keeps of an order: no personal data. Dipli does not show the reference again."""
    status = order_status(order.shipping_status)
    return Placed(
        reference=reference,
        order_id=order.public_id,
        status=status,
        provider_status=order.shipping_status,
        next_step=next_step(status),
    )


def recognised(order: WireOrder, reference: str) -> Placed:
    """An order that was found by what it looks like."""
    return placed(order, reference).model_copy(update={"warnings": [RECOGNISED]})


def full(order: WireOrder, reference: str) -> DipliOrder:
    """The whole order."""
    amounts = [money(cents) for cents in (order.total_ttc, order.total_ht, order.shipping_ttc, order.shipping_ht)]
    total_incl_vat, total_excl_vat, shipping_incl_vat, shipping_excl_vat = amounts
    lines = [_line(item) for item in order.cart_items]
    is_link = order.bordereau_url.startswith("http")
    return DipliOrder(
        **vars(placed(order, reference)),
        payment_status=order.payment_status,
        tracking_courier=order.tracking_courier,
        tracking_number=order.tracking_number,
        total_incl_vat=total_incl_vat,
        total_excl_vat=total_excl_vat,
        shipping_incl_vat=shipping_incl_vat,
        shipping_excl_vat=shipping_excl_vat,
        currency=CURRENCY if any(amounts) or any(line.unit_price for line in lines) else "",
        ship_to=_ship_to(order.shipping_address),
        lines=lines,
        ordered_at=order.order_at,
        delivered_at=order.delivered_at,
        cancelled_at=order.canceled_at,
        delivery_slip_token="" if is_link else order.bordereau_url,
        delivery_slip_url=order.bordereau_url if is_link else "",
    )


def _ship_to(address: WireAddress) -> ShipTo | None:
    ship_to = ShipTo(
        name=" ".join(filter(None, (address.firstname, address.lastname))),
        company=address.company,
        street=", ".join(filter(None, (address.street, address.additional))),
        postcode=address.postcode,
        city=address.city,
        country=address.country,
    )
    return ship_to if any(vars(ship_to).values()) else None


def _line(item: WireItem) -> LineResult:
    # The names and SKUs of line and product may differ (sheet section 5); the line says what was ordered.
    return LineResult(
        name=item.product_name or item.product.name,
        sku=item.product_sku or item.product.sku,
        quantity=item.product_quantity or 0,
        grade=item.product.grade,
        unit_price=money(item.product.price),
    )


def money(cents: int | None) -> str:
    """Cents as a decimal string; empty where Dipli gave no amount."""
    return "" if cents is None else decimal_text(cents)
