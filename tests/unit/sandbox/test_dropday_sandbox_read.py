"""Dropday's sandbox against the documentation and the sheet (providers/dropday.md): reading orders and products."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from unit.sandbox.dropday_orders import ORDER, ORDERS, get, listed, post
from unit.sandbox.worlds import Clock, world_at

pytestmark = pytest.mark.anyio


async def test_an_order_is_read_with_its_own_reference_as_text_and_routed_lines() -> None:
    clock = Clock()
    world = world_at(clock)
    shipping = {"name": "PostNL", "cost": "4.95", "delivery_date": "07-11-2026", "note": ""}
    await post(world, {**ORDER, "shipping": shipping, "custom": {"dropped": True}})
    clock.move(minutes=2)
    assert await get(world, f"{ORDERS}/98") == {
        "id": 70001,
        "external_id": "NL-1",
        "reference": "98",
        "source": "lampen.example",
        "test": False,
        "blocked": False,
        "total": 435.45,
        "shipping_address": {
            "first_name": "Jan",
            "last_name": "de Boer",
            "address1": "Kade 2",
            "postcode": "1011 AB",
            "city": "Amsterdam",
            "country": "NL",
            "company_name": None,
            "address2": None,
            "state": None,
            "phone": "020 123 4567",
            "email": "jan@example.org",
        },
        "shipping": {
            "name": "PostNL",
            "description": None,
            "note": None,
            "cost": 4.95,
            "delivery_date": "2026-11-07",
        },
        "custom": None,
        "order_lines": [
            {
                "id": 7000101,
                "external_id": "1",
                "name": "Desk lamp",
                "ean13": "8712345000018",
                "reference": None,
                "quantity": 2,
                "stock_quantity": None,
                "price": 29.95,
                "purchase_price": None,
                "brand": None,
                "category": None,
                "image_url": None,
                "custom": {"engraving": "J"},
                "current_status": "completed",
                "matched_supplier": {"id": 301, "name": "Nordlys Lighting"},
                "logs": [
                    {
                        "id": 70001010,
                        "status": "pending",
                        "message": "Line received",
                        "created_at": "2026-03-02T12:00:00.000000Z",
                    },
                    {
                        "id": 70001011,
                        "status": "ruled",
                        "message": "Matched to Nordlys Lighting",
                        "created_at": "2026-03-02T12:00:30.000000Z",
                    },
                    {
                        "id": 70001012,
                        "status": "completed",
                        "message": "Passed on to Nordlys Lighting",
                        "created_at": "2026-03-02T12:02:00.000000Z",
                    },
                ],
            },
            {
                "id": 7000102,
                "external_id": "2",
                "name": "Something else",
                "ean13": None,
                "reference": None,
                "quantity": 3,
                "stock_quantity": None,
                "price": 4,
                "purchase_price": None,
                "brand": None,
                "category": None,
                "image_url": None,
                "custom": None,
                "current_status": "skipped",
                "matched_supplier": None,
                "logs": [
                    {
                        "id": 70001020,
                        "status": "pending",
                        "message": "Line received",
                        "created_at": "2026-03-02T12:00:00.000000Z",
                    },
                    {
                        "id": 70001021,
                        "status": "skipped",
                        "message": "No rule matched this line",
                        "created_at": "2026-03-02T12:02:00.000000Z",
                    },
                ],
            },
        ],
        "suppliers": [{"id": 301, "name": "Nordlys Lighting"}],
        "created_at": "2026-03-02T12:00:00.000000Z",
        "updated_at": "2026-03-02T12:02:00.000000Z",
    }


@pytest.mark.parametrize(
    ("line", "supplier"),
    [
        ({"supplier": "velox bikes europe", "ean13": "8712345000018"}, "Velox Bikes Europe"),
        ({"ean13": "0745125000015"}, "De Koperen Ketel"),
        ({"ean13": 8712345000018}, "Nordlys Lighting"),
        ({"ean13": 745125000015}, None),
        ({"reference": "VX-PUMP-01"}, "Velox Bikes Europe"),
        ({"brand": "halo & co"}, "Nordlys Lighting"),
        ({"reference": "NL-PEND-03"}, None),
        ({"supplier": "Nordlys"}, None),
        ({}, None),
    ],
    ids=str,
)
async def test_rules_match_a_line_by_supplier_then_ean_or_sku_then_brand(
    line: dict[str, Any], supplier: str | None
) -> None:
    clock = Clock()
    world = world_at(clock)
    await post(world, {**ORDER, "products": [{"external_id": "1", "name": "x", "quantity": 1, "price": 1, **line}]})
    clock.move(minutes=1)
    shown = (await get(world, f"{ORDERS}/98"))["order_lines"][0]
    expected = (supplier, "ruled") if supplier else (None, "pending")
    assert ((shown["matched_supplier"] or {"name": None})["name"], shown["current_status"]) == expected


async def statuses_over_time(order: dict[str, Any]) -> list[list[str]]:
    """The statuses of the order's lines at once, after half a minute and after two minutes."""
    clock = Clock()
    world = world_at(clock)
    await post(world, order)
    seen: list[list[str]] = []
    for pause in (timedelta(0), timedelta(seconds=30), timedelta(seconds=90)):
        clock.at += pause
        shown = await get(world, f"{ORDERS}/98")
        seen.append([line["current_status"] for line in shown["order_lines"]])
    return seen


