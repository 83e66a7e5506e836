"""Whatever Duoplane answers, the tools answer in their own vocabulary."""

from __future__ import annotations

import json
from typing import Any, cast

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.duoplane.budget import quota
from dropship_tools.duoplane.envelope import body_of, complaints, said
from dropship_tools.duoplane.models import DuoplaneOrder, GetOrder
from dropship_tools.duoplane.results import full
from dropship_tools.duoplane.tools import find, get_order, place, plan
from dropship_tools.duoplane.wire_shapes import WireOrder, WirePurchaseOrder, WireShipment
from dropship_tools.errors import OutcomeUnknown, ProviderUnavailable
from dropship_tools.orders import Sought
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
