"""Looking orders up: what Rewix's answers mean, in both formats."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from dropship_tools.errors import (
    DropshipError,
    NotFound,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from dropship_tools.orders import Certainty, Finding, OrderResult, Sought
from dropship_tools.rewix.models import GetOrder, RewixOrder, RewixPlaced
from dropship_tools.rewix.tools import STILL_LOCKED, TOOLS, find, get_order
from dropship_tools.tool import CreateTool
from unit.rewix.rewix_shop import Fault, NoRecords, Shop, breaks_off, orders_xml, says, shown

pytestmark = pytest.mark.anyio

FOLLOW = "Follow it with rewix_get_order."
PAY = (
    "Not paid, so it will not ship: a person must pay it in the supplier's web shop. BrandsDistribution cancels unpaid "
    "orders after about 24 hours."
)
JSON_EXAMPLE = """{
"orders": [
    {
        "tracking_code": null,
        "tracking_url": null,
        "carrier_name": null,
        "parsedDate": 1612363015000,
        "substatus": null,
        "order_id": 130,
        "last_update": "2021/02/03 14:36:55 +0000",
        "ext_ref": "2357",
        "status": 5
    }
]

}"""
XML_EXAMPLE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<root>
    <order_list>
        <order>
            <ext_ref>56</ext_ref>
            <last_update>2018/05/25 12:20:37 +0200</last_update>
            <order_id>123456</order_id>
            <parsedDate>2018-05-25T12:20:37+02:00</parsedDate>
            <status>3002</status>
            <tracking_url>http://www.dhl.com/content/g0/en/express/tracking.shtml?AWB=0123456789012&amp;brand=DHL</tracking_url>
        </order>
    </order_list>
</root>"""


async def look(shop: Shop, form: str = "json", **arguments: Any) -> RewixOrder:
    """rewix_get_order."""
    return await get_order(shop.client(form), GetOrder.model_validate(arguments), NoRecords())


async def error_of(shop: Shop, form: str = "json", **arguments: Any) -> DropshipError:
    """The error of rewix_get_order."""
    with pytest.raises(DropshipError) as caught:
        await look(shop, form, **arguments)
    assert caught.value.sent == "no"
    return caught.value


def said_so(step: str, *faults: Fault) -> Shop:
    """A shop that answers this."""
    return Shop(faults={step: list(faults)})


async def test_the_documented_json_answer_is_an_unpaid_order() -> None:
    assert await look(said_so("clientkey", says(200, JSON_EXAMPLE)), key="2357") == RewixOrder(
        reference="2357",
        order_id="130",
        status="awaiting_payment",
        provider_status="5 BOOKED",
        next_step=PAY,
        payment_due=True,
        last_update="2021-02-03T14:36:55+00:00",
    )


async def test_the_documented_xml_answer_is_an_order_ready_for_the_carrier() -> None:
    assert await look(said_so("clientkey", says(200, XML_EXAMPLE)), "xml", key="56") == RewixOrder(
        reference="56",
        order_id="123456",
        status="ready_to_ship",
        provider_status="3002 READY",
        next_step="Waits for the carrier to collect it; neither shipped nor delivered yet.",
        tracking_url="http://www.dhl.com/content/g0/en/express/tracking.shtml?AWB=0123456789012&brand=DHL",
        last_update="2018-05-25T12:20:37+02:00",
    )


async def test_equal_orders_look_equal_in_both_formats() -> None:
    row = shown(
        status=3,
        substatus=7,
        tracking_code="1Z & <9>",
        carrier_name="TNT",
        tracking_url="https://t.example/?a=1&copy=2",
    )
    shop = Shop(orders=[row])
    in_json, in_xml = await look(shop, "json", key="WEB-77"), await look(shop, "xml", key="WEB-77")
    assert (
        in_json
        == in_xml
        == RewixOrder(
            reference="WEB-77",
            order_id="130",
            status="shipped",
            provider_status="3 DISPATCHED",
            next_step="With the carrier; Rewix never reports delivery, only the carrier's tracking.",
            substatus="7",
            carrier_name="TNT",
            tracking_code="1Z & <9>",
            tracking_url="https://t.example/?a=1&copy=2",
            last_update="2021-02-03T14:36:55+00:00",
        )
    )


async def test_an_answer_is_read_by_what_it_is_and_not_by_what_was_asked_for() -> None:
    xml_for_json = await look(said_so("clientkey", says(200, orders_xml(shown()))), "json", key="WEB-77")
    json_for_xml = await look(said_so("clientkey", says(200, json.dumps({"orders": [shown()]}))), "xml", key="WEB-77")
    assert xml_for_json == json_for_xml == await look(Shop(orders=[shown()]), key="WEB-77")


async def test_every_look_up_names_its_format_and_credentials() -> None:
    shop = Shop(orders=[shown()])
    await look(shop, "xml", key="WEB-77")
    await look(shop, "json", rewix_order_id=130)
    sent = [
        (str(r.url), r.headers["accept"], r.headers["content-type"], r.headers["authorization"]) for r in shop.requests
    ]
    orders = "https://shop.example/restful/ghost/clientorders"
    assert sent == [
        (f"{orders}/clientkey/WEB-77", "application/xml", "application/xml", "Basic a2V5OnBhOnNz"),
        (f"{orders}/serverkey/130", "application/json", "application/json", "Basic a2V5OnBhOnNz"),
    ]


