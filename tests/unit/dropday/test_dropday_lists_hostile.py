"""Whatever Dropday answers to a list, a call ends in a valid answer or in an error of ours."""

from __future__ import annotations

import json
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.dropday.order_list import ListOrders, OrderList
from dropship_tools.dropday.paging import LARGEST_PAGE, ListResult
from dropship_tools.dropday.product_list import ListProducts, ProductList
from dropship_tools.dropday.tools import list_orders, list_products
from dropship_tools.errors import DropshipError
from unit.dropday.dropday_fakes import HELD, FakeDropday, NothingRecorded

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)
DEEP = b'{"data": ' + b"[" * 3000 + b"]" * 3000 + b"}"
BODIES = st.one_of(JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=200), st.just(DEEP))
PAGE_FACTS = st.dictionaries(st.sampled_from(["current_page", "last_page", "total", "meta", "links"]), JSON)
META = st.dictionaries(st.sampled_from(["current_page", "last_page", "total"]), JSON)
ORDERS = st.dictionaries(st.sampled_from(sorted(HELD)), JSON).map(lambda odd: {**HELD, **odd})
LINES = st.dictionaries(st.sampled_from(sorted(HELD["order_lines"][0])), JSON).map(
    lambda odd: {**HELD, "order_lines": [{**HELD["order_lines"][0], **odd}]}
)
PRODUCTS = st.dictionaries(
    st.sampled_from(["sku", "ean13", "name", "purchase_price", "stock_quantity", "active"]), JSON
)
ORDER_ROWS = st.lists(ORDERS | LINES | JSON, max_size=4)
PRODUCT_ROWS = st.lists(PRODUCTS | JSON, max_size=4)


def _run(call: Any, *arguments: Any) -> Any:
    """What a tool makes of it; None is an error of ours."""

    async def ended() -> Any:
        try:
            return await call(*arguments, NothingRecorded())
        except DropshipError:
            return None

    return anyio.run(ended)


def _listed(dropday: FakeDropday) -> tuple[OrderList | None, ProductList | None]:
    """What both tools make of it."""
    return (
        _run(list_orders, dropday.client(), ListOrders(external_id="L4")),
        _run(list_products, dropday.client(), ListProducts()),
    )


def _is_valid(answer: ListResult, rows: list[Any]) -> None:
    """It can be sent, holds no nulls in its rows, and leads nowhere in circles."""
    facts = answer.facts()
    json.dumps(facts, allow_nan=False).encode()
    assert len(rows) <= LARGEST_PAGE
    assert not [row for row in rows if None in row.facts().values()]
    assert not (answer.has_more and answer.page != 1)


@settings(deadline=None)
@given(st.integers(min_value=200, max_value=599), BODIES)
def test_any_status_with_any_body_ends_in_a_list_or_an_error_of_ours(status: int, body: bytes) -> None:
    dropday = FakeDropday({})
    dropday.otherwise = (status, body)

    listed = _listed(dropday)

    assert status < 300 or listed == (None, None)


@settings(deadline=None)
@given(ORDER_ROWS, PRODUCT_ROWS, PAGE_FACTS, META | JSON)
def test_pages_with_odd_rows_and_odd_page_facts_are_shown_or_cannot_be_read(
    orders: list[Any], products: list[Any], facts: dict[str, Any], meta: Any
) -> None:
    dropday = FakeDropday(
        {
            "GET /orders": (200, {"meta": meta, **facts, "data": orders}),
            "GET /products": (200, {**facts, "data": products}),
        }
    )

    order_list, product_list = _listed(dropday)

    if order_list is not None:
        _is_valid(order_list, order_list.orders)
    if product_list is not None:
        _is_valid(product_list, product_list.products)
