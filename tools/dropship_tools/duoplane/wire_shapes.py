"""What both Duoplane APIs answer about orders and products, as far as we read it.

The new API (`/api/…`, https://developers.duoplane.com) wraps objects in `attributes` and `relationships`; the old one
(`/….json`) is flat, and alone knows purchase orders, shipments and stores (sheet sections 4 to 6).
"""

import re
from decimal import Decimal
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field

from dropship_tools.answers import WireModel
from dropship_tools.duoplane.ids import OptionalWireId, WireId
from dropship_tools.text import Said


def _embedded(value: Any) -> Any:
    """`attributes` and `relationships` are objects here, arrays of one object there, or null (sheet section 4)."""
    if isinstance(value, list):
        value = cast("list[Any]", value)[0] if value else None
    return {} if value is None else value


_COUNT = re.compile(r"[0-9]{1,9}")
_STOCK = re.compile(r"-?[0-9]{1,9}")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    """A number or text as text, if it looks like this; empty otherwise."""
    if isinstance(value, Decimal) and abs(value.adjusted()) < 20 and value == int(value):
        value = int(value)  # 2.0 is 2
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if pattern.fullmatch(text) else ""


def _count(value: Any) -> Any:
    """None for anything that is no plain whole number: it only serves arithmetic and display."""
    text = _matching(_COUNT, value)
    return int(text) if text else None


def _stock(value: Any) -> Any:
    text = _matching(_STOCK, value)
    return int(text) if text else None


def _amount(value: Any) -> Any:
    """Plain digits, as many as Duoplane gave: a number here, a text there (sheet section 5.7)."""
    if isinstance(value, Decimal) and abs(value.adjusted()) < 20:
        value = format(value, "f")
    return _matching(_AMOUNT, value) or None


def _flag(value: Any) -> Any:
    return _FLAGS.get(str(value).lower())


WireCount = Annotated[int | None, BeforeValidator(_count)] | None
"""Pieces."""

WireStock = Annotated[int | None, BeforeValidator(_stock)] | None
"""Pieces in stock; below zero when more were promised than there are."""

WireAmount = Annotated[str | None, BeforeValidator(_amount)] | None
"""Money as a decimal string in main units. No currency is stated anywhere (sheet section 5.1)."""

WireFlag = Annotated[bool | None, BeforeValidator(_flag)] | None
"""Yes, no, or not told."""


class WireRow(WireModel):
    """A row of any list."""

    id: OptionalWireId = None


class WireCreated(WireModel):
    """`data` of a create answer: all that must be there is the id."""

    id: WireId


class WireItemFacts(WireModel):
    """`attributes` of an order item."""

    name: Said | None = None
    quantity: WireCount = None
    price: WireAmount = None
    retailer_sku: Said | None = None
    vendor_sku: Said | None = None


class WireItem(WireModel):
    """One of `relationships.order_items`."""

    attributes: Annotated[WireItemFacts, BeforeValidator(_embedded)] = Field(default_factory=WireItemFacts)


class WireAddressFacts(WireModel):
    """`attributes` of an address."""

    first_name: Said | None = None
    last_name: Said | None = None
    company_name: Said | None = None
    address_1: Said | None = None
    address_2: Said | None = None
    city: Said | None = None
    post_code: Said | None = None
    province_name: Said | None = None
    province_code: Said | None = None
    country_name: Said | None = None
    country_iso2: Said | None = None


class WireAddress(WireModel):
    """`relationships.shipping_address`."""

    attributes: Annotated[WireAddressFacts, BeforeValidator(_embedded)] = Field(default_factory=WireAddressFacts)


class WireRelationships(WireModel):
    """`relationships` of an order."""

    order_items: list[WireItem] | None = None
    shipping_address: WireAddress | None = None


class WireOrderNumbers(WireModel):
    """The caller's own numbers in `attributes` of an order."""

    external_id: Said | None = None
    internal_id: Said | None = None


class WireOrderFacts(WireOrderNumbers):
    """`attributes` of an order."""

    store_id: OptionalWireId = None
    created_at: Said | None = None
    updated_at: Said | None = None
    ordered_at: Said | None = None


class WireListedOrder(WireRow):
    """A row of GET /api/orders, as far as needed to recognise an order."""

    attributes: Annotated[WireOrderNumbers, BeforeValidator(_embedded)] = Field(default_factory=WireOrderNumbers)


