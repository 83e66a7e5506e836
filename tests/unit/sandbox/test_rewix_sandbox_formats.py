"""The Rewix sandbox speaks JSON and XML, each with its own shapes, and refuses what it cannot serve or read."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import defusedxml.ElementTree as SafeTree
import httpx2
import pytest

from dropship_tools.rewix.sandbox import CREDENTIALS, build
from unit.sandbox.worlds import Clock, world_at

pytestmark = pytest.mark.anyio

CREATE = "/restful/ghost/orders/0/dropshipping"
SOLD = "/restful/ghost/orders/sold/"
LOCKED = "/restful/ghost/orders/dropshipping/locked/"
STATUS = "/restful/ghost/clientorders/clientkey/2345"
CARRIERS = "/restful/export/carriers"
XML = {"Content-Type": "application/xml", "Accept": "application/xml"}
JSON = {"Content-Type": "application/json", "Accept": "application/json"}

# The documentation's own example (seed 001).
EXAMPLE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<root>
<order_list>
<order>
<key>2345</key>
<date>2017/01/31 23:59:59 +0000</date>
<carrierId>20</carrierId>
<recipient_details>
<recipient>ACME srl</recipient>
<careof />
<cfpiva>12345558</cfpiva>
<customer_key>7777</customer_key>
<notes></notes>
<address>
<street_type>Via</street_type>
<street_name>Roma</street_name>
<address_number>1</address_number>
<zip>10100</zip>
<city>TORINO</city>
<province>TO</province>
<countrycode>IT</countrycode>
</address>
<phone>
<prefix>+39</prefix>
<number>0112838474</number>
</phone>
</recipient_details>
<item_list>
<item>
<stock_id>148148</stock_id>
<quantity>10</quantity>
</item>
<item>
<stock_id>148367</stock_id>
<quantity>15</quantity>
</item>
</item_list>
<autoConfirm>true</autoConfirm>
</order>
</order_list>
</root>"""


@asynccontextmanager
async def open_shop(clock: Clock | None = None) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(build(world_at(clock or Clock()))),
        base_url="https://supplier.example",
        auth=(CREDENTIALS["api_key"], CREDENTIALS["password"]),
    ) as client:
        # The client's own default would be "*/*".
        del client.headers["accept"]
        yield client


async def test_the_documented_xml_example_is_ordered() -> None:
    clock = Clock()
    async with open_shop(clock) as shop:
        answer = await shop.post(CREATE, content=EXAMPLE, headers=XML)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/xml"
        assert answer.text == '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<root order_id="1000" />'
        clock.move(minutes=5)
        status = await shop.get(STATUS, headers=XML)
        (order,) = SafeTree.fromstring(status.content).findall("order_list/order")
        fields = {child.tag: child.text for child in order}
        tracking = fields.pop("tracking_code")
        assert fields == {
            "carrier_name": "UPS",
            "ext_ref": "2345",
            "last_update": "2026/03/02 12:03:00 +0000",
            "order_id": "130001",
            "parsedDate": "2026-03-02T12:03:00+00:00",
            "status": "3",
            "tracking_url": f"https://tracking.invalid/ups?tracknum={tracking}",
        }


async def test_what_is_null_in_json_is_absent_in_xml() -> None:
    async with open_shop() as shop:
        await shop.post(CREATE, content=EXAMPLE, headers=XML)
        status = await shop.get(STATUS)
        (order,) = SafeTree.fromstring(status.content).findall("order_list/order")
        assert [child.tag for child in order] == ["ext_ref", "last_update", "order_id", "parsedDate", "status"]


async def test_an_order_sent_as_xml_can_be_answered_as_json_and_the_other_way_round() -> None:
    async with open_shop() as shop:
        answer = await shop.post(CREATE, content=EXAMPLE, headers={**XML, "Accept": "application/json"})
        assert answer.json() == {"order_id": 1000}
        operations = {"operations": [{"type": "lock", "models": [{"stock_id": "1578", "quantity": "2"}]}]}
        answer = await shop.post(SOLD, json=operations, headers={"Accept": "application/xml"})
        (model,) = SafeTree.fromstring(answer.content).findall("model")
        assert model.attrib == {"stock_id": "1578", "locked": "2", "available": "118"}


