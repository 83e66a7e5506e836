"""What is accepted as an order for Dipli, and what leaves for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from dropship_tools.dipli.models import CreateOrder, GetOrder
from dropship_tools.dipli.tools import TOOLS, plan
from dropship_tools.orders import Item, Plan, Summary
from dropship_tools.wire import WireRequest
from unit.dipli.dipli_fakes import ARGUMENTS, FakeDipli, arguments

CLIENT = FakeDipli((500, {})).client()


def planned(**changes: Any) -> Plan:
    return plan(CLIENT, arguments(changes))


def problem(**changes: Any) -> tuple[str, str]:
    """The field refused, and why."""
    with pytest.raises(ValidationError) as refused:
        arguments(changes)
    [error] = refused.value.errors()
    return ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")


def test_the_documented_request_leaves_exactly_as_documented() -> None:
    request = planned().requests[-1]
    assert (request, json.loads(request.body)) == (
        WireRequest(
            "POST",
            "/api-drop/v2/orders",
            (),
            {"Content-Type": "application/json", "Accept": "application/json"},
            request.body,
        ),
        ARGUMENTS,
    )


def test_a_plan_says_what_is_bought_and_for_whom() -> None:
    whole = planned()
    assert whole == Plan(
        reference="WEB-10045",
        content=ARGUMENTS,
        requests=whole.requests,
        summary=Summary(
            recipient="Zoé Martin", country="FR", items=(Item("11699153", 1),), place="01000 Bourg-en-Bresse"
        ),
        trace="martin zoe|12ruedeleglisebatb3eetage|01000|bourgenbresse|fr|11699153",
    )


def test_optional_fields_that_are_blank_stay_out_of_the_request() -> None:
    bare = {name: value for name, value in ARGUMENTS.items() if name not in ("additional_street", "extra")}
    omitted = planned(additional_street=None, extra=None)
    blank = planned(additional_street="  ", extra="")
    assert (omitted.content, blank.content, json.loads(blank.requests[-1].body)) == (bare, bare, bare)


@pytest.mark.parametrize("product_id", [11699153, "11699153", " 11699153 ", 11699153.0], ids=repr)
def test_the_same_product_written_otherwise_is_the_same_order(product_id: Any) -> None:
    assert planned(product_id=product_id) == planned()


def test_key_order_dry_run_and_case_of_the_country_do_not_change_the_order() -> None:
    turned = dict(reversed(ARGUMENTS.items())) | {"country": "fr", "dry_run": True}
    assert plan(CLIENT, CreateOrder.model_validate(turned)).content == planned().content


def test_a_postcode_passed_as_a_number_becomes_text() -> None:
    assert planned(postcode=75001).content["postcode"] == "75001"


NOT_A_PRODUCT_ID = "must be Dipli's own product number (1 to 11 digits), not a SKU, EAN or product name"


@pytest.mark.parametrize(
    "product_id",
    [
        "O3_MQ3D2ZD/A",
        "Apple iPhone 8",
        "0190198451682",
        "190198451682",
        3701234567894,
        "00042",
        0,
        -42,
        42.5,
        True,
        "",
        [42],
        {"id": 42},
    ],
    ids=repr,
)
def test_a_sku_ean_or_name_is_refused_as_product_id(product_id: Any) -> None:
    """Sheet section 10, row 4."""
    assert problem(product_id=product_id) == ("product_id", NOT_A_PRODUCT_ID)


@pytest.mark.parametrize(
    "name",
    ["alternative_id", "buyer", "street", "postcode", "city", "country", "buyer_phone", "buyer_email"],
)
@pytest.mark.parametrize("blank", ["", "   "])
def test_required_text_must_not_be_blank(name: str, blank: str) -> None:
    assert problem(**{name: blank})[0] == name


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name not in ("additional_street", "extra")])
def test_every_required_field_must_be_given(name: str) -> None:
    assert problem(**{name: None}) == (name, "Field required")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"buyer_email": "zoe at example.org"}, ("buyer_email", "must look like name@example.com")),
        ({"buyer_phone": "unknown"}, ("buyer_phone", "must hold 3 to 20 digits")),
        (
            {"country": "France"},
            ("country", "must be a two-letter ISO 3166-1 country code, here FR"),
        ),
        (
            {"postcode": 1000},
            ("country", "has five digits in FR: pass it as text with its leading zero"),
        ),
        ({"quantity": 3}, ("quantity", "Extra inputs are not permitted")),
        ({"products": [1, 2]}, ("products", "Extra inputs are not permitted")),
    ],
)
def test_what_dipli_would_refuse_without_a_word_is_refused_with_one(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    """Sheet section 10, row 14."""
    assert problem(**changes) == expected


def test_four_digit_postcodes_of_other_countries_are_fine() -> None:
    assert planned(postcode=1000, country="BE").content["postcode"] == "1000"


def test_names_that_agents_try_point_to_documented_ones_or_explain() -> None:
    for model in (CreateOrder, GetOrder):
        explained = {hint for hint in model.also_called.values() if " " in hint}
        assert set(model.also_called.values()) - explained <= set(model.model_fields)
        assert not set(model.also_called) & set(model.model_fields)
        assert all(name == name.lower() for name in model.also_called)


@pytest.mark.parametrize("name", ["quantity", "qty", "items", "lines", "products"])
def test_several_pieces_or_products_are_explained_to_be_several_orders(name: str) -> None:
    """Sheet section 10, row 3."""
    assert CreateOrder.also_called[name] == (
        "one call buys one unit of one product; for more call again, each time with its own alternative_id"
    )


@pytest.mark.parametrize(
    "given",
    [{}, {"public_id": "", "alternative_id": " "}, {"public_id": "A-12345", "alternative_id": "WEB-10045"}],
)
def test_a_look_up_takes_exactly_one_id(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="exactly one of public_id and alternative_id"):
        GetOrder.model_validate(given)


@pytest.mark.parametrize("public_id", ["WEB-10045", "12345", "A-", "A-12/../x", "a-12345", "A-١٢٣"])
def test_a_number_that_is_not_diplis_is_refused_with_the_way_out(public_id: str) -> None:
    """Sheet section 10, row 2."""
    with pytest.raises(ValidationError, match="A- and digits like A-12345; your own number goes into alternative_id"):
        GetOrder.model_validate({"public_id": public_id})


def test_descriptions_are_short_and_say_what_the_schema_cannot() -> None:
    create, get, _ = TOOLS
    assert (len(create.description) <= 300, len(get.description) <= 300) == (True, True)
    assert "one unit of one product" in create.description
    assert "own alternative_id" in create.description
    assert "Cannot be cancelled" in create.description
    assert "`shipped` means delivered" in get.description
