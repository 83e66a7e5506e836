"""Arguments, wire shapes and results of the Dropday API (https://docs.dropday.io/orders/docs)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, cast

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from dropship_tools.answers import WireModel
from dropship_tools.arguments import (
    Amount,
    Arguments,
    Count,
    Country,
    CreateArguments,
    Email,
    Line,
    Note,
    Part,
    Phone,
    Quantity,
    Reference,
    RequiredLine,
    WrongTogether,
    exactly_one,
)
from dropship_tools.dropday.dates import DeliveryDate
from dropship_tools.orders import OrderResult, Placed, Result, ShipTo
from dropship_tools.text import Said


class Address(Part):
    """`shipping_address` of an order."""

    also_called: ClassVar[Mapping[str, str]] = {
        "firstname": "first_name",
        "lastname": "last_name",
        "company": "company_name",
        "street": "address1",
        "address": "address1",
        "address_1": "address1",
        "address_2": "address2",
        "zip": "postcode",
        "post_code": "postcode",
        "postal_code": "postcode",
        "province": "state",
        "country_code": "country",
        "telephone": "phone",
        "house_number": "it belongs into address1, behind the street",
        "email": "it stands at the top, beside shipping_address",
    }

    first_name: RequiredLine
    last_name: RequiredLine
    company_name: Line = ""
    address1: RequiredLine = Field(description="street and house number")
    address2: Line = ""
    postcode: RequiredLine
    city: RequiredLine
    state: Line = ""
    country: Country = Field(description="ISO 3166-1 alpha-2")
    phone: Phone = ""


class Shipping(Part):
    """`shipping` of an order."""

    name: Line = Field(default="", description="carrier")
    description: Line = Field(default="", description="service")
    cost: Amount | None = None
    note: Note = Field(default="", description="delivery instructions")
    delivery_date: DeliveryDate = Field(default="", description="YYYY-MM-DD")


class CustomValue(Part):
    """One free pair on an order line."""

    name: RequiredLine
    value: Note


def _pairs(value: Any) -> Any:
    """`custom` is documented as an object; hosts cannot describe free-form objects, so pairs are advertised."""
    if isinstance(value, Mapping):
        return [{"name": k, "value": v} for k, v in cast("Mapping[str, Any]", value).items()]
    return value


def _no_repeats(pairs: list[CustomValue]) -> list[CustomValue]:
    if len({pair.name for pair in pairs}) < len(pairs):
        raise ValueError("must not name anything twice")
    return pairs


class Product(Part):
    """One line of an order."""

    also_called: ClassVar[Mapping[str, str]] = {
        "sku": "reference",
        "ean": "ean13",
        "id": "external_id",
        "qty": "quantity",
        "vendor": "supplier",
        "image": "image_url",
        "title": "name",
        "unit_price": "price",
        "cost": "purchase_price",
        "barcode": "ean13",
        "stock": "stock_quantity",
    }

    external_id: RequiredLine = Field(description="your product or line id")
    name: RequiredLine
    quantity: Quantity
    price: Amount = Field(description="per piece, 10.99 not cents")
    ean13: Line = Field(default="", description="as text, keeps leading zeros; routing rules may use it")
    reference: Line = Field(default="", description="SKU")
    stock_quantity: Count | None = Field(default=None, description="your stock")
    purchase_price: Amount | None = None
    image_url: Line = ""
    brand: Line = ""
    category: Line = ""
    supplier: Line = Field(default="", description="a label for routing rules, not a choice")
    custom: Annotated[list[CustomValue], BeforeValidator(_pairs), Field(max_length=50), AfterValidator(_no_repeats)] = (
        Field(default_factory=list[CustomValue])
    )


class CreateOrder(CreateArguments):
    """POST /api/v1/orders."""

    also_called: ClassVar[Mapping[str, str]] = {
        "items": "products",
        "lines": "products",
        "order_lines": "products",
        "reference": "external_id",
        "order_id": "external_id",
        "address": "shipping_address",
        "shop": "source",
        "delivery_date": "shipping.delivery_date is its place",
        "currency": "Dropday takes amounts without a currency",
    }

    external_id: Reference = Field(description="your order number, the same on every retry; a new one buys again")
    source: RequiredLine = Field(description="webshop name")
    total: Amount = Field(description="order total, 435.45 not cents")
    shipping_address: Address
    products: Annotated[list[Product], Field(min_length=1, max_length=200)]
    shipping_cost: Amount | None = Field(default=None, description="required here or as shipping.cost")
    shipping: Shipping | None = Field(default=None, validate_default=True)
    email: Email = Field(default="", description="recipient's")
    test: bool = Field(default=False, description="true: validated, never routed to a supplier")

    @field_validator("shipping")
    @classmethod
    def _one_shipping_cost(cls, shipping: Shipping | None, info: ValidationInfo) -> Shipping | None:
        """Earlier documentation requires the older form, today's allows it beside the newer one (sheet section 4)."""
        if "shipping_cost" in info.data:
            given = {c for c in (info.data["shipping_cost"], shipping and shipping.cost) if c is not None}
            if not given:
                raise WrongTogether("is required: what delivery costs, 0 if nothing", "shipping_cost")
            if len(given) > 1:
                raise WrongTogether("shipping_cost and shipping.cost differ; give one of them")
        return shipping

    def delivery_cost(self) -> Decimal:
        """The shipping cost, wherever it was given."""
        costs = (self.shipping_cost, self.shipping and self.shipping.cost)
        return next(cost for cost in costs if cost is not None)