async def test_lines_move_with_time() -> None:
    assert await statuses_over_time(ORDER) == [["pending", "pending"], ["ruled", "pending"], ["completed", "skipped"]]


@pytest.mark.parametrize("order", [{**ORDER, "test": True}, {**ORDER, "total": 5000.01}], ids=["test", "blocked"])
async def test_test_orders_and_blocked_orders_are_never_routed(order: dict[str, Any]) -> None:
    assert await statuses_over_time(order) == [["pending", "pending"]] * 3


@pytest.mark.parametrize(
    ("sku", "quantity", "status"),
    [
        ("VX-LIGHT-SET", 1, "failed"),
        ("NL-FLOOR-07", 12, "completed"),
        ("NL-FLOOR-07", 13, "partially_completed"),
        ("NL-BULB-E27", 500, "completed"),
        ("NL-BULB-E27", 501, "declined"),
    ],
)
async def test_stock_and_quantity_decide_how_a_suppliers_action_ends(sku: str, quantity: int, status: str) -> None:
    """All seven documented words come up: Dropday does not say what leads to them."""
    line = {"external_id": "1", "name": "x", "quantity": quantity, "price": 1, "reference": sku}
    assert await statuses_over_time({**ORDER, "products": [line]}) == [["pending"], ["ruled"], [status]]


@pytest.mark.parametrize("key", ["99", "70001", "NL-1", "098", "0", "-1", "9" * 30, "٩٨"])
async def test_an_order_is_found_by_its_reference_only(key: str) -> None:
    world = world_at(Clock())
    await post(world, ORDER)
    assert await get(world, f"{ORDERS}/{key}") == {
        "message": "Not Found",
        "error": f"There is no order with reference {key}.",
    }


async def test_the_list_mixes_two_envelopes_and_has_no_logs() -> None:
    world = world_at(Clock())
    for number in range(5):
        await post(world, {**ORDER, "external_id": f"NL-{number}"})
    answer = await get(world, ORDERS, per_page="2", page="2")
    orders = answer.pop("data")
    address = "https://provider.example/api/v1/orders"
    assert [order["external_id"] for order in orders] == ["NL-2", "NL-1"]
    assert not any("logs" in line for order in orders for line in order["order_lines"])
    assert answer == {
        "current_page": 2,
        "links": {
            "first": f"{address}?page=1",
            "last": f"{address}?page=3",
            "prev": f"{address}?page=1",
            "next": f"{address}?page=3",
        },
        "meta": {
            "current_page": 2,
            "from": 3,
            "last_page": 3,
            "path": address,
            "per_page": 2,
            "to": 4,
            "total": 5,
        },
    }


async def test_a_page_beyond_the_last_is_empty_and_an_odd_one_is_the_first() -> None:
    world = world_at(Clock())
    await post(world, ORDER)
    beyond, odd = await get(world, ORDERS, page="7"), await get(world, ORDERS, page="x")
    assert (beyond["data"], beyond["meta"]["from"], beyond["meta"]["last_page"]) == ([], None, 1)
    assert odd["meta"] == {**odd["meta"], "current_page": 1, "per_page": 50, "total": 1}


