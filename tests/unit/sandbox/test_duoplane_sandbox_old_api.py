"""The Duoplane sandbox's old API: what becomes of an order, as bare JSON with headers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from dropship_tools.duoplane.sandbox import CREDENTIALS, VENDOR_CREDENTIALS, build
from dropship_tools.sandbox.world import SandboxWorld
from unit.sandbox.worlds import Clock, world_at

pytestmark = pytest.mark.anyio

ADDRESS = {
    "last_name": "Lee",
    "address_1": "1 Main St",
    "city": "Portland",
    "post_code": "04101",
    "province_code": "ME",
    "country_iso2": "US",
}


class Company:
    """Clients of the retailer and of one of its vendors, and their clock."""

    def __init__(self, retailer: httpx2.AsyncClient, vendor: httpx2.AsyncClient, clock: Clock) -> None:
        self.retailer = retailer
        self.vendor = vendor
        self.clock = clock

    async def order(self, *skus: str, reference: str | None = "0001", quantity: int = 1) -> int:
        body = {
            "store_id": 3101,
            "external_id": reference,
            "shipping_address": ADDRESS,
            "order_items": [{"name": sku, "retailer_sku": sku, "quantity": quantity, "price": 9.5} for sku in skus],
        }
        answer = await self.retailer.post("/api/orders", json=body)
        return answer.json()["data"]["id"]

    async def get(self, path: str) -> Any:
        return (await self.retailer.get(path)).json()

    async def purchase_orders(self, reference: str = "0001") -> list[dict[str, Any]]:
        return await self.get(f"/purchase_orders.json?search[order_public_reference]={reference}")


def connect(world: SandboxWorld, credentials: dict[str, str]) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(build(world)),
        base_url="https://app.duoplane.example",
        auth=(credentials["api_key"], credentials["password"]),
    )


@asynccontextmanager
async def company() -> AsyncGenerator[Company]:
    clock = Clock()
    world = world_at(clock)
    async with connect(world, CREDENTIALS) as retailer, connect(world, VENDOR_CREDENTIALS) as vendor:
        yield Company(retailer, vendor, clock)


async def test_an_order_is_split_into_one_purchase_order_per_vendor_some_seconds_later() -> None:
    async with company() as harbour:
        order_id = await harbour.order("HP-THROW-SAND", "HP-BOWL-20", "HP-TOTE")
        assert await harbour.purchase_orders() == []
        harbour.clock.move(seconds=5)
        mills, ceramics = sorted(await harbour.purchase_orders(), key=lambda found: found["id"])
        assert mills == {
            "id": 51000001,
            "public_reference": "PO-10001",
            "created_at": "2026-03-02T12:00:05.000Z",
            "updated_at": "2026-03-02T12:00:05.000Z",
            "ordered_at": "2026-03-02T12:00:00.000Z",
            "sent_at": None,
            "order_id": order_id,
            "order_public_reference": "0001",
            "retailer_id": 9001,
            "retailer_name": "Harbour & Pine",
            "vendor_id": 501,
            "vendor": "Elm Street Mills",
            "vendor_reference": None,
            "promise_date": None,
            "ship_method": None,
            "status": "not sent",
            "store_name": "Harbour & Pine Web Shop",
            "total_shipping_revenue": 0.0,
            "total_tax": 0.0,
            "shipping_address": {
                "first_name": None,
                "last_name": "Lee",
                "company_name": None,
                "address_1": "1 Main St",
                "address_2": None,
                "city": "Portland",
                # No name was given, so the code stands in its place.
                "province": "ME",
                "province_iso": "ME",
                "post_code": "04101",
                "country": "US",
                "phone": None,
                "email": None,
            },
            "order_items": [
                {
                    "id": 8800001001,
                    "name": "HP-THROW-SAND",
                    "retailer_sku": "HP-THROW-SAND",
                    "vendor_sku": "ESM-1001",
                    "quantity": 1,
                    "quantity_open": 1,
                    "price": 9.5,
                    "cost": 18.5,
                    "order_item_notes": [],
                },
                {
                    "id": 8800001003,
                    "name": "HP-TOTE",
                    "retailer_sku": "HP-TOTE",
                    "vendor_sku": "ESM-5001",
                    "quantity": 1,
                    "quantity_open": 1,
                    "price": 9.5,
                    "cost": 2.1,
                    "order_item_notes": [],
                },
            ],
        }
        assert (ceramics["id"], ceramics["vendor"]) == (51000002, "Bluewater Ceramics")
        assert (await harbour.get("/purchase_orders/51000001.json")) == mills


async def test_purchase_orders_are_sent_and_then_shipped_one_vendor_after_the_other() -> None:
    async with company() as harbour:
        await harbour.order("HP-THROW-SAND", "HP-BOWL-20")
        seen: list[list[str]] = []
        for _ in range(5):
            found = sorted(await harbour.purchase_orders(), key=lambda one: one["id"])
            seen.append([one["status"] for one in found])
            harbour.clock.move(seconds=60)
        assert seen == [[], ["sent"] * 2, ["sent"] * 2, ["shipped", "sent"], ["shipped"] * 2]
        found = (await harbour.purchase_orders())[0]
        assert found["sent_at"] == "2026-03-02T12:01:00.000Z"
        assert found["order_items"][0]["quantity_open"] == 0
        order = await harbour.get("/api/orders/8800001")
        assert order["data"]["attributes"]["updated_at"] == "2026-03-02T12:04:00Z"


async def test_a_shipment_carries_the_tracking_number_and_no_costs_of_the_vendor() -> None:
    async with company() as harbour:
        await harbour.order("HP-THROW-SAND", quantity=3)
        assert await harbour.get("/shipments.json") == []
        assert (await harbour.retailer.get("/shipments/71000001.json")).status_code == 404
        harbour.clock.move(seconds=180)
        (shipment,) = await harbour.get("/shipments.json?search[purchase_order_id]=1")
        tracking = shipment["shipment_trackings_attributes"][0]["tracking"]
        assert tracking.startswith("1Z")
        assert shipment == {
            "id": 71000001,
            "purchase_order_id": 51000001,
            "purchase_order_public_reference": "PO-10001",
            "created_at": "2026-03-02T12:03:00.000Z",
            "updated_at": "2026-03-02T12:03:00.000Z",
            "shipper_id": 81,
            "shipper_name": "UPS",
            "shipper_scac_code": "UPSN",
            "vendor_invoice_reference": None,
            "shipper_invoice_reference": None,
            "shipper_shipping_cost": None,
            "shipment_trackings_attributes": [
                {
                    "id": 710000011,
                    "tracking": tracking,
                    "tracking_url": f"https://tracking.invalid/ups?tracknum={tracking}",
                }
            ],
            "shipment_items_attributes": [
                {
                    "id": 7100000101,
                    "order_item_id": 8800001001,
                    "order_item_name": "HP-THROW-SAND",
                    "quantity": 3,
                    "cost": 18.5,
                }
            ],
        }
        assert await harbour.get("/shipments/71000001.json") == shipment
        assert await harbour.get("/shipments.json?search[created_at_min]=2026-03-02T12:03:01Z") == []


async def test_an_order_of_unknown_skus_never_gets_a_purchase_order() -> None:
    async with company() as harbour:
        await harbour.order("NOPE-1", reference="none")
        await harbour.order("NOPE-1", "HP-LANTERN", reference="some")
        harbour.clock.move(hours=1)
        assert await harbour.purchase_orders("none") == []
        (found,) = await harbour.purchase_orders("some")
        assert [item["retailer_sku"] for item in found["order_items"]] == ["HP-LANTERN"]


async def test_the_cheapest_vendor_with_enough_in_stock_gets_the_purchase_order() -> None:
    async with company() as harbour:
        await harbour.order("HP-MUG-350", reference="few", quantity=6)
        await harbour.order("HP-MUG-350", reference="many", quantity=7)
        # Its inventory is not managed, so the quantity of 0 means nothing.
        await harbour.order("HP-KETTLE", reference="kettle", quantity=50)
        harbour.clock.move(seconds=180)
        found = [(await harbour.purchase_orders(reference))[0] for reference in ("few", "many", "kettle")]
        assert [(one["vendor_id"], one["status"]) for one in found] == [
            (502, "shipped"),
            (503, "shipped"),
            (503, "shipped"),
        ]


async def test_a_backordered_product_is_sent_to_the_vendor_and_not_shipped() -> None:
    async with company() as harbour:
        await harbour.order("HP-TEAPOT")
        harbour.clock.move(days=30)
        (found,) = await harbour.purchase_orders()
        assert (found["status"], found["order_items"][0]["quantity_open"]) == ("sent", 1)
        assert await harbour.get("/shipments.json") == []


async def test_two_orders_with_one_reference_show_all_their_purchase_orders() -> None:
    async with company() as harbour:
        ids = [await harbour.order("HP-LANTERN") for _ in range(2)]
        harbour.clock.move(seconds=10)
        found = await harbour.purchase_orders()
        assert [one["order_id"] for one in found] == ids[::-1]
        assert len({one["public_reference"] for one in found}) == 2


async def test_an_order_without_a_reference_is_known_by_its_number() -> None:
    async with company() as harbour:
        order_id = await harbour.order("HP-LANTERN", reference=None)
        harbour.clock.move(seconds=10)
        (found,) = await harbour.purchase_orders(str(order_id))
        assert found["order_public_reference"] == str(order_id)


@pytest.mark.parametrize(
    ("search", "hits"),
    [
        ("search[fulfilled]=false", 1),
        ("search[fulfilled]=true", 1),
        ("search[fulfilled]=perhaps", 2),
        ("search[order_public_reference]=A", 1),
        ("search[order_public_reference]=a", 0),
        ("order_public_reference=A", 2),
        ("search[created_at_min]=2026-03-02T12:01:00Z", 1),
        ("search[created_at_max]=2026-03-02T12:01:00Z", 1),
        ("search[updated_at_min]=2026-03-02T12:02:30Z", 2),
        # Without a zone it is New York's time for this API user, five hours later than it looks.
        ("search[created_at_min]=2026-03-02T07:01:00", 1),
        ("search[created_at_min]=2026-03-02T12:01:00", 0),
        ("search[unknown]=1", 2),
    ],
)
async def test_purchase_orders_can_be_searched(search: str, hits: int) -> None:
    async with company() as harbour:
        await harbour.order("HP-LANTERN", reference="A")
        harbour.clock.move(minutes=2)
        await harbour.order("HP-LANTERN", reference="B")
        harbour.clock.move(minutes=1)
        assert len(await harbour.get(f"/purchase_orders.json?{search}")) == hits


async def test_a_search_time_that_cannot_be_read_is_400() -> None:
    async with company() as harbour:
        answer = await harbour.retailer.get("/purchase_orders.json?search[updated_at_min]=today")
        assert answer.status_code == 400
        assert answer.json() == {"status": 400, "error": "search[updated_at_min] is not a valid date"}


async def test_lists_are_bare_and_page_and_quota_stand_in_headers() -> None:
    async with company() as harbour:
        for number in range(3):
            await harbour.order("HP-LANTERN", reference=str(number))
        harbour.clock.move(seconds=30)
        answer = await harbour.retailer.get("/purchase_orders.json?page=1&per_page=2")
        assert [found["order_public_reference"] for found in answer.json()] == ["2", "1"]
        headers = {name: value for name, value in answer.headers.items() if name.startswith("duoplane-")}
        assert headers == {
            "duoplane-requests-left": "39",
            "duoplane-retry-after-seconds": "0",
            "duoplane-total-count": "3",
            "duoplane-has-next-page": "true",
        }
        last = await harbour.retailer.get("/purchase_orders.json?page=2&per_page=2")
        assert (len(last.json()), last.headers["duoplane-has-next-page"]) == (1, "false")
        # A page size inside search[] is just a filter nobody knows.
        assert len(await harbour.get("/purchase_orders.json?search[per_page]=1")) == 3


async def test_orders_are_listed_at_once_under_the_old_names() -> None:
    async with company() as harbour:
        order_id = await harbour.order("HP-LANTERN")
        (order,) = await harbour.get("/orders.json")
        assert (order["id"], order["public_reference"], order["store_id"]) == (order_id, "0001", 3101)
        assert order["shipping_address"]["province_iso"] == "ME"
        assert await harbour.get(f"/orders/{order_id}.json") == order
        assert await harbour.get("/orders.json?search[created_at_min]=2026-03-02T12:00:01Z") == []
        assert (await harbour.retailer.get("/purchase_orders/51000001.0.json")).status_code == 404
        for unknown in ("/orders/1.json", "/orders/x.json", "/products/1.json", "/purchase_orders/51000001.json"):
            answer = await harbour.retailer.get(unknown)
            assert (answer.status_code, answer.json()) == (404, {"status": 404, "error": "Not Found"})


async def test_products_are_found_by_either_sku_with_their_vendors_and_stores() -> None:
    async with company() as harbour:
        (mug,) = await harbour.get("/products.json?search[retailer_sku]=HP-MUG-350")
        assert mug["id"] == 2100003
        assert [(offer["vendor_id"], offer["cost"]) for offer in mug["product_inventories"]] == [(502, 4.2), (503, 4.9)]
        assert [(store["store_id"], store["store_name"]) for store in mug["store_products"]] == [
            (3101, "Harbour & Pine Web Shop"),
            (3102, "Harbour & Pine Wholesale"),
        ]
        assert await harbour.get("/products/2100003.json") == mug
        assert await harbour.get("/products.json?search[vendor_sku]=BW-M35") == [mug]
        totes = await harbour.get("/products.json?search[retailer_sku]=HP-TOTE")
        assert [tote["name"] for tote in totes] == ["Cotton Tote, Black", "Cotton Tote, Natural"]
        (bundle,) = await harbour.get("/products.json?search[product_type]=bundle")
        assert bundle["retailer_sku"] == "HP-PICNIC"
        assert len(await harbour.get("/products.json")) == 12
        assert await harbour.get("/products.json?search[updated_at_min]=2026-02-01T00:00:00Z") == []


async def test_a_vendor_sees_its_own_purchase_orders_once_they_are_sent() -> None:
    async with company() as harbour:
        await harbour.order("HP-THROW-SAND", "HP-BOWL-20")
        harbour.clock.move(seconds=30)
        assert (await harbour.vendor.get("/purchase_orders.json")).json() == []
        assert (await harbour.vendor.get("/purchase_orders/51000001.json")).status_code == 404
        harbour.clock.move(minutes=5)
        assert [found["vendor_id"] for found in (await harbour.vendor.get("/purchase_orders.json")).json()] == [501]
        assert (await harbour.vendor.get("/purchase_orders/51000001.json")).status_code == 200
        assert (await harbour.vendor.get("/purchase_orders/51000002.json")).status_code == 404
        assert [found["id"] for found in (await harbour.vendor.get("/shipments.json")).json()] == [71000001]
        assert (await harbour.vendor.get("/shipments/71000002.json")).status_code == 404
        for path in ("/orders.json", "/orders/8800001.json", "/products.json", "/products/2100001.json"):
            answer = await harbour.vendor.get(path)
            assert (answer.status_code, answer.json()) == (403, {"status": 403, "error": "Forbidden"})
