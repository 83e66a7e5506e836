"""What an agent may say, and what it is told otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dropship_tools.arguments import Part
from dropship_tools.rewix.models import Address, CreateOrder, GetOrder, Item, PhoneNumber, Recipient
from dropship_tools.rewix.stock_models import FindStock, Pieces, ReserveStock
from unit.rewix.rewix_shop import ORDER, arguments

ADDRESS: dict[str, Any] = ORDER["recipient_details"]["address"]


def problems(raw: Any, model: type[CreateOrder | GetOrder] = CreateOrder) -> dict[str, str]:
    """What is wrong with `raw`, by field."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(raw)
    return {".".join(map(str, e["loc"])): e["msg"] for e in caught.value.errors(include_url=False)}


def with_recipient(**changes: Any) -> dict[str, Any]:
    """The order with another recipient."""
    return {**ORDER, "recipient_details": {**ORDER["recipient_details"], **changes}}


def with_phone(prefix: Any, number: Any) -> dict[str, Any]:
    """The order with another phone number."""
    return with_recipient(phone={"prefix": prefix, "number": number})


def test_only_what_rewix_needs_is_required() -> None:
    assert set(problems({})) == {"key", "recipient_details", "item_list"}
    assert set(problems({**ORDER, "recipient_details": {"address": {}, "phone": {}}})) == {
        "recipient_details.recipient",
        "recipient_details.address.street_name",
        "recipient_details.address.zip",
        "recipient_details.address.city",
        "recipient_details.address.province",
        "recipient_details.address.countrycode",
        "recipient_details.phone.number",
    }
    assert set(problems({**ORDER, "item_list": [{}]})) == {"item_list.0.stock_id", "item_list.0.quantity"}


def test_nothing_is_paid_unless_somebody_says_so() -> None:
    assert arguments().autoConfirm is False
    assert arguments(autoConfirm="true").autoConfirm is True


def test_an_order_list_with_one_order_is_that_order() -> None:
    assert CreateOrder.model_validate({"order_list": [ORDER]}) == arguments()
    assert CreateOrder.model_validate({"order_list": [ORDER], "dry_run": True}) == arguments(dry_run=True)


@pytest.mark.parametrize("orders", [[], [ORDER, ORDER], ORDER, "x", None])
def test_an_order_list_with_any_other_number_of_orders_is_refused(orders: Any) -> None:
    assert problems({"order_list": orders}) == {
        "": "Value error, order_list must hold exactly one order; call once per order"
    }


def test_an_order_list_without_an_order_in_it_is_refused() -> None:
    assert problems({"order_list": [7]}) == {"": "Value error, order_list must hold an order object"}


def test_a_field_inside_and_beside_the_order_list_is_refused() -> None:
    assert problems({"order_list": [ORDER], "key": "OTHER"}) == {
        "": "Value error, give key either in order_list or beside it"
    }


def test_problems_inside_an_order_list_are_named_like_those_of_an_order() -> None:
    assert set(problems({"order_list": [{**ORDER, "key": "a/b", "items": []}]})) == {"key", "items"}


def test_lines_of_one_variant_are_added_up() -> None:
    lines = [(1578, 1), (1567, 2), ("1578", "3")]
    args = arguments(item_list=[{"stock_id": stock_id, "quantity": pieces} for stock_id, pieces in lines])
    assert args.quantities() == {1578: 4, 1567: 2}


@pytest.mark.parametrize("stock_id", [0, -1, 1.5, True, "SKU-1", "", None])
def test_a_stock_id_is_a_whole_number(stock_id: Any) -> None:
    assert set(problems({**ORDER, "item_list": [{"stock_id": stock_id, "quantity": 1}]})) == {"item_list.0.stock_id"}


@pytest.mark.parametrize("quantity", [0, -1, 1.5, True, "2 pieces", None, 100_001])
def test_a_quantity_is_a_whole_number_from_one(quantity: Any) -> None:
    assert set(problems({**ORDER, "item_list": [{"stock_id": 1, "quantity": quantity}]})) == {"item_list.0.quantity"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("", ""),
        ("2021/02/02 23:59:59 +0000", "2021/02/02 23:59:59 +0000"),
        ("2021/02/02 23:59:59 -0800", "2021/02/02 23:59:59 -0800"),
        ("2021-02-02T23:59:59Z", "2021/02/02 23:59:59 +0000"),
        ("2021-02-02T23:59:59+01:00", "2021/02/02 23:59:59 +0100"),
        ("2021-02-02 23:59:59.750-03:30", "2021/02/02 23:59:59 -0330"),
    ],
)
def test_a_date_keeps_its_instant(given: str, sent: str) -> None:
    assert arguments(date=given).date == sent


