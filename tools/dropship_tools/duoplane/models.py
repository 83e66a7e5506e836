"""Arguments, wire shapes and results of both Duoplane APIs.

The new API (`/api/…`, https://developers.duoplane.com) creates orders and shows them; the old one (`/….json`) alone
knows purchase orders and shipments (sheet sections 5 and 6).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, cast

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dropship_tools.answers import WireModel
from dropship_tools.arguments import (
    Amount,
    Arguments,
    CreateArguments,
    Line,
    Note,
    Part,
    PositiveInt,
    Quantity,
    Reference,
    RequiredLine,
)
from dropship_tools.duoplane.addresses import Address, ShippingAddress
from dropship_tools.duoplane.ids import OptionalWireId, OrderId, WireId
from dropship_tools.orders import OrderResult, Placed, Result, ShipTo
from dropship_tools.text import Said

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")

ROUTING = "routing is Duoplane's; use retailer_sku or retailer_product_id"
"""For what agents send to choose a supplier; the API has no such field."""

FLAT = "give the fields flat; only answers are wrapped in data and attributes"


def _moment(value: str) -> str:
    if value:
        try:
            if not _MOMENT.fullmatch(value):
                raise ValueError
            datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a time with zone such as 2026-11-07T14:15:22Z") from None
    return value


class OrderNote(Part):
    """One of `order_notes` or `order_item_notes`."""

    title: Line = ""
    body: Note = ""


class OrderItem(Part):
    """One of `order_items`."""

    also_called: ClassVar[Mapping[str, str]] = {
        "sku": "retailer_sku",
        "product_id": "retailer_product_id",
        "id": "internal_id",
        "external_id": "internal_id",
        "qty": "quantity",
        "title": "name",
        "unit_price": "price",
        "notes": "order_item_notes",
        **dict.fromkeys(("vendor_sku", "vendor_id", "vendor", "vendor_name", "supplier", "cost"), ROUTING),
    }

    name: RequiredLine
    quantity: Quantity
    price: Amount | None = Field(default=None, description="retail, per piece, in the store's currency")
    retailer_product_id: PositiveInt | None = Field(default=None, description="Duoplane's product id")
    retailer_sku: Line = ""
    internal_id: Line = Field(default="", description="your line id")
    order_item_notes: Annotated[list[OrderNote], Field(max_length=20)] = Field(
        default_factory=list[OrderNote], description="vendors may see them"
    )

    @model_validator(mode="after")
    def _product(self) -> OrderItem:
        if not (self.retailer_sku or self.retailer_product_id):
            raise ValueError("needs retailer_sku or retailer_product_id")
        return self


class CreateOrder(CreateArguments):
    """POST /api/orders (sheet section 5.1)."""

    also_called: ClassVar[Mapping[str, str]] = {
        "items": "order_items",
        "line_items": "order_items",
        "products": "order_items",
        "reference": "external_id",
        "order_id": "external_id",
        "order_number": "external_id",
        "address": "shipping_address",
        "tags": "tag_names",
        "note": "customer_note",
        "notes": "order_notes",
        "date": "ordered_at",
        **dict.fromkeys(("data", "attributes", "relationships"), FLAT),
    }

    store_id: PositiveInt | None = Field(default=None, description="default: the account's")
    store_source_name: Line = ""
    internal_id: Line = ""
    external_id: Reference = Field(description="your order number, the same on every retry; a new one buys again")
    ordered_at: Annotated[Line, AfterValidator(_moment)] = Field(default="", description="2026-11-07T14:15:22Z")
    tag_names: Annotated[list[Line], Field(max_length=50)] = Field(default_factory=list[str])
    customer_note: Note = Field(default="", description="vendors may see it")
    order_notes: Annotated[list[OrderNote], Field(max_length=20)] = Field(default_factory=list[OrderNote])
    shipping_address: ShippingAddress
    billing_address: Address | None = None
    order_items: Annotated[list[OrderItem], Field(min_length=1, max_length=200)]


class GetOrder(Arguments):
    """GET /api/orders/{id}, joined with purchase orders and shipments (sheet sections 5.2, 6.1, 6.4)."""

    also_called: ClassVar[Mapping[str, str]] = {
        "id": "order_id",
        "duoplane_id": "order_id",
        "reference": "external_id",
        "order_number": "external_id",
        "order_public_reference": "external_id",
    }

    order_id: OrderId = Field(default="", description="Duoplane's number")
    external_id: Line = Field(default="", description="your order number")

    @model_validator(mode="after")
    def _one_id(self) -> GetOrder:
        if bool(self.order_id) == bool(self.external_id):
            raise ValueError("give exactly one of order_id and external_id")
        return self


# --- the wire, new API ------------------------------------------------------------------------------------------


def _embedded(value: Any) -> Any:
    """`attributes` and `relationships` are objects here, arrays of one object there, or null (sheet section 4)."""
    if isinstance(value, list):
        value = cast("list[Any]", value)[0] if value else None
    return {} if value is None else value


def _count(value: Any) -> Any:
    """Pieces; None for anything that is no plain whole number, since they only serve arithmetic of ours."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


