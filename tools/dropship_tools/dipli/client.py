"""Requests and answers of Dipli's dropship API, nothing else (https://doc-dropship.dipli.com)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from dropship_tools import wire
from dropship_tools.answers import ORDER_ONCE, order_error, parse, read_error, unreadable_order, unreadable_read
from dropship_tools.dipli.models import WireCreated, WireOrder, WirePage, whole
from dropship_tools.errors import NotFound, OutcomeUnknown, ProviderUnavailable
from dropship_tools.http import ProviderHttp
from dropship_tools.provider import Account
from dropship_tools.wire import Answer, SendOnce, Unreadable, WireRequest

TITLE = "Dipli"
PAGE_SIZE = 100
MAX_PAGES = 20
"""Pages read when searching the list."""

REFUSED_FIX = (
    "Dipli never says what is wrong. Check that product_id is Dipli's dropship id of a product in stock and that "
    "Dipli delivers to the country, then call again with the same alternative_id."
)

_ORDERS = wire.path("api-drop", "v2", "orders")
_OWN_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""A `public_id` that can stand in a path. `A-` and digits in all samples, but Dipli promises no form."""


def auth_headers(account: Account) -> dict[str, str]:
    """`apikey`, one word (sheet section 2)."""
    return {"apikey": account.value("api_key")}


def connect(account: Account, http: ProviderHttp) -> DipliClient:
    """A client for one account."""
    return DipliClient(http)


def create_request(body: Mapping[str, Any]) -> WireRequest:
    """POST /api-drop/v2/orders."""
    return wire.post_json(_ORDERS, body)


class DipliClient:
    """One Dipli account."""

    def __init__(self, http: ProviderHttp) -> None:
        self._http = http

    async def create_order(self, request: WireRequest, once: SendOnce) -> str:
        """Send an order; its `public_id`. HTTP 2xx alone proves nothing (sheet section 8).

        Raises:
            ProviderRefused, ProviderAuth, RateLimited, ProviderUnavailable: no order came of it.
            OutcomeUnknown: one may have.
        """
        answer = await self._http.send_order(request, once)
        if not answer.ok:
            raise order_error(TITLE, answer, said(answer), REFUSED_FIX)
        try:
            body = answer.json_object()
            public_id = parse(WireCreated, body).public_id
        except Unreadable as error:
            raise unreadable_order(TITLE, error) from error
        code = _code(body)
        if code in (None, 200) and _OWN_NUMBER.fullmatch(public_id):
            return public_id
        if code == 400 and not public_id:
            raise order_error(TITLE, replace(answer, status=code), said(answer), REFUSED_FIX)
        raise OutcomeUnknown(
            f"{TITLE} answered neither with a usable order number nor with a refusal",
            fix=ORDER_ONCE,
            provider_said=said(answer),
        )

    async def get_order(self, public_id: str) -> WireOrder:
        """GET /api-drop/v2/orders/{publicId}; `public_id` is Dipli's own number.

        Raises:
            NotFound, ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        if not _OWN_NUMBER.fullmatch(public_id):
            raise NotFound(f"this cannot be an order number of {TITLE}", fix="Pass a public_id like A-12345.")
        try:
            order = parse(WireOrder, await self._read(wire.get(_ORDERS + wire.path(public_id)), "order"))
            if order.public_id not in ("", public_id):
                raise Unreadable("the answer is about another order")
            if not (order.public_id or order.shipping_status):
                raise Unreadable("the answer holds no order")
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error
        return order if order.public_id else order.model_copy(update={"public_id": public_id})

    async def list_orders(self, query: Mapping[str, Any]) -> WirePage:
        """One page of GET /api-drop/v2/orders. `query` has the documented names; None values stay out.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        try:
            return parse(WirePage, await self._read(wire.get(_ORDERS, query), "order list"))
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error

    async def orders_since(self, day: date) -> list[WireOrder]:
        """All orders created on `day` or later, from all pages of GET /api-drop/v2/orders.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused: the list could not be read to its end.
        """
        orders: list[WireOrder] = []
        for page in range(1, MAX_PAGES + 1):
            listed = await self.list_orders({"createdAt": day.isoformat(), "page": page, "pageSize": PAGE_SIZE})
            orders += listed.result
            # Counting the orders also works where Dipli gives shorter pages than were asked for.
            if not listed.result or (listed.count is not None and len(orders) >= listed.count):
                return orders
        raise ProviderUnavailable(
            f"{TITLE} lists too many orders since {day} to search them",
            fix="A person must look for the order at Dipli.",
        )

    async def check(self) -> None:
        """See whether the account works, by the shortest list. Raises like `list_orders`."""
        await self.list_orders({"page": 1, "pageSize": 1})

    async def _read(self, request: WireRequest, what: str) -> dict[str, Any]:
        """The body of a good answer.

        Raises:
            Unreadable: it is no JSON object, or carries a code that is neither success nor error.
        """
        answer = await self._http.read(request)
        if not answer.ok:
            raise read_error(TITLE, answer, what, said(answer))
        body = answer.json_object()
        code = _code(body)
        if code not in (None, 200):
            if 400 <= code < 600:
                raise read_error(TITLE, replace(answer, status=code), what, said(answer))
            raise Unreadable("the answer carries an unknown code")
        return body

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _code(body: Mapping[str, Any]) -> int | None:
    """The body's own `code`, which repeats the HTTP status; None if there is none, 0 if it is no number."""
    code = body.get("code")
    return None if code is None else whole(code) or 0


def said(answer: Answer) -> str:
    """Dipli's words about a failure: `msg`, or what a gateway in front of it wrote."""
    try:
        body = answer.json_object()
    except Unreadable:
        return answer.text()[:2000]
    return next((body[key] for key in ("msg", "message") if isinstance(body.get(key), str)), "")
