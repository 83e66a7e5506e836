"""Arguments of duoplane_create_order: the documented request, and what agents get wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from dropship_tools.arguments import Part
from dropship_tools.duoplane.addresses import Address, ShippingAddress
from dropship_tools.duoplane.models import FLAT, ROUTING, CreateOrder, GetOrder, OrderItem
from dropship_tools.duoplane.tools import TOOLS, plan
from dropship_tools.errors import FieldProblem, InvalidArguments, NotConfigured
from dropship_tools.orders import Item, Summary
from unit.duoplane.duoplane_fakes import ARGUMENTS, FakeDuoplane, arguments, changed

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Byrne",
    "company_name": "Byrne Ltd",
    "address_1": "500 Terry Francine St",
    "address_2": "Floor 3",
    "city": "San Francisco",
    "post_code": "94158",
    "province_name": "California",
    "province_code": "CA",
    "country_name": "United States",
    "country_iso2": "US",
    "phone": "+1 415 555 0100",
    "email": "user@example.com",
}

# The documented example request (https://developers.duoplane.com, Create an order), its placeholders filled in.
DOCUMENTED: dict[str, Any] = {
    "store_id": 4711,
    "store_source_name": "web",
    "internal_id": "A-1",
    "external_id": "WEB-10045",
    "ordered_at": "2019-08-24T14:15:22Z",
    "tag_names": ["gift"],
    "customer_note": "Please ring twice",
    "order_notes": [{"title": "Source", "body": "Spring campaign"}],
    "shipping_address": ADDRESS,
    "billing_address": {**ADDRESS, "email": "billing@example.com"},
    "order_items": [
        {
            "name": "Walnut tray",
            "quantity": 2,
            "price": 39.5,
            "retailer_product_id": 812,
            "retailer_sku": "TRAY-W",
            "internal_id": "L-1",
            "order_item_notes": [{"title": "Engraving", "body": "A.B."}],
        }
    ],
}


def problems(values: Any, model: type[Part] = CreateOrder) -> list[str]:
    with pytest.raises(ValidationError) as failure:
        model.model_validate(values)
    return [".".join(map(str, e["loc"])) + ": " + e["msg"] for e in failure.value.errors()]


def address(**changes: Any) -> dict[str, Any]:
    return changed(shipping_address={**ARGUMENTS["shipping_address"], **changes})


def item(**changes: Any) -> dict[str, Any]:
    return changed(order_items=[{**ARGUMENTS["order_items"][0], **changes}])


def test_the_documented_example_leaves_exactly_as_documented() -> None:
    [request] = plan(FakeDuoplane().client, CreateOrder.model_validate(DOCUMENTED)).requests
    assert (request.method, request.target()) == ("POST", "/api/orders")
    assert request.headers == {"Content-Type": "application/json", "Accept": "application/json"}
    assert json.loads(request.body) == DOCUMENTED


def test_numbers_given_as_text_leave_as_numbers() -> None:
    texts = json.loads(json.dumps(DOCUMENTED))
    texts["store_id"] = "4711"
    texts["order_items"][0] |= {"quantity": "2", "price": "39.50", "retailer_product_id": "812"}
    [request] = plan(FakeDuoplane().client, CreateOrder.model_validate(texts)).requests
    assert json.loads(request.body) == DOCUMENTED


def test_only_what_was_given_is_sent() -> None:
    [request] = plan(FakeDuoplane().client, arguments()).requests
    assert json.loads(request.body) == ARGUMENTS


def test_blank_and_empty_optionals_are_the_same_order_as_absent_ones() -> None:
    blanks = {
        "store_source_name": "",
        "tag_names": [""],
        "order_notes": [{"title": "", "body": ""}],
        "billing_address": {"city": "", "country_iso2": ""},
    }
    client = FakeDuoplane().client
    assert plan(client, arguments(**blanks)) == plan(client, arguments())


def test_the_order_date_is_sent_but_does_not_make_another_order() -> None:
    client = FakeDuoplane().client
    today = plan(client, arguments(ordered_at="2026-03-02T10:00:00+01:00"))
    tomorrow = plan(client, arguments(ordered_at="2026-03-03T10:00:00Z"))
    assert json.loads(today.requests[-1].body)["ordered_at"] == "2026-03-02T10:00:00+01:00"
    assert today.content == tomorrow.content == plan(client, arguments()).content


def test_the_summary_tells_recipient_items_and_total() -> None:
    assert plan(FakeDuoplane().client, arguments()).summary == Summary(
        recipient="Ada Byrne",
        country="US",
        items=(Item("TRAY-W", 2, "Walnut tray", Decimal("39.5")),),
        total=Decimal("79.0"),
        place="94158 San Francisco",
    )


def test_the_total_is_unknown_when_a_price_is() -> None:
    items = [*ARGUMENTS["order_items"], {"name": "Tray", "quantity": 1, "retailer_product_id": 812}]
    summary = plan(FakeDuoplane().client, arguments(order_items=items)).summary
    assert (summary.total, summary.items[1].id) == (None, "812")


def test_a_company_may_be_the_recipient() -> None:
    args = CreateOrder.model_validate(address(first_name="", last_name="", company_name="Byrne Ltd"))
    assert plan(FakeDuoplane().client, args).summary.recipient == "Byrne Ltd"


def test_the_store_is_the_accounts_when_the_call_names_none() -> None:
    client = FakeDuoplane(default_store_id=" 4711 ").client
    assert plan(client, arguments(store_id=None)) == plan(client, arguments())


def test_a_store_is_never_invented() -> None:
    """Row 14."""
    with pytest.raises(InvalidArguments) as failure:
        plan(FakeDuoplane().client, arguments(store_id=None))
    assert failure.value.fields == (FieldProblem("store_id", "required, as DUOPLANE_STORE_ID is not set"),)
    assert "DUOPLANE_STORE_ID" in failure.value.fix


def test_a_default_store_that_is_no_number_is_a_setting_to_mend() -> None:
    with pytest.raises(NotConfigured, match="DUOPLANE_STORE_ID is not a whole number"):
        plan(FakeDuoplane(default_store_id="main shop").client, arguments(store_id=None))


@pytest.mark.parametrize("wrapper", ["data", "attributes"])
def test_a_request_wrapped_like_an_answer_is_told_to_be_flat(wrapper: str) -> None:
    """Row 1."""
    assert f"{wrapper}: Extra inputs are not permitted" in problems({wrapper: ARGUMENTS})
    assert CreateOrder.also_called[wrapper] == "give the fields flat; only answers are wrapped in data and attributes"


@pytest.mark.parametrize("name", ["vendor_sku", "cost", "vendor_id", "vendor"])
def test_choosing_a_vendor_is_refused_with_the_reason(name: str) -> None:
    """Row 15."""
    assert problems(item(**{name: "1"})) == [f"order_items.0.{name}: Extra inputs are not permitted"]
    assert OrderItem.also_called[name] == "routing is Duoplane's; use retailer_sku or retailer_product_id"


@pytest.mark.parametrize(
    ("model", "tried", "documented"),
    [
        (ShippingAddress, "address1", "address_1"),
        (ShippingAddress, "zip", "post_code"),
        (ShippingAddress, "state", "province_name"),
        (ShippingAddress, "country", "country_iso2"),
        (Address, "company", "company_name"),
        (OrderItem, "sku", "retailer_sku"),
        (OrderItem, "qty", "quantity"),
        (CreateOrder, "line_items", "order_items"),
        (CreateOrder, "reference", "external_id"),
        (GetOrder, "duoplane_id", "order_id"),
        (GetOrder, "reference", "external_id"),
    ],
)
def test_names_that_agents_try_lead_to_the_documented_ones(model: type[Part], tried: str, documented: str) -> None:
    """Row 2."""
    assert tried not in model.model_fields
    assert model.also_called[tried] == documented
    assert documented in model.model_fields


def test_every_hint_leads_to_a_field_or_explains() -> None:
    for model in (Address, ShippingAddress, OrderItem, CreateOrder, GetOrder):
        assert set(model.also_called.values()) - {ROUTING, FLAT} <= set(model.model_fields)
        assert not set(model.also_called) & set(model.model_fields)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"country_iso2": "France"}, "must be a two-letter ISO 3166-1 country code, here FR"),
        ({"country_iso2": "ZZ"}, "must be a two-letter ISO 3166-1 country code such as FR"),
        ({"province_code": "California"}, "province_code must be a code such as CA; a name belongs in province_name"),
        ({"province_code": "OHIO"}, "province_code must be a code such as CA; a name belongs in province_name"),
        ({"province_code": "XX"}, "province_code is none of US"),
        ({"province_code": "US-ON"}, "province_code is none of US"),
        ({"country_iso2": "CA", "province_code": "CA"}, "province_code is none of CA"),
        ({"province_name": "texas"}, "province_name and province_code are different places"),
        ({"province_code": "CA-ON"}, "province_code belongs to another country than country_iso2"),
        ({"country_name": "France"}, "country_name and country_iso2 are different countries"),
        ({"country_name": "DEU"}, "country_name and country_iso2 are different countries"),
        ({"first_name": "", "last_name": " "}, "needs first_name and last_name, or company_name"),
        ({"post_code": ""}, "must not be empty"),
        ({"email": "nobody"}, "must look like name@example.com"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused(given: dict[str, str], problem: str) -> None:
    """Row 3."""
    [found] = problems(address(**given))
    assert found.startswith("shipping_address")
    assert found.endswith(problem)


@pytest.mark.parametrize(
    "given",
    [
        {"country_name": "United States"},
        {"country_name": "USA"},
        {"country_name": "Amerika"},
        {"province_code": "us-CA"},
        {"province_name": "California"},
        {"province_name": "Calif."},
        {"province_code": "pr"},
        {"country_iso2": "CA", "province_code": "qc", "province_name": "Québec"},
        {"country_iso2": "MX", "province_code": "Q ROO"},
        {"country_iso2": "mx", "province_code": "TAMPS"},
        {"country_iso2": "JP", "province_code": "JP-13"},
        {"country_iso2": "DE", "province_code": "", "province_name": "Bayern"},
    ],
)
def test_spellings_that_may_be_right_pass(given: dict[str, str]) -> None:
    CreateOrder.model_validate(address(**given))


def test_a_billing_address_is_checked_too_but_may_be_partial() -> None:
    assert arguments(billing_address={"last_name": "Byrne"}).billing_address == Address(last_name="Byrne")
    [wrong] = problems(changed(billing_address={"country_iso2": "Germany"}))
    assert wrong.startswith("billing_address.country_iso2")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"quantity": 0}, "order_items.0.quantity"),
        ({"quantity": 2.5}, "order_items.0.quantity"),
        ({"price": "39,50"}, "order_items.0.price"),
        ({"price": "$39"}, "order_items.0.price"),
        ({"price": -1}, "order_items.0.price"),
        ({"retailer_sku": ""}, "order_items.0.retailer_sku"),
        ({"retailer_product_id": "TRAY-W"}, "order_items.0.retailer_product_id"),
        ({"currency": "USD"}, "order_items.0.currency"),
    ],
)
def test_an_item_that_cannot_be_right_is_refused(given: dict[str, Any], field: str) -> None:
    [problem] = problems(item(**given))
    assert problem.startswith(field + ":")


@pytest.mark.parametrize("moment", ["2026-03-02", "2026-03-02T10:00:00", "2026-13-02T10:00:00Z", "02/03/2026", "now"])
def test_an_order_date_needs_a_zone(moment: str) -> None:
    assert problems(changed(ordered_at=moment)) == [
        "ordered_at: Value error, must be a time with zone such as 2026-11-07T14:15:22Z"
    ]


def test_an_order_needs_items_and_its_own_number() -> None:
    """Row 7: the reference is the caller's, never made up here."""
    assert len(problems(changed(order_items=[], external_id=None))) == 2


@pytest.mark.parametrize("given", [51661073, "51661073", "51661073.0", 51661073.0, " 0051661073 "], ids=repr)
def test_an_order_id_is_read_as_digits(given: Any) -> None:
    """Row 13."""
    assert GetOrder.model_validate({"order_id": given}) == GetOrder(order_id="51661073")


@pytest.mark.parametrize("given", ["WEB-10045", "..", "5/../6", "1_0", 1.5, True, [], "1" * 30])
def test_an_order_id_that_is_no_number_is_refused(given: Any) -> None:
    [problem] = problems({"order_id": given}, GetOrder)
    assert "digits only; yours goes into external_id" in problem


@pytest.mark.parametrize("given", [{}, {"order_id": "1", "external_id": "WEB-10045"}, {"order_id": ""}])
def test_an_order_is_looked_up_by_exactly_one_number(given: dict[str, str]) -> None:
    [problem] = problems(given, GetOrder)
    assert "give exactly one of order_id and external_id" in problem


def test_descriptions_are_short() -> None:
    assert all(len(tool.description) <= 300 and len(tool.name) <= 21 for tool in TOOLS)
