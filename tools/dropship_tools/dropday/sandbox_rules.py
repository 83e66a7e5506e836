"""The validation of the Dropday sandbox: what a Laravel application makes of a create order body.

From sheet sections 4 and 8. Laravel first trims every string and takes an empty one for null, then applies
the rules of each field, and reports all failures at once under dot paths with zero-based indices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

Fields = Mapping[str, Any]

NUMERIC = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
PRICE = re.compile(r"\d+(\.\d{1,2})?", re.ASCII)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
DELIVERY_DATE = re.compile(r"(\d{2})-(\d{2})-(\d{4})", re.ASCII)

# Beyond this a number is not exact; it also keeps infinity out.
LARGEST_NUMBER = 2**53

ADDRESS_REQUIRED = ("first_name", "last_name", "address1", "postcode", "city", "country")
ADDRESS_OPTIONAL = ("company_name", "address2", "state")
LINE_OPTIONAL = ("reference", "image_url", "brand", "category", "supplier")


class Refused(ValueError):
    """The request is not valid. `errors` maps each dot path to the texts about it."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("invalid")
        self.errors = errors


def checked_order(body: Any) -> dict[str, Any]:
    """The documented fields of a valid order, in the types they are read back with.

    Unknown keys are dropped without a word, as plugins that send them show (sheet section 4). Raises Refused.
    """
    rules = Rules(cast(Fields, _trimmed(body)) if isinstance(body, dict) else {})
    address = rules.inside("shipping_address", required=True)
    shipping = rules.inside("shipping")
    order = {
        "external_id": rules.text("external_id", required=True),
        "source": rules.text("source", required=True),
        "test": rules.boolean("test"),
        "total": rules.number("total", required=True),
        "shipping_cost": rules.number("shipping_cost"),
        "email": rules.email("email"),
        "shipping_address": {
            **{name: address.text(name, required=True) for name in ADDRESS_REQUIRED},
            **{name: address.text(name) for name in ADDRESS_OPTIONAL},
            # Documented as a number, shown as text: both pass.
            "phone": address.text("phone", or_number=True),
        },
        "shipping": {
            **{name: shipping.text(name) for name in ("name", "description", "note")},
            "cost": shipping.number("cost"),
            "delivery_date": shipping.delivery_date("delivery_date"),
        },
        "products": [_checked_line(line) for line in rules.lines("products")],
    }
    if rules.errors:
        raise Refused(rules.errors)
    return order


def _checked_line(line: Rules) -> dict[str, Any]:
    return {
        "external_id": line.text("external_id", required=True, or_number=True),
        "name": line.text("name", required=True),
        "quantity": line.quantity("quantity"),
        "price": line.number("price", required=True),
        "ean13": line.text("ean13", or_number=True),
        "stock_quantity": line.number("stock_quantity"),
        "purchase_price": line.price("purchase_price"),
        "custom": line.mapping("custom"),
        **{name: line.text(name) for name in LINE_OPTIONAL},
    }


class Rules:
    """The fields of one object, checked one by one; failures of all objects gather in one map."""

    def __init__(
        self, fields: Fields, path: str = "", errors: dict[str, list[str]] | None = None, *, raw: bool = False
    ) -> None:
        self.fields = fields
        self.path = path
        self.errors: dict[str, list[str]] = {} if errors is None else errors
        # Laravel writes "external id" for external_id, except inside the items of a list.
        self.raw = raw

    def fail(self, name: str, text: str) -> None:
        """Note a failure; `:attribute` in the text becomes the name of the field."""
        path = self.path + name
        label = path if self.raw else path.replace("_", " ")
        self.errors.setdefault(path, []).append(text.replace(":attribute", label))

    def value(self, name: str, required: bool) -> Any:
        """The value or None; notes a failure when a required one is missing or empty."""
        value = self.fields.get(name)
        if required and (value is None or value == [] or value == {}):
            self.fail(name, "The :attribute field is required.")
            return None
        return value

    def text(self, name: str, *, required: bool = False, or_number: bool = False) -> str | None:
        value = self.value(name, required)
        if or_number and not isinstance(value, str) and plain_number(value) is not None:
            return str(plain_number(value))
        if value is not None and not isinstance(value, str):
            self.fail(name, "The :attribute must be a string.")
            return None
        return value

    def number(self, name: str, *, required: bool = False) -> int | float | None:
        value = self.value(name, required)
        number = plain_number(value)
        if value is not None and number is None:
            self.fail(name, "The :attribute must be a number.")
        return number

    def quantity(self, name: str) -> int | None:
        number = self.number(name, required=True)
        if number is None:
            return None
        if not isinstance(number, int):
            self.fail(name, "The :attribute must be an integer.")
            return None
        if number < 1:
            self.fail(name, "The :attribute must be at least 1.")
        return number

    def price(self, name: str) -> int | float | None:
        value = self.value(name, False)
        if value is None:
            return None
        if isinstance(value, bool) or not PRICE.fullmatch(str(value)):
            self.fail(name, "The :attribute format is invalid.")
            return None
        return plain_number(value)

    def boolean(self, name: str) -> bool:
        value = self.value(name, False)
        # The text "true" is not a boolean for Laravel; "1" and "0" are.
        if value is not None and value not in (True, False, "1", "0"):
            self.fail(name, "The :attribute field must be true or false.")
        return value in (True, "1")

    def email(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not EMAIL.fullmatch(value):
            self.fail(name, "The :attribute must be a valid email address.")
        return value

    def delivery_date(self, name: str) -> str | None:
        """DD-MM-YYYY in, YYYY-MM-DD out."""
        value = self.text(name)
        if value is None:
            return None
        match = DELIVERY_DATE.fullmatch(value)
        try:
            if match is not None:
                return date(int(match[3]), int(match[2]), int(match[1])).isoformat()
        except ValueError:
            # 31-02-2026 has the form and is no day.
            pass
        self.fail(name, "The :attribute does not match the format d-m-Y.")
        return None

    def mapping(self, name: str) -> dict[str, Any] | None:
        value = self.value(name, False)
        if value is not None and not isinstance(value, dict):
            self.fail(name, "The :attribute must be an array.")
            return None
        return cast("dict[str, Any] | None", value)

    def inside(self, name: str, *, required: bool = False) -> Rules:
        """The rules of a nested object. They apply, and fail, even when the object is missing."""
        value = self.value(name, required)
        if value is not None and not isinstance(value, dict):
            self.fail(name, "The :attribute must be an array.")
        fields = cast(Fields, value if isinstance(value, dict) else {})
        return Rules(fields, f"{self.path}{name}.", self.errors, raw=self.raw)

    def lines(self, name: str) -> list[Rules]:
        """The rules of each item of a required list."""
        value = self.value(name, True)
        if value is not None and not isinstance(value, list):
            self.fail(name, "The :attribute must be an array.")
        items = cast(list[Any], value) if isinstance(value, list) else []
        return [
            Rules(
                cast(Fields, item) if isinstance(item, dict) else {},
                f"{self.path}{name}.{index}.",
                self.errors,
                raw=True,
            )
            for index, item in enumerate(items)
        ]


def _trimmed(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, dict):
        return {name: _trimmed(item) for name, item in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [_trimmed(item) for item in cast(list[Any], value)]
    return value


def plain_number(value: Any) -> int | float | None:
    """A JSON number, or the text of one without thousands separators. Whole ones come back without a fraction."""
    if isinstance(value, str) and NUMERIC.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        return None
    return int(value) if value == int(value) else value