@pytest.mark.parametrize(
    "given",
    [
        "2021/02/02 23:59:59",
        "2021/02/02 23:59:59 0800",
        "2021/02/02 23:59:59 Z",
        "2021/02/02 11:59:59 PM +0000",
        "2021/02/02 24:00:00 +0000",
        "2021/02/30 10:00:00 +0000",
        "2021/02/02 10:00:00 +9900",
        "2021-02-02T23:59:59",
        "2021-02-02",
        "2021-02-02T23:59:59+01:00:30",
        "02/02/2021 23:59:59 +0000",
        "0000/01/01 00:00:00 +0000",
        "1612363015000",
        "now",
    ],
)
def test_a_date_that_names_no_instant_is_refused(given: str) -> None:
    assert problems({**ORDER, "date": given}) == {
        "date": "Value error, must be like 2021/02/02 23:59:59 +0000, or ISO 8601 with an offset; or leave it out"
    }


@pytest.mark.parametrize(
    ("prefix", "number", "sent"),
    [
        ("+39", "0112838474", ("+39", "0112838474")),
        ("39", "0112838474", ("+39", "0112838474")),
        ("0039", "011 2838474", ("+39", "011 2838474")),
        ("+39", "+390112838474", ("+39", "0112838474")),
        ("+39", "+39 0112838474", ("+39", "0112838474")),
        ("39", "0039-0112838474", ("+39", "0112838474")),
        ("", "+39 0112838474", ("", "+39 0112838474")),
        ("", "0112838474", ("", "0112838474")),
        ("+1 684", "6331234", ("+1684", "6331234")),
    ],
)
def test_a_phone_number_is_split_only_where_that_is_certain(prefix: str, number: str, sent: tuple[str, str]) -> None:
    phone = CreateOrder.model_validate(with_phone(prefix, number)).recipient_details.phone
    assert (phone.prefix, phone.number) == sent


@pytest.mark.parametrize(
    ("prefix", "number"),
    [("+39", "+48221234567"), ("+39", "0048221234567"), ("+39", ""), ("+39", "+39"), ("", "call me")],
)
def test_a_number_that_contradicts_its_prefix_is_refused(prefix: str, number: str) -> None:
    assert set(problems(with_phone(prefix, number))) == {"recipient_details.phone.number"}


@pytest.mark.parametrize("prefix", ["+", "IT", "+39 011 2838474", "+0", "00"])
def test_a_prefix_that_is_no_calling_code_is_refused(prefix: str) -> None:
    assert set(problems(with_phone(prefix, "0112838474"))) == {"recipient_details.phone.prefix"}


@pytest.mark.parametrize("key", ["", "a b", "a/b", "..", "x" * 65, "ключ", None, True, 1.5])
def test_a_key_that_cannot_travel_in_an_address_is_refused(key: Any) -> None:
    assert set(problems({**ORDER, "key": key})) == {"key"}


def test_postcodes_keep_their_zeros_and_countries_are_codes() -> None:
    args = CreateOrder.model_validate(with_recipient(address={**ADDRESS, "zip": "00144", "countrycode": "it"}))
    assert (args.recipient_details.address.zip, args.recipient_details.address.countrycode) == ("00144", "IT")
    assert set(problems(with_recipient(address={**ADDRESS, "countrycode": "Italy"}))) == {
        "recipient_details.address.countrycode"
    }


def test_a_flat_order_is_refused_field_by_field() -> None:
    flat: dict[str, Any] = {"key": "1", "items": [], "recipient": "A", "city": "B"}
    assert set(problems(flat)) == {"recipient_details", "item_list", "items", "recipient", "city"}


@pytest.mark.parametrize("raw", [{}, {"key": "1", "rewix_order_id": 5}, {"key": "", "rewix_order_id": None}])
def test_a_look_up_takes_exactly_one_number(raw: Any) -> None:
    assert problems(raw, GetOrder) == {"rewix_order_id": "Value error, give exactly one of key and rewix_order_id"}


@pytest.mark.parametrize("key", [".", ".."])
def test_a_look_up_cannot_be_led_to_another_address(key: str) -> None:
    assert set(problems({"key": key}, GetOrder)) == {"key"}


@pytest.mark.parametrize(
    "part", [CreateOrder, Recipient, Address, PhoneNumber, Item, GetOrder, FindStock, ReserveStock, Pieces]
)
def test_other_names_of_an_argument_lead_to_one_that_exists_or_to_an_explanation(part: type[Part]) -> None:
    for name, meant in part.also_called.items():
        assert name not in part.model_fields
        assert meant in part.model_fields or " " in meant
