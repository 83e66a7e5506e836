"""From Duoplane's orders, purchase orders and shipments to our answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dropship_tools.duoplane.client import Created
from dropship_tools.duoplane.models import (
    DuoplaneOrder,
    DuoplanePlaced,
    ItemResult,
    ListedOrder,
    OrderList,
    PurchaseOrderResult,
    ShipmentResult,
)
from dropship_tools.duoplane.paging import Page
from dropship_tools.duoplane.statuses import progress
from dropship_tools.duoplane.wire_shapes import (
    WireAddressFacts,
    WireItemFacts,
    WireOrder,
    WirePurchaseOrder,
    WirePurchaseOrderItem,
    WireShipment,
)
from dropship_tools.orders import ShipTo

CURRENCY = "the store's, not stated by Duoplane"
ACCEPTED = (
    "Accepted by Duoplane: neither a draft nor proof that a vendor has it. Account settings may send purchase orders "
    "to vendors without another call; look with duoplane_get_order."
)
COMPLAINED = "The order exists, but Duoplane named problems: a person must look at it in Duoplane. Do not order again."
NO_PURCHASE_ORDER = (
    "No purchase order seen: not split yet, made by hand in this account, or kept under another number of the order."
)
EXISTED = (
    "Duoplane already showed an order under this number, so nothing was sent. A person must compare the two: the sales "
    "channel may have brought it."
)
LOOK_CLOSER = "A listed order tells no status: duoplane_get_order by order_id."
ITEMS_LISTED = 3
COMPLAINS = "Duoplane names problems with this order: read them with duoplane_get_order."
NO_CANCEL = "No API cancels or changes an order; a person can act at app_url."


def placed(created: Created, reference: str, app_url: str, doubts: Sequence[str] = ()) -> DuoplanePlaced:
    """What the ledger keeps of an accepted order: no personal data."""
    return DuoplanePlaced(
        reference=reference,
        order_id=created.order_id,
        status="problem" if created.complaints else "received",
        provider_status="accepted with errors" if created.complaints else "accepted",
        warnings=[*created.complaints, *doubts, *_unmatched(created.unmatched)],
        next_step=COMPLAINED if created.complaints else ACCEPTED,
        app_url=app_url,
    )


def found(order: WireOrder, reference: str, doubts: Sequence[str], app_url: str) -> DuoplanePlaced:
    """What the ledger keeps of an order that was seen, not placed by this call."""
    return DuoplanePlaced(
        reference=reference,
        order_id=order.id or "",
        status="received",
        provider_status="seen in Duoplane",
        warnings=[*doubts, *_unmatched(order.unmatched())],
        next_step=ACCEPTED,
        app_url=app_url,
    )


def _unmatched(skus: Sequence[str]) -> list[str]:
    named = ", ".join(skus[:5])
    return [f"Duoplane shows no vendor SKU for: {named}; such lines may reach no vendor."] if skus else []


def full(
    order: WireOrder,
    purchase_orders: Sequence[WirePurchaseOrder] | None,
    shipments: Sequence[WireShipment] | None,
    warnings: Sequence[str],
    app_url: str,
    *,
    shown: bool = True,
) -> DuoplaneOrder:
    """The whole order. None for what could not be read; `shown` is false where the order itself could not."""
    facts, address = order.attributes, order.relationships.shipping_address
    far = None if purchase_orders is None else progress(order.items(), purchase_orders, shipments)
    return DuoplaneOrder(
        reference=facts.external_id or "",
        order_id=order.id or "",
        status=far.status() if far else "unknown",
        provider_status=far.in_words() if far else "accepted; purchase orders not read",
        warnings=list(warnings),
        next_step=NO_CANCEL if purchase_orders or far is None else NO_PURCHASE_ORDER,
        sources=list(_sources(shown, purchase_orders, shipments)),
        app_url=app_url,
        internal_id=facts.internal_id or "",
        store_id=facts.store_id or "",
        ordered_at=facts.ordered_at or "",
        created_at=_unless(facts.ordered_at, facts.created_at),
        updated_at=_unless(facts.created_at, facts.updated_at),
        currency=CURRENCY if any(item.price for item in order.items()) else "",
        ship_to=_ship_to(address.attributes) if address else None,
        items=[_item(item) for item in order.items()],
        purchase_orders=[_purchase_order(row) for row in purchase_orders or []],
        shipments=[parcel for row in shipments or [] for parcel in _parcels(row, purchase_orders or [])],
    )


def listed(page: Page[WireOrder], number: int) -> OrderList:
    """One page of orders, never more rows than were asked for."""
    warnings = list(page.complaints)
    if (unshown := len(page.rows) - page.size) > 0:
        warnings.append(f"Duoplane sent more than per_page; {unshown} orders of this page are not shown.")
    if number == 1 and page.more and page.oldest_first:
        newest = f"page {page.last}" if page.last else "the last page"
        warnings.append(f"The oldest orders come first here; the newest are on {newest}.")
    return OrderList(
        orders=[_listed(row) for row in page.rows[: page.size]],
        page=number,
        has_more=page.more,
        warnings=warnings,
        next_step=LOOK_CLOSER if page.rows else "",
    )


def _listed(row: WireOrder) -> ListedOrder:
    facts, address = row.attributes, row.relationships.shipping_address
    items = [f"{item.quantity or '?'} x {item.retailer_sku or item.name or '?'}" for item in row.items()]
    more = [f"and {len(items) - ITEMS_LISTED} more"] if len(items) > ITEMS_LISTED else []
    return ListedOrder(
        order_id=row.id or "",
        reference=facts.external_id or "",
        internal_id=facts.internal_id or "",
        store_id=facts.store_id or "",
        ordered_at=facts.ordered_at or facts.created_at or "",
        country=address.attributes.country_iso2 or "" if address else "",
        items=", ".join(items[:ITEMS_LISTED] + more),
    )


def _unless(known: str | None, time: str | None) -> str:
    """`time`, unless it says again what is known."""
    return "" if time == known else time or ""


def _sources(
    shown: bool, purchase_orders: Sequence[WirePurchaseOrder] | None, shipments: Sequence[WireShipment] | None
) -> Iterator[str]:
    """Which API told what: the order object itself has no status, vendor or tracking (sheet section 9)."""
    if shown:
        yield "order, items, ship_to: new API"
    if purchase_orders is None:
        yield "status: none, Duoplane states no order status"
        return
    yield "purchase_orders: old API"
    if shipments is None:
        yield "status: computed from purchase orders"
        return
    yield "shipments: old API"
    yield "status: computed from purchase orders and shipments"


def _ship_to(address: WireAddressFacts) -> ShipTo:
    return ShipTo(
        name=" ".join(filter(None, (address.first_name, address.last_name))),
        company=address.company_name or "",
        street=" ".join(filter(None, (address.address_1, address.address_2))),
        postcode=address.post_code or "",
        city=address.city or "",
        state=address.province_code or address.province_name or "",
        country=address.country_iso2 or address.country_name or "",
    )


def _item(item: WireItemFacts) -> ItemResult:
    return ItemResult(
        retailer_sku=item.retailer_sku or "",
        name=item.name or "",
        quantity=item.quantity,
        price=item.price or "",
        vendor_sku=item.vendor_sku or "",
    )


def _purchase_order(row: WirePurchaseOrder) -> PurchaseOrderResult:
    return PurchaseOrderResult(
        reference=row.public_reference or row.id or "",
        vendor=row.vendor or "",
        vendor_reference=row.vendor_reference or "",
        sent_at=row.sent_at or "",
        promise_date=row.promise_date or "",
        status=row.status or "",
        items=[_asked(item) for item in row.order_items or []],
    )


def _asked(item: WirePurchaseOrderItem) -> ItemResult:
    return ItemResult(
        retailer_sku=item.retailer_sku or "",
        name=item.name or "",
        quantity=item.quantity,
        quantity_open=item.quantity_open,
    )


def _parcels(row: WireShipment, purchase_orders: Sequence[WirePurchaseOrder]) -> list[ShipmentResult]:
    """One result per tracking number; one without, if the vendor gave none."""
    references = {order.id: order.public_reference for order in purchase_orders}
    whole = ShipmentResult(
        purchase_order=row.purchase_order_public_reference or references.get(row.purchase_order_id) or "",
        carrier=row.shipper_name or "",
        shipped_at=row.created_at or "",
    )
    return [
        whole.model_copy(update={"tracking": parcel.tracking or "", "tracking_url": parcel.tracking_url or ""})
        for parcel in row.shipment_trackings_attributes or []
    ] or [whole]
