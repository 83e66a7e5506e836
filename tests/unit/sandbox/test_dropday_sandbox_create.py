"""Dropday's sandbox against the documentation and the sheet (providers/dropday.md): creating orders."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from dropship_tools.dropday.sandbox import operation
from unit.sandbox.dropday_orders import CREATED, ORDER, ORDERS, get, post
from unit.sandbox.worlds import HEADERS, Clock, client_for, world_at

pytestmark = pytest.mark.anyio


def changed(path: str, value: Any) -> dict[str, Any]:
    """The order with the value at the dot path replaced."""
    order = copy.deepcopy(ORDER)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = order
    for part in parents:
        target = target[part] if isinstance(part, int) else target.setdefault(part, {})
    target[last] = value
    return order


async def test_an_order_is_answered_with_200_and_a_number_as_reference() -> None:
    answer = await post(world_at(Clock()), ORDER)
    assert (answer.status_code, answer.json()) == (200, CREATED)


@pytest.mark.parametrize("again", [{}, {"test": True}, {"source": "another.example", "total": 1}], ids=str)
async def test_a_known_external_id_is_answered_with_200_too_and_changes_nothing(again: dict[str, Any]) -> None:
    world = world_at(Clock())
    await post(world, ORDER)
    before = await get(world, f"{ORDERS}/98")
    answer = await post(world, {**ORDER, **again})
    assert (answer.status_code, answer.json()) == (200, {"message": "Order already exists", "reference": 98})
    assert (await get(world, f"{ORDERS}/98"), world.store.count("dropday", "order")) == (before, 1)


async def test_a_live_order_is_swallowed_by_a_test_order_of_the_same_external_id() -> None:
    world = world_at(Clock())
    await post(world, {**ORDER, "test": True})
    assert (await post(world, ORDER)).json()["message"] == "Order already exists"
    assert (await get(world, f"{ORDERS}/98"))["test"] is True


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("test", False),
        ("test", None),
        ("test", "0"),
        ("total", "435.45"),
        ("total", "435.4500"),
        ("email", ""),
        ("email", None),
        ("shipping_cost", None),
        ("shipping", {"note": "", "delivery_date": "", "name": ""}),
        ("shipping_address.phone", 33612345678),
        ("shipping_address.country", "Nederland"),
        ("products.0.purchase_price", 12.34),
        ("products.0.purchase_price", "12.3"),
        ("products.0.purchase_price", 0),
        ("products.0.ean13", ""),
        ("products.0.custom", {}),
        ("products.0.height", 12),
        ("anything_else", [1]),
    ],
)
async def test_what_plugins_are_seen_to_send_is_taken(path: str, value: Any) -> None:
    assert (await post(world_at(Clock()), changed(path, value))).json() == CREATED


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("external_id", "", "The external id field is required."),
        ("external_id", 12, "The external id must be a string."),
        ("source", None, "The source field is required."),
        ("test", "true", "The test field must be true or false."),
        ("total", "1,435.45", "The total must be a number."),
        ("total", True, "The total must be a number."),
        ("shipping_cost", "4,95", "The shipping cost must be a number."),
        ("email", "jan", "The email must be a valid email address."),
        ("shipping", "UPS", "The shipping must be an array."),
        ("shipping.cost", "free", "The shipping.cost must be a number."),
        ("shipping.delivery_date", "2026-11-07", "The shipping.delivery date does not match the format d-m-Y."),
        ("shipping.delivery_date", "31-02-2026", "The shipping.delivery date does not match the format d-m-Y."),
        ("shipping_address.first_name", " ", "The shipping address.first name field is required."),
        ("shipping_address.postcode", 1011, "The shipping address.postcode must be a string."),
        ("products", [], "The products field is required."),
        ("products", {"0": {}}, "The products must be an array."),
        ("products.1.external_id", "", "The products.1.external_id field is required."),
        ("products.0.quantity", 0, "The products.0.quantity must be at least 1."),
        ("products.0.quantity", 1.5, "The products.0.quantity must be an integer."),
        ("products.0.price", "29,95", "The products.0.price must be a number."),
        ("products.0.purchase_price", 10.999, "The products.0.purchase_price format is invalid."),
        ("products.0.purchase_price", -1, "The products.0.purchase_price format is invalid."),
        ("products.0.purchase_price", 1e-7, "The products.0.purchase_price format is invalid."),
        ("products.0.custom", "J", "The products.0.custom must be an array."),
        ("products.0.brand", 7, "The products.0.brand must be a string."),
    ],
)
async def test_a_wrong_field_is_named_by_its_dot_path(path: str, value: Any, text: str) -> None:
    world = world_at(Clock())
    answer = await post(world, changed(path, value))
    assert (answer.status_code, answer.json()) == (422, {"message": "Errors", "errors": {path: [text]}})
    assert world.store.count("dropday", "order") == 0


async def test_all_missing_fields_are_named_at_once() -> None:
    answer = await post(world_at(Clock()), {"shipping_address": {"firstname": "Jan"}, "products": [{}, 7]})
    assert sorted(answer.json()["errors"]) == sorted(
        ["external_id", "source", "total"]
        + [f"shipping_address.{n}" for n in ("first_name", "last_name", "address1", "postcode", "city", "country")]
        + [f"products.{i}.{n}" for i in (0, 1) for n in ("external_id", "name", "quantity", "price")]
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"external_id":"\\ud800"}', b'{"total":NaN}'])
async def test_a_body_that_cannot_be_read_is_one_without_any_field(body: bytes) -> None:
    async with client_for(world_at(Clock()), "dropday") as client:
        answer = await client.post(ORDERS, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["errors"]["source"]) == (422, ["The source field is required."])


async def test_a_body_that_is_not_declared_as_json_is_not_read() -> None:
    async with client_for(world_at(Clock()), "dropday") as client:
        answer = await client.post(ORDERS, content=json.dumps(ORDER))
    assert answer.status_code == 422


async def test_without_accept_a_failed_validation_is_a_redirect_to_a_page() -> None:
    headers = {**HEADERS["dropday"], "accept": "*/*"}
    async with client_for(world_at(Clock()), "dropday", headers) as client:
        wrong, right = await client.post(ORDERS, json={}), await client.post(ORDERS, json=ORDER)
    assert (wrong.status_code, wrong.headers["content-type"], wrong.headers["location"]) == (
        302,
        "text/html; charset=utf-8",
        "https://provider.example/",
    )
    assert right.json() == CREATED


@pytest.mark.parametrize(
    "headers",
    [{}, {"apikey": "sandbox-key"}, {"api-key": "sandbox-key"}, {"api-key": "sandbox-key", "account-id": "2"}],
    ids=str,
)
async def test_both_headers_are_needed(headers: dict[str, str]) -> None:
    async with client_for(world_at(Clock()), "dropday", headers) as client:
        answers = [await client.get("/api/v1"), await client.post(ORDERS, json=ORDER), await client.get(ORDERS)]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert answers[0].json() == {
        "message": "Unauthorized",
        "error": "The api-key or account-id header is missing or not valid.",
    }


async def test_nothing_can_be_changed_or_cancelled() -> None:
    async with client_for(world_at(Clock()), "dropday") as client:
        answers = [
            await client.delete(f"{ORDERS}/98"),
            await client.put(ORDERS, json=ORDER),
            await client.get("/api/v1/webhooks"),
        ]
    assert [answer.status_code for answer in answers] == [405, 405, 404]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", ORDERS, "create"),
        ("GET", ORDERS, "list"),
        ("GET", f"{ORDERS}/98", "get"),
        ("GET", "/api/v1/products", "products"),
        ("GET", "/api/v1", "check"),
        ("GET", "/api/v1/", "check"),
        ("PUT", ORDERS, "other"),
        ("GET", "/", "other"),
    ],
)
def test_operations_have_names(method: str, path: str, name: str) -> None:
    assert operation(method, path) == name
