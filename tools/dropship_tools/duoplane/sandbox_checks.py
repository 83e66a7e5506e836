"""What the Duoplane sandbox refuses in a body: the 400s and 422s of the new API (sheet 5.1, 5.4).

The documentation marks no field as required. Required here is what the sheet infers a shippable order to need: a known
store, order items with a quantity and a product, and a shipping address with a street, a city and a country. Unknown
fields are ignored without a word, as web frameworks do, so `address1` for `address_1` is a missing street. Written from
the documentation alone; it shares nothing with the models of the client it helps to test.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, cast

from dropship_tools.duoplane.sandbox_catalogue import STORES, VENDORS

ADDRESS_FIELDS = (
    *("first_name", "last_name", "company_name", "address_1", "address_2", "city", "post_code"),
    *("province_name", "province_code", "country_name", "country_iso2", "phone", "email"),
)
SHIPPING_REQUIRED = ("address_1", "city", "country_iso2")
ORDER_TEXTS = ("store_source_name", "internal_id", "external_id", "customer_note")
ITEM_TEXTS = ("name", "retailer_sku", "internal_id")
PRODUCT_TEXTS = ("upc", "mpn", "other_barcode", "name", "retailer_sku")
INVENTORY_TEXTS = ("vendor_name", "vendor_sku", "purchase_name")

Fields = dict[str, Any]


class NotJson(ValueError):
    """The body is not JSON."""


def parse(body: bytes) -> Any:
    """Decoded JSON. Raises NotJson, also for NaN and for halves of characters, which no JSON text can hold."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        data = json.loads(body, parse_constant=refuse)
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise NotJson("the body is not valid JSON") from error
    return data