WireCount = Annotated[int | None, BeforeValidator(_count)]


class WireCreated(WireModel):
    """`data` of a create answer: all that must be there is the id."""

    id: WireId


class WireItemFacts(WireModel):
    """`attributes` of an order item."""

    name: Said | None = None
    quantity: WireCount = None
    price: Said | None = None
    retailer_sku: Said | None = None
    vendor_sku: Said | None = None


class WireItem(WireModel):
    """One of `relationships.order_items`."""

    attributes: Annotated[WireItemFacts, BeforeValidator(_embedded)] = WireItemFacts()


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

    attributes: Annotated[WireAddressFacts, BeforeValidator(_embedded)] = WireAddressFacts()


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


class WireListedOrder(WireModel):
    """A row of GET /api/orders, as far as needed to recognise an order."""

    id: OptionalWireId = None
    attributes: Annotated[WireOrderNumbers, BeforeValidator(_embedded)] = WireOrderNumbers()


class WireOrder(WireModel):
    """`data` of GET /api/orders/{id} and of the create answer."""

    id: OptionalWireId = None
    attributes: Annotated[WireOrderFacts, BeforeValidator(_embedded)] = WireOrderFacts()
    relationships: Annotated[WireRelationships, BeforeValidator(_embedded)] = WireRelationships()

    def items(self) -> list[WireItemFacts]:
        """The facts of all lines."""
        return [item.attributes for item in self.relationships.order_items or []]


# --- the wire, old API ------------------------------------------------------------------------------------------


class WirePurchaseOrderItem(WireModel):
    """One of a purchase order's `order_items`."""

    id: OptionalWireId = None
    name: Said | None = None
    retailer_sku: Said | None = None
    quantity: WireCount = None
    quantity_open: WireCount = None


class WirePurchaseOrder(WireModel):
    """A row of GET /purchase_orders.json. `vendor` is the name; an empty `sent_at` means not sent."""

    id: OptionalWireId = None
    public_reference: Said | None = None
    order_id: OptionalWireId = None
    order_public_reference: Said | None = None
    sent_at: Said | None = None
    vendor: Said | None = None
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


class WireShipment(WireModel):
    """A row of GET /shipments.json. The `_attributes` suffix serves reading and writing alike."""

    id: OptionalWireId = None
    purchase_order_id: OptionalWireId = None
    purchase_order_public_reference: Said | None = None
    created_at: Said | None = None
    shipper_name: Said | None = None
    shipment_trackings_attributes: list[WireTracking] | None = None
    shipment_items_attributes: list[WireShipmentItem] | None = None


# --- results ----------------------------------------------------------------------------------------------------


class ItemResult(Result):
    """One line; `price` is retail, per piece."""

    retailer_sku: str = ""
    name: str = ""
    quantity: int | None = None
    quantity_open: int | None = None
    price: str = ""
    vendor_sku: str = ""


class PurchaseOrderResult(Result):
    """What Duoplane asks of one vendor, from the old API. `status` is Duoplane's word; no `sent_at`: not sent."""

    reference: str = ""
    vendor: str = ""
    sent_at: str = ""
    status: str = ""
    items: list[ItemResult] = Field(default_factory=list[ItemResult])


class ShipmentResult(Result):
    """One parcel, from the old API. `shipped_at` is when the vendor entered it."""

    purchase_order: str = ""
    carrier: str = ""
    tracking: str = ""
    tracking_url: str = ""
    shipped_at: str = ""


class DuoplanePlaced(Placed):
    """An order Duoplane accepted. `app_url`: where a person sees it."""

    app_url: str = ""


class DuoplaneOrder(OrderResult):
    """An order with its purchase orders and shipments. `status` is computed: Duoplane states none for an order."""

    status_computed_from: str = ""
    app_url: str = ""
    internal_id: str = ""
    store_id: str = ""
    ordered_at: str = ""
    created_at: str = ""
    updated_at: str = ""
    currency: str = ""
    ship_to: ShipTo | None = None
    items: list[ItemResult] = Field(default_factory=list[ItemResult])
    purchase_orders: list[PurchaseOrderResult] = Field(default_factory=list[PurchaseOrderResult])
    shipments: list[ShipmentResult] = Field(default_factory=list[ShipmentResult])
