"""What the Rewix sandbox checks in a body before it touches anything: the 429s of the create call (sheet 3.3, 4.1).

Written from the documentation alone; it shares nothing with the models of the client it helps to test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

DATE_PATTERN = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}")
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
COUNTRY = re.compile(r"[A-Za-z]{2}")

RECIPIENT_OPTIONAL = ("careof", "cfpiva", "customer_key", "notes")
ADDRESS_REQUIRED = ("street_name", "zip", "city")
ADDRESS_OPTIONAL = ("street_type", "address_number")
OPERATIONS = ("lock", "unlock", "set")


class BadBody(ValueError):
    """Something is wrong with the body; the text is what the caller gets to read."""


@dataclass(frozen=True)
class Line:
    """So many pieces of one model."""

    stock_id: int
    quantity: int


@dataclass(frozen=True)
class NewOrder:
    """An order as it was received, checked. `recipient` keeps the fields under their own names."""

    key: str
    date: datetime
    carrier_id: int | None
    auto_confirm: bool
    country: str
    recipient: dict[str, Any]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Operation:
    """One step of a reserve call: lock, unlock or set."""

    type: str
    lines: tuple[Line, ...]


def check_orders(body: Any) -> list[NewOrder]:
    """Every order of a create body. Raises BadBody with the first problem; then no order at all is made."""
    envelope = _object(body, "the body")
    listed = envelope.get("order_list")
    if not isinstance(listed, list) or not listed:
        raise BadBody("order_list: at least one order is required")
    orders = cast(list[Any], listed)
    return [_check_order(order, f"order_list[{index}]") for index, order in enumerate(orders)]


def _check_order(data: Any, where: str) -> NewOrder:
    order = _object(data, where)
    key = _text(order, "key", where, required=True)
    date = _date(_text(order, "date", where, required=True), f"{where}.date")
    # An empty element counts as an absent one: XML has no other way to leave a number open.
    carrier_id = None if order.get("carrierId") in (None, "") else _number(order, "carrierId", where)
    auto_confirm = _boolean(order.get("autoConfirm"), f"{where}.autoConfirm")
    recipient, country = _check_recipient(order.get("recipient_details"), f"{where}.recipient_details")
    items = order.get("item_list")
    if not isinstance(items, list) or not items:
        raise BadBody(f"{where}.item_list: at least one item is required")
    lines = tuple(
        _check_line(item, f"{where}.item_list[{index}]", least=1) for index, item in enumerate(cast(list[Any], items))
    )
    return NewOrder(key, date, carrier_id, auto_confirm, country, recipient, lines)


def _check_recipient(data: Any, where: str) -> tuple[dict[str, Any], str]:
    details = _object(data, where)
    recipient: dict[str, Any] = {"recipient": _text(details, "recipient", where, required=True)}
    for name in RECIPIENT_OPTIONAL:
        recipient[name] = _text(details, name, where)
    address_where = f"{where}.address"
    given = _object(details.get("address"), address_where)
    address = {name: _text(given, name, address_where, required=True) for name in ADDRESS_REQUIRED}
    address |= {name: _text(given, name, address_where) for name in ADDRESS_OPTIONAL}
    # Required by the prose, sent empty by a live client (sheet 4.1): it must be there, it may be empty.
    if given.get("province") is None:
        raise BadBody(f"{address_where}.province: required")
    address["province"] = _text(given, "province", address_where)
    country = _text(given, "countrycode", address_where, required=True)
    if not COUNTRY.fullmatch(country):
        raise BadBody(f"{address_where}.countrycode: must be a two-letter ISO 3166-1 code")
    address["countrycode"] = country
    phone_where = f"{where}.phone"
    phone = _object(details.get("phone"), phone_where)
    recipient["address"] = address
    recipient["phone"] = {
        "prefix": _text(phone, "prefix", phone_where),
        "number": _text(phone, "number", phone_where, required=True),
    }
    return recipient, country.upper()


def check_operations(body: Any) -> list[Operation]:
    """Every operation of a reserve body (sheet 4.5). Raises BadBody with the first problem."""
    envelope = _object(body, "the body")
    listed = envelope.get("operations")
    if not isinstance(listed, list):
        raise BadBody("operations: a list is required")
    operations: list[Operation] = []
    for index, data in enumerate(cast(list[Any], listed)):
        where = f"operations[{index}]"
        operation = _object(data, where)
        kind = operation.get("type")
        if kind not in OPERATIONS:
            raise BadBody(f"{where}.type: must be one of {', '.join(OPERATIONS)}")
        models = operation.get("models")
        if models is None:
            models = []
        if not isinstance(models, list):
            raise BadBody(f"{where}.models: a list is required")
        lines = tuple(
            _check_line(model, f"{where}.models[{position}]", least=0)
            for position, model in enumerate(cast(list[Any], models))
        )
        operations.append(Operation(cast(str, kind), lines))
    return operations


def _check_line(data: Any, where: str, *, least: int) -> Line:
    line = _object(data, where)
    stock_id = _number(line, "stock_id", where)
    quantity = _number(line, "quantity", where)
    if quantity < least:
        raise BadBody(f"{where}.quantity: must be at least {least}")
    return Line(stock_id, quantity)


def _object(data: Any, where: str) -> dict[str, Any]:
    if data is None:
        raise BadBody(f"{where}: required")
    if not isinstance(data, dict):
        raise BadBody(f"{where}: must be an object")
    return cast(dict[str, Any], data)


def _text(fields: dict[str, Any], name: str, where: str, *, required: bool = False) -> str:
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        # The maker's parser turns numbers into texts where a text is meant.
        value = str(value)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise BadBody(f"{where}.{name}: must be a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadBody(f"{where}.{name}: holds half of a character") from None
    if required and not value.strip():
        raise BadBody(f"{where}.{name}: required")
    return value


def _number(fields: dict[str, Any], name: str, where: str) -> int:
    """A whole number, also as a text: the documentation's own JSON example writes them so (sheet 3.2)."""
    value = fields.get(name)
    if value is None or value == "":
        raise BadBody(f"{where}.{name}: required")
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and WHOLE_NUMBER.fullmatch(value.strip()):
        return int(value)
    raise BadBody(f"{where}.{name}: must be a whole number")


def _boolean(value: Any, where: str) -> bool:
    """True unless said otherwise (sheet 4.1.2); as a text in the documentation's own JSON example."""
    if value is None or value == "":
        return True
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if not isinstance(value, bool):
        raise BadBody(f"{where}: must be true or false")
    return value


def _date(text: str, where: str) -> datetime:
    problem = f'{where}: unparseable date "{text[:40]}", the format is yyyy/MM/dd HH:mm:ss Z'
    if not DATE_PATTERN.fullmatch(text.strip()):
        raise BadBody(problem)
    try:
        return datetime.strptime(text.strip(), "%Y/%m/%d %H:%M:%S %z")
    except ValueError:
        raise BadBody(problem) from None
