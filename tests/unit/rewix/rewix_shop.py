"""A supplier's shop for tests: stock, one reservation and orders, with faults on request. Speaks JSON and XML."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import httpx2

from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.provider import Account
from dropship_tools.rewix import client as rewix
from dropship_tools.rewix.formats import FORMATS
from dropship_tools.rewix.models import CreateOrder
from dropship_tools.secret import Secret
from dropship_tools.wire import SendOnce

SHOP = "https://shop.example"
NOW = datetime(2026, 11, 7, 8, 9, 10, tzinfo=UTC)

Respond = Callable[[], httpx2.Response]
Fault = Callable[[Respond], httpx2.Response]

ORDER: dict[str, Any] = {
    "key": "WEB-77",
    "recipient_details": {
        "recipient": "Zoë Łukasz",
        "address": {
            "street_name": "ul. Długa 5",
            "zip": "00-238",
            "city": "Warszawa",
            "province": "MZ",
            "countrycode": "PL",
        },
        "phone": {"prefix": "+48", "number": "221234567"},
    },
    "item_list": [{"stock_id": 1567, "quantity": 2}, {"stock_id": 1578, "quantity": 1}],
}


def arguments(**changes: Any) -> CreateOrder:
    """A valid order with changes."""
    return CreateOrder.model_validate({**ORDER, **changes})


def permission() -> SendOnce:
    """A permission to send one order."""

    async def promised() -> None: ...

    return SendOnce(promised)


def answer(status: int, body: str | bytes = b"") -> httpx2.Response:
    """An answer as it comes from the network: unread."""
    content = body.encode() if isinstance(body, str) else body
    return httpx2.Response(status, stream=httpx2.ByteStream(content))


def says(status: int, body: str | bytes = b"") -> Fault:
    """Answers this and does nothing."""
    return _named(lambda do: answer(status, body), f"says {status} {body[:80]!r}")


def after_doing_says(status: int, body: str | bytes = b"") -> Fault:
    """Does what was asked, then answers this."""

    def respond(do: Respond) -> httpx2.Response:
        do()
        return answer(status, body)

    return _named(respond, f"does it and says {status} {body[:80]!r}")


def _named(fault: Fault, name: str) -> Fault:
    fault.__name__ = name  # pytest shows it
    return fault


def never_connects(do: Respond) -> httpx2.Response:
    """The connection cannot be made."""
    raise httpx2.ConnectError("refused")


def breaks_off(do: Respond) -> httpx2.Response:
    """The connection breaks before the shop did anything."""
    raise httpx2.ReadError("reset")


def breaks_off_after_doing(do: Respond) -> httpx2.Response:
    """The shop does what was asked, and the answer is lost."""
    do()
    raise httpx2.ReadError("reset")


def works(do: Respond) -> httpx2.Response:
    """No fault."""
    return do()


class NoRecords:
    """A machine that remembers nothing."""

    async def order_id(self, reference: str) -> str | None:
        """Nothing."""


@dataclass
class Shop:
    """The shop. `log` names what was asked of it in order; `faults` what the next calls of a kind meet."""

    stock: dict[int, int] = field(default_factory=lambda: {1567: 10, 1578: 10})
    reserved: dict[int, int] = field(default_factory=dict[int, int])
    orders: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    faults: dict[str, list[Fault]] = field(default_factory=dict[str, list[Fault]])
    log: list[str] = field(default_factory=list[str])
    requests: list[httpx2.Request] = field(default_factory=list[httpx2.Request])
    pauses: list[float] = field(default_factory=list[float])
    status: int = 5

    def client(self, form: str = "json") -> rewix.RewixClient:
        """A client of this shop that does not wait and lives at `NOW`."""
        account = Account(
            "rewix", "shop", SHOP, {"api_key": Secret("key"), "password": Secret("pa:ss"), "format": form}
        )
        http = ProviderHttp(
            "Rewix",
            SHOP,
            rewix.auth_headers(account),
            timing=Timing(attempts=1),
            transport=lambda: httpx2.MockTransport(self.handle),
        )

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        return rewix.RewixClient(http, FORMATS[form], now=lambda: NOW, sleep=sleep)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """One request."""
        as_xml = request.headers["accept"] == "application/xml"
        path = request.url.raw_path.decode()
        if request.method == "GET" and path == "/restful/ghost/orders/dropshipping/locked/":
            step, do = "locked", lambda: self._reservation(as_xml)
        elif request.method == "GET" and "/clientorders/" in path:
            kind, value = path.split("/")[-2:]
            name = {"clientkey": "ext_ref", "serverkey": "order_id"}[kind]
            found = [order for order in self.orders if str(order[name]) == unquote(value)]
            step, do = kind, lambda: self._orders(found, as_xml)
        elif path == "/restful/ghost/orders/sold/":
            step, pieces = read_operation(request.content, as_xml)
            do = partial(self._change, step, pieces, as_xml)
        else:
            assert path == "/restful/ghost/orders/0/dropshipping"
            step, do = "create", lambda: self._create(read_order(request.content, as_xml), as_xml)
        self.log.append(step)
        self.requests.append(request)
        queue = self.faults.get(step, [])
        return queue.pop(0)(do) if queue else do()

    def _change(self, operation: str, pieces: Mapping[int, int], as_xml: bool) -> httpx2.Response:
        for stock_id, wanted in pieces.items():
            if operation == "lock":
                moved = min(wanted, self.stock.get(stock_id, 0))
            else:
                moved = -min(wanted, self.reserved.get(stock_id, 0))
            self.stock[stock_id] = self.stock.get(stock_id, 0) - moved
            self.reserved[stock_id] = self.reserved.get(stock_id, 0) + moved
        return self._reservation(as_xml)

    def _create(self, order: Mapping[str, Any], as_xml: bool) -> httpx2.Response:
        for item in order["item_list"]:
            stock_id, wanted = int(item["stock_id"]), int(item["quantity"])
            from_reserved = min(wanted, self.reserved.get(stock_id, 0))
            self.reserved[stock_id] = self.reserved.get(stock_id, 0) - from_reserved
            self.stock[stock_id] = max(0, self.stock.get(stock_id, 0) - (wanted - from_reserved))
        self.orders.append(shown(order_id=130 + len(self.orders), ext_ref=order["key"], status=self.status))
        return self._reservation(as_xml)

    def _reservation(self, as_xml: bool) -> httpx2.Response:
        rows = [
            {"stock_id": stock_id, "locked": pieces, "available": self.stock.get(stock_id, 0)}
            for stock_id, pieces in self.reserved.items()
            if pieces
        ]
        if not as_xml:
            return answer(200, json.dumps({"order_id": 1000, "models": rows or None}))
        models = "".join(
            f"<model {' '.join(f'{name}={quoteattr(str(value))}' for name, value in row.items())}/>" for row in rows
        )
        return answer(200, f'<?xml version="1.0" encoding="UTF-8"?><root order_id="1000">{models}</root>')

    def _orders(self, found: list[dict[str, Any]], as_xml: bool) -> httpx2.Response:
        return answer(200, orders_xml(*found) if as_xml else json.dumps({"orders": found}))


def shown(**changes: Any) -> dict[str, Any]:
    """An order as the shop shows it in JSON."""
    return {
        "tracking_code": None,
        "tracking_url": None,
        "carrier_name": None,
        "parsedDate": 1612363015000,
        "substatus": None,
        "order_id": 130,
        "last_update": "2021/02/03 14:36:55 +0000",
        "ext_ref": "WEB-77",
        "status": 5,
        **changes,
    }


def orders_xml(*orders: Mapping[str, Any]) -> str:
    """The same in XML: absent where JSON has null, and another form of date."""
    rows: list[str] = []
    for order in orders:
        fields = {**order, "parsedDate": "2021-02-03T14:36:55+00:00"}
        given = "".join(f"<{n}>{escape(str(v))}</{n}>" for n, v in fields.items() if v is not None)
        rows.append(f"<order>{given}</order>")
    return f'<?xml version="1.0"?><root><order_list>{"".join(rows)}</order_list></root>'


def read_operation(body: bytes, as_xml: bool) -> tuple[str, dict[int, int]]:
    """The one change of the reservation in a request."""
    if as_xml:
        (operation,) = ElementTree.fromstring(body)
        return operation.attrib["type"], {int(m.attrib["stock_id"]): int(m.attrib["quantity"]) for m in operation}
    (change,) = json.loads(body)["operations"]
    return change["type"], {int(m["stock_id"]): int(m["quantity"]) for m in change["models"]}


def read_order(body: bytes, as_xml: bool) -> Any:
    """The one order in a request."""
    if not as_xml:
        (order,) = json.loads(body)["order_list"]
        return order
    return tree(ElementTree.fromstring(body))["order_list"]["order"]


def tree(element: ElementTree.Element) -> Any:
    """An XML element as plain data: texts, objects, and a list where elements are called item."""
    if not len(element):
        return element.text or ""
    if all(child.tag == "item" for child in element):
        return [tree(child) for child in element]
    assert len({child.tag for child in element}) == len(element)
    return {child.tag: tree(child) for child in element}