class Checker:
    """Collects the problems of one body; the sentences name the field, as there is no other pointer to it."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def order(self, data: Any) -> Fields:
        """The known fields of an order, checked; worth something only without problems."""
        body = self._body(data)
        order: Fields = {name: self._text(body, name, "") for name in ORDER_TEXTS}
        order["store_id"] = self._store(body)
        order["ordered_at"] = self._moment(body, "ordered_at")
        order["tag_names"] = self._texts(body, "tag_names")
        order["order_notes"] = self._notes(body, "order_notes", "")
        order["shipping_address"] = self._address(body, "shipping_address", required=SHIPPING_REQUIRED)
        order["billing_address"] = self._address(body, "billing_address")
        items = self._list(body, "order_items", "")
        if not items:
            self.problems.append("order_items must contain at least one item")
        order["order_items"] = [self._item(item, f"order_items[{index}]") for index, item in enumerate(items)]
        return order

    def product(self, data: Any) -> Fields:
        """The known fields of a product, checked; worth something only without problems."""
        body = self._body(data)
        product: Fields = {name: self._text(body, name, "") for name in PRODUCT_TEXTS}
        for name in ("name", "retailer_sku"):
            if not product[name]:
                self.problems.append(f"{name} can't be blank")
        inventories = self._list(body, "product_inventories", "")
        product["product_inventories"] = [
            self._inventory(inventory, f"product_inventories[{index}]") for index, inventory in enumerate(inventories)
        ]
        return product

    def _body(self, data: Any) -> Fields:
        if not isinstance(data, dict):
            self.problems.append("the body must be a JSON object")
            return {}
        body = cast(Fields, data)
        if "data" in body:
            self.problems.append("send the fields at the top level, not inside data.attributes")
        return body

    def _store(self, body: Fields) -> int | None:
        """The store by its id or, without one, by `store_source_name`."""
        store_id = self._whole(body, "store_id", "")
        if store_id is not None:
            if store_id not in STORES:
                self.problems.append(f"store_id {store_id} is unknown")
            return store_id
        named = [number for number, name in STORES.items() if name == body.get("store_source_name")]
        if not named and body.get("store_id") is None:
            self.problems.append("store_id can't be blank")
        return named[0] if named else None

    def _item(self, data: Any, where: str) -> Fields:
        given = self._object(data, where)
        item: Fields = {name: self._text(given, name, where) for name in ITEM_TEXTS}
        item["quantity"] = self._whole(given, "quantity", where)
        if item["quantity"] is None or item["quantity"] <= 0:
            self.problems.append(f"{where}.quantity must be greater than 0")
        item["price"] = self._amount(given, "price", where)
        item["retailer_product_id"] = self._whole(given, "retailer_product_id", where)
        if not item["retailer_sku"] and item["retailer_product_id"] is None:
            self.problems.append(f"{where} needs a retailer_sku or a retailer_product_id")
        item["order_item_notes"] = self._notes(given, "order_item_notes", where)
        return item

    def _address(self, body: Fields, name: str, required: Sequence[str] = ()) -> Fields | None:
        if body.get(name) is None:
            if required:
                self.problems.append(f"{name} can't be blank")
            return None
        given = self._object(body[name], name)
        address: Fields = {field: self._text(given, field, name) for field in ADDRESS_FIELDS}
        for field in required:
            if not address[field]:
                self.problems.append(f"{name}.{field} can't be blank")
        country = address["country_iso2"]
        if country and not re.fullmatch("[A-Za-z]{2}", country):
            self.problems.append(f"{name}.country_iso2 must be an ISO 3166-1 alpha-2 code")
        if address["email"] and not re.fullmatch(r"[^@\s]+@[^@\s]+", address["email"]):
            self.problems.append(f"{name}.email is not an e-mail address")
        return address

    def _inventory(self, data: Any, where: str) -> Fields:
        given = self._object(data, where)
        inventory: Fields = {name: self._text(given, name, where) for name in INVENTORY_TEXTS}
        inventory["vendor_id"] = self._whole(given, "vendor_id", where)
        if inventory["vendor_id"] not in VENDORS and (
            inventory["vendor_id"] is not None or inventory["vendor_name"] not in VENDORS.values()
        ):
            self.problems.append(f"{where} names no vendor of this account")
        inventory["cost"] = self._amount(given, "cost", where)
        inventory["quantity_available"] = self._whole(given, "quantity_available", where)
        managed = given.get("manage_inventory")
        if managed is not None and not isinstance(managed, bool):
            self.problems.append(f"{where}.manage_inventory must be true or false")
        inventory["manage_inventory"] = managed
        until = self._text(given, "backordered_until", where)
        if until and not _is_date(until):
            self.problems.append(f"{where}.backordered_until must be a date")
        inventory["backordered_until"] = until or None
        return inventory

    # Every value may be null, which is the same as leaving it out.

    def _object(self, data: Any, where: str) -> Fields:
        if isinstance(data, dict):
            return cast(Fields, data)
        self.problems.append(f"{where} must be an object")
        return {}

    def _list(self, fields: Fields, name: str, where: str) -> list[Any]:
        value = fields.get(name)
        if isinstance(value, list):
            return cast(list[Any], value)
        if value is not None:
            self.problems.append(f"{_path(where, name)} must be an array")
        return []

    def _text(self, fields: Fields, name: str, where: str) -> str | None:
        value = fields.get(name)
        if value is None or isinstance(value, str):
            return value
        self.problems.append(f"{_path(where, name)} must be a string")
        return None

    def _texts(self, fields: Fields, name: str) -> list[str]:
        values = self._list(fields, name, "")
        if not all(isinstance(value, str) for value in values):
            self.problems.append(f"{name} must be an array of strings")
        return values

    def _notes(self, fields: Fields, name: str, where: str) -> list[Fields]:
        notes: list[Fields] = []
        for index, data in enumerate(self._list(fields, name, where)):
            place = f"{_path(where, name)}[{index}]"
            note = self._object(data, place)
            notes.append({part: self._text(note, part, place) for part in ("title", "body")})
        return notes

    def _whole(self, fields: Fields, name: str, where: str) -> int | None:
        value = fields.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.problems.append(f"{_path(where, name)} must be an integer")
        return None

    def _amount(self, fields: Fields, name: str, where: str) -> float | None:
        value = fields.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.problems.append(f"{_path(where, name)} must be a number")
            return None
        if value < 0:
            self.problems.append(f"{_path(where, name)} must not be negative")
        return value

    def _moment(self, fields: Fields, name: str) -> str | None:
        text = self._text(fields, name, "")
        if text and not _is_moment(text):
            self.problems.append(f"{name} must be an ISO 8601 date-time with a time zone")
        return text or None


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_moment(text: str) -> bool:
    """With a time zone, and in the range of dates in UTC too, in which it is shown."""
    try:
        moment = datetime.fromisoformat(text)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return moment.tzinfo is not None
