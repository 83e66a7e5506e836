"""Whatever Duoplane answers, the tools answer in their own vocabulary."""

from __future__ import annotations

import contextlib
import json
from typing import Any, cast

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.duoplane.budget import quota
from dropship_tools.duoplane.envelope import body_of, complaints, said
from dropship_tools.duoplane.models import DuoplaneOrder, GetOrder, ListOrders
from dropship_tools.duoplane.product_models import AddProduct, FindProduct, GetProduct
from dropship_tools.duoplane.products import add_product, find_product, get_product
from dropship_tools.duoplane.results import full
from dropship_tools.duoplane.tools import find, get_order, list_orders, place, plan
from dropship_tools.duoplane.wire_shapes import WireOrder, WirePurchaseOrder, WireShipment
from dropship_tools.errors import InvalidArguments, OutcomeUnknown, ProviderUnavailable, RateLimited
from dropship_tools.orders import Result, Sought
from dropship_tools.wire import Answer
from unit.duoplane.duoplane_fakes import (
    FakeDuoplane,
    NoLedger,
    Reply,
    accepting,
    arguments,
    envelope,
    order,
    permission,
    purchase_order,
    shipment,
)

pytestmark = pytest.mark.anyio

HOSTILE: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"<html>Welcome</html>",
    b"\xff\xfe{}",
    b'{"data": ' + b"[" * 200 + b"]" * 200 + b"}",
    b"[" * 100_000,
    b'{"data": {"id": 1e999999999}, "metadata": {"requests_remaining": 1e999999999}}',
    b'{"data": {"id": ' + b"9" * 5000 + b"}}",
    b'{"data": {"id": null, "attributes": null, "relationships": null}, "errors": null, "metadata": null}',
    b'{"data": {"id": [1], "attributes": [[1]], "relationships": "x"}, "errors": {"a": {"b": [null]}}, "metadata": 5}',
    b'[{"id": {}, "order_id": [], "order_public_reference": "WEB-10045", "order_items": {}}]',
]

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """A documented answer with some of its parts replaced by anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ANYTHING)
    if isinstance(value, dict):
        return {name: draw(mutated(part)) for name, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [draw(mutated(part)) for part in cast("list[Any]", value)]
    return value


def client_for(body: bytes) -> FakeDuoplane:
    reply = Reply(200, body)
    paths = ("POST /api/orders", "GET /api/orders", "GET /api/orders/51661073", "GET /purchase_orders.json")
    return FakeDuoplane(dict.fromkeys((*paths, "GET /shipments.json"), reply))


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_create_answer_that_makes_no_sense_is_an_unknown_outcome(body: bytes) -> None:
    fake = accepting(Reply(200, body))
    with pytest.raises(OutcomeUnknown):
        await place(fake.client, plan(fake.client, arguments()), permission())


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_read_answer_that_makes_no_sense_is_an_unavailable_provider(body: bytes) -> None:
    fake = client_for(body)
    with pytest.raises(ProviderUnavailable):
        await get_order(fake.client, GetOrder(order_id="51661073"), NoLedger())


@settings(max_examples=150, deadline=None)
@given(body=mutated(envelope(order(), ["Unknown SKU"])))
def test_any_create_answer_is_an_order_or_an_unknown_outcome(body: Any) -> None:
    async def attempt() -> None:
        fake = accepting(Reply(200, json.dumps(body).encode()))
        try:
            placed = await place(fake.client, plan(fake.client, arguments()), permission())
        except OutcomeUnknown:
            return
        assert placed.order.status in ("received", "problem")
        assert placed.order.order_id

    anyio.run(attempt)


@settings(max_examples=150, deadline=None)
@given(
    shown=mutated(envelope(order())), listed=mutated([purchase_order(), purchase_order(2)]), sent=mutated([shipment()])
)
def test_any_read_answer_is_an_order_or_an_unavailable_provider(shown: Any, listed: Any, sent: Any) -> None:
    async def attempt() -> None:
        fake = FakeDuoplane(
            {
                "GET /api/orders/51661073": Reply(200, json.dumps(shown).encode()),
                "GET /api/orders": Reply(200, json.dumps(shown).encode()),
                "GET /purchase_orders.json": Reply(200, json.dumps(listed).encode()),
                "GET /shipments.json": Reply(200, json.dumps(sent).encode()),
            }
        )
        try:
            found = await get_order(fake.client, GetOrder(order_id="51661073"), NoLedger())
            assert DuoplaneOrder.model_validate(found.model_dump()) == found
            assert "null" not in json.dumps(found.facts())
        except ProviderUnavailable:
            pass
        try:
            finding = await find(fake.client, Sought("WEB-10045"))
            assert not finding.absent
        except ProviderUnavailable:
            pass

    anyio.run(attempt)


@given(body=ANYTHING, status=st.sampled_from([200, 201, 400, 429, 500]))
def test_any_json_has_a_quota_and_words(body: Any, status: int) -> None:
    answer = Answer(status, {}, json.dumps(body).encode())
    parsed = body_of(answer)
    told = quota(answer, parsed)
    assert 0 <= told.wait <= 3600
    assert all(isinstance(text, str) and text for text in complaints(parsed))
    assert isinstance(said(answer, parsed), str)


@given(body=ANYTHING)
def test_any_errors_become_short_texts(body: Any) -> None:
    texts = complaints({"errors": body})
    assert len(texts) <= 21
    assert all(text and len(text) <= 300 for text in texts)


def test_an_empty_order_is_shown_without_nulls() -> None:
    result = full(WireOrder(), [WirePurchaseOrder()], [WireShipment()], [], "")
    assert result.facts() == {
        "status": "processing",
        "provider_status": "1 purchase order, 0 sent, 0 shipped",
        "next_step": "No API cancels or changes an order; a person can act at app_url.",
        "sources": [
            "order, items, ship_to: new API",
            "purchase_orders: old API",
            "shipments: old API",
            "status: computed from purchase orders and shipments",
        ],
        "purchase_orders": [{}],
        "shipments": [{}],
    }


PRODUCT_STOCK: dict[str, Any] = {
    "vendor_id": 12,
    "vendor_name": "Oak & Sons",
    "vendor_sku": "V-88",
    "cost": 17.25,
    "manage_inventory": True,
    "quantity_available": 4,
    "backordered_until": "2026-05-01",
}
NEW_PRODUCT: dict[str, Any] = {
    "id": "7001",
    "type": "product",
    "attributes": {"name": "Walnut tray", "retailer_sku": "TRAY-W", "upc": None},
    "relationships": [{"product_inventories": [{"id": 90, "attributes": PRODUCT_STOCK, "relationships": [{}]}]}],
}
OLD_PRODUCT: dict[str, Any] = {
    "id": 7001,
    "name": "Walnut tray",
    "retailer_sku": "TRAY-W",
    "product_type": "simple",
    "product_inventories": [PRODUCT_STOCK],
    "store_products": [{"store_id": 4711, "store_name": "Web shop"}],
}


def answered(result: Result) -> None:
    """It is what the tool promises, without nulls."""
    assert type(result).model_validate(result.model_dump()) == result
    assert "null" not in json.dumps(result.facts())


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
async def test_further_reads_that_make_no_sense_are_an_unavailable_provider_or_empty(body: bytes) -> None:
    reply = Reply(200, body)
    fake = FakeDuoplane(dict.fromkeys(("GET /api/orders", "GET /products.json", "GET /api/products/7001"), reply))
    with pytest.raises(ProviderUnavailable):
        await get_product(fake.client, GetProduct(product_id="7001"), NoLedger())
    for read in (
        list_orders(fake.client, ListOrders(), NoLedger()),
        find_product(fake.client, FindProduct(retailer_sku="TRAY-W"), NoLedger()),
    ):
        with contextlib.suppress(ProviderUnavailable, RateLimited):
            answered(await read)


@settings(max_examples=150, deadline=None)
@given(
    listed=mutated(envelope([order(), order(7)], ["Careful"], has_next_page=True)),
    rows=mutated([OLD_PRODUCT, OLD_PRODUCT]),
    shown=mutated(envelope(NEW_PRODUCT)),
    added=mutated(envelope(NEW_PRODUCT, ["Careful"])),
)
def test_any_answer_to_a_further_tool_is_a_result_or_an_error_of_ours(
    listed: Any, rows: Any, shown: Any, added: Any
) -> None:
    bodies = {
        "GET /api/orders": listed,
        "GET /products.json": rows,
        "GET /api/products/7001": shown,
        "POST /api/products": added,
    }

    async def attempt() -> None:
        fake = FakeDuoplane({page: Reply(200, json.dumps(body).encode()) for page, body in bodies.items()})
        ledger = NoLedger()
        other = AddProduct(name="Bowl", retailer_sku="BOWL")
        for call in (
            list_orders(fake.client, ListOrders(), ledger),
            find_product(fake.client, FindProduct(retailer_sku="TRAY-W"), ledger),
            get_product(fake.client, GetProduct(product_id="7001"), ledger),
            add_product(fake.client, other, ledger),
        ):
            with contextlib.suppress(ProviderUnavailable, RateLimited, InvalidArguments):
                answered(await call)

    anyio.run(attempt)
