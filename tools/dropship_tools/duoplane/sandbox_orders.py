"""Orders of the Duoplane sandbox and what becomes of them: purchase orders and shipments (sheet 1, 5.1, 6.1, 6.4).

Only the order is stored. Its purchase orders and shipments follow from it and from the time, ids included, so every
process sees the same ones. There is one purchase order per vendor, for the items whose product is known; an item nobody
knows waits for a person, and nothing says so but a string in `errors`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dropship_tools.duoplane.sandbox_catalogue import PROVIDER, Product, all_products, with_sku
from dropship_tools.duoplane.sandbox_checks import Fields
from dropship_tools.sandbox.store import Document
from dropship_tools.sandbox.world import SandboxWorld

ORDER = "order"
FIRST_ORDER = 8800001
FIRST_PURCHASE_ORDER = 51000001
FIRST_SHIPMENT = 71000001
# More purchase orders than vendors there are cannot come from one order.
ROOM_PER_ORDER = 10

SPLIT_AFTER = timedelta(seconds=5)
SENT_AFTER = timedelta(seconds=60)
SHIPPED_AFTER = timedelta(seconds=180)
# The second vendor takes a minute longer, so that an order is partly shipped for a while.
LATER_VENDOR = timedelta(seconds=60)


@dataclass(frozen=True)
class Order:
    """A stored order. `items` carry what the catalogue knew when the order came in."""

    id: int
    created_at: datetime
    fields: Fields

    @property
    def items(self) -> list[Fields]:
        """The order items, each with its `id`."""
        return self.fields["order_items"]

    @property
    def public_reference(self) -> str:
        """The order number shown in purchase orders: the caller's `external_id`."""
        return self.fields["external_id"] or str(self.id)

    @property
    def ordered_at(self) -> datetime:
        """When the customer ordered; when it arrived, if nobody said."""
        said = self.fields["ordered_at"]
        return datetime.fromisoformat(said) if said else self.created_at


@dataclass(frozen=True)
class PurchaseOrder:
    """The part of an order one vendor is to ship. `shipped_at` is None while the vendor has not enough."""

    id: int
    order: Order
    vendor_id: int
    items: tuple[Fields, ...]
    created_at: datetime
    sent_at: datetime
    shipped_at: datetime | None

    @property
    def public_reference(self) -> str:
        """The retailer's own counter: unique, and no help in finding the order."""
        return f"PO-{self.id - FIRST_PURCHASE_ORDER + 10001}"

    @property
    def shipment_id(self) -> int:
        """The id of its one shipment, once there is one."""
        return self.id - FIRST_PURCHASE_ORDER + FIRST_SHIPMENT

    def is_sent(self, now: datetime) -> bool:
        """Whether the vendor has it."""
        return self.sent_at <= now

    def is_shipped(self, now: datetime) -> bool:
        """Whether the parcel is on its way."""
        return self.shipped_at is not None and self.shipped_at <= now

    def updated_at(self, now: datetime) -> datetime:
        """The last thing that happened to it."""
        happened = [moment for moment in (self.created_at, self.sent_at, self.shipped_at) if moment and moment <= now]
        return max(happened, default=self.created_at)


def add_order(world: SandboxWorld, checked: Fields) -> tuple[Order, list[str]]:
    """Keep a checked order; answers it and what deserves a warning.

    A known `external_id` makes another order, and an unknown SKU is no reason to refuse (sheet 5.1, 11.6).
    """
    products = all_products(world)
    warnings: list[str] = []
    items: list[Fields] = []
    for item in checked["order_items"]:
        product = _match(item, products, warnings)
        source = product.source(item["quantity"]) if product else None
        known = {
            "product_id": product.id if product else None,
            "vendor_id": source.vendor_id if source else None,
            "in_stock": source.covers(item["quantity"]) if source else False,
            "cost": source.cost if source else None,
            "vendor_sku": source.vendor_sku if source else None,
            "upc": product.upc if product else None,
            "mpn": product.mpn if product else None,
            "other_barcode": product.other_barcode if product else None,
        }
        items.append({**item, **known})
    body = {**checked, "order_items": items, "created_at": world.now().isoformat()}
    key = checked["external_id"] or ""
    return _stored(world.store.add(PROVIDER, ORDER, body, key=key, first_id=FIRST_ORDER)), warnings


