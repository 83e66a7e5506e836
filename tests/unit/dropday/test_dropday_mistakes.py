"""What agents get wrong with Dropday (sheet section 12): each row closed by code that concerns all tools together.

Rows that one tool closes are proved beside it; `test_dropday_guide.py` holds what only words can close.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from dropship_mcp.schema import portable_schema
from dropship_tools.dropday import DROPDAY
from dropship_tools.dropday.models import CreateOrder
from dropship_tools.dropday.tools import TOOLS, plan
from dropship_tools.orders import OrderResult
from dropship_tools.provider import Account
from dropship_tools.secret import Secret
from unit.dropday.dropday_fakes import FakeDropday, arguments, planned

TOOL = {tool.name: tool for tool in TOOLS}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (2, "The same external_id never orders twice"),
        (8, "Amounts are decimals (10.99)"),
        (15, "Cannot be cancelled"),
        (16, "a paid webshop order"),
    ],
)
def test_the_create_tool_says_before_the_call_what_would_be_too_late_after_it(row: int, said: str) -> None:
    """`row` of sheet section 12."""
    assert said in TOOL["dropday_create_order"].description


@pytest.mark.parametrize(
    ("row", "said"),
    [(12, "`completed` means handed to the supplier"), (13, "`status` is computed from its lines")],
)
def test_the_get_tool_says_what_its_words_mean(row: int, said: str) -> None:
    """`row` of sheet section 12."""
    assert said in TOOL["dropday_get_order"].description


def test_fields_that_mislead_say_so_themselves() -> None:
    """Sheet section 12, rows 2, 4, 7, 9 and 22."""
    schema = portable_schema(CreateOrder)["properties"]
    line, shipping = schema["products"]["items"]["properties"], schema["shipping"]["properties"]
    assert "a new one buys again" in schema["external_id"]["description"]
    assert schema["test"] == {
        "type": "boolean",
        "default": False,
        "description": "true: validated, never routed to a supplier",
    }
    assert (line["ean13"]["type"], schema["shipping_address"]["properties"]["phone"]["type"]) == ("string", "string")
    assert "as text" in line["ean13"]["description"]
    assert shipping["delivery_date"]["description"] == "YYYY-MM-DD"
    assert line["supplier"]["description"] == "a label for routing rules, not a choice"


@pytest.mark.parametrize(("price", "sent"), [(1e-2, "0.01"), (1e5, "100000"), ("0.10", "0.1"), (19.99, "19.99")])
def test_amounts_leave_as_plain_numbers_without_exponents(price: Any, sent: str) -> None:
    """Sheet section 12, row 8; section 8: thousands separators and odd formats are refused by Dropday."""
    body = planned(products__0__price=price, products__0__purchase_price=price).requests[-1].body
    assert f'"price":{sent},'.encode() in body
    assert f'"purchase_price":{sent}'.encode() in body
    assert b"e-" not in body


@pytest.mark.parametrize(
    ("ean13", "doubted"),
    [
        ("0745125000015", False),
        ("07235211235464", False),
        ("96385074", False),
        ("745125000015", True),
        (745125000015, True),
        ("SKU-1", False),
        ("", False),
    ],
    ids=repr,
)
def test_a_code_that_may_have_lost_its_zeros_is_doubted(ean13: Any, doubted: bool) -> None:
    """Sheet section 12, row 7: rules compare text, so a lost zero means no supplier."""
    warnings = planned(products__0__ean13=ean13, products__0__brand="Nordlys").warnings
    doubt = "ean13 without 13 digits: 745125000015; were leading zeros lost? Rules compare text."
    assert warnings == ((doubt,) if doubted else ())


def test_the_shops_prefix_is_part_of_the_number_and_travels_unchanged() -> None:
    """Sheet section 12, rows 3 and 20: the number is the caller's; nothing generates or changes one."""
    assert CreateOrder.model_fields["external_id"].is_required()
    plans = [planned(external_id="LAMPS-1001") for _ in range(2)]
    assert {p.reference for p in plans} == {"LAMPS-1001"}
    assert [json.loads(p.requests[-1].body)["external_id"] for p in plans] == ["LAMPS-1001"] * 2
    assert plans[0].content == plans[1].content


def test_planning_an_order_sends_nothing_and_shows_the_exact_request() -> None:
    """Sheet section 12, row 15: a dry run ends here."""
    dropday = FakeDropday({})
    [request] = plan(dropday.client(), arguments()).requests
    assert (request.method, request.path, dropday.requests) == ("POST", "/api/v1/orders", [])


def test_credentials_travel_in_dropdays_own_two_headers_and_in_no_argument() -> None:
    """Sheet section 12, row 18."""
    account = Account("dropday", "main", "https://dropday.io", {"api_key": Secret("k"), "account_id": "101"})
    assert DROPDAY.auth_headers(account) == {"api-key": "k", "account-id": "101"}
    named = [name for tool in TOOLS for name in portable_schema(tool.arguments)["properties"]]
    assert [name for name in named if "key" in name or "account" in name] == []


def test_every_order_number_of_dropdays_is_text_in_answers() -> None:
    """Sheet section 12, row 21."""
    for tool in TOOLS:
        if issubclass(tool.result, OrderResult):
            assert portable_schema(tool.result)["properties"]["order_id"]["type"] == "string"
    rows = portable_schema(TOOL["dropday_list_orders"].result)["properties"]["orders"]["items"]
    assert rows["properties"]["order_id"]["type"] == "string"
    assert next(iter(rows["properties"])) == "blocked"
