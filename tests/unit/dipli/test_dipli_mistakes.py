"""What agents try with Dipli (sheet section 10), and the words they are answered with before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from dropship_mcp.arguments import accept
from dropship_tools.arguments import Arguments
from dropship_tools.dipli.listing import ListOrders
from dropship_tools.dipli.models import CreateOrder, GetOrder
from dropship_tools.dipli.tools import TOOLS
from dropship_tools.errors import InvalidArguments
from dropship_tools.tool import CreateTool
from unit.dipli.dipli_fakes import ARGUMENTS

ONE_UNIT = "one call buys one unit of one product; for more call again, each time with its own alternative_id"
FULL_NAME = "put first and last name together into buyer"


def answered(model: type[Arguments], arguments: dict[str, Any]) -> dict[str, str]:
    """The problems with these arguments."""
    with pytest.raises(InvalidArguments) as refused:
        accept(model, arguments, "dipli_tool")
    return {problem.field: problem.problem for problem in refused.value.fields}


@pytest.mark.parametrize(
    ("row", "tried", "answers"),
    [
        (3, {"quantity": 3}, {"quantity": f"is not an argument: {ONE_UNIT}"}),
        (3, {"products": [{"id": 1}, {"id": 2}]}, {"products": f"is not an argument: {ONE_UNIT}"}),
        (
            4,
            {"product_id": "O3_MQ3D2ZD/A"},
            {"product_id": "must be Dipli's own product number (1 to 11 digits), not a SKU, EAN or product name"},
        ),
        (4, {"sku": "O3_MQ3D2ZD/A"}, {"sku": "is not an argument; did you mean product_id?"}),
        (
            5,
            {"first_name": "Zoé", "last_name": "Martin"},
            dict.fromkeys(("first_name", "last_name"), f"is not an argument: {FULL_NAME}"),
        ),
        (
            5,
            {"shipping_address": {"city": "Lyon"}},
            {
                "shipping_address": "is not an argument: street, additional_street, postcode, city and country are "
                "arguments of their own"
            },
        ),
        (6, {"company": "Martin SARL"}, {"company": "is not an argument: write it into additional_street"}),
        (6, {"province": "Ain"}, {"province": "is not an argument: Dipli has no field for it"}),
        (8, {"price": 19900}, {"price": "is not an argument: Dipli sets the price"}),
        (
            14,
            {"buyer_email": "zoe", "country": "France", "buyer_phone": "call me", "street": " ", "postcode": 1000},
            {
                "buyer_email": "must look like name@example.com",
                "country": "must be a two-letter ISO 3166-1 country code, here FR",
                "buyer_phone": "must hold 3 to 20 digits",
                "street": "must not be empty",
            },
        ),
        (
            18,
            {"test": True},
            {
                "test": "is not an argument: Dipli knows no test orders; dry_run shows the request without sending it",
            },
        ),
    ],
)
def test_a_mistaken_order_is_answered_with_what_to_do(row: int, tried: dict[str, Any], answers: dict[str, str]) -> None:
    """`row` of sheet section 10."""
    assert answered(CreateOrder, {**ARGUMENTS, **tried}) == answers


@pytest.mark.parametrize(
    ("row", "tried", "answers"),
    [
        (
            2,
            {"public_id": "WEB-10045"},
            {
                "public_id": "must be Dipli's order number, A- and digits like A-12345; "
                "your own number goes into alternative_id"
            },
        ),
        (
            2,
            {"order_number": "WEB-10045"},
            {
                "arguments": "give exactly one of public_id and alternative_id",
                "order_number": "is not an argument; did you mean alternative_id?",
            },
        ),
    ],
)
def test_a_mistaken_look_up_is_answered_with_the_right_number(
    row: int, tried: dict[str, Any], answers: dict[str, str]
) -> None:
    """`row` of sheet section 10."""
    assert answered(GetOrder, tried) == answers


@pytest.mark.parametrize(
    ("row", "tried", "answer"),
    [
        (2, "alternative_id", "Dipli never shows your own number"),
        (2, "public_id", "dipli_get_order shows one order"),
        (15, "limit", "did you mean pageSize?"),
        (15, "page_size", "did you mean pageSize?"),
        (15, "offset", "Dipli pages with page (from 1) and pageSize"),
        (16, "created_at", "did you mean createdAt?"),
        (16, "updated_at", "did you mean updatedAt?"),
        (16, "date_to", "Dipli filters from a day on and knows no last day"),
        (7, "shipping_status", "did you mean status?"),
        (1, "buyer_email", "Dipli's list has no search"),
    ],
)
def test_a_name_the_list_does_not_know_is_answered_with_the_one_it_does(row: int, tried: str, answer: str) -> None:
    """`row` of sheet section 10."""
    assert answer in answered(ListOrders, {tried: "1"})[tried]


def test_names_that_agents_try_with_the_list_point_to_documented_ones_or_explain() -> None:
    explained = {hint for hint in ListOrders.also_called.values() if " " in hint}
    assert set(ListOrders.also_called.values()) - explained <= set(ListOrders.model_fields)
    assert not set(ListOrders.also_called) & set(ListOrders.model_fields)
    assert all(name == name.lower() for name in ListOrders.also_called)


def test_no_tool_cancels_or_edits_an_order_and_the_one_that_orders_says_so() -> None:
    """Sheet section 10, row 13."""
    assert [tool.name for tool in TOOLS] == ["dipli_create_order", "dipli_get_order", "dipli_list_orders"]
    [create] = [tool for tool in TOOLS if isinstance(tool, CreateTool)]
    assert "Cannot be cancelled or changed by API" in create.description


def test_every_order_can_be_previewed_without_sending_it() -> None:
    """Sheet section 10, row 18: Dipli has no place for trying out."""
    assert CreateOrder.model_validate({**ARGUMENTS, "dry_run": True}).dry_run
    assert not CreateOrder.model_validate(ARGUMENTS).dry_run