async def test_the_reservation_is_read_and_written_with_attributes_in_xml() -> None:
    body = (
        '<root><operation type="lock"><model stock_id="1578" quantity="5"/><model stock_id="1567" quantity="1"/>'
        '</operation><operation type="unlock"><model stock_id="1578" quantity="2"/></operation>'
        '<operation type="set"/></root>'
    )
    async with open_shop() as shop:
        await shop.post(SOLD, content=body, headers=XML)
        root = SafeTree.fromstring((await shop.get(LOCKED)).content)
        assert (root.tag, root.attrib) == ("root", {"order_id": "1000"})
        assert [model.attrib for model in root] == [
            {"stock_id": "1567", "locked": "1", "available": "79"},
            {"stock_id": "1578", "locked": "3", "available": "117"},
        ]


async def test_carriers_are_a_bare_array_with_costs_in_json_and_a_collection_without_in_xml() -> None:
    async with open_shop() as shop:
        assert (await shop.get(CARRIERS, headers=JSON)).json() == [
            {"id": 10, "name": "DHL", "cost": 14.5},
            {"id": 20, "name": "UPS", "cost": 12.4},
            {"id": 30, "name": "GLS", "cost": 7.9},
            {"id": 39, "name": "TNT", "cost": 9.8},
            {"id": 40, "name": "Bartolini", "cost": 6.5},
        ]
        root = SafeTree.fromstring((await shop.get(CARRIERS, headers=XML)).content)
        assert root.tag == "collection"
        assert root[0].attrib == {"id": "10", "name": "DHL"}


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "application/xml"),
        ("*/*", "application/xml"),
        ("application/*", "application/xml"),
        ("text/xml", "application/xml"),
        ("application/json", "application/json"),
        ("application/json, */*", "application/json"),
        ("application/xml;q=0.5, application/json", "application/json"),
        ("application/json, application/xml", "application/json"),
        ("application/json;q=0, */*;q=0.1", "application/xml"),
        ("Application/JSON; charset=utf-8", "application/json"),
    ],
)
async def test_the_accept_header_chooses_the_format_and_xml_is_the_default(accept: str | None, answered: str) -> None:
    async with open_shop() as shop:
        answer = await shop.get(LOCKED, headers={"Accept": accept} if accept else {})
        assert (answer.status_code, answer.headers["content-type"]) == (200, answered)


@pytest.mark.parametrize(
    "accept", ["text/html", "text/plain", "application/json;q=0", "application/xml;q=zero", "image/*"]
)
async def test_an_accept_header_that_cannot_be_served_is_406_and_nothing_is_ordered(accept: str) -> None:
    async with open_shop() as shop:
        answer = await shop.post(CREATE, content=EXAMPLE, headers={**XML, "Accept": accept})
        assert answer.status_code == 406
        assert (await shop.get(STATUS)).status_code == 404


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_a_body_of_another_kind_is_415(content_type: str | None) -> None:
    async with open_shop() as shop:
        headers = {"Content-Type": content_type} if content_type else {}
        answer = await shop.post(CREATE, content=EXAMPLE.encode(), headers=headers)
        assert answer.status_code == 415


