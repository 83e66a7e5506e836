"""The Rewix sandbox keeps the documentation's promises about orders, and its traps."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from dropship_tools.rewix.sandbox import CREDENTIALS, build, operation
from dropship_tools.rewix.sandbox_catalogue import LAST_ONE, LAST_TWO, SOLD_OUT
from unit.sandbox.worlds import Clock, world_at

pytestmark = pytest.mark.anyio

CREATE = "/restful/ghost/orders/0/dropshipping"
SOLD = "/restful/ghost/orders/sold"
LOCKED = "/restful/ghost/orders/dropshipping/locked"
BY_KEY = "/restful/ghost/clientorders/clientkey"
BY_ID = "/restful/ghost/clientorders/serverkey"
AUTH = (CREDENTIALS["api_key"], CREDENTIALS["password"])

# The documentation's own example, numbers as texts (seed 001).
EXAMPLE: dict[str, Any] = {
    "key": "2357",
    "date": "2021/02/02 23:59:59 +0000",
    "carrierId": "20",
    "recipient_details": {
        "recipient": "ACME srl",
        "cfpiva": "12345558",
        "customer_key": "7777",
        "address": {
            "street_type": "Via",
            "street_name": "Roma",
            "address_number": "1",
            "zip": "10100",
            "city": "TORINO",
            "province": "TO",
            "countrycode": "IT",
        },
        "phone": {"prefix": "+39", "number": "0112838474"},
    },
    "item_list": [{"stock_id": "1578", "quantity": "1"}],
    "autoConfirm": "true",
}


class Shop:
    """A client of a fresh sandbox and its clock."""

    def __init__(self, client: httpx2.AsyncClient, clock: Clock) -> None:
        self.client = client
        self.clock = clock

    async def order(self, **changes: Any) -> httpx2.Response:
        return await self.client.post(CREATE, json={"order_list": [{**copy.deepcopy(EXAMPLE), **changes}]})

    async def orders(self, key: str = "2357") -> list[dict[str, Any]]:
        return (await self.client.get(f"{BY_KEY}/{key}")).json()["orders"]

    async def models(self) -> list[dict[str, int]] | None:
        return (await self.client.get(LOCKED)).json()["models"]


@asynccontextmanager
async def open_shop() -> AsyncGenerator[Shop]:
    clock = Clock()
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(build(world_at(clock))),
        base_url="https://supplier.example",
        auth=AUTH,
        headers={"Accept": "application/json"},
    ) as client:
        yield Shop(client, clock)


async def test_the_documented_example_is_ordered_and_the_answer_is_what_remains_reserved() -> None:
    async with open_shop() as shop:
        answer = await shop.order()
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        # No models when nothing is reserved, and never the id of the order itself.
        assert answer.json() == {"order_id": 1000}


async def test_the_real_order_id_comes_from_the_key() -> None:
    async with open_shop() as shop:
        await shop.order()
        answer = await shop.client.get(f"{BY_KEY}/2357")
        assert answer.json() == {
            "orders": [
                {
                    "order_id": 130001,
                    "ext_ref": "2357",
                    "status": 2,
                    "substatus": None,
                    "last_update": "2026/03/02 12:00:00 +0000",
                    "parsedDate": 1772452800000,
                    "tracking_code": None,
                    "tracking_url": None,
                    "carrier_name": None,
                }
            ]
        }


async def test_a_confirmed_order_is_dispatched_with_tracking_after_three_minutes() -> None:
    async with open_shop() as shop:
        await shop.order()
        seen: list[tuple[int, str | None, bool]] = []
        for _ in range(4):
            (order,) = await shop.orders()
            seen.append((order["status"], order["carrier_name"], order["tracking_code"] is not None))
            shop.clock.move(minutes=1)
        assert seen == [(2, None, False), (3001, "UPS", False), (3002, "UPS", False), (3, "UPS", True)]
        (order,) = await shop.orders()
        assert order["last_update"] == "2026/03/02 12:03:00 +0000"
        assert order["tracking_url"] == f"https://tracking.invalid/ups?tracknum={order['tracking_code']}"


async def test_an_order_that_may_not_confirm_itself_is_booked_and_cancelled_after_a_day() -> None:
    async with open_shop() as shop:
        await shop.order(autoConfirm=False, item_list=[{"stock_id": LAST_TWO, "quantity": 2}])
        assert (await shop.orders())[0]["status"] == 5
        shop.clock.move(hours=23, minutes=59)
        assert (await shop.orders())[0]["status"] == 5
        shop.clock.move(minutes=1)
        (order,) = await shop.orders()
        assert (order["status"], order["last_update"]) == (2000, "2026/03/03 12:00:00 +0000")
        # What nobody paid for can be had again.
        answer = await shop.client.post(
            SOLD, json={"operations": [{"type": "lock", "models": [{"stock_id": LAST_TWO, "quantity": 9}]}]}
        )
        assert answer.json()["models"] == [{"stock_id": LAST_TWO, "locked": 2, "available": 0}]


async def test_auto_confirm_defaults_to_true() -> None:
    async with open_shop() as shop:
        order = copy.deepcopy(EXAMPLE)
        del order["autoConfirm"], order["carrierId"]
        await shop.client.post(CREATE, json={"order_list": [order]})
        assert (await shop.orders())[0]["status"] == 2


async def test_orders_are_booked_once_the_credit_is_used_up() -> None:
    async with open_shop() as shop:
        statuses: list[int] = []
        for number in range(8):
            await shop.order(key=str(number), item_list=[{"stock_id": 148148, "quantity": 50}])
            statuses.append((await shop.orders(str(number)))[0]["status"])
        assert statuses[0] == 2
        assert statuses[-1] == 5


async def test_more_than_the_stock_is_silently_reduced_to_the_stock() -> None:
    async with open_shop() as shop:
        answer = await shop.order(item_list=[{"stock_id": LAST_ONE, "quantity": 5}])
        assert (answer.status_code, answer.json()) == (200, {"order_id": 1000})
        (order,) = await shop.orders()
        assert order["status"] == 2
        assert "items" not in json.dumps(order)


async def test_an_order_without_a_single_piece_is_made_but_never_confirmed() -> None:
    async with open_shop() as shop:
        answer = await shop.order(item_list=[{"stock_id": SOLD_OUT, "quantity": 1}])
        assert answer.status_code == 200
        assert (await shop.orders())[0]["status"] == 5


async def test_an_unknown_stock_id_aborts_the_order_and_leaves_the_other_lines_locked() -> None:
    async with open_shop() as shop:
        answer = await shop.order(
            item_list=[
                {"stock_id": 1578, "quantity": 3},
                {"stock_id": 999, "quantity": 1},
                {"stock_id": LAST_TWO, "quantity": 5},
            ]
        )
        assert (answer.status_code, answer.text) == (404, "stock_id 999 not found")
        assert answer.headers["content-type"].startswith("text/plain")
        assert (await shop.client.get(f"{BY_KEY}/2357")).status_code == 404
        assert await shop.models() == [
            {"stock_id": 1578, "locked": 3, "available": 117},
            {"stock_id": LAST_TWO, "locked": 2, "available": 0},
        ]


async def test_reserved_pieces_move_from_the_reservation_into_the_order() -> None:
    async with open_shop() as shop:
        await shop.client.post(
            SOLD,
            json={
                "operations": [
                    {"type": "lock", "models": [{"stock_id": 1578, "quantity": 4}, {"stock_id": 1567, "quantity": 2}]}
                ]
            },
        )
        answer = await shop.order(item_list=[{"stock_id": 1578, "quantity": 5}, {"stock_id": 1567, "quantity": 1}])
        # Four reserved pieces and one from the stock; one of the other model stays behind.
        assert answer.json() == {"models": [{"stock_id": 1567, "locked": 1, "available": 78}], "order_id": 1000}


async def test_an_unknown_carrier_is_refused_with_412_and_nothing_is_touched() -> None:
    async with open_shop() as shop:
        answer = await shop.order(carrierId=99)
        assert (answer.status_code, answer.text) == (412, "carrier 99 is not valid for this account")
        assert (await shop.client.get(LOCKED)).json() == {"models": None, "order_id": 0}


async def test_a_carrier_without_a_rate_for_the_country_is_silently_replaced() -> None:
    async with open_shop() as shop:
        details = copy.deepcopy(EXAMPLE["recipient_details"])
        details["address"]["countrycode"] = "US"
        await shop.order(carrierId=40, recipient_details=details)
        shop.clock.move(minutes=2)
        assert (await shop.orders())[0]["carrier_name"] == "UPS"


async def test_an_order_to_a_place_no_carrier_reaches_is_not_confirmed() -> None:
    async with open_shop() as shop:
        details = copy.deepcopy(EXAMPLE["recipient_details"])
        details["address"]["countrycode"] = "AQ"
        await shop.order(recipient_details=details)
        assert (await shop.orders())[0]["status"] == 5


async def test_a_repeated_key_makes_a_second_order() -> None:
    async with open_shop() as shop:
        await shop.order()
        await shop.order()
        assert [order["order_id"] for order in await shop.orders()] == [130001, 130002]


async def test_one_body_may_hold_several_orders_and_those_before_an_unknown_stock_id_stay_made() -> None:
    async with open_shop() as shop:
        bad = [{"stock_id": 999, "quantity": 1}]
        orders = [{**EXAMPLE, "key": "A"}, {**EXAMPLE, "key": "B"}, {**EXAMPLE, "key": "C", "item_list": bad}]
        assert (await shop.client.post(CREATE, json={"order_list": orders})).status_code == 404
        assert [len(await shop.orders(key)) for key in "AB"] == [1, 1]
        assert (await shop.client.get(f"{BY_KEY}/C")).status_code == 404


async def test_an_order_is_found_by_its_real_id_and_the_growing_order_shows_as_5003() -> None:
    async with open_shop() as shop:
        assert (await shop.client.get(f"{BY_ID}/1000")).status_code == 404
        answer = await shop.order()
        growing = (await shop.client.get(f"{BY_ID}/{answer.json()['order_id']}")).json()["orders"]
        assert [(order["order_id"], order["status"], order["ext_ref"]) for order in growing] == [(1000, 5003, None)]
        real = (await shop.client.get(f"{BY_ID}/130001/")).json()["orders"]
        assert [(order["order_id"], order["ext_ref"]) for order in real] == [(130001, "2357")]
        for unknown in ("130002", "2357", "nonsense", "0"):
            assert (await shop.client.get(f"{BY_ID}/{unknown}")).status_code == 404


async def test_a_key_is_percent_decoded_and_may_end_in_a_slash() -> None:
    async with open_shop() as shop:
        await shop.order(key="WEB 7/ä")
        for path in (f"{BY_KEY}/WEB%207%2F%C3%A4", f"{BY_KEY}/WEB%207%2F%C3%A4/"):
            answer = await shop.client.get(path)
            assert answer.json()["orders"][0]["ext_ref"] == "WEB 7/ä"


def with_address(**changes: Any) -> dict[str, Any]:
    details = copy.deepcopy(EXAMPLE["recipient_details"])
    details["address"].update(changes)
    return {"recipient_details": details}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": ""}, "order_list[0].key: required"),
        ({"key": None}, "order_list[0].key: required"),
        ({"key": {}}, "order_list[0].key: must be a text"),
        ({"key": "\ud800"}, "order_list[0].key: holds half of a character"),
        ({"date": None}, "order_list[0].date: required"),
        ({"date": "2026-03-02T12:00:00Z"}, "unparseable date"),
        ({"date": "2026/03/02 12:00:00"}, "unparseable date"),
        ({"date": "2026/03/02 12:00:00 Z"}, "unparseable date"),
        ({"date": "2026/03/02 12:00:00 0800"}, "unparseable date"),
        ({"date": "2026/03/02 12:00:00 +01:00"}, "unparseable date"),
        ({"date": "2026/02/30 12:00:00 +0100"}, "unparseable date"),
        ({"date": "2026/3/2 12:00:00 +0100"}, "unparseable date"),
        ({"carrierId": "UPS"}, "order_list[0].carrierId: must be a whole number"),
        ({"autoConfirm": "maybe"}, "order_list[0].autoConfirm: must be true or false"),
        ({"autoConfirm": []}, "order_list[0].autoConfirm: must be true or false"),
        ({"recipient_details": None}, "order_list[0].recipient_details: required"),
        ({"recipient_details": "ACME"}, "order_list[0].recipient_details: must be an object"),
        ({"recipient_details": {"recipient": " "}}, "recipient_details.recipient: required"),
        (with_address(street_name=None), "address.street_name: required"),
        (with_address(zip=""), "address.zip: required"),
        (with_address(city=None), "address.city: required"),
        (with_address(province=None), "address.province: required"),
        (with_address(countrycode=None), "address.countrycode: required"),
        (with_address(countrycode="ITA"), "address.countrycode: must be a two-letter"),
        (with_address(countrycode="I1"), "address.countrycode: must be a two-letter"),
        ({"recipient_details": {**EXAMPLE["recipient_details"], "phone": None}}, "phone: required"),
        ({"recipient_details": {**EXAMPLE["recipient_details"], "phone": {"prefix": "+39"}}}, "number: required"),
        ({"item_list": []}, "order_list[0].item_list: at least one item"),
        ({"item_list": None}, "order_list[0].item_list: at least one item"),
        ({"item_list": [{"stock_id": 1578, "quantity": 0}]}, "item_list[0].quantity: must be at least 1"),
        ({"item_list": [{"stock_id": 1578, "quantity": -1}]}, "item_list[0].quantity: must be at least 1"),
        ({"item_list": [{"stock_id": 1578, "quantity": 1.5}]}, "item_list[0].quantity: must be a whole number"),
        ({"item_list": [{"stock_id": 1578, "quantity": True}]}, "item_list[0].quantity: must be a whole number"),
        ({"item_list": [{"stock_id": 1578}]}, "item_list[0].quantity: required"),
        ({"item_list": [{"stock_id": "SKU-1", "quantity": 1}]}, "item_list[0].stock_id: must be a whole number"),
        ({"item_list": ["1578"]}, "item_list[0]: must be an object"),
    ],
)
async def test_a_wrong_order_is_answered_with_429_and_the_reason_as_plain_text(
    changes: dict[str, Any], reason: str
) -> None:
    async with open_shop() as shop:
        # Written by hand, because the client refuses to send half of a character.
        content = json.dumps({"order_list": [{**copy.deepcopy(EXAMPLE), **changes}]})
        answer = await shop.client.post(CREATE, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 429
        assert answer.headers["content-type"].startswith("text/plain")
        assert reason in answer.text
        assert (await shop.client.get(f"{BY_KEY}/2357")).status_code == 404
        assert await shop.models() is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"root": {}}', b'{"order_list": {}}', b"\xff", b"[" * 9999]
)
async def test_a_body_that_is_no_order_list_is_answered_with_429(body: bytes) -> None:
    async with open_shop() as shop:
        answer = await shop.client.post(CREATE, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 429


async def test_fields_that_plugins_leave_empty_or_out_are_accepted() -> None:
    async with open_shop() as shop:
        order = {
            "key": 77,
            "date": "2026/03/02 13:00:00 +0100",
            "recipient_details": {
                "recipient": "Mario Rossi",
                "address": {
                    "street_name": "Via Roma 1",
                    "zip": 10100,
                    "city": "Torino",
                    "province": "",
                    "countrycode": "it",
                },
                "phone": {"number": "0112838474"},
            },
            "item_list": [{"stock_id": 1578, "quantity": 1}],
        }
        answer = await shop.client.post(CREATE, json={"order_list": [order]})
        assert answer.status_code == 200
        assert len(await shop.orders("77")) == 1


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
    assert [
        operation("POST", CREATE),
        operation("post", f"{SOLD}/"),
        operation("GET", LOCKED),
        operation("HEAD", f"{LOCKED}/"),
        operation("GET", f"{BY_KEY}/WEB-1"),
        operation("GET", f"{BY_ID}/130001"),
        operation("GET", "/restful/export/carriers"),
        operation("GET", "/restful/export/api/products.json"),
        operation("GET", CREATE),
        operation("GET", "/"),
    ] == ["create", "reserve", "reserved", "reserved", "get", "get", "carriers", "catalogue", "other", "other"]