async def test_the_list_can_be_narrowed() -> None:
    clock = Clock()
    world = world_at(clock)
    unrouted = [{"external_id": "9", "name": "x", "quantity": 1, "price": 1}]
    await post(world, {**ORDER, "external_id": "NL-12", "total": 100})
    clock.move(minutes=5)
    await post(world, {**ORDER, "external_id": "NL-112", "total": 200, "products": unrouted})
    await post(world, {**ORDER, "external_id": "NL-T", "test": True})
    await post(world, {**ORDER, "external_id": "NL-B", "total": 9000})
    old, new, test, blocked = "NL-12", "NL-112", "NL-T", "NL-B"
    assert await listed(world) == [blocked, new, old]
    assert await listed(world, include_test="true") == [blocked, test, new, old]
    assert await listed(world, external_id="12") == [new, old]
    assert await listed(world, external_id="L-12") == [old]
    assert await listed(world, blocked="true") == [blocked]
    assert await listed(world, blocked="false") == [new, old]
    assert await listed(world, total_min="200") == [blocked, new]
    assert await listed(world, total_min="100", total_max="200") == [new, old]
    assert await listed(world, statuses="completed") == [old]
    assert await listed(world, statuses="pending,completed") == [blocked, new, old]
    assert await listed(world, supplier_ids="301,999") == [old]
    assert await listed(world, date_to="2026-03-02T12:00:00") == [old]
    assert await listed(world, date_from="2026-03-02T12:05:00") == [blocked, new]
    assert await listed(world, source="nobody") == [blocked, new, old]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date_from", "yesterday"),
        ("statuses", "shipped"),
        ("supplier_ids", "Nordlys"),
        ("total_min", "1,000"),
        ("blocked", "maybe"),
        ("include_test", "yes"),
        ("per_page", "101"),
        ("per_page", "0"),
        ("per_page", "many"),
    ],
)
async def test_a_filter_that_is_wrong_is_named(name: str, value: str) -> None:
    answer = await get(world_at(Clock()), ORDERS, **{name: value})
    assert (answer["message"], list(answer["errors"])) == ("Errors", [name])


async def test_products_come_in_another_envelope_with_active_as_a_number() -> None:
    answer = await get(world_at(Clock()), "/api/v1/products")
    rows = answer.pop("data")
    address = "https://provider.example/api/v1/products"
    assert answer == {
        "current_page": 1,
        "first_page_url": f"{address}?page=1",
        "from": 1,
        "last_page": 2,
        "last_page_url": f"{address}?page=2",
        "next_page_url": f"{address}?page=2",
        "path": address,
        "per_page": 100,
        "prev_page_url": None,
        "to": 100,
        "total": 133,
    }
    assert rows[4] == {
        "id": 8105,
        "project_id": 12,
        "product_feed_id": 41,
        "sku": "NL-PEND-03",
        "ean13": "8712345000056",
        "name": "Pendant lamp Bergen",
        "purchase_price": 39.0,
        "stock_quantity": 30,
        "active": 0,
        "created_at": "2026-01-05T06:00:00.000000Z",
        "updated_at": "2026-01-05T06:00:00.000000Z",
    }


async def test_products_come_a_hundred_at_a_time_whatever_is_asked_for() -> None:
    world = world_at(Clock())
    pages = [await get(world, "/api/v1/products", page=str(number), per_page="5", sku="VX") for number in (1, 2, 3)]
    assert [(len(page["data"]), page["from"], page["to"]) for page in pages] == [
        (100, 1, 100),
        (33, 101, 133),
        (0, None, None),
    ]
    skus = [row["sku"] for page in pages for row in page["data"]]
    assert len(set(skus)) == 133
    assert [page["next_page_url"] is None for page in pages] == [False, True, True]


async def test_the_connection_can_be_checked() -> None:
    world = world_at(Clock())
    assert [await get(world, "/api/v1"), await get(world, "/api/v1/")] == [{"message": "OK"}] * 2
