"""Arguments, wire shapes and results of the Rewix API (https://developer.rewixecommerce.com/reservations-and-orders/)."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, cast

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from dropship_tools.answers import WireModel
from dropship_tools.arguments import (
    Arguments,
    Count,
    Country,
    CreateArguments,
    Line,
    Note,
    Part,
    Phone,
    PositiveInt,
    Quantity,
    Reference,
    RequiredLine,
    exactly_one,
)
from dropship_tools.orders import OrderResult, Placed
from dropship_tools.rewix.amounts import amount_text
from dropship_tools.rewix.dates import OrderDate
from dropship_tools.text import CleanAlready, Said


def _prefix(value: str) -> str:
    """`+39`, however it was written: `39`, `0039`, `+39`."""
    if not value:
        return value
    if not re.fullmatch(r"(\+|00)? ?[1-9][0-9 -]{0,6}", value):
        raise ValueError("must be a country calling code such as +39")
    return "+" + re.sub(r"[^0-9]", "", value).removeprefix("00")


Prefix = Annotated[Line, AfterValidator(_prefix)]
"""A country calling code with its plus sign; empty means that `number` stands alone."""


class PhoneNumber(Part):
    """`phone` of a recipient."""

    also_called: ClassVar[Mapping[str, str]] = {"country_code": "prefix", "telephone": "number", "phone": "number"}

    prefix: Prefix = Field(default="", description="like +39")
    number: Annotated[Phone, Field(min_length=1)] = Field(description="without the prefix")

    @field_validator("number")
    @classmethod
    def _without_prefix(cls, number: str, info: ValidationInfo) -> str:
        """A number that repeats the prefix loses it; another country's contradicts it (sheet section 6)."""
        prefix = info.data.get("prefix", "")
        if not prefix or not number.startswith(("+", "00")):
            return number
        for repeated in (prefix, "00" + prefix[1:]):
            if number.startswith(repeated) and (rest := number.removeprefix(repeated).lstrip(" -./")):
                return rest
        raise ValueError("starts with another country code than prefix")


class Address(Part):
    """`address` of a recipient."""

    also_called: ClassVar[Mapping[str, str]] = {
        "street": "street_name",
        "address": "street_name",
        "address1": "street_name",
        "line1": "street_name",
        "house_number": "address_number",
        "number": "address_number",
        "postcode": "zip",
        "postal_code": "zip",
        "zip_code": "zip",
        "state": "province",
        "district": "province",
        "country": "countrycode",
        "country_code": "countrycode",
    }

    street_type: Line = Field(default="", description="Via, Street; may be part of street_name")
    street_name: RequiredLine
    address_number: Line = Field(default="", description="house number; may be part of street_name")
    zip: RequiredLine = Field(description="text, keeps leading zeros")
    city: RequiredLine
    province: RequiredLine = Field(description="province or district, code where there is one: TO")
    countrycode: Country = Field(description="ISO 3166-1 alpha-2")


class Recipient(Part):
    """`recipient_details` of an order: who gets the parcel."""

    also_called: ClassVar[Mapping[str, str]] = {
        "name": "recipient",
        "company": "careof",
        "vat_number": "cfpiva",
        "tax_id": "cfpiva",
        "customer_id": "customer_key",
        "note": "notes",
        "shipping_address": "address",
        "telephone": "phone",
        "email": "Rewix has no field for it",
    }

    recipient: RequiredLine = Field(description="person or firm")
    careof: Line = ""
    cfpiva: Line = Field(default="", description="recipient's VAT number or tax id; leave out if unknown")
    customer_key: Line = Field(default="", description="your customer id")
    notes: Note = ""
    address: Address
    phone: PhoneNumber


class Item(Part):
    """One line of `item_list`."""

    also_called: ClassVar[Mapping[str, str]] = {
        "model_id": "stock_id",
        "variant_id": "stock_id",
        "id": "stock_id",
        "qty": "quantity",
        "price": "the supplier's price list applies",
        **dict.fromkeys(("sku", "product_id", "barcode", "ean", "code"), "items are named by stock_id only"),
    }

    stock_id: PositiveInt = Field(
        description="catalogue models[].id of the size or colour; no product id, SKU, barcode"
    )
    quantity: Quantity