def _match(item: Fields, products: list[Product], warnings: list[str]) -> Product | None:
    sku, product_id = item["retailer_sku"], item["retailer_product_id"]
    if product_id is not None:
        found = [product for product in products if product.id == product_id]
        if not found:
            warnings.append(f"retailer_product_id {product_id} does not match any product")
            return None
        if sku and found[0].retailer_sku != sku:
            warnings.append(f"retailer_product_id {product_id} does not have the retailer_sku {sku}")
        return found[0]
    found = with_sku(products, sku)
    if not found:
        warnings.append(f"retailer_sku {sku} does not match any product")
        return None
    if len(found) > 1:
        warnings.append(f"retailer_sku {sku} matches {len(found)} products, the oldest was taken")
    return found[0]


def _stored(document: Document) -> Order:
    order = Order(document.id, datetime.fromisoformat(document.body["created_at"]), document.body)
    for number, item in enumerate(order.items, 1):
        item["id"] = document.id * 1000 + number
    return order


def find_order(world: SandboxWorld, order_id: int) -> Order | None:
    """The order with this id, or None."""
    document = world.store.get(PROVIDER, ORDER, order_id)
    return None if document is None else _stored(document)


def newest_orders(world: SandboxWorld) -> list[Order]:
    """Every order, the newest first."""
    return [_stored(document) for document in reversed(world.store.all(PROVIDER, ORDER))]


def orders_with_reference(world: SandboxWorld, reference: str) -> list[Order]:
    """The orders whose public reference this is, the newest first."""
    return [order for order in newest_orders(world) if order.public_reference == reference]


def purchase_orders(order: Order, now: datetime) -> Iterator[PurchaseOrder]:
    """The purchase orders an order has by now: none before it is split, one per vendor afterwards."""
    created_at = order.created_at + SPLIT_AFTER
    if created_at > now:
        return
    known = [item for item in order.items if item["vendor_id"] is not None]
    vendors = list(dict.fromkeys(item["vendor_id"] for item in known))
    for position, vendor_id in enumerate(vendors):
        items = tuple(item for item in known if item["vendor_id"] == vendor_id)
        complete = all(item["in_stock"] for item in items)
        yield PurchaseOrder(
            id=FIRST_PURCHASE_ORDER + (order.id - FIRST_ORDER) * ROOM_PER_ORDER + position,
            order=order,
            vendor_id=vendor_id,
            items=items,
            created_at=created_at,
            sent_at=order.created_at + SENT_AFTER,
            shipped_at=order.created_at + SHIPPED_AFTER + position * LATER_VENDOR if complete else None,
        )


def updated_at(order: Order, now: datetime) -> datetime:
    """The last thing that happened to an order."""
    happened = [purchase_order.updated_at(now) for purchase_order in purchase_orders(order, now)]
    return max(happened, default=order.created_at)


def find_purchase_order(world: SandboxWorld, number: int) -> PurchaseOrder | None:
    """The purchase order with this id, if it exists by now."""
    order = find_order(world, FIRST_ORDER + (number - FIRST_PURCHASE_ORDER) // ROOM_PER_ORDER)
    if order is None:
        return None
    return next((found for found in purchase_orders(order, world.now()) if found.id == number), None)


def tracking_number(world: SandboxWorld, purchase_order: PurchaseOrder) -> str:
    """The tracking number of its shipment, the same whenever it is asked for."""
    return f"1Z{world.number(10**12, PROVIDER, 'tracking', purchase_order.id):012d}"


def data_of(fields: Fields, *names: str) -> dict[str, Any]:
    """Some of the fields, in this order."""
    return {name: fields[name] for name in names}
