"""A Duoplane that answers what a test says, at a clock that only moves when somebody waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from dropship_tools.duoplane.budget import RequestBudget
from dropship_tools.duoplane.client import DuoplaneClient, auth_headers
from dropship_tools.duoplane.models import CreateOrder
from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.provider import Account
from dropship_tools.secret import Secret
from dropship_tools.wire import SendOnce

HOST = "https://app.duoplane.com"
ACCOUNT = Account("duoplane", "main", HOST, {"api_key": Secret("key-1"), "password": Secret("pass:word")})

ARGUMENTS: dict[str, Any] = {
    "store_id": 4711,
    "external_id": "WEB-10045",
    "shipping_address": {
        "first_name": "Ada",
        "last_name": "Byrne",
        "address_1": "500 Terry Francine St",
        "city": "San Francisco",
        "post_code": "94158",
        "province_code": "CA",
        "country_iso2": "US",
    },
    "order_items": [{"name": "Walnut tray", "quantity": 2, "price": 39.5, "retailer_sku": "TRAY-W"}],
}


def changed(**changes: Any) -> dict[str, Any]:
    """The arguments with other top-level values; None removes one."""
    return {name: value for name, value in {**ARGUMENTS, **changes}.items() if value is not None}


def arguments(**changes: Any) -> CreateOrder:
    """Validated arguments."""
    return CreateOrder.model_validate(changed(**changes))


def order(order_id: Any = 51661073, **attributes: Any) -> dict[str, Any]:
    """An order as the new API shows it."""
    return {
        "id": order_id,
        "type": "order",
        "attributes": {"external_id": "WEB-10045", "internal_id": "", "store_id": 4711, **attributes},
        "relationships": {
            "order_items": [
                {
                    "id": "901",
                    "type": "order_item",
                    "attributes": {
                        "name": "Walnut tray",
                        "quantity": 2,
                        "price": 39.5,
                        "cost": 17.25,
                        "retailer_sku": "TRAY-W",
                        "vendor_sku": "V-88",
                    },
                    "relationships": [{}],
                }
            ],
            "shipping_address": {
                "id": "77",
                "type": "address",
                "attributes": {
                    "first_name": "Ada",
                    "last_name": "Byrne",
                    "address_1": "500 Terry Francine St",
                    "city": "San Francisco",
                    "post_code": "94158",
                    "province_code": "CA",
                    "country_iso2": "US",
                    "email": "ada@example.org",
                },
            },
        },
    }


def envelope(data: Any, errors: Any = (), **metadata: Any) -> dict[str, Any]:
    """An answer of the new API."""
    return {
        "metadata": {"requests_remaining": 39, "retry_after_seconds": 0, **metadata},
        "data": data,
        "errors": errors,
    }


def purchase_order(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A purchase order as the old API shows it."""
    return {
        "id": 80000000 + number,
        "public_reference": f"WEB-10045-{number}",
        "order_id": 51661073,
        "order_public_reference": "WEB-10045",
        "sent_at": None,
        "vendor_id": 12,
        "vendor": "Oak & Sons",
        "shipping_address": {"first_name": "Ada", "province_iso": "CA", "country": "United States"},
        "order_items": [
            {
                "id": 901,
                "name": "Walnut tray",
                "retailer_sku": "TRAY-W",
                "quantity": 2,
                "quantity_open": 2,
                "price": "39.5",
            }
        ],
        **changes,
    }


def shipment(number: int = 1, quantity: int = 2, **changes: Any) -> dict[str, Any]:
    """A shipment as the old API shows it."""
    return {
        "id": 300 + number,
        "purchase_order_id": 80000000 + number,
        "purchase_order_public_reference": f"WEB-10045-{number}",
        "created_at": "2026-03-04T10:00:00Z",
        "shipper_id": 5,
        "shipper_name": "UPS",
        "shipment_trackings_attributes": [
            {"id": 1, "tracking": "1Z999", "tracking_url": "https://track.example/1Z999"}
        ],
        "shipment_items_attributes": [
            {"id": 2, "order_item_id": 901, "order_item_name": "Walnut tray", "quantity": quantity, "cost": "17.25"}
        ],
        **changes,
    }


class NoLedger:
    """Remembers nothing."""

    async def order_id(self, reference: str) -> str | None:
        """Not known here."""
        return None


def permission() -> SendOnce:
    """Permission to send one order."""

    async def nothing() -> None:
        return None

    return SendOnce(nothing)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: bytes and text as they are, anything else as JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def response(self) -> httpx2.Response:
        """A fresh one: a stream is read once."""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.Response(self.status, headers=self.headers, stream=httpx2.ByteStream(content))


Script = Reply | Exception | Callable[[httpx2.Request], Reply]


class FakeDuoplane:
    """Answers `METHOD /path` from `pages`; 404 with HTML for what the test does not know."""

    def __init__(self, pages: Mapping[str, Script] | None = None, *, default_store_id: str = "") -> None:
        self.pages = dict(pages or {})
        self.requests: list[httpx2.Request] = []
        self.waits: list[float] = []
        self.now = 1000.0
        self.budget = RequestBudget(clock=lambda: self.now, sleep=self._sleep)
        http = ProviderHttp(
            "Duoplane",
            HOST,
            auth_headers(ACCOUNT),
            timing=Timing(attempts=1),
            transport=lambda: httpx2.MockTransport(self._handle),
        )
        self.client = DuoplaneClient(http, default_store_id=default_store_id, budget=self.budget)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        page = self.pages.get(f"{request.method} {request.url.path}", Reply(404, "<html>Not Found</html>"))
        if isinstance(page, Exception):
            raise page
        return (page if isinstance(page, Reply) else page(request)).response()

    def sent(self) -> list[httpx2.Request]:
        """The orders and other changes among the requests."""
        return [request for request in self.requests if request.method != "GET"]

    def asked(self) -> list[str]:
        """Method, path and decoded query of each request."""
        return [
            f"{request.method} {request.url.path}"
            + "".join(f" {name}={value}" for name, value in request.url.params.multi_items())
            for request in self.requests
        ]


def accepting(post: Script) -> FakeDuoplane:
    """A Duoplane without orders, which answers the next one like this."""
    nothing = Reply(200, envelope([]))
    return FakeDuoplane(
        {"POST /api/orders": post, "GET /api/orders": nothing, "GET /purchase_orders.json": Reply(200, [])}
    )
