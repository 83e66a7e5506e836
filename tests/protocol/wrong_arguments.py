"""What agents get wrong, and word for word what they are told: one row for each mistake."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.samples import SAMPLES

GONE = object()
"""Takes an argument away."""


@dataclass(frozen=True)
class Mistake:
    """A call that must not leave, and the problems its error names."""

    tool: str
    arguments: dict[str, Any]
    problems: tuple[str, ...]
    id: str


MISTAKES: list[Mistake] = []


def _with(call: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The call with changes, whose keys are places like `products.0.sku`."""
    result: Any = copy.deepcopy(dict(call))
    for place, value in changes.items():
        *path, last = (int(step) if step.isdigit() else step for step in place.split("."))
        holder = result
        for step in path:
            holder = holder[step]
        if value is GONE:
            del holder[last]
        else:
            holder[last] = value
    return result


def create(provider: str, changes: Mapping[str, Any], *problems: str) -> None:
    """A valid order with these changes."""
    sample = SAMPLES[provider]
    _add(sample.create, _with(sample.order, changes), problems, changes)


def call(tool: str, arguments: dict[str, Any], *problems: str) -> None:
    """Exactly this call."""
    _add(tool, arguments, problems, arguments)


def _add(tool: str, arguments: dict[str, Any], problems: tuple[str, ...], named: Mapping[str, Any]) -> None:
    number = f"{len(MISTAKES) + 1:03}"
    MISTAKES.append(Mistake(tool, arguments, problems, f"{number} {tool} {' '.join(named)}".strip()))


def _nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


ID_FORM = "may hold letters, digits and . _ - only, and starts with a letter or digit"
REWIX_NAMES = "dry_run, key, date, carrierId, recipient_details, item_list, autoConfirm"
COUNTRY = "must be a two-letter ISO 3166-1 country code, here"
ONE_LINE = "must be one line without control or invisible characters"
PLAIN_NUMBER = "must be a plain number such as 10.99, without currency or thousands separator"
PRODUCT_NUMBER = "must be Dipli's own product number (1 to 11 digits), not a SKU, EAN or product name"
ONE_UNIT = "one call buys one unit of one product; for more call again, each time with its own alternative_id"
PUBLIC_ID = "must be Dipli's order number, A- and digits like A-12345; your own number goes into alternative_id"
FLAT = "give the fields flat; only answers are wrapped in data and attributes"
ROUTING = "routing is Duoplane's; use retailer_sku or retailer_product_id"
DATE = "must be like 2021/02/02 23:59:59 +0000, or ISO 8601 with an offset; or leave it out"
MOMENT = "must be a time with zone such as 2026-11-07T14:15:22Z"
DUOPLANE_ID = "must be Duoplane's number of the order, digits only; yours goes into external_id"

# --- names of other providers, other languages and other years -----------------------------------------------------

create("dipli", {"zip": "75019"}, "zip: is not an argument; did you mean postcode?")
create("dipli", {"Postcode": "75019"}, "Postcode: is not an argument; did you mean postcode?")
create("dipli", {"firstname": "Zenobia"}, "firstname: is not an argument: put first and last name together into buyer")
create("dipli", {"quantity": 2}, f"quantity: is not an argument: {ONE_UNIT}")
create("dipli", {"items": [{"product_id": 1}]}, f"items: is not an argument: {ONE_UNIT}")
create("dipli", {"price": 199}, "price: is not an argument: Dipli sets the price")
create("dipli", {"refrence": "WEB-1"}, "refrence: is not an argument; did you mean alternative_id?")
create(
    "dipli",
    {"house_number": "17"},
    "house_number: is not an argument; known: dry_run, alternative_id, product_id, buyer, street, additional_street, "
    "postcode, city, country, buyer_phone, buyer_email, extra",
)
create("rewix", {"carrier_id": 7}, "carrier_id: is not an argument; did you mean carrierId?")
create(
    "rewix",
    {"recipient_details.address.postcode": "75019"},
    "recipient_details.address.postcode: is not an argument; did you mean zip?",
)
create(
    "rewix",
    {"recipient_details.address.country": "FR"},
    "recipient_details.address.country: is not an argument; did you mean countrycode?",
)
create("rewix", {"email": "zenobia@quastel.example"}, "email: is not an argument: Rewix has no field for it")
create(
    "rewix",
    {"item_list.0.sku": "X1"},
    "item_list.0.sku: is not an argument: items are named by stock_id only",
)
create("dropday", {"items": []}, "items: is not an argument; did you mean products?")
create("dropday", {"currency": "EUR"}, "currency: is not an argument: Dropday takes amounts without a currency")
create("dropday", {"products.0.sku": "X1"}, "products.0.sku: is not an argument; did you mean reference?")
create(
    "dropday",
    {"shipping_address.firstname": "Zenobia"},
    "shipping_address.firstname: is not an argument; did you mean first_name?",
)
create(
    "dropday",
    {"shipping_address.house_number": "17"},
    "shipping_address.house_number: is not an argument: it belongs into address1, behind the street",
)
create("duoplane", {"items": []}, "items: is not an argument; did you mean order_items?")
create(
    "duoplane",
    {"shipping_address.zip": "75019"},
    "shipping_address.zip: is not an argument; did you mean post_code?",
)
create("duoplane", {"order_items.0.sku": "X1"}, "order_items.0.sku: is not an argument; did you mean retailer_sku?")
create("duoplane", {"order_items.0.vendor_sku": "X1"}, f"order_items.0.vendor_sku: is not an argument: {ROUTING}")
create("duoplane", {"order_items.1.vendor_id": 501}, f"order_items.1.vendor_id: is not an argument: {ROUTING}")
call(
    "duoplane_create_order",
    {"data": {"attributes": SAMPLES["duoplane"].order}},
    "external_id: is required",
    "shipping_address: is required",
    "order_items: is required",
    f"data: is not an argument: {FLAT}",
)
call("dropship_find_order", {"order": "WEB-1"}, "reference: is required", "order: is not an argument; known: reference")
call("dropship_status", {"verbose": True}, "verbose: is not an argument; known: none")

