"""The Duoplane sandbox's new API: orders, products, the envelope and the bucket."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from dropship_tools.duoplane.sandbox import CREDENTIALS, build, operation
from dropship_tools.sandbox.world import SandboxWorld
from unit.sandbox.worlds import Clock, world_at

pytestmark = pytest.mark.anyio

AUTH = (CREDENTIALS["api_key"], CREDENTIALS["password"])

ADDRESS: dict[str, Any] = {
    "first_name": "Ann",
    "last_name": "Lee",
    "company_name": None,
    "address_1": "1 Main St",
    "address_2": "",
    "city": "Portland",
    "post_code": "04101",
    "province_name": "Maine",
    "province_code": "ME",
    "country_name": "United States",
    "country_iso2": "US",
    "phone": "+12075550100",
    "email": "ann@example.com",
}
ITEM: dict[str, Any] = {
    "name": "Linen Throw, Sand",
    "quantity": 2,
    "price": 49.5,
    "retailer_sku": "HP-THROW-SAND",
    "internal_id": "L1",
    "order_item_notes": [{"title": "Gift", "body": "no prices"}],
}
ORDER: dict[str, Any] = {
    "store_id": 3101,
    "external_id": "WEB-1",
    "internal_id": "int-1",
    "ordered_at": "2026-03-02T13:00:00+01:00",
    "tag_names": ["gift"],
    "customer_note": "ring twice",
    "order_notes": [{"title": "t", "body": "b"}],
    "shipping_address": ADDRESS,
    "order_items": [ITEM],
}


@asynccontextmanager
async def company(world: SandboxWorld | None = None) -> AsyncGenerator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(build(world or world_at(Clock())))
    async with httpx2.AsyncClient(transport=transport, base_url="https://app.duoplane.example", auth=AUTH) as client:
        yield client


async def create(client: httpx2.AsyncClient, **changes: Any) -> httpx2.Response:
    return await client.post("/api/orders", json={**copy.deepcopy(ORDER), **changes})


async def test_a_created_order_comes_back_in_the_documented_shape_with_the_servers_own_values() -> None:
    async with company() as client:
        answer = await create(client)
        assert answer.status_code == 201
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "metadata": {"requests_remaining": 39, "retry_after_seconds": 0, "total_count": 1},
            "data": {
                "id": 8800001,
                "type": "order",
                "attributes": {
                    "created_at": "2026-03-02T12:00:00Z",
                    "updated_at": "2026-03-02T12:00:00Z",
                    "store_id": 3101,
                    "store_source_name": None,
                    "internal_id": "int-1",
                    "external_id": "WEB-1",
                    "ordered_at": "2026-03-02T12:00:00Z",
                    "tag_names": ["gift"],
                    "customer_note": "ring twice",
                    "order_notes": [{"title": "t", "body": "b"}],
                },
                "relationships": {
                    "order_items": [
                        {
                            "id": "8800001001",
                            "type": "order_item",
                            "attributes": {
                                "name": "Linen Throw, Sand",
                                "quantity": 2,
                                "price": 49.5,
                                "cost": 18.5,
                                "retailer_product_id": 2100001,
                                "retailer_sku": "HP-THROW-SAND",
                                "internal_id": "L1",
                                "vendor_sku": "ESM-1001",
                                "upc": "084012300001",
                                "mpn": "MPN-001",
                                "other_barcode": "4012345000001",
                                "order_item_notes": [{"title": "Gift", "body": "no prices"}],
                            },
                            "relationships": [{}],
                        }
                    ],
                    "shipping_address": {"id": "88000011", "type": "address", "attributes": ADDRESS},
                    "billing_address": None,
                },
            },
            "errors": [],
        }


async def test_a_repeated_external_id_makes_a_second_order() -> None:
    async with company() as client:
        ids = [(await create(client)).json()["data"]["id"] for _ in range(2)]
        assert ids == [8800001, 8800002]


async def test_an_unknown_sku_is_accepted_and_only_errors_says_so() -> None:
    async with company() as client:
        answer = await create(client, order_items=[{**ITEM, "retailer_sku": "NOPE-1"}])
        assert answer.status_code == 201
        assert answer.json()["errors"] == ["retailer_sku NOPE-1 does not match any product"]
        attributes = answer.json()["data"]["relationships"]["order_items"][0]["attributes"]
        assert (attributes["cost"], attributes["vendor_sku"], attributes["upc"]) == (None, None, None)


@pytest.mark.parametrize(
    ("item", "warning", "product_id"),
    [
        ({"retailer_product_id": 2100003, "retailer_sku": None}, None, 2100003),
        (
            {"retailer_product_id": 2100003},
            "retailer_product_id 2100003 does not have the retailer_sku HP-THROW-SAND",
            2100003,
        ),
        ({"retailer_product_id": 1}, "retailer_product_id 1 does not match any product", 1),
        ({"retailer_sku": "HP-TOTE"}, "retailer_sku HP-TOTE matches 2 products, the oldest was taken", 2100008),
    ],
)
async def test_doubtful_products_are_accepted_with_a_warning(
    item: dict[str, Any], warning: str | None, product_id: int
) -> None:
    async with company() as client:
        answer = await create(client, order_items=[{**ITEM, **item}])
        assert answer.status_code == 201
        assert answer.json()["errors"] == ([warning] if warning else [])
        (shown,) = answer.json()["data"]["relationships"]["order_items"]
        assert shown["attributes"]["retailer_product_id"] == product_id


async def test_the_store_may_be_named_instead_of_numbered() -> None:
    async with company() as client:
        answer = await create(client, store_id=None, store_source_name="Harbour & Pine Wholesale")
        assert answer.json()["data"]["attributes"]["store_id"] == 3102


def item_with(**changes: Any) -> dict[str, Any]:
    return {"order_items": [{**ITEM, **changes}]}


def address_with(**changes: Any) -> dict[str, Any]:
    return {"shipping_address": {**ADDRESS, **changes}}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"order_items": None}, "order_items must contain at least one item"),
        ({"order_items": []}, "order_items must contain at least one item"),
        ({"order_items": {}}, "order_items must be an array"),
        ({"order_items": ["x"]}, "order_items[0] must be an object"),
        (item_with(quantity=0), "order_items[0].quantity must be greater than 0"),
        (item_with(quantity=-1), "order_items[0].quantity must be greater than 0"),
        (item_with(quantity=None), "order_items[0].quantity must be greater than 0"),
        (item_with(quantity="2"), "order_items[0].quantity must be an integer"),
        (item_with(quantity=True), "order_items[0].quantity must be an integer"),
        (item_with(price="49.50"), "order_items[0].price must be a number"),
        (item_with(price=-1), "order_items[0].price must not be negative"),
        (item_with(retailer_sku=""), "order_items[0] needs a retailer_sku or a retailer_product_id"),
        (item_with(retailer_sku=5), "order_items[0].retailer_sku must be a string"),
        (item_with(order_item_notes=["x"]), "order_items[0].order_item_notes[0] must be an object"),
        (item_with(order_item_notes=[{"body": 1}]), "order_items[0].order_item_notes[0].body must be a string"),
        ({"store_id": 1}, "store_id 1 is unknown"),
        ({"store_id": "3101"}, "store_id must be an integer"),
        ({"store_id": None}, "store_id can't be blank"),
        ({"store_id": None, "store_source_name": "Elsewhere"}, "store_id can't be blank"),
        ({"ordered_at": "yesterday"}, "ordered_at must be an ISO 8601 date-time with a time zone"),
        ({"ordered_at": "2026-03-02T12:00:00"}, "ordered_at must be an ISO 8601 date-time with a time zone"),
        ({"tag_names": "gift"}, "tag_names must be an array"),
        ({"tag_names": [1]}, "tag_names must be an array of strings"),
        ({"external_id": 17}, "external_id must be a string"),
        ({"shipping_address": None}, "shipping_address can't be blank"),
        ({"shipping_address": []}, "shipping_address must be an object"),
        (address_with(country_iso2="USA"), "shipping_address.country_iso2 must be an ISO 3166-1 alpha-2 code"),
        (address_with(country_iso2=None), "shipping_address.country_iso2 can't be blank"),
        (address_with(post_code=4101), "shipping_address.post_code must be a string"),
        (address_with(email="ann"), "shipping_address.email is not an e-mail address"),
        ({"billing_address": {"country_iso2": "1"}}, "billing_address.country_iso2 must be an ISO 3166-1 alpha-2 code"),
    ],
)
async def test_a_wrong_order_is_422_with_plain_strings_and_nothing_is_kept(changes: dict[str, Any], error: str) -> None:
    async with company() as client:
        answer = await create(client, **changes)
        assert answer.status_code == 422
        assert answer.json()["data"] is None
        assert error in answer.json()["errors"]
        assert (await client.get("/api/orders")).json()["metadata"]["total_count"] == 0


async def test_all_problems_are_named_at_once() -> None:
    async with company() as client:
        answer = await create(client, store_id=1, **item_with(quantity=0))
        assert answer.json()["errors"] == [
            "store_id 1 is unknown",
            "order_items[0].quantity must be greater than 0",
        ]


async def test_names_of_other_apis_are_ignored_so_the_street_is_missing() -> None:
    async with company() as client:
        address = {"address1": "1 Main St", "city": "Portland", "zip": "04101", "country_iso2": "US"}
        answer = await create(client, shipping_address=address)
        assert answer.json()["errors"] == ["shipping_address.address_1 can't be blank"]


async def test_an_order_wrapped_like_the_answer_is_refused() -> None:
    async with company() as client:
        answer = await client.post("/api/orders", json={"data": {"type": "order", "attributes": ORDER}})
        assert answer.status_code == 422
        assert answer.json()["errors"][0] == "send the fields at the top level, not inside data.attributes"


@pytest.mark.parametrize("body", ["", "{", "[1,", '{"store_id": NaN}', '"\\ud800"', "[" * 9999])
async def test_a_body_that_is_not_json_is_400_in_an_envelope(body: str) -> None:
    async with company() as client:
        answer = await client.post("/api/orders", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["errors"]) == (400, ["the body is not valid JSON"])


async def test_a_json_body_that_is_no_object_is_422_and_another_content_type_415() -> None:
    async with company() as client:
        assert (await client.post("/api/orders", json=[ORDER])).status_code == 422
        assert (await client.post("/api/orders", content=json.dumps(ORDER))).status_code == 415


async def test_an_order_is_read_by_duoplanes_id_and_nothing_else() -> None:
    async with company() as client:
        created = (await create(client)).json()["data"]
        assert (await client.get("/api/orders/8800001")).json()["data"] == created
        for unknown in ("8800002", "WEB-1", "8800001.0", "99999999999999999999"):
            answer = await client.get(f"/api/orders/{unknown}")
            assert answer.status_code == 404
            assert (answer.json()["data"], answer.json()["errors"]) == (None, ["Order not found"])


async def test_the_list_is_newest_first_and_paged() -> None:
    async with company() as client:
        for number in range(3):
            await create(client, external_id=f"WEB-{number}")
        first = (await client.get("/api/orders?page=1&per_page=2")).json()
        second = (await client.get("/api/orders?page=2&per_page=2")).json()
        assert [order["attributes"]["external_id"] for order in first["data"]] == ["WEB-2", "WEB-1"]
        assert [order["attributes"]["external_id"] for order in second["data"]] == ["WEB-0"]
        assert (first["metadata"]["total_count"], first["metadata"]["has_next_page"]) == (3, True)
        assert (second["metadata"]["total_count"], second["metadata"]["has_next_page"]) == (3, False)
        for query in ("", "?per_page=9999", "?page=0&per_page=no", "?search[per_page]=1", "?external_id=WEB-1"):
            assert len((await client.get(f"/api/orders{query}")).json()["data"]) == 3


async def test_a_page_never_holds_more_than_250_orders() -> None:
    clock = Clock()
    async with company(world_at(clock)) as client:
        for _ in range(251):
            await create(client)
            clock.move(seconds=1)
        page = (await client.get("/api/orders?per_page=1000")).json()
        assert (len(page["data"]), page["metadata"]["has_next_page"]) == (250, True)


async def test_a_product_is_read_and_created_with_texts_for_ids_and_relationships_in_an_array() -> None:
    async with company() as client:
        product = (await client.get("/api/products/2100003")).json()["data"]
        assert (product["id"], product["type"]) == ("2100003", "product")
        assert product["attributes"]["created_at"] == "2026-01-05T06:00:00.000Z"
        (relationships,) = product["relationships"]
        assert [stock["id"] for stock in relationships["product_inventories"]] == [21000031, 21000032]
        body = {
            "name": "Door Mat",
            "retailer_sku": "HP-MAT",
            "product_inventories": [{"vendor_id": 501, "vendor_sku": "ESM-9", "cost": 7, "quantity_available": 3}],
        }
        answer = await client.post("/api/products", json=body)
        assert answer.status_code == 201
        assert answer.json()["data"]["id"] == "2200001"
        assert (await client.get("/api/products/2200001")).json()["data"] == answer.json()["data"]
        # And it can be ordered.
        order = await create(client, **item_with(retailer_sku="HP-MAT"))
        assert order.json()["errors"] == []
        assert (await client.get("/api/products/1")).status_code == 404


async def test_a_wrong_product_is_422() -> None:
    async with company() as client:
        stock = {"vendor_id": 1, "manage_inventory": "no", "backordered_until": "soon"}
        answer = await client.post("/api/products", json={"name": "Mat", "product_inventories": [stock]})
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            "retailer_sku can't be blank",
            "product_inventories[0] names no vendor of this account",
            "product_inventories[0].manage_inventory must be true or false",
            "product_inventories[0].backordered_until must be a date",
        ]


async def test_an_unknown_path_is_an_html_page() -> None:
    async with company() as client:
        for path in ("/nowhere", "/api/orders/1/cancel"):
            answer = await client.delete(path)
            assert answer.status_code == 404
            assert answer.headers["content-type"].startswith("text/html")


async def test_the_app_follows_a_servers_lifespan() -> None:
    received = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> Any:
        return received.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await build(world_at(Clock()))({"type": "lifespan", "asgi": {}, "state": {}}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_requests_have_short_names_for_the_fault_switches() -> None:
    names = [
        operation("POST", "/api/orders"),
        operation("GET", "/api/orders"),
        operation("get", "/api/orders/8800001"),
        operation("POST", "/api/products"),
        operation("GET", "/api/products/1"),
        operation("GET", "/purchase_orders.json"),
        operation("GET", "/purchase_orders/1.json"),
        operation("GET", "/shipments.json"),
        operation("GET", "/shipments/1.json"),
        operation("GET", "/orders.json"),
        operation("GET", "/orders/1.json"),
        operation("GET", "/products.json"),
        operation("GET", "/products/1.json"),
        operation("DELETE", "/api/orders/1"),
    ]
    assert names == [
        *("create", "list", "get", "create_product", "get_product", "purchase_orders", "purchase_order", "shipments"),
        *("shipment", "old_orders", "old_order", "products", "product", "other"),
    ]
