"""From raw arguments to typed ones: what is forgiven, what is not, and that nothing a model sends can break it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropship_mcp.arguments import accept
from dropship_tools import PROVIDERS
from dropship_tools.arguments import Arguments
from dropship_tools.dipli.models import CreateOrder as DipliOrder
from dropship_tools.dropday.models import CreateOrder as DropdayOrder
from dropship_tools.errors import FieldProblem, InvalidArguments
from protocol.samples import DIPLI, DROPDAY, SAMPLES

MODELS: dict[str, type[Arguments]] = {
    provider.name: next(tool.arguments for tool in provider.tools() if tool.name.endswith("_create_order"))
    for provider in PROVIDERS
}
"""What each create tool takes."""

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "null", "[]", "{}", '{"a": [1, null]}', "[[[", "1e999", "\ud800", "\u202e", "-0", "0x10"]
    ),
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def refused(model: type[Arguments], raw: dict[str, Any]) -> InvalidArguments:
    """The error these arguments bring."""
    with pytest.raises(InvalidArguments) as caught:
        accept(model, raw, "some_tool")
    return caught.value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    assert refused(DropdayOrder, DROPDAY.arguments(total=value)).fields == (FieldProblem("total", "must be a number"),)


def test_text_that_looks_like_json_stays_text_where_text_is_meant() -> None:
    accepted = accept(DipliOrder, DIPLI.arguments(extra='{"ring": "twice"}', buyer="[Zenobia]"), "t")
    assert (accepted.extra, accepted.buyer) == ('{"ring": "twice"}', "[Zenobia]")


def test_json_texts_are_opened_inside_lists_and_objects_too() -> None:
    order = DROPDAY.arguments(products=['{"external_id":"L-1","name":"Lamp","quantity":"2","price":29.95}'])
    assert accept(DropdayOrder, order, "t").products[0].quantity == 2


def test_the_callers_own_arguments_are_left_as_they_are() -> None:
    order = DROPDAY.arguments(shipping='{"note": null}', email=None)
    before = copy.deepcopy(order)
    accept(DropdayOrder, order, "t")
    assert order == before


def test_a_null_among_lines_is_not_taken_for_no_line() -> None:
    products = DROPDAY.order["products"]
    assert refused(DropdayOrder, DROPDAY.arguments(products=[*products, None])).fields == (
        FieldProblem("products.1", "must be an object"),
    )


def test_names_of_other_things_are_not_suggested() -> None:
    [problem] = refused(DipliOrder, DIPLI.arguments(warehouse="Lyon")).fields
    assert problem.problem.startswith("is not an argument; known: ")


ALL_AT_ONCE: tuple[tuple[str, dict[str, Any], list[str]], ...] = (
    (
        "dipli_create_order",
        {"postcode": 1000, "country": "FR", "buyer_email": "nobody"},
        ["postcode: has five digits", "buyer_email: must look like"],
    ),
    ("dipli_get_order", {"number": "7"}, ["arguments: give exactly one of", "number: is not an argument"]),
    ("rewix_get_order", {"number": "7"}, ["arguments: give exactly one of", "number: is not an argument"]),
    (
        "dropday_create_order",
        {"shipping_cost": None, "email": "nobody"},
        ["shipping_cost: is required", "email: must look like"],
    ),
    (
        "dropday_create_order",
        {"shipping_cost": 3, "shipping": {"cost": 4}, "total": "1,50"},
        ["total: must be a plain number", "arguments: shipping_cost and shipping.cost differ"],
    ),
    (
        "dropday_list_orders",
        {"date_from": "2026-03-02", "date_to": "2026-03-01", "total_min": 2, "total_max": 1, "page": 0},
        ["date_to: lies before", "total_max: is less", "page: must be at least 1"],
    ),
    (
        "duoplane_create_order",
        {"order_items": [{"name": "Tray", "quantity": 0}], "store_id": "shop"},
        ["store_id: must be a whole", "order_items.0.quantity: must be", "order_items.0: needs retailer_sku"],
    ),
    (
        "duoplane_create_order",
        {"shipping_address": {"address_1": "1 Elm St", "province_code": "ON", "country_iso2": "US", "city": "Ada"}},
        [
            "shipping_address: needs first_name and last_name",
            "shipping_address.post_code: is required",
            "shipping_address: province_code is none of US",
        ],
    ),
    (
        "duoplane_add_product",
        {
            "name": "",
            "retailer_sku": "T",
            "product_inventories": [{"quantity_available": 1, "manage_inventory": False}],
        },
        [
            "name: must not be",
            "product_inventories.0: needs vendor_id",
            "product_inventories.0.quantity_available: counts",
        ],
    ),
    ("duoplane_find_product", {"upc": "1"}, ["arguments: give retailer_sku or", "upc: is not an argument"]),
)


@pytest.mark.parametrize(("name", "changes", "expected"), ALL_AT_ONCE)
def test_what_is_wrong_with_several_fields_together_is_told_beside_what_is_wrong_with_one(
    name: str, changes: dict[str, Any], expected: list[str]
) -> None:
    problems = [f"{problem.field}: {problem.problem}" for problem in _problems(name, changes)]
    assert [problem[: len(begin)] for problem, begin in zip(problems, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("duoplane_get_order", {"order_id": "WEB-1"}, ["order_id"]),
        ("rewix_get_order", {"key": "..", "rewix_order_id": 5}, ["key"]),
        ("dropday_create_order", {"shipping_cost": "4,95"}, ["shipping_cost"]),
        ("dropday_create_order", {"shipping_cost": 3, "shipping": {"cost": "4,95"}}, ["shipping.cost"]),
        ("duoplane_find_product", {"retailer_sku": 1.5}, ["retailer_sku"]),
    ],
)
def test_several_fields_are_not_judged_together_while_one_of_them_is_wrong(
    name: str, changes: dict[str, Any], expected: list[str]
) -> None:
    assert [problem.field for problem in _problems(name, changes)] == expected


def _problems(name: str, changes: dict[str, Any]) -> tuple[FieldProblem, ...]:
    """What is wrong with a call of this tool; an order is right but for the changes."""
    tool = next(tool for provider in PROVIDERS for tool in provider.tools() if tool.name == name)
    right = SAMPLES[name.partition("_")[0]].arguments() if name.endswith("_create_order") else {}
    return refused(tool.arguments, {**right, **changes}).fields


@pytest.mark.parametrize("provider", list(MODELS))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_stands_in_an_order_it_is_accepted_or_every_problem_is_named_safely(
    provider: str, data: st.DataObject
) -> None:
    order = SAMPLES[provider].arguments()
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(list(_places(order))))
        if isinstance(holder, dict) and data.draw(st.booleans()):
            key = data.draw(st.text(max_size=12))
        holder[key] = data.draw(ANYTHING)
    error = _error(MODELS[provider], order)
    if error is not None:
        assert error.sent == "no"
        assert 1 <= len(error.fields) <= 20
        for problem in error.fields:
            assert 1 <= len(problem.field) <= 60
            assert "\n" not in problem.field + problem.problem
            assert "Zenobia" not in problem.field + problem.problem


def _error(model: type[Arguments], order: dict[str, Any]) -> InvalidArguments | None:
    """What is wrong with the order; any other exception is a bug."""
    try:
        accept(model, order, "some_tool")
    except InvalidArguments as error:
        return error
    return None


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(cast("dict[Any, Any]", value).items())
    elif isinstance(value, list):
        pairs = list(enumerate(cast("list[Any]", value)))
    for key, child in pairs:
        yield value, key
        yield from _places(child)