# --- missing, null, empty, blank -----------------------------------------------------------------------------------

create("dipli", {"alternative_id": GONE}, "alternative_id: is required")
create("rewix", {"key": None}, "key: is required")
create("dropday", {"shipping_address": None}, "shipping_address: is required")
create("dropday", {"products.0.quantity": None}, "products.0.quantity: is required")
create("duoplane", {"shipping_address.country_iso2": GONE}, "shipping_address.country_iso2: is required")
create("dipli", {"buyer": ""}, "buyer: must not be empty")
create("dipli", {"street": " \t "}, "street: must not be empty")
create("dipli", {"buyer_phone": ""}, "buyer_phone: must not be empty")
create("dropday", {"shipping_address.city": "\u00a0\u2003"}, "shipping_address.city: must not be empty")
create("rewix", {"item_list": []}, "item_list: must not be empty")
create("dropday", {"products": [None]}, "products.0: must be an object")
create(
    "dropday",
    {"shipping_cost": None, "shipping": None},
    "shipping_cost: is required: what delivery costs, 0 if nothing",
)
call(
    "dipli_create_order",
    {},
    *(
        f"{name}: is required"
        for name in (
            "alternative_id",
            "product_id",
            "buyer",
            "street",
            "postcode",
            "city",
            "country",
            "buyer_phone",
            "buyer_email",
        )
    ),
)

# --- wrong types ---------------------------------------------------------------------------------------------------

create("dropday", {"products": {"name": "Lamp"}}, "products: must be a list")
create("dropday", {"shipping_address": "17 Xylophone Lane"}, "shipping_address: must be an object")
create("dropday", {"shipping_address": ["Zenobia"]}, "shipping_address: must be an object")
create("rewix", {"item_list": [1567, 1578]}, "item_list.0: must be an object", "item_list.1: must be an object")
create("dipli", {"buyer": ["Zenobia", "Quastel"]}, "buyer: must be text")
create("dipli", {"buyer": True}, "buyer: must be text")
create("dropday", {"test": "perhaps"}, "test: must be true or false")
create("dipli", {"dry_run": 2}, "dry_run: must be true or false")
create("duoplane", {"tag_names": "vip"}, "tag_names: must be a list")

# --- numbers -------------------------------------------------------------------------------------------------------

