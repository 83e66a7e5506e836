"""Arguments, wire shapes and results of Dipli's dropship API (https://doc-dropship.dipli.com)."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, cast

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from dropship_tools.answers import WireModel
from dropship_tools.arguments import (
    Arguments,
    Country,
    CreateArguments,
    Email,
    Line,
    Note,
    Phone,
    Reference,
    RequiredLine,
    WrongTogether,
    exactly_one,
)
from dropship_tools.orders import OrderResult, Result, ShipTo
from dropship_tools.text import CleanAlready, clean, is_told

FIVE_DIGIT_POSTCODES = frozenset({"DE", "ES", "FR", "IT"})
"""Countries whose postcodes have five digits and may begin with 0, which is lost when a number is passed."""


def _product_id(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # The ids in the documentation have 5 to 8 digits; 12 and more, or a leading zero, is a UPC, EAN or GTIN.
    if isinstance(value, bool) or not re.fullmatch(r"\s*[1-9][0-9]{0,10}\s*", str(value)):
        raise ValueError("must be Dipli's own product number (1 to 11 digits), not a SKU, EAN or product name")
    return int(value)


ProductId = Annotated[int, BeforeValidator(_product_id), WithJsonSchema({"type": "integer", "minimum": 1})]
"""Dipli's dropship id of a product."""


_PUBLIC_ID = re.compile(r"A-[0-9]{1,18}")


def _public_id(value: str) -> str:
    if value and not _PUBLIC_ID.fullmatch(value):
        raise ValueError(
            "must be Dipli's order number, A- and digits like A-12345; your own number goes into alternative_id"
        )
    return value


_FULL_NAME = "put first and last name together into buyer"
_ONE_ADDRESS = "street, additional_street, postcode, city and country are arguments of their own"
_NO_FIELD = "Dipli has no field for it"
_NO_CHOICE = "Dipli chooses how it ships"
_OWN_PRICE = "Dipli sets the price"
_ONE_UNIT = "one call buys one unit of one product; for more call again, each time with its own alternative_id"


class CreateOrder(CreateArguments):
    """POST /api-drop/v2/orders: one unit of one product."""

    also_called: ClassVar[Mapping[str, str]] = {
        "reference": "alternative_id",
        "order_id": "alternative_id",
        "order_number": "alternative_id",
        "external_id": "alternative_id",
        "key": "alternative_id",
        "product": "product_id",
        "sku": "product_id",
        "ean": "product_id",
        "name": "buyer",
        "buyer_name": "buyer",
        "full_name": "buyer",
        "recipient": "buyer",
        **dict.fromkeys(("first_name", "last_name", "firstname", "lastname"), _FULL_NAME),
        "address1": "street",
        "address_1": "street",
        **dict.fromkeys(("address", "shipping_address", "recipient_details", "ship_to"), _ONE_ADDRESS),
        "billing_address": "Dipli takes one address, the recipient's",
        "address2": "additional_street",
        "street2": "additional_street",
        "additionnal": "additional_street",
        **dict.fromkeys(("company", "company_name"), "write it into additional_street"),
        **dict.fromkeys(("state", "province", "region"), _NO_FIELD),
        "zip": "postcode",
        "zip_code": "postcode",
        "post_code": "postcode",
        "postal_code": "postcode",
        "country_code": "country",
        "phone": "buyer_phone",
        "telephone": "buyer_phone",
        "email": "buyer_email",
        "note": "extra",
        "notes": "extra",
        "comment": "extra",
        **dict.fromkeys(("quantity", "qty", "items", "lines", "products"), _ONE_UNIT),
        **dict.fromkeys(("price", "total", "currency"), _OWN_PRICE),
        **dict.fromkeys(("shipping_method", "carrier", "carrier_id", "shipping"), _NO_CHOICE),
        "test": "Dipli knows no test orders; dry_run shows the request without sending it",
    }

    alternative_id: Reference = Field(description="your order number, the same on every retry; a new one buys again")
    product_id: ProductId = Field(description="Dipli's dropship id; not a SKU or EAN")
    buyer: RequiredLine = Field(description="recipient's full name")
    street: RequiredLine = Field(description="street and house number")
    additional_street: Line = Field(default="", description="floor, building, company")
    postcode: RequiredLine = Field(description="text, keeps leading zeros")
    city: RequiredLine
    country: Country = Field(description="ISO 3166-1 alpha-2")
    buyer_phone: Annotated[Phone, Field(min_length=1)]
    buyer_email: Annotated[Email, Field(min_length=1)]
    extra: Note = Field(default="", description="free text; who reads it is not documented")

    @field_validator("country")
    @classmethod
    def _whole_postcode(cls, country: str, info: ValidationInfo) -> str:
        if country in FIVE_DIGIT_POSTCODES and re.fullmatch(r"[0-9]{1,4}", info.data.get("postcode", "")):
            raise WrongTogether(f"has five digits in {country}: pass it as text with its leading zero", "postcode")
        return country


class GetOrder(Arguments):
    """GET /api-drop/v2/orders/{publicId}."""

    also_called: ClassVar[Mapping[str, str]] = {
        "publicid": "public_id",
        "id": "public_id",
        "order_id": "public_id",
        "reference": "alternative_id",
        "order_number": "alternative_id",
        "external_id": "alternative_id",
        "key": "alternative_id",
    }

    public_id: Annotated[Line, AfterValidator(_public_id)] = Field(default="", description="A-12345")
    alternative_id: Line = Field(default="", validate_default=True, description="your order number")

    _one_id = exactly_one("public_id", "alternative_id")