class CreateOrder(CreateArguments):
    """POST /restful/ghost/orders/0/dropshipping, one order.

    The documentation's whole envelope, `{"order_list": [order]}`, is accepted in place of the order.
    """

    also_called: ClassVar[Mapping[str, str]] = {
        "reference": "key",
        "order_id": "key",
        "external_id": "key",
        "carrier_id": "carrierId",
        "carrier": "carrierId",
        "recipient": "recipient_details",
        "address": "recipient_details",
        "shipping_address": "recipient_details",
        "phone": "recipient_details",
        "items": "item_list",
        "products": "item_list",
        "lines": "item_list",
        "auto_confirm": "autoConfirm",
        "email": "Rewix has no field for it",
    }

    key: Reference = Field(description="your order number, the same on every retry; a new one buys again")
    date: OrderDate = Field(default="", description="leave out for now; else yyyy/MM/dd HH:mm:ss +0000 or ISO 8601")
    carrierId: PositiveInt | None = Field(default=None, description="a wish; leave out for the supplier's default")
    recipient_details: Recipient
    item_list: Annotated[list[Item], Field(min_length=1, max_length=200)]
    autoConfirm: bool = Field(default=False, description="true: may spend the account's credit at once")

    @model_validator(mode="before")
    @classmethod
    def _out_of_envelope(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "order_list" not in data:
            return cast("object", data)
        beside = dict(cast("Mapping[str, Any]", data))
        orders = beside.pop("order_list")
        if not isinstance(orders, list) or len(cast("list[Any]", orders)) != 1:
            raise ValueError("order_list must hold exactly one order; call once per order")
        order = cast("list[Any]", orders)[0]
        if not isinstance(order, Mapping):
            raise ValueError("order_list must hold an order object")
        if twice := sorted(beside.keys() & cast("Mapping[str, Any]", order).keys()):
            raise ValueError(f"give {', '.join(twice)} either in order_list or beside it")
        return {**beside, **cast("Mapping[str, Any]", order)}

    def quantities(self) -> dict[int, int]:
        """Pieces per stock_id; lines of one variant added up, as careful clients do (sheet section 4.1)."""
        pieces: dict[int, int] = {}
        for item in self.item_list:
            pieces[item.stock_id] = pieces.get(item.stock_id, 0) + item.quantity
        return pieces


def _not_dots(value: str) -> str:
    if value in (".", ".."):
        raise ValueError("cannot be a dot")
    return value


class GetOrder(Arguments):
    """GET /restful/ghost/clientorders/clientkey/{key} or /serverkey/{rewix_order_id}."""

    also_called: ClassVar[Mapping[str, str]] = {
        "reference": "key",
        "external_id": "key",
        "ext_ref": "key",
        "id": "rewix_order_id",
        "order_id": "rewix_order_id",
    }

    key: Annotated[Line, AfterValidator(_not_dots)] = Field(default="", description="your order number")
    rewix_order_id: PositiveInt | None = Field(default=None, validate_default=True, description="Rewix's order number")

    _one_id = exactly_one("key", "rewix_order_id")


# --- the wire ---------------------------------------------------------------------------------------------------


def _text_or_nothing(value: Any) -> Any:
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None


Extra = Annotated[Said | None, BeforeValidator(_text_or_nothing), CleanAlready(numbers=False)] | None
"""A fact worth showing and not worth losing an order for: anything that is no text or number counts as absent."""


_LINK = re.compile(r"https?://[!-~]{1,1000}")


def _link_or_nothing(value: Any) -> Any:
    link = value.strip() if isinstance(value, str) else ""
    return link if _LINK.fullmatch(link) else None


Link = Annotated[str | None, BeforeValidator(_link_or_nothing)] | None
"""A web address, kept as it is (cleaning would decode `&copy=` in it); anything else counts as absent."""


class WireOrder(WireModel):
    """An order in the answers of both status calls (sheet section 4.2)."""

    order_id: Annotated[Said, Field(min_length=1)]
    ext_ref: Said | None = None
    status: Extra = None
    substatus: Extra = None
    last_update: Extra = None
    tracking_code: Extra = None
    tracking_url: Link = None
    carrier_name: Extra = None


def _count_or_nothing(value: Any) -> Any:
    return value if isinstance(value, str | int) and re.fullmatch(r"[0-9]{1,9}", str(value).strip()) else None


class WireReserved(WireModel):
    """One variant in the account's reservation (sheet section 4.6). `locked`: pieces over all carts and plugins."""

    stock_id: PositiveInt
    locked: Count
    available: Annotated[Count | None, BeforeValidator(_count_or_nothing)] = None


class WireCarrier(WireModel):
    """A carrier of the account (sheet section 4.7). Neither meaning nor currency of `cost` is documented."""

    id: PositiveInt
    name: Extra = None
    cost: Annotated[str, BeforeValidator(amount_text)] = ""


# --- results ----------------------------------------------------------------------------------------------------


class RewixPlaced(Placed):
    """A created order. `payment_due`: it waits for a person to pay; absent says nothing about payment."""

    payment_due: bool = False
    carrier_name: str = ""


class RewixOrder(OrderResult):
    """An order as Rewix shows it: no items, prices or address. `last_update` is ISO 8601."""

    payment_due: bool = False
    substatus: str = ""
    carrier_name: str = ""
    tracking_code: str = ""
    tracking_url: str = ""
    last_update: str = ""