create("dropday", {"products.0.quantity": 1.5}, "products.0.quantity: must be a whole number")
create("dropday", {"products.0.quantity": "1.5"}, "products.0.quantity: must be a whole number")
create("dropday", {"products.0.quantity": True}, "products.0.quantity: must be a whole number")
create("dropday", {"products.0.quantity": 0}, "products.0.quantity: must be at least 1")
create("dropday", {"products.0.quantity": -2}, "products.0.quantity: must be at least 1")
create("dropday", {"products.0.quantity": 10**9}, "products.0.quantity: must be at most 100000")
create("dropday", {"products.0.quantity": "2 pieces"}, "products.0.quantity: must be a whole number")
create("rewix", {"item_list.0.stock_id": 1567.4}, "item_list.0.stock_id: must be a whole number")
create("rewix", {"item_list.0.stock_id": "MWLT2ZD"}, "item_list.0.stock_id: must be a whole number")
create("rewix", {"item_list.0.stock_id": False}, "item_list.0.stock_id: must be a whole number")
create("dipli", {"product_id": 11700101.5}, f"product_id: {PRODUCT_NUMBER}")
create("dipli", {"product_id": True}, f"product_id: {PRODUCT_NUMBER}")
create("dipli", {"product_id": "0194252098530"}, f"product_id: {PRODUCT_NUMBER}")
create("dipli", {"product_id": "iPhone 11"}, f"product_id: {PRODUCT_NUMBER}")
create("dropday", {"total": True}, "total: must be a number")
create("dropday", {"total": "NaN"}, f"total: {PLAIN_NUMBER}")
create("dropday", {"total": "Infinity"}, f"total: {PLAIN_NUMBER}")
create("dropday", {"total": "1,064.85"}, f"total: {PLAIN_NUMBER}")
create("dropday", {"total": "64,85"}, f"total: {PLAIN_NUMBER}")
create("dropday", {"total": "€ 64.85"}, f"total: {PLAIN_NUMBER}")
create("dropday", {"total": -64.85}, "total: must be at least 0")
create("dropday", {"total": 64.855}, "total: must have at most two decimal places")
create(
    "dropday",
    {"products": '[{"external_id":"L-1","name":"Lamp","quantity":1,"price":NaN}]'},
    "products.0.price: must be a number",
)
create(
    "dropday",
    {"products": '[{"external_id":"L-1","name":"Lamp","quantity":1e999,"price":1}]'},
    "products.0.quantity: must be a number",
)

# --- too much ------------------------------------------------------------------------------------------------------

create("dipli", {"buyer": "Z" * 256}, "buyer: must have at most 255 characters")
create("dipli", {"extra": "Z" * 2001}, "extra: must have at most 2000 characters")
create("dipli", {"alternative_id": "W" * 65}, "alternative_id: must have at most 64 characters")
create("dipli", {"extra": "Z" * 300_000}, "arguments: a value is longer than 256 kB")
create("rewix", {"item_list": [{"stock_id": 1, "quantity": 1}] * 201}, "item_list: must have at most 200 entries")
create(
    "dropday",
    {"products": [{"external_id": "1", "name": "x", "quantity": 1, "price": 1}] * 201},
    "products: must have at most 200 entries",
)
create("duoplane", {"tag_names": ["x"] * 51}, "tag_names: must have at most 50 entries")

create("dipli", {"extra": _nested(40)}, "arguments: nested too deeply")
create("dropday", {"products": "[" * 50 + "]" * 50}, "arguments: nested too deeply")
create("dropday", {"products": "[" * 50_000 + "]" * 50_000}, "products: must be a list")
create("rewix", {"n" * 5000: 1}, f"{'n' * 59}…: is not an argument; known: {REWIX_NAMES}")

# --- characters ----------------------------------------------------------------------------------------------------

create("dipli", {"buyer": "Zenobia\x00Quastel"}, f"buyer: {ONE_LINE}")
create("dipli", {"buyer": "Zenobia\nQuastel"}, f"buyer: {ONE_LINE}")
create("dipli", {"street": "17 Xylophone\u202e Lane"}, f"street: {ONE_LINE}")
create("rewix", {"recipient_details.recipient": "Zenobia\u200bQuastel"}, f"recipient_details.recipient: {ONE_LINE}")
create("dropday", {"products.0.name": "Lamp\U000e0041"}, f"products.0.name: {ONE_LINE}")
create("duoplane", {"customer_note": "Ring\u2028for Kestrel"}, f"customer_note: {ONE_LINE}")

call(
    "rewix_get_order",
    {"key": "WEB-1001", "x\n\u202efix: order again": 1},
    "x fix: order again: is not an argument; known: key, rewix_order_id",
)

# --- ids -----------------------------------------------------------------------------------------------------------

