"""What goes out: the documentation's own examples, in both formats, and what makes an order this order."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from dropship_tools.http import ProviderHttp
from dropship_tools.orders import Item, Plan, Summary
from dropship_tools.provider import Account
from dropship_tools.rewix.client import auth_headers, connect
from dropship_tools.rewix.models import CreateOrder
from dropship_tools.rewix.tools import plan
from dropship_tools.secret import Secret
from dropship_tools.wire import WireRequest
from unit.rewix.rewix_shop import ORDER, Shop, arguments, tree

JSON_EXAMPLE: dict[str, Any] = {
    "order_list": [
        {
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
    ]
}

XML_EXAMPLE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
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
        <item><stock_id>148148</stock_id><quantity>10</quantity></item>
        <item><stock_id>148367</stock_id><quantity>15</quantity></item>
      </item_list>
      <autoConfirm>true</autoConfirm>
    </order>
  </order_list>
</root>"""

RESERVE_EXAMPLE: dict[str, Any] = {
    "operations": [
        {"type": "lock", "models": [{"stock_id": "1567", "quantity": "1"}, {"stock_id": "1578", "quantity": "2"}]}
    ]
}

CREATE = "/restful/ghost/orders/0/dropshipping"


def planned(raw: Any, form: str = "json") -> Plan:
    """The plan of an order."""
    return plan(Shop().client(form), CreateOrder.model_validate(raw))


def elements(node: ElementTree.Element) -> Any:
    """An element with everything in it, in order; blanks between elements do not count."""
    return node.tag, node.attrib, (node.text or "").strip(), [elements(child) for child in node]


def test_the_documented_json_example_leaves_as_it_is_printed() -> None:
    request = planned(JSON_EXAMPLE).requests[-1]
    assert json.loads(request.body) == JSON_EXAMPLE
    assert request == WireRequest(
        "POST", CREATE, (), {"Accept": "application/json", "Content-Type": "application/json"}, request.body
    )


def test_the_documented_json_order_leaves_in_the_documented_sequence() -> None:
    body = json.loads(planned(JSON_EXAMPLE).requests[-1].body)
    assert json.dumps(body) == json.dumps(JSON_EXAMPLE)