class WireOrder(WireRow):
    """`data` of GET /api/orders/{id} and of the create answer, and a whole row of GET /api/orders."""

    attributes: Annotated[WireOrderFacts, BeforeValidator(_embedded)] = Field(default_factory=WireOrderFacts)
    relationships: Annotated[WireRelationships, BeforeValidator(_embedded)] = Field(default_factory=WireRelationships)

    def items(self) -> list[WireItemFacts]:
        """The facts of all lines."""
        return [item.attributes for item in self.relationships.order_items or []]

    def unmatched(self) -> tuple[str, ...]:
        """SKUs of the lines that are shown without a vendor SKU."""
        return tuple(item.retailer_sku or "?" for item in self.items() if not item.vendor_sku)


# --- the wire, old API ------------------------------------------------------------------------------------------


class WirePurchaseOrderItem(WireModel):
    """One of a purchase order's `order_items`."""

    id: OptionalWireId = None
    name: Said | None = None
    retailer_sku: Said | None = None
    quantity: WireCount = None
    quantity_open: WireCount = None


class WirePurchaseOrder(WireRow):
    """A row of GET /purchase_orders.json. `vendor` is the name; an empty `sent_at` means not sent."""

    public_reference: Said | None = None
    order_id: OptionalWireId = None
    order_public_reference: Said | None = None
    sent_at: Said | None = None
    vendor: Said | None = None
    vendor_reference: Said | None = None
    promise_date: Said | None = None
    status: Said | None = None
    order_items: list[WirePurchaseOrderItem] | None = None


class WireTracking(WireModel):
    """One parcel."""

    tracking: Said | None = None
    tracking_url: Said | None = None


class WireShipmentItem(WireModel):
    """What of a line is in a shipment."""

    order_item_id: OptionalWireId = None
    quantity: WireCount = None


class WireShipment(WireRow):
    """A row of GET /shipments.json. The `_attributes` suffix serves reading and writing alike."""

    purchase_order_id: OptionalWireId = None
    purchase_order_public_reference: Said | None = None
    created_at: Said | None = None
    shipper_name: Said | None = None
    shipment_trackings_attributes: list[WireTracking] | None = None
    shipment_items_attributes: list[WireShipmentItem] | None = None


# --- products ---------------------------------------------------------------------------------------------------


class WireInventory(WireModel):
    """What one vendor has of a product (sheet section 5.6): flat in the old API, `attributes` in the new one."""

    vendor_id: OptionalWireId = None
    vendor_name: Said | None = None
    vendor_sku: Said | None = None
    cost: WireAmount = None
    manage_inventory: WireFlag = None
    quantity_available: WireStock = None
    backordered_until: Said | None = None


class WireInventoryObject(WireModel):
    """One of a product's `relationships.product_inventories`."""

    attributes: Annotated[WireInventory, BeforeValidator(_embedded)] = Field(default_factory=WireInventory)


class WireProductLinks(WireModel):
    """`relationships` of a product."""

    product_inventories: list[WireInventoryObject] | None = None


class WireProductFacts(WireModel):
    """`attributes` of a product."""

    name: Said | None = None
    retailer_sku: Said | None = None
    upc: Said | None = None
    mpn: Said | None = None
    other_barcode: Said | None = None


class WireProduct(WireRow):
    """`data` of GET and POST /api/products (sheet sections 5.4 and 5.5)."""

    attributes: Annotated[WireProductFacts, BeforeValidator(_embedded)] = Field(default_factory=WireProductFacts)
    relationships: Annotated[WireProductLinks, BeforeValidator(_embedded)] = Field(default_factory=WireProductLinks)

    def inventories(self) -> list[WireInventory]:
        """What each vendor has of it."""
        return [row.attributes for row in self.relationships.product_inventories or []]


class WireStoreProduct(WireModel):
    """A store that sells a product."""

    store_id: OptionalWireId = None
    store_name: Said | None = None


class WireListedProduct(WireRow):
    """A row of GET /products.json (sheet section 6.6)."""

    name: Said | None = None
    retailer_sku: Said | None = None
    product_type: Said | None = None
    product_inventories: list[WireInventory] | None = None
    store_products: list[WireStoreProduct] | None = None
