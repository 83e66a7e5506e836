"""Arguments and results of the tools about orders (sheet sections 5.1 to 5.3, 6.1 and 6.4)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

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
    WrongTogether,
    exactly_one,
)
from dropship_tools.duoplane.addresses import Address, ShippingAddress
from dropship_tools.duoplane.ids import OrderId
from dropship_tools.duoplane.paging import PAGING_NAMES, PageSize
from dropship_tools.orders import OrderResult, Placed, Result, ShipTo

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
    retailer_sku: Line = Field(default="", validate_default=True)
    internal_id: Line = Field(default="", description="your line id")
    order_item_notes: Annotated[list[OrderNote], Field(max_length=20)] = Field(
        default_factory=list[OrderNote], description="vendors may see them"
    )

    @field_validator("retailer_sku")
    @classmethod
    def _product(cls, retailer_sku: str, info: ValidationInfo) -> str:
        if not retailer_sku and info.data.get("retailer_product_id", ...) is None:
            raise WrongTogether("needs retailer_sku or retailer_product_id")
        return retailer_sku


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
    tag_names: Annotated[list[Line], Field(max_length=50)] = Field(default_factory=list)
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
    external_id: Line = Field(default="", validate_default=True, description="your order number")

    _one_id = exactly_one("order_id", "external_id")


class ListOrders(Arguments):
    """GET /api/orders (sheet section 5.3). Its filters and its order are not documented."""

    also_called: ClassVar[Mapping[str, str]] = {
        **PAGING_NAMES,
        **dict.fromkeys(
            ("status", "search", "filter", "created_at_min", "updated_at_min", "store_id", "sort"),
            "Duoplane documents no filter and no sorting of orders",
        ),
        **dict.fromkeys(("external_id", "order_id", "reference"), "look one order up with duoplane_get_order"),
    }

    page: PositiveInt = 1
    per_page: PageSize = 10


class ItemResult(Result):
    """One line; `price` is retail, per piece."""

    retailer_sku: str = ""
    name: str = ""
    quantity: int | None = None
    quantity_open: int | None = None
    price: str = ""
    vendor_sku: str = ""


class PurchaseOrderResult(Result):
    """What Duoplane asks of one vendor, from the old API. `status` is Duoplane's word; no `sent_at`: not sent.

    `vendor_reference` is the vendor's own number of it, for a person who asks there.
    """

    reference: str = ""
    vendor: str = ""
    vendor_reference: str = ""
    sent_at: str = ""
    promise_date: str = ""
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
    """An order with its purchase orders and shipments. `sources` says where each part comes from (sheet section 9)."""

    sources: list[str] = Field(default_factory=list)
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


class ListedOrder(Result):
    """A row of a list: what helps to recognise an order. Duoplane tells no status here (sheet section 5.1)."""

    order_id: str = ""
    reference: str = ""
    internal_id: str = ""
    store_id: str = ""
    ordered_at: str = ""
    country: str = ""
    items: str = ""


class OrderList(Result):
    """One page of orders. `reference` is their external_id."""

    orders: list[ListedOrder]
    page: int
    has_more: bool = False
    warnings: list[str] = Field(default_factory=list)
    next_step: str = ""