BOMB = '<!DOCTYPE root [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><root><order_list>&b;</order_list></root>'
OUTSIDE = '<!DOCTYPE root [<!ENTITY x SYSTEM "file:///etc/passwd">]><root><order_list>&x;</order_list></root>'


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<root>",
        "<order_list/>",
        "<root/>",
        "<root><order_list/></root>",
        "<root><order_list><order/></order_list></root>",
        '{"order_list": []}',
        '<?xml version="1.0" encoding="no-such"?><root/>',
        BOMB,
        OUTSIDE,
        EXAMPLE.replace("<date>2017/01/31 23:59:59 +0000</date>", "<date>2017-01-31</date>"),
        EXAMPLE.replace("<quantity>15</quantity>", "<quantity>0</quantity>"),
        EXAMPLE.replace("<city>TORINO</city>", "<city/>"),
        EXAMPLE.replace("<province>TO</province>", ""),
    ],
)
async def test_a_wrong_xml_body_is_answered_with_429_as_plain_text(body: str) -> None:
    async with open_shop() as shop:
        answer = await shop.post(CREATE, content=body, headers=XML)
        assert answer.status_code == 429
        assert answer.headers["content-type"].startswith("text/plain")
        assert "root:" not in answer.text
        assert (await shop.get(STATUS)).status_code == 404


async def test_the_names_of_one_format_do_not_work_in_the_other() -> None:
    xml_names_in_json: dict[str, Any] = {"operation": [{"type": "lock", "model": [{"stock_id": 1578, "quantity": 1}]}]}
    async with open_shop() as shop:
        answer = await shop.post(SOLD, json=xml_names_in_json)
        assert (answer.status_code, answer.text) == (429, "operations: a list is required")
        json_names_in_xml = (
            '<root><operations type="lock"><models><model stock_id="1578" quantity="1"/></models></operations></root>'
        )
        await shop.post(SOLD, content=json_names_in_xml, headers=XML)
        assert (await shop.get(LOCKED, headers=JSON)).json() == {"models": None, "order_id": 0}


async def test_an_empty_carrier_element_means_the_default_carrier() -> None:
    clock = Clock()
    async with open_shop(clock) as shop:
        await shop.post(CREATE, content=EXAMPLE.replace("<carrierId>20</carrierId>", "<carrierId/>"), headers=XML)
        clock.move(minutes=3)
        (order,) = (await shop.get(STATUS, headers=JSON)).json()["orders"]
        # The cheapest one in Italy, of which only the URL is known.
        assert (order["carrier_name"], order["tracking_code"]) == ("Bartolini", None)
        assert order["tracking_url"].startswith("https://tracking.invalid/brt?id=")


async def test_a_reference_with_characters_xml_cannot_hold_is_still_answered_in_well_formed_xml() -> None:
    async with open_shop() as shop:
        order: dict[str, Any] = {
            "key": "A\u0001&<B>",
            "date": "2026/03/02 12:00:00 +0000",
            "recipient_details": {
                "recipient": "A",
                "address": {"street_name": "B", "zip": "1", "city": "C", "province": "", "countrycode": "IT"},
                "phone": {"number": "1"},
            },
            "item_list": [{"stock_id": 1578, "quantity": 1}],
        }
        await shop.post(CREATE, json={"order_list": [copy.deepcopy(order)]})
        status = await shop.get("/restful/ghost/clientorders/clientkey/A%01%26%3CB%3E")
        assert SafeTree.fromstring(status.content).findtext("order_list/order/ext_ref") == "A&<B>"


async def test_wrong_credentials_are_refused_before_anything_else() -> None:
    async with open_shop() as shop:
        for headers in (
            {"Authorization": "Basic c2FuZGJveC1rZXk6bm8="},
            {"Authorization": "Bearer sandbox-key"},
            {"Authorization": "Basic ***"},
            {"Authorization": "Basic"},
        ):
            for path in (LOCKED, "/nowhere"):
                request = shop.build_request("GET", path, headers=headers)
                answer = await shop.send(request, auth=None)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == 'Basic realm="Rewix"'


async def test_head_tells_whether_the_credentials_work_without_a_body() -> None:
    async with open_shop() as shop:
        answer = await shop.head(LOCKED)
        assert (answer.status_code, answer.content) == (200, b"")
        request = shop.build_request("HEAD", LOCKED)
        assert (await shop.send(request, auth=None)).status_code == 401


async def test_unknown_paths_are_404_and_wrong_methods_405() -> None:
    async with open_shop() as shop:
        assert (await shop.get("/restful/ghost/supplierorder/acquire/")).status_code == 404
        assert (await shop.get(CREATE)).status_code == 405