async def test_a_foreign_key_cannot_change_the_address() -> None:
    key = "a/../b?c=1&lt;#d <e>"
    shop = Shop(orders=[shown(ext_ref=key)])
    assert (await look(shop, key=key)).order_id == "130"
    assert (
        shop.requests[0].url.raw_path
        == b"/restful/ghost/clientorders/clientkey/a%2F..%2Fb%3Fc%3D1%26lt%3B%23d%20%3Ce%3E"
    )


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (0, "received", "0 PENDING"),
        (1, "received", "1 MONEY WAITING"),
        (2, "processing", "2 TO DISPATCH"),
        (3, "shipped", "3 DISPATCHED"),
        (5, "awaiting_payment", "5 BOOKED"),
        (2000, "cancelled", "2000 CANCELLED"),
        (2002, "problem", "2002 VERIFY FAILED"),
        (3001, "processing", "3001 WORKING ON"),
        (3002, "ready_to_ship", "3002 READY"),
        (2005, "unknown", "2005"),
        (-7, "unknown", "-7"),
        ("DELIVERED", "unknown", "DELIVERED"),
        (None, "unknown", ""),
        ([], "unknown", ""),
        (True, "unknown", ""),
    ],
)
async def test_every_status_has_a_neutral_word_and_keeps_its_own(code: Any, status: str, words: str) -> None:
    order = await look(Shop(orders=[shown(status=code)]), key="WEB-77")
    assert (order.status, order.provider_status, order.payment_due) == (status, words, code == 5)


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2018/05/25 12:20:37 +0200", "2018-05-25T12:20:37+02:00"),
        ("2018/05/25 12:20:37 -0330", "2018-05-25T12:20:37-03:30"),
        ("2018/05/25 12:20:37 -0000", "2018-05-25T12:20:37+00:00"),
    ],
)
async def test_a_moment_is_shown_in_iso_8601(told: str, moment: str) -> None:
    assert (await look(Shop(orders=[shown(last_update=told)]), key="WEB-77")).last_update == moment


@pytest.mark.parametrize(
    "told",
    [
        "2018/05/25 12:20:37 +0060",
        "2018/05/25 12:20:37 +2400",
        "2018/05/25 12:20:60 +0200",
        "2018/05/25 24:00:00 +0200",
        "2018/02/30 12:20:37 +0200",
        "0000/01/01 00:00:00 +0000",
        "yesterday",
    ],
)
async def test_what_is_no_moment_is_shown_as_it_came(told: str) -> None:
    assert (await look(Shop(orders=[shown(last_update=told)]), key="WEB-77")).last_update == told


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://x/y", "see https://x", "https://x y", "//x", "", 7, ["https://x"]]
)
async def test_what_is_no_web_address_is_not_shown_as_one(url: Any) -> None:
    assert (await look(Shop(orders=[shown(tracking_url=url)]), key="WEB-77")).tracking_url == ""


async def test_facts_hold_nothing_that_is_not_known() -> None:
    assert (await look(Shop(orders=[shown(status=None, last_update=None)]), key="WEB-77")).facts() == {
        "reference": "WEB-77",
        "order_id": "130",
        "status": "unknown",
        "next_step": FOLLOW,
    }


async def test_the_reservation_is_not_an_order() -> None:
    error = await error_of(Shop(orders=[shown(order_id=1000, status=5003)]), rewix_order_id=1000)
    assert isinstance(error, ProviderRefused)
    assert (error.what, error.fix) == (
        "that is the account's reservation, not an order",
        "Look the order up by key, your own order number.",
    )


