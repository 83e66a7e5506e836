"""Dropday as its documentation describes it, answering as told, and the documentation's own examples."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, cast

import anyio
import httpx2
import pytest

from dropship_mcp.arguments import accept
from dropship_tools.dropday.client import DropdayClient, auth_headers, connect
from dropship_tools.dropday.models import CreateOrder
from dropship_tools.dropday.tools import plan
from dropship_tools.errors import InvalidArguments
from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.orders import Plan
from dropship_tools.provider import Account
from dropship_tools.secret import Secret
from dropship_tools.wire import SendOnce

HOST = "https://dropday.io"
ORDERS = f"{HOST}/api/v1/orders"

DOCUMENTED: dict[str, Any] = {
    "external_id": "L41223D",
    "source": "Example Shop Dot Org",
    "test": False,
    "total": 435.45,
    "shipping_cost": 4.95,
    "email": "info@example.org",
    "shipping_address": {
        "first_name": "John",
        "last_name": "Doe",
        "company_name": "Jeff",
        "address1": "Jumpstreet 23",
        "postcode": "4500",
        "city": "LA",
        "country": "US",
        "phone": "222 222",
    },
    "products": [
        {
            "external_id": "1",
            "ean13": "87235211235464",
            "name": "Pizza margerita",
            "reference": "PZZA00001",
            "quantity": 2,
            "stock_quantity": 424,
            "price": 10.99,
            "image_url": "https://example.org/pizza.jpg",
            "brand": "Italian",
            "category": "Pizza's",
            "supplier": "Mario",
            "custom": {"toppings": "onions, olives", "customer_message": "No ananas/pineapple"},
        },
        {
            "external_id": "2",
            "ean13": "07235211235464",
            "reference": "COKE",
            "name": "Coca Cola",
            "quantity": 2,
            "stock_quantity": 34,
            "price": 2.50,
            "image_url": "https://example.org/cola.jpg",
            "brand": "Coca Cola",
            "category": "Drinks",
            "supplier": "The Coca Cola Company",
            "custom": {"customer_message": "No ice"},
        },
    ],
}
"""The request example of the documentation."""

LEAST: dict[str, Any] = {
    "external_id": "SHOP-1001",
    "source": "Lamps and more",
    "total": 24.99,
    "shipping_cost": 5,
    "shipping_address": {
        "first_name": "Ann",
        "last_name": "Lee",
        "address1": "Kade 1",
        "postcode": "1011 AB",
        "city": "Amsterdam",
        "country": "NL",
    },
    "products": [{"external_id": "77", "name": "Desk lamp", "quantity": 1, "price": 19.99}],
}
"""Only what an order cannot do without."""

HELD: dict[str, Any] = {
    "id": 70113,
    "external_id": "L41223D",
    "reference": "98",
    "source": "Example Shop Dot Org",
    "test": False,
    "blocked": False,
    "total": 435.45,
    "shipping_address": {
        "first_name": "John",
        "last_name": "Doe",
        "company_name": "Jeff",
        "address1": "Jumpstreet 23",
        "address2": None,
        "postcode": "4500",
        "city": "LA",
        "state": None,
        "country": "US",
        "phone": "222 222",
        "email": "info@example.org",
    },
    "shipping": {
        "cost": 4.95,
        "name": "UPS",
        "description": "Standard",
        "note": "Ring twice",
        "delivery_date": "2025-11-07",
    },
    "custom": None,
    "order_lines": [
        {
            "id": 501,
            "external_id": "1",
            "name": "Pizza margerita",
            "ean13": "87235211235464",
            "reference": "PZZA00001",
            "quantity": 2,
            "stock_quantity": 424,
            "price": 10.99,
            "purchase_price": None,
            "brand": "Italian",
            "category": "Pizza's",
            "image_url": "https://example.org/pizza.jpg",
            "custom": {"toppings": "onions, olives"},
            "current_status": "completed",
            "matched_supplier": {"id": 301, "name": "Mario"},
            "logs": [
                {"id": 1, "status": "pending", "message": "Created", "created_at": "2026-01-05T10:00:00.000000Z"},
                {"id": 2, "status": "completed", "message": "Passed on", "created_at": "2026-01-05T10:02:00.000000Z"},
            ],
        },
        {
            "id": 502,
            "external_id": "2",
            "name": "Coca Cola",
            "quantity": 2,
            "price": 2.5,
            "current_status": "pending",
            "matched_supplier": None,
            "logs": [],
        },
    ],
    "suppliers": [{"id": 301, "name": "Mario"}],
    "created_at": "2026-01-05T10:00:00.000000Z",
    "updated_at": "2026-01-05T10:02:00.000000Z",
}
"""The order above, as the read endpoints show it."""


def changed(document: Mapping[str, Any], /, **changes: Any) -> dict[str, Any]:
    """A copy with changes; a dotted key is written with `__` (`shipping_address__city`), `...` removes."""
    result: dict[str, Any] = copy.deepcopy(dict(document))
    for path, value in changes.items():
        *above, name = (int(step) if step.isdigit() else step for step in path.split("__"))
        place: Any = result
        for step in above:
            place = place[step]
        if value is ...:
            del place[name]
        else:
            place[name] = value
    return result


def arguments(document: Mapping[str, Any] = LEAST, /, **changes: Any) -> CreateOrder:
    """Arguments as a tool receives them."""
    return accept(CreateOrder, changed(document, **changes), "dropday_create_order")


def planned(document: Mapping[str, Any] = LEAST, /, **changes: Any) -> Plan:
    """The plan for such arguments."""
    return plan(FakeDropday({}).client(), arguments(document, **changes))


def problems(document: Mapping[str, Any] = LEAST, /, **changes: Any) -> dict[str, str]:
    """What is wrong with such arguments, by field."""
    with pytest.raises(InvalidArguments) as raised:
        arguments(document, **changes)
    return {problem.field: problem.problem for problem in raised.value.fields}


def body_of(order: Plan) -> dict[str, Any]:
    """The JSON that would be sent."""
    return json.loads(order.requests[-1].body)


def page(*orders: Any, **more: Any) -> dict[str, Any]:
    """A page of the order list in the documented envelope."""
    meta = {"current_page": 1, "from": 1, "last_page": 1, "per_page": 100, "to": len(orders), "total": len(orders)}
    return {"current_page": 1, "data": [*orders], "links": {"next": None}, "meta": {**meta, **more}}


def permission() -> SendOnce:
    """A permission to send one order."""

    async def nothing() -> None: ...

    return SendOnce(nothing)


class FakeDropday:
    """Answers by `METHOD /path below the API`; a list is worked off one by one and its last answer repeated.

    An answer is a status and a body: JSON, bytes as they are, or an exception to raise; None never answers. What is
    not among the answers gets `otherwise`.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers: dict[str, list[Any]] = {
            key: [*cast("list[Any]", value)] if isinstance(value, list) else [value] for key, value in answers.items()
        }
        self.otherwise: Any = AssertionError("nothing else should be asked")
        self.requests: list[httpx2.Request] = []

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """The next answer for this method and path."""
        self.requests.append(request)
        target = request.url.raw_path.decode().partition("?")[0].removeprefix("/api/v1")
        waiting = self.answers.get(f"{request.method} {target}") or [self.otherwise]
        answer: Any = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            await anyio.sleep_forever()
        status, body = cast("tuple[int, Any]", answer)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.Response(status, stream=httpx2.ByteStream(content))

    def client(self) -> DropdayClient:
        """A client of this Dropday."""
        account = Account("dropday", "main", HOST, {"api_key": Secret("k-123"), "account_id": "101"})
        transport = httpx2.MockTransport(self)
        http = ProviderHttp("Dropday", HOST, auth_headers(account), timing=Timing(pause=0), transport=lambda: transport)
        return connect(account, http)

    def asked(self) -> list[str]:
        """Methods, paths and queries in order."""
        return [f"{r.method} {r.url.raw_path.decode().removeprefix('/api/v1')}" for r in self.requests]


class NothingRecorded:
    """A machine that remembers no order."""

    async def order_id(self, reference: str) -> str | None:
        """Nothing."""
        return None
