"""From arguments to the documented request: what is accepted, in which form it leaves, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, cast

import pytest

from dropship_mcp.arguments import accept
from dropship_tools.arguments import Part
from dropship_tools.dropday.models import Address, CreateOrder, GetOrder, Product, Shipping
from dropship_tools.dropday.tools import TOOLS
from dropship_tools.errors import FieldProblem, InvalidArguments
from dropship_tools.orders import Item, Summary
from unit.dropday.dropday_fakes import DOCUMENTED, LEAST, body_of, changed, planned, problems

ABSENT = {"company_name", "address2", "state", "phone"}


# --- the documented request -------------------------------------------------------------------------------------


def test_the_documented_request_leaves_exactly_as_documented() -> None:
    order = planned(DOCUMENTED)

    (request,) = order.requests
    assert (request.method, request.target(), dict(request.headers)) == (
        "POST",
        "/api/v1/orders",
        {"Content-Type": "application/json", "Accept": "application/json"},
    )
    assert json.loads(request.body) == DOCUMENTED
    assert order.reference == "L41223D"
    assert order.summary == Summary(
        recipient="John Doe",
        country="US",
        items=(
            Item("PZZA00001 / 87235211235464", 2, "Pizza margerita", Decimal("10.99")),
            Item("COKE / 07235211235464", 2, "Coca Cola", Decimal("2.50")),
        ),
        total=Decimal("435.45"),
        test=False,
        place="4500 LA",
    )


def test_numbers_may_come_as_text_and_text_as_whole_numbers() -> None:
    given_ = changed(
        DOCUMENTED,
        total="435.45",
        shipping_cost="4.95",
        test="false",
        shipping_address__postcode=4500,
        products__0__external_id=1,
        products__0__ean13=87235211235464,
        products__0__quantity="2",
        products__0__stock_quantity="424",
        products__0__price="10.99",
        products__1__price="2.50",
    )

    order = planned(given_)

    assert body_of(order) == DOCUMENTED
    assert order.content == planned(DOCUMENTED).content


def test_an_order_with_everything_leaves_in_the_documented_types() -> None:
    order = planned(
        test=True,
        email="ann@example.org",
        shipping_address__company_name="Lee BV",
        shipping_address__address2="floor 2",
        shipping_address__state="NH",
        shipping_address__phone=31612345678,
        shipping={
            "name": "UPS",
            "description": "Standard",
            "cost": "5.00",
            "note": "Ring twice\nthen knock",
            "delivery_date": "2025-11-07",
        },
        products__0__ean13="0745125000015",
        products__0__stock_quantity=0,
        products__0__purchase_price=12.5,
    )

    assert body_of(order) == changed(
        LEAST,
        test=True,
        email="ann@example.org",
        shipping_address__company_name="Lee BV",
        shipping_address__address2="floor 2",
        shipping_address__state="NH",
        shipping_address__phone="31612345678",
        shipping={
            "name": "UPS",
            "description": "Standard",
            "cost": 5,
            "note": "Ring twice\nthen knock",
            "delivery_date": "07-11-2025",
        },
        products__0__ean13="0745125000015",
        products__0__stock_quantity=0,
        products__0__purchase_price=12.5,
    )


def test_what_is_left_out_null_or_empty_is_not_sent_and_makes_the_same_order() -> None:
    empty_lines = dict.fromkeys(("ean13", "reference", "image_url", "brand", "category", "supplier"), "")
    empty_shipping = {"name": "", "description": "", "note": "", "delivery_date": ""}
    plain = planned()
    for blank in (
        planned(email="", shipping=empty_shipping, products=[{**LEAST["products"][0], **empty_lines, "custom": {}}]),
        planned(email=None, shipping=None, products=[{**LEAST["products"][0], "custom": None, "purchase_price": None}]),
        planned(shipping={}, test=None, dry_run=None, products=[{**LEAST["products"][0], "custom": [], "brand": "  "}]),
        planned(shipping_address={**LEAST["shipping_address"], **dict.fromkeys(ABSENT, "")}),
        planned(shipping_address={**LEAST["shipping_address"], **dict.fromkeys(ABSENT)}),
        planned(**dict(reversed(LEAST.items()))),
        planned(dry_run=True),
    ):
        assert blank.content == plain.content
        assert body_of(blank) == body_of(plain) == {**LEAST, "test": False}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "Another shop"),
        ("test", True),
        ("total", 25),
        ("shipping_cost", 6),
        ("email", "ann@example.org"),
        ("shipping", {"note": "Ring"}),
        ("shipping_address__city", "Utrecht"),
        ("products__0__quantity", 2),
        ("products__0__custom", {"engraving": "A"}),
    ],
)
def test_every_other_value_makes_another_order(field: str, value: Any) -> None:
    assert planned(**{field: value}).content != planned().content


# --- custom -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "custom",
    [
        {"engraving": "A & B", "size": "42"},
        {"size": 42, "engraving": "A & B", "none": None},
        [{"name": "engraving", "value": "A & B"}, {"name": "size", "value": 42}],
        '{"engraving": "A & B", "size": "42"}',
    ],
)
def test_custom_may_be_an_object_or_pairs(custom: Any) -> None:
    order = planned(products__0__custom=custom)

    assert body_of(order)["products"][0]["custom"] == {"engraving": "A & B", "size": "42"}


@pytest.mark.parametrize(
    ("custom", "field", "problem"),
    [
        ([{"name": "a", "value": "1"}, {"name": " a ", "value": "2"}], "", "must not name anything twice"),
        ({" ": "1"}, ".0.name", "must not be empty"),
        ({"a": True}, ".0.value", "must be text"),
        ({"a": 2.5}, ".0.value", "must be text: as a number it may lose digits"),
        ({"a": {"b": "c"}}, ".0.value", "must be text"),
        ({"a": ["b"]}, ".0.value", "must be text"),
        ([{"name": "a"}], ".0.value", "is required"),
        ("a=1", "", "must be a list"),
        ({str(n): "x" for n in range(51)}, "", "must have at most 50 entries"),
    ],
)
def test_custom_holds_named_texts(custom: Any, field: str, problem: str) -> None:
    assert problems(products__0__custom=custom) == {f"products.0.custom{field}": problem}


# --- fields -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["external_id", "source", "total", "shipping_address", "products"])
def test_what_the_documentation_requires_is_required(name: str) -> None:
    assert problems(**{name: ...}) == {name: "is required"}


@pytest.mark.parametrize("name", ["first_name", "last_name", "address1", "postcode", "city", "country"])
def test_an_address_needs_what_the_documentation_requires(name: str) -> None:
    assert problems(**{f"shipping_address__{name}": ...}) == {f"shipping_address.{name}": "is required"}
    assert set(problems(**{f"shipping_address__{name}": " "})) == {f"shipping_address.{name}"}


@pytest.mark.parametrize("name", ["external_id", "name", "quantity", "price"])
def test_a_line_needs_what_the_documentation_requires(name: str) -> None:
    assert problems(**{f"products__0__{name}": ...}) == {f"products.0.{name}": "is required"}


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("external_id", "A/1", "may hold letters, digits and . _ - only, and starts with a letter or digit"),
        ("total", "1,234.50", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("total", 26.930000000000003, "must have at most two decimal places"),
        ("shipping_cost", -1, "must be at least 0"),
        ("email", "ann", "must look like name@example.com"),
        ("products", [], "must not be empty"),
        ("products", "lamp", "must be a list"),
        ("shipping_address__country", "Netherlands", "must be a two-letter ISO 3166-1 country code, here NL"),
        ("shipping_address__phone", 612345678.5, "must be text: as a number it may lose digits"),
        ("products__0__ean13", 8.7e13, "must be text: as a number it may lose digits"),
        ("products__0__quantity", 0, "must be at least 1"),
        ("products__0__quantity", 1.5, "must be a whole number"),
        (
            "products__0__price",
            "\u20ac10",
            "must be a plain number such as 10.99, without currency or thousands separator",
        ),
        ("products__0__purchase_price", 10.999, "must have at most two decimal places"),
        ("products__0__purchase_price", -1, "must be at least 0"),
        ("products__0__stock_quantity", -1, "must be at least 0"),
        ("test", "perhaps", "must be true or false"),
    ],
)
def test_what_dropday_would_refuse_or_misread_is_refused_before_it_is_sent(
    field: str, value: Any, problem: str
) -> None:
    assert problems(**{field: value}) == {field.replace("__", "."): problem}


@pytest.mark.parametrize(("given_", "sent"), [(True, True), ("true", True), (1, True), (False, False), (None, False)])
def test_test_is_sent_as_a_real_boolean(given_: Any, sent: bool) -> None:
    assert body_of(planned(test=given_))["test"] is sent


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("items", "products"),
        ("lines", "products"),
        ("reference", "external_id"),
        ("shipping_address__firstname", "first_name"),
        ("shipping_address__lastname", "last_name"),
        ("shipping_address__zip", "postcode"),
        ("shipping_address__street", "address1"),
        ("shipping_address__company", "company_name"),
        ("products__0__sku", "reference"),
        ("products__0__ean", "ean13"),
        ("products__0__qty", "quantity"),
    ],
)
def test_names_that_agents_try_are_answered_with_the_documented_one(field: str, hint: str) -> None:
    assert problems(**{field: "x"}) == {
        field.replace("__", "."): f"is not an argument; did you mean {hint}?",
    }


@pytest.mark.parametrize("part", [CreateOrder, Address, Shipping, Product, GetOrder], ids=lambda p: p.__name__)
def test_every_hint_names_a_field_or_explains(part: type[Part]) -> None:
    for tried, hint in part.also_called.items():
        assert tried == tried.lower()
        assert tried not in part.model_fields
        assert hint in part.model_fields or " " in hint


# --- doubts -----------------------------------------------------------------------------------------------------

ROUTING = "No brand, ean13, supplier or category on: 77; routing rules may match no supplier."


@pytest.mark.parametrize(
    ("total", "doubt"),
    [
        (24.99, None),
        (26.5, None),
        (23, None),
        (30, "total is 30.00, lines plus shipping are 24.99: tax or discount?"),
        (0, "total is 0.00, lines plus shipping are 24.99: tax or discount?"),
        (2499, "total is 2499.00, lines plus shipping are 24.99: cents mixed with main units?"),
        (0.25, "total is 0.25, lines plus shipping are 24.99: cents mixed with main units?"),
    ],
)
def test_a_total_far_from_the_lines_is_doubted(total: float, doubt: str | None) -> None:
    assert planned(total=total, products__0__brand="Nordlys").warnings == ((doubt,) if doubt else ())


def test_a_free_order_raises_no_doubt() -> None:
    assert planned(total=0, shipping_cost=0, products__0__price=0, products__0__brand="Nordlys").warnings == ()


@pytest.mark.parametrize("field", ["brand", "ean13", "supplier", "category"])
def test_a_line_with_anything_to_route_by_is_not_doubted(field: str) -> None:
    assert planned().warnings == (ROUTING,)
    assert planned(**{f"products__0__{field}": "x"}).warnings == ()


def test_the_documented_example_has_a_total_that_does_not_fit() -> None:
    assert planned(DOCUMENTED).warnings == ("total is 435.45, lines plus shipping are 31.93: tax or discount?",)


# --- look-ups and tools -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_", [{}, {"external_id": ""}, {"external_id": "A", "reference": "1"}])
def test_an_order_is_looked_up_by_exactly_one_number(given_: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments) as raised:
        accept(GetOrder, given_, "dropday_get_order")

    assert raised.value.fields == (FieldProblem("arguments", "give exactly one of external_id and reference"),)


def test_a_reference_may_come_as_a_number() -> None:
    assert accept(GetOrder, {"reference": 98, "external_id": None}, "dropday_get_order") == GetOrder(reference="98")


def test_tools_say_what_their_schema_cannot() -> None:
    create, get, *_ = TOOLS

    assert (create.name, get.name) == ("dropday_create_order", "dropday_get_order")
    for tool in TOOLS:
        assert len(tool.description) <= 300
        schema = cast("dict[str, Any]", tool.arguments.model_json_schema())
        assert schema["additionalProperties"] is False
    for word in ("paid", "Cannot be cancelled", "decimals", "external_id"):
        assert word in create.description
    for word in ("external_id", "reference", "handed to the supplier", "no tracking"):
        assert word in get.description
