"""Whatever Dipli answers, nothing but the errors of the contract comes out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.answers import parse
from dropship_tools.dipli import results
from dropship_tools.dipli.listing import LARGEST_PAGE, ListOrders
from dropship_tools.dipli.listing import listed as listed_page
from dropship_tools.dipli.models import GetOrder, WireOrder, WirePage
from dropship_tools.dipli.tools import find, get_order, list_orders, place, plan
from dropship_tools.dipli.traces import listed_traces
from dropship_tools.errors import DropshipError
from dropship_tools.orders import Sought
from dropship_tools.wire import Unreadable
from unit.dipli.dipli_fakes import ADDRESS, PRODUCT, SINCE, FakeDipli, Ledger, arguments, listed, permission

Values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800\u202e") | st.just(10**4000),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def objects_with(names: Any, values: st.SearchStrategy[Any] = Values) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that hold some of these names."""
    return st.dictionaries(st.sampled_from(sorted(names)), values, max_size=12)


def in_string(objects: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects, plain, as JSON in a string, or cut off in the middle."""
    return objects | objects.map(json.dumps) | objects.map(lambda value: json.dumps(value)[:-1])


ITEMS = objects_with(listed()["cart_items"][0], Values | in_string(objects_with(PRODUCT)))
ORDERS = objects_with(listed(), Values | in_string(objects_with(ADDRESS)) | st.lists(ITEMS | Values, max_size=3))
NUMBERS = st.sampled_from([-1, 0, 1, 2, 10, "3", 10**14])
PAGES = st.fixed_dictionaries(
    {"result": st.lists(ORDERS, max_size=3) | st.just([{"public_id": "A-1"}] * (LARGEST_PAGE + 1))},
    optional=dict.fromkeys(("count", "page", "pageSize"), NUMBERS | Values),
)
BODIES = (
    ORDERS
    | PAGES
    | objects_with(["code", "msg", "public_id"], Values | st.sampled_from([200, 400, "A-1"]))
    | objects_with(["count", "result"], Values | st.lists(ORDERS, max_size=3))
    | Values
)
ANSWERS = st.binary(max_size=40) | BODIES.map(lambda body: json.dumps(body).encode())
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 400, 404, 500])


@settings(deadline=None, max_examples=100)
@given(ORDERS | Values)
def test_any_json_is_an_order_or_unreadable(raw: Any) -> None:
    try:
        order = parse(WireOrder, raw)
    except Unreadable:
        assert not isinstance(raw, dict)
        return
    facts = results.full(order, "WEB-1").facts()
    assert all(trace.count("|") >= 5 for trace in listed_traces(order))
    assert None not in facts.values()
    assert json.loads(json.dumps(facts)) == facts
    json.dumps(facts, ensure_ascii=False).encode()


@settings(deadline=None, max_examples=50)
@given(
    PAGES,
    st.sampled_from([ListOrders(), ListOrders(status="shipped", createdAt="2026-03-02", page=3, pageSize=2)]),
)
def test_any_orders_make_a_list(raw: Any, asked: ListOrders) -> None:
    page = parse(WirePage, raw)
    facts = listed_page(page, asked).facts()
    assert len(facts["orders"]) == min(len(page.result), LARGEST_PAGE)
    assert not facts.get("has_more") or facts["orders"]
    assert json.loads(json.dumps(facts)) == facts
    json.dumps(facts, ensure_ascii=False).encode()


@settings(deadline=None, max_examples=50)
@given(STATUSES, ANSWERS)
def test_a_look_up_ends_in_an_order_or_an_error_of_the_contract(status: int, body: bytes) -> None:
    client = FakeDipli((status, body)).client()
    look_ups = (
        lambda: get_order(client, GetOrder(public_id="A-1"), Ledger()),
        lambda: list_orders(client, ListOrders(), Ledger()),
        lambda: find(client, Sought("WEB-10045", since=SINCE, is_trace=lambda _: True)),
    )
    assert {sent_by(look_up) for look_up in look_ups} == {"no"}


@settings(deadline=None, max_examples=50)
@given(STATUSES, ANSWERS)
def test_an_order_ends_placed_refused_or_unknown(status: int, body: bytes) -> None:
    client = FakeDipli((status, body)).client()
    assert sent_by(lambda: place(client, plan(client, arguments()), permission())) in ("no", "maybe")


def sent_by(call: Callable[[], Awaitable[Any]]) -> str:
    """What the error of a call says about sending; `no` if there is none. Any other exception goes through."""

    async def run() -> str:
        try:
            await call()
        except DropshipError as error:
            return error.sent
        return "no"

    return anyio.run(run)