async def test_several_orders_under_one_key_are_pointed_out() -> None:
    shop = Shop(orders=[shown(order_id=0, status=5003), shown(order_id=131, status=2), shown(order_id=132)])
    order = await look(shop, key="WEB-77")
    assert (order.order_id, order.status) == ("131", "processing")
    assert order.warnings == ["Rewix shows 2 orders with this key: the parcel may be sent more than once."]


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (says(404, "no such order"), NotFound, ""),
        (says(200, '{"orders": []}'), NotFound, ""),
        (says(200, '{"orders": null}'), NotFound, ""),
        (says(200, "<root><order_list/></root>"), NotFound, ""),
        (says(200, "<root/>"), NotFound, ""),
        (says(401, "who are you"), ProviderAuth, "who are you"),
        (says(403), ProviderAuth, ""),
        (says(429), RateLimited, ""),
        (says(500, '{"message": "boom"}'), ProviderUnavailable, "boom"),
        (says(500, '<?xml version="1.0"?><root message="bum"/>'), ProviderUnavailable, "bum"),
        (says(503, "<html>down</html>"), ProviderUnavailable, "<html>down</html>"),
        (says(400, "bad"), UnexpectedAnswer, "bad"),
        (says(406), UnexpectedAnswer, ""),
        (says(302), ProviderUnavailable, ""),
        (says(204), UnexpectedAnswer, ""),
        (says(200), UnexpectedAnswer, ""),
        (says(200, "{}"), UnexpectedAnswer, ""),
        (says(200, "[]"), UnexpectedAnswer, ""),
        (says(200, '{"message": "maintenance"}'), UnexpectedAnswer, ""),
        (says(200, '{"orders": {}}'), UnexpectedAnswer, ""),
        (says(200, '{"orders": [7]}'), UnexpectedAnswer, ""),
        (says(200, '{"orders": [{}]}'), UnexpectedAnswer, ""),
        (says(200, '{"orders": [{"order_id": null, "status": 5}]}'), UnexpectedAnswer, ""),
        (says(200, '{"orders": [{"order_id": 1, "ext_ref": "OTHER", "status": 5}]}'), UnexpectedAnswer, ""),
        (says(200, "<html><body>welcome</body></html>"), UnexpectedAnswer, ""),
        (says(200, '<root message="maintenance"/>'), UnexpectedAnswer, ""),
        (says(200, "<root><order_list><order/></order_list></root>"), UnexpectedAnswer, ""),
        (says(200, "<root><order_list>"), UnexpectedAnswer, ""),
        (says(200, b"\xff\xfe<\x00"), UnexpectedAnswer, ""),
        (says(200, "[" * 100_000), UnexpectedAnswer, ""),
        (says(200, "<root>" * 50_000), UnexpectedAnswer, ""),
        (breaks_off, ProviderUnavailable, ""),
    ],
)
async def test_every_other_answer_is_an_error_of_the_contract(
    answer: Fault, error: type[DropshipError], said: str
) -> None:
    found = await error_of(said_so("clientkey", answer), key="WEB-77")
    assert (type(found), found.provider_said) == (error, said)


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE root [<!ENTITY x SYSTEM "file:///etc/passwd">]><root><order_list><order><order_id>&x;</order_id></order></order_list></root>',
        '<!DOCTYPE root [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><root message="&b;"/>',
        '<!DOCTYPE root SYSTEM "http://evil.example/x.dtd"><root/>',
    ],
)
async def test_documents_with_entities_or_a_document_type_are_not_read(document: str) -> None:
    error = await error_of(said_so("clientkey", says(200, document)), "xml", key="WEB-77")
    assert (type(error), error.what) == (UnexpectedAnswer, "Rewix answered, but the answer is not valid XML")
    failed = await error_of(said_so("clientkey", says(500, document)), "xml", key="WEB-77")
    assert failed.provider_said == document


async def test_an_order_of_another_number_is_not_the_one_asked_for() -> None:
    shop = said_so("serverkey", says(200, json.dumps({"orders": [shown(order_id=999)]})))
    assert isinstance(await error_of(shop, rewix_order_id=130), ProviderUnavailable)


async def test_finding_an_order_tells_what_the_ledger_may_keep() -> None:
    finding = await find(Shop(orders=[shown(carrier_name="TNT")]).client(), Sought("WEB-77"))
    assert finding == Finding(
        RewixPlaced(
            reference="WEB-77",
            order_id="130",
            status="awaiting_payment",
            provider_status="5 BOOKED",
            next_step=PAY,
            payment_due=True,
            carrier_name="TNT",
        )
    )
    assert isinstance(finding.order, OrderResult)


@pytest.mark.parametrize("answer", [says(404), says(200, '{"orders": []}'), says(200, "<root><order_list/></root>")])
async def test_a_clear_no_is_proof_of_absence(answer: Fault) -> None:
    finding = await find(said_so("clientkey", answer).client(), Sought("WEB-77"))
    assert finding == Finding(absent=True, why=f"Rewix has no order with this key. {STILL_LOCKED}")


@pytest.mark.parametrize("answer", [says(500), says(204), says(200, "{}"), breaks_off])
async def test_anything_unclear_is_no_proof_of_absence(answer: Fault) -> None:
    with pytest.raises(ProviderUnavailable):
        await find(said_so("clientkey", answer).client(), Sought("WEB-77"))


async def test_a_reservation_under_the_key_is_no_proof_of_absence() -> None:
    with pytest.raises(ProviderUnavailable):
        await find(Shop(orders=[shown(status=5003)]).client(), Sought("WEB-77"))


def test_absence_counts_a_quarter_of_an_hour_after_sending() -> None:
    create = TOOLS[0]
    assert isinstance(create, CreateTool)
    assert create.certainty == Certainty(conclusive=True, after=timedelta(minutes=15))


def test_descriptions_are_short() -> None:
    assert [tool.name for tool in TOOLS] == [
        "rewix_create_order",
        "rewix_get_order",
        "rewix_find_stock",
        "rewix_list_carriers",
        "rewix_get_reserved",
        "rewix_reserve_stock",
    ]
    assert all(len(tool.description) <= 300 for tool in TOOLS[:2])
    assert all(len(tool.description) <= 160 for tool in TOOLS[2:])