class GetOrder(Arguments):
    """GET /api/v1/orders/{reference}, or the list searched for one exact external_id."""

    also_called: ClassVar[Mapping[str, str]] = {"id": "reference", "order_id": "reference"}

    external_id: Line = Field(default="", description="your order number")
    reference: Line = Field(default="", validate_default=True, description="Dropday's order number")

    _one_id = exactly_one("external_id", "reference")


# --- the wire ---------------------------------------------------------------------------------------------------


# Ids are kept as they came, so that they compare and travel exactly; results clean them. PHP writes an object that is
# not there as `[]` or `false` now and then.

_Maybe = BeforeValidator(lambda value: value or None)


def _known(message: str) -> str:
    if not message.casefold().startswith(("order created", "order already exists")):
        raise ValueError("neither created nor already exists")
    return message


class WireCreated(WireModel):
    """200 of POST /orders. Only `message` tells a new order from one that was there before."""

    message: Annotated[Said, AfterValidator(_known)]
    reference: str | None = None

    @property
    def existed(self) -> bool:
        """Whether the order was there before this request."""
        return self.message.casefold().startswith("order already exists")


class WireSupplier(WireModel):
    """A supplier a line was matched to."""

    id: Said | None = None
    name: Said | None = None


class WireLog(WireModel):
    """One entry of a line's history."""

    status: Said | None = None
    message: Said | None = None


class WireLine(WireModel):
    """One of `order_lines`. `logs` come with a single order only."""

    external_id: Said | None = None
    name: Said | None = None
    quantity: Said | None = None
    price: Said | None = None
    current_status: Said | None = None
    matched_supplier: Annotated[WireSupplier | None, _Maybe] = None
    logs: list[WireLog] | None = None


class WireAddress(WireModel):
    """`shipping_address` in reads: like the request, plus `email`."""

    first_name: Said | None = None
    last_name: Said | None = None
    company_name: Said | None = None
    address1: Said | None = None
    address2: Said | None = None
    postcode: Said | None = None
    city: Said | None = None
    state: Said | None = None
    country: Said | None = None


class WireShipping(WireModel):
    """`shipping` in reads."""

    cost: Said | None = None
    delivery_date: Said | None = None


class WireRow(WireModel):
    """What a row of the order list must show before it can be said whose order it is."""

    external_id: str | None


class WireOrder(WireModel):
    """An order as both read endpoints show it."""

    external_id: str | None = None
    reference: str
    source: Said | None = None
    test: bool | None = None
    blocked: bool | None = None
    total: Said | None = None
    shipping_address: Annotated[WireAddress | None, _Maybe] = None
    shipping: Annotated[WireShipping | None, _Maybe] = None
    order_lines: list[WireLine] | None = None
    created_at: Said | None = None
    updated_at: Said | None = None


class WireProduct(WireModel):
    """A row of GET /products. Bounds keep out numbers that no shelf holds; `active` is 1 or 0."""

    sku: Said | None = None
    ean13: Said | None = None
    name: Said | None = None
    purchase_price: Said | None = None
    stock_quantity: Annotated[int | None, Field(gt=-(10**12), lt=10**12)] = None
    active: bool | None = None


# --- results ----------------------------------------------------------------------------------------------------


class LineResult(Result):
    """One line and where it stands. `status` is Dropday's word, `why` its text about a line that did not go through."""

    external_id: str = ""
    name: str = ""
    quantity: str = ""
    price: str = ""
    status: str = ""
    supplier: str = ""
    why: str = ""


class DropdayPlaced(Placed):
    """A created order. `unmatched_lines`: product ids that no supplier was found for yet."""

    blocked: bool = False
    test: bool = False
    unmatched_lines: list[str] = Field(default_factory=list)


class DropdayOrder(OrderResult):
    """An order as Dropday holds it. `status` is computed from the lines; Dropday has none for the order."""

    blocked: bool = False
    test: bool = False
    source: str = ""
    total: str = ""
    shipping_cost: str = ""
    currency: str = ""
    delivery_date: str = ""
    ship_to: ShipTo | None = None
    lines: list[LineResult] = Field(default_factory=list[LineResult])
    created_at: str = ""
    updated_at: str = ""