create("dipli", {"alternative_id": "../../admin"}, f"alternative_id: {ID_FORM}")
create("rewix", {"key": "WEB/1001"}, f"key: {ID_FORM}")
create("dropday", {"external_id": "WEB%2F1001"}, f"external_id: {ID_FORM}")
create("duoplane", {"external_id": ".."}, f"external_id: {ID_FORM}")
create("rewix", {"key": "WEB 1001"}, f"key: {ID_FORM}")
create("dropday", {"external_id": 10.5}, "external_id: must be text: as a number it may lose digits")
call("dropship_find_order", {"reference": "../orders"}, f"reference: {ID_FORM}")
call("dipli_get_order", {"public_id": "WEB-1001"}, f"public_id: {PUBLIC_ID}")
call("dipli_get_order", {"public_id": "A-1/../2"}, f"public_id: {PUBLIC_ID}")
call("dipli_get_order", {"public_id": "A-1%2F2"}, f"public_id: {PUBLIC_ID}")
call(
    "dipli_get_order",
    {"public_id": "A-1", "alternative_id": "WEB-1001"},
    "arguments: give exactly one of public_id and alternative_id",
)
call("rewix_get_order", {"rewix_order_id": "WEB-1001"}, "rewix_order_id: must be a whole number")
call("rewix_get_order", {"rewix_order_id": 130001.5}, "rewix_order_id: must be a whole number")
call("rewix_get_order", {"key": ".."}, "key: cannot be a dot")
call(
    "rewix_get_order",
    {"key": "WEB-1001", "rewix_order_id": 130001},
    "arguments: give exactly one of key and rewix_order_id",
)
call("dropday_get_order", {}, "arguments: give exactly one of external_id and reference")
call(
    "dropday_get_order",
    {"external_id": "WEB-1001", "reference": "98"},
    "arguments: give exactly one of external_id and reference",
)
call("duoplane_get_order", {"order_id": "WEB-1001"}, f"order_id: {DUOPLANE_ID}")
call("duoplane_get_order", {"order_id": "../orders"}, f"order_id: {DUOPLANE_ID}")
call("duoplane_get_order", {"order_id": True}, f"order_id: {DUOPLANE_ID}")
call(
    "dropship_settle_order",
    {"provider": "amazon", "reference": "WEB-1001"},
    "provider: must be one of 'dipli', 'rewix', 'dropday' or 'duoplane'",
)

# --- dates, countries, addresses -----------------------------------------------------------------------------------

create("rewix", {"date": "2026/03/02 11:59:59 PM +0000"}, f"date: {DATE}")
create("rewix", {"date": "2026-03-02T23:59:59"}, f"date: {DATE}")
create("rewix", {"date": "02/03/2026 23:59:59 +0000"}, f"date: {DATE}")
create("rewix", {"date": "2026/02/30 23:59:59 +0000"}, f"date: {DATE}")
create("dropday", {"shipping.delivery_date": "03/02/2026"}, "shipping.delivery_date: must be a date like 2026-11-07")
create("dropday", {"shipping.delivery_date": "2026-02-30"}, "shipping.delivery_date: must be a date like 2026-11-07")
create("duoplane", {"ordered_at": "2026-11-07"}, f"ordered_at: {MOMENT}")
create("duoplane", {"ordered_at": "2026-11-07T14:15:22"}, f"ordered_at: {MOMENT}")
create("dipli", {"country": "France"}, f"country: {COUNTRY} FR")
create("dipli", {"country": "FRA"}, f"country: {COUNTRY} FR")
create("dropday", {"shipping_address.country": "UK"}, f"shipping_address.country: {COUNTRY} GB")
create(
    "rewix", {"recipient_details.address.countrycode": "Italia"}, f"recipient_details.address.countrycode: {COUNTRY} IT"
)
create("duoplane", {"shipping_address.country_iso2": "United States"}, f"shipping_address.country_iso2: {COUNTRY} US")
create("dipli", {"buyer_email": "zenobia.quastel.example"}, "buyer_email: must look like name@example.com")
create("dropday", {"email": "Zenobia <zenobia@quastel.example>"}, "email: must look like name@example.com")
create("dipli", {"buyer_phone": "call Zenobia"}, "buyer_phone: must hold 3 to 20 digits")
create("dipli", {"postcode": 1000}, "postcode: has five digits in FR: pass it as text with its leading zero")
create(
    "rewix",
    {"recipient_details.phone.number": "+39 0612340987"},
    "recipient_details.phone.number: starts with another country code than prefix",
)

# --- several at once -----------------------------------------------------------------------------------------------

create(
    "dropday",
    {"total": "a lot", "shipping_address.country": "France", "shipping_address.zip": "75019", "products.0.quantity": 0},
    f"total: {PLAIN_NUMBER}",
    f"shipping_address.country: {COUNTRY} FR",
    "shipping_address.zip: is not an argument; did you mean postcode?",
    "products.0.quantity: must be at least 1",
)
create(
    "duoplane",
    {
        "order_items": [{"name": "Throw", "quantity": 0, "retailer_sku": "X"}, {"quantity": 1, "retailer_sku": "Y"}],
        "note": "x",
    },
    "order_items.0.quantity: must be at least 1",
    "order_items.1.name: is required",
    "note: is not an argument; did you mean customer_note?",
)