# --- the wire: no field of an order is promised (sheet section 5), so whatever is odd counts as absent ---------------


def _shown(value: Any) -> str:
    return clean(str(value)) if is_told(value) else ""


_WHOLE = re.compile(r"-?[0-9]{1,15}")


def whole(value: Any) -> int | None:
    """An integer of at most 15 digits, also as text; None for anything else."""
    if type(value) is int:  # and not bool
        return value if -(10**15) < value < 10**15 else None
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def _counted(value: Any) -> int | None:
    """An integer from 1; None for anything else."""
    number = whole(value)
    return number if number is not None and number > 0 else None


def _decoded(value: Any) -> Any:
    """JSON in a string decoded, as the dropship documentation shows it; the sister API sends the object itself."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _object(value: Any) -> dict[str, Any]:
    decoded = _decoded(value)
    return cast("dict[str, Any]", decoded) if isinstance(decoded, dict) else {}


def _address(value: Any) -> dict[str, Any]:
    """An address that is no JSON is shown as it came."""
    decoded = _decoded(value)
    return {"street": decoded} if isinstance(decoded, str) else _object(decoded)


def _product(value: Any) -> dict[str, Any]:
    """A product that is no JSON is named as it came."""
    decoded = _decoded(value)
    return {"name": decoded} if isinstance(decoded, str) else _object(decoded)


def _objects(value: Any) -> list[Any]:
    return [item for item in cast("list[Any]", value) if isinstance(item, dict)] if isinstance(value, list) else []


Shown = Annotated[str, BeforeValidator(_shown), CleanAlready()]
Whole = Annotated[int | None, BeforeValidator(whole)] | None
Counted = Annotated[int | None, BeforeValidator(_counted)] | None


class WireCreated(WireModel):
    """200 of POST /orders."""

    public_id: Shown = ""


class WireAddress(WireModel):
    """Inside `shipping_address_json`. Reading spells names differently from writing."""

    firstname: Shown = ""
    lastname: Shown = ""
    company: Shown = ""
    street: Shown = ""
    additional: Shown = Field(default="", validation_alias=AliasChoices("additionnal", "additional"))
    postcode: Shown = ""
    city: Shown = ""
    country: Shown = ""


class WireProduct(WireModel):
    """Inside `product_extra_infos`. Which of the three ids an order was placed with is not documented."""

    id: Shown = ""
    product_id: Shown = ""
    grouped_id: Shown = ""
    name: Shown = ""
    sku: Shown = ""
    grade: Shown = ""
    price: Whole = None


class WireItem(WireModel):
    """One of `cart_items`."""

    product_name: Shown = ""
    product_sku: Shown = ""
    product_quantity: Whole = None
    product: Annotated[WireProduct, BeforeValidator(_product)] = Field(
        default_factory=WireProduct, validation_alias="product_extra_infos"
    )


class WireOrder(WireModel):
    """An order as both reading operations show it. Amounts are cents."""

    public_id: Shown = ""
    order_at: Shown = ""
    delivered_at: Shown = ""
    canceled_at: Shown = ""
    bordereau_url: Shown = ""
    payment_status: Shown = ""
    shipping_status: Shown = ""
    shipping_address: Annotated[WireAddress, BeforeValidator(_address)] = Field(
        default_factory=WireAddress, validation_alias="shipping_address_json"
    )
    tracking_courier: Shown = ""
    tracking_number: Shown = ""
    total_ttc: Whole = None
    total_ht: Whole = None
    shipping_ttc: Whole = Field(default=None, validation_alias="shipping_t_t_c")
    shipping_ht: Whole = Field(default=None, validation_alias="shipping_h_t")
    cart_items: Annotated[list[WireItem], BeforeValidator(_objects)] = Field(default_factory=list[WireItem])


class WirePage(WireModel):
    """200 of GET /orders. `count` is the number of all orders, not of those on this page (sheet section 4)."""

    count: Whole = None
    page: Counted = None
    page_size: Counted = Field(default=None, validation_alias="pageSize")
    result: list[WireOrder]


# --- results ---------------------------------------------------------------------------------------------------------


class LineResult(Result):
    """One line of an order. Dipli does not say whether `unit_price` holds VAT."""

    name: str = ""
    sku: str = ""
    quantity: int = 0
    grade: str = ""
    unit_price: str = ""


class DipliOrder(OrderResult):
    """An order as Dipli holds it. Whether the totals hold the shipping is not documented."""

    payment_status: str = ""
    tracking_courier: str = ""
    tracking_number: str = ""
    total_incl_vat: str = ""
    total_excl_vat: str = ""
    shipping_incl_vat: str = ""
    shipping_excl_vat: str = ""
    currency: str = ""
    ship_to: ShipTo | None = None
    lines: list[LineResult] = Field(default_factory=list[LineResult])
    ordered_at: str = ""
    delivered_at: str = ""
    cancelled_at: str = ""
    delivery_slip_token: str = ""
    delivery_slip_url: str = ""
