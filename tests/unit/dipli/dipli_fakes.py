"""A Dipli that answers what a test says, and the orders it shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2

from dropship_tools.dipli.client import DipliClient, auth_headers, connect
from dropship_tools.dipli.models import CreateOrder
from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.provider import Account
from dropship_tools.secret import Secret
from dropship_tools.wire import SendOnce

ORDERS = "https://bi.agora.place/api-drop/v2/orders"
SINCE = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)

ARGUMENTS: dict[str, Any] = {
    "alternative_id": "WEB-10045",
    "product_id": 11699153,
    "buyer": "Zoé Martin",
    "street": "12 rue de l'Église",
    "additional_street": "Bât. B, 3e étage",
    "postcode": "01000",
    "city": "Bourg-en-Bresse",
    "country": "FR",
    "buyer_phone": "+33 6 12 34 56 78",
    "buyer_email": "zoe.martin@example.org",
    "extra": "WEB",
}

ADDRESS: dict[str, Any] = {
    "street": "12 RUE DE L EGLISE",
    "additionnal": "Bat B 3e etage",
    "postcode": "01000",
    "city": "Bourg en Bresse",
    "country": "fr",
    "firstname": "Zoé",
    "lastname": "MARTIN",
    "company": None,
    "type": "shipping",
    "email": "zoe.martin@example.org",
    "telephone": "+33612345678",
    "deliveryinfos": None,
    "ref": None,
}

PRODUCT: dict[str, Any] = {
    "extended_images": ["0a1b2c.jpg"],
    "grouped_id": 707026,
    "id": 11699153,
    "product_id": 25005,
    "price": 15000,
    "position": "1er",
    "name": "Apple iPhone 8 64",
    "grade": "Grade C",
    "tax_class": "Tva classique",
    "color": "Gris sidéral",
    "packaging": "Chargeur et câble",
    "sku": "O3_MQ3D2ZD/A",
    "stock": 1,
}


def listed(public_id: str = "A-111111", **changes: Any) -> dict[str, Any]:
    """An order as Dipli shows it: nested JSON in strings, other names than in the request, no alternative_id."""
    nested = json.dumps(ADDRESS)
    return {
        "id": 111111,
        "public_id": public_id,
        "by_agora": True,
        "to_ship": True,
        "order_at": "2026-03-02T01:30:10+01:00",
        "delivered_at": None,
        "bordereau_url": "762b60bbe9f82bca7b80f5747fe959a4",
        "payment_status": "payment_received",
        "shipping_status": "pending_confirmation",
        "billing_address_json": nested,
        "shipping_address_json": nested,
        "anonymous_email": "810231556_1512390@orders.agora.place",
        "tracking_courier": None,
        "tracking_number": None,
        "total_ttc": 19200,
        "total_ht": 16000,
        "shipping_h_t": 1000,
        "shipping_t_t_c": 1200,
        "canceled_at": None,
        "cart_items": [
            {
                "tax_class": "TVA Classique",
                "product_sku": "APPLE_IPHONE_8_SKU",
                "product_name": "Apple iPhone 8 64",
                "product_quantity": 1,
                "product_extra_infos": json.dumps(PRODUCT).replace("/", "\\/"),
            }
        ],
        **changes,
    }


def page_of(*orders: Any, count: Any = None, number: int = 1) -> dict[str, Any]:
    """One page of the list."""
    return {"count": len(orders) if count is None else count, "page": number, "pageSize": 100, "result": [*orders]}


class FakeDipli:
    """Answers one request after the other as told; the last answer is repeated. Bytes go out as they are."""

    def __init__(self, *answers: tuple[int, Any] | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """The next answer."""
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.Response(status, stream=httpx2.ByteStream(content))  # unread, as from the network

    def client(self) -> DipliClient:
        """A client of this Dipli."""
        account = Account("dipli", "test", "https://bi.agora.place", {"api_key": Secret("k-123")})
        http = ProviderHttp(
            "Dipli",
            account.base_url,
            auth_headers(account),
            timing=Timing(pause=0),
            transport=lambda: httpx2.MockTransport(self),
        )
        return connect(account, http)


class Ledger:
    """What a machine remembers: alternative_id to public_id."""

    def __init__(self, **known: str) -> None:
        self.known = known

    async def order_id(self, reference: str) -> str | None:
        """Dipli's number."""
        return self.known.get(reference)


def permission() -> SendOnce:
    """A permission to send one order."""

    async def nothing() -> None: ...

    return SendOnce(nothing)


def arguments(changes: Mapping[str, Any] | None = None) -> CreateOrder:
    """Valid arguments with changes; a change to None leaves the argument out."""
    given = {**ARGUMENTS, **(changes or {})}
    return CreateOrder.model_validate({name: value for name, value in given.items() if value is not None})