def test_the_documented_xml_example_leaves_element_for_element() -> None:
    example = ElementTree.fromstring(XML_EXAMPLE)
    request = planned(tree(example)["order_list"]["order"], "xml").requests[-1]
    assert elements(ElementTree.fromstring(request.body)) == elements(example)
    assert request.body.startswith(b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>')
    assert request == WireRequest(
        "POST", CREATE, (), {"Accept": "application/xml", "Content-Type": "application/xml"}, request.body
    )


def test_numbers_may_come_as_numbers_and_leave_as_text() -> None:
    (order,) = JSON_EXAMPLE["order_list"]
    typed = {**order, "carrierId": 20, "item_list": [{"stock_id": 1578, "quantity": 1}], "autoConfirm": True}
    assert planned(typed).requests == planned(JSON_EXAMPLE).requests
    assert planned(typed).content == planned(JSON_EXAMPLE).content


def test_what_was_not_given_is_not_sent() -> None:
    assert json.loads(planned(ORDER).requests[-1].body) == {
        "order_list": [
            {
                "key": "WEB-77",
                "date": "2026/11/07 08:09:10 +0000",
                "recipient_details": ORDER["recipient_details"],
                "item_list": [{"stock_id": "1567", "quantity": "2"}, {"stock_id": "1578", "quantity": "1"}],
                "autoConfirm": "false",
            }
        ]
    }
    sent = tree(ElementTree.fromstring(planned(ORDER, "xml").requests[-1].body))
    assert sent["order_list"]["order"]["recipient_details"] == {
        "recipient": "Zoë Łukasz",
        "careof": "",
        "notes": "",
        "address": ORDER["recipient_details"]["address"],
        "phone": ORDER["recipient_details"]["phone"],
    }


def test_text_cannot_become_mark_up() -> None:
    name = '</recipient><autoConfirm>true</autoConfirm> & "co" ]]>'
    raw = {**ORDER, "recipient_details": {**ORDER["recipient_details"], "recipient": name}}
    sent = tree(ElementTree.fromstring(planned(raw, "xml").requests[-1].body))["order_list"]["order"]
    assert (sent["recipient_details"]["recipient"], sent["autoConfirm"]) == (name, "false")


def test_the_documented_reservation_leaves_in_both_formats() -> None:
    quantities = {1567: 1, 1578: 2}
    request = Shop().client().reserve_request("lock", quantities)
    assert (request.method, request.path, json.loads(request.body)) == (
        "POST",
        "/restful/ghost/orders/sold/",
        RESERVE_EXAMPLE,
    )
    in_xml = Shop().client("xml").reserve_request("unlock", quantities)
    assert elements(ElementTree.fromstring(in_xml.body)) == elements(
        ElementTree.fromstring(
            '<root><operation type="unlock"><model stock_id="1567" quantity="1"/>'
            '<model stock_id="1578" quantity="2"/></operation></root>'
        )
    )


def test_the_credentials_are_basic_authentication() -> None:
    account = Account("rewix", "a", "https://shop.example", {"api_key": Secret("kéy"), "password": Secret("a:b")})
    assert auth_headers(account) == {"Authorization": "Basic a8OpeTphOmI="}


@pytest.mark.parametrize(
    ("setting", "media"), [("xml", "application/xml"), ("json", "application/json"), ("", "application/json")]
)
def test_the_account_decides_the_format(setting: str, media: str) -> None:
    account = Account("rewix", "a", "https://shop.example", {"format": setting})
    client = connect(account, ProviderHttp("Rewix", account.base_url, {}))
    assert client.create_request({}).headers == {"Accept": media, "Content-Type": media}


def test_a_plan_says_what_will_be_reserved_and_ordered_and_for_whom() -> None:
    result = planned(ORDER)
    client = Shop().client()
    assert result.requests == (client.reserve_request("lock", {1567: 2, 1578: 1}), result.payload.request)
    assert result.reference == "WEB-77"
    assert result.summary == Summary("Zoë Łukasz", "PL", (Item("1567", 2), Item("1578", 1)), place="00-238 Warszawa")
    assert result.warnings == ()


def test_equal_orders_have_equal_content_however_they_are_said() -> None:
    recipient = ORDER["recipient_details"]
    said_otherwise: dict[str, Any] = {
        "item_list": [
            {"quantity": "1", "stock_id": "1567"},
            {"quantity": 1.0, "stock_id": "1578"},
            {"stock_id": 1567, "quantity": 1},
        ],
        "recipient_details": {
            "phone": {"prefix": "0048", "number": "+48 221234567"},
            "notes": "",
            "careof": " ",
            **{name: recipient[name] for name in ("recipient", "address")},
        },
        "carrierId": None,
        "autoConfirm": "false",
        "date": "2020-01-01T00:00:00Z",
        "dry_run": True,
        "key": "WEB-77",
    }
    expected = {
        "key": "WEB-77",
        "recipient_details": recipient,
        "item_list": [{"stock_id": 1567, "quantity": 2}, {"stock_id": 1578, "quantity": 1}],
        "autoConfirm": False,
    }
    assert planned(ORDER).content == expected
    assert planned(said_otherwise).content == expected
    assert planned(said_otherwise, "xml").content == expected


@pytest.mark.parametrize(
    "change",
    [
        {"key": "WEB-78"},
        {"carrierId": 20},
        {"autoConfirm": True},
        {"item_list": [{"stock_id": 1567, "quantity": 2}]},
        {"recipient_details": {**ORDER["recipient_details"], "notes": "ring twice"}},
    ],
)
def test_other_orders_have_other_content(change: dict[str, Any]) -> None:
    assert planned({**ORDER, **change}).content != planned(ORDER).content


def test_spending_credit_and_sample_values_are_pointed_out() -> None:
    assert planned(JSON_EXAMPLE).warnings == (
        "autoConfirm is true: the order may be paid at once from the account's credit.",
        "cfpiva 12345558 is the documentation's sample; leave it out unless it is the recipient's.",
    )


def test_planning_sends_nothing() -> None:
    shop = Shop()
    plan(shop.client(), arguments())
    assert shop.log == []
