"""Requests and answers of the Dropday API, nothing else (https://docs.dropday.io)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dropship_tools import wire
from dropship_tools.answers import order_error, parse, read_error, unreadable_order, unreadable_read
from dropship_tools.dropday.models import WireCreated, WireOrder
from dropship_tools.errors import ProviderUnavailable
from dropship_tools.http import ProviderHttp
from dropship_tools.provider import Account
from dropship_tools.wire import Answer, SendOnce, Unreadable, WireRequest

TITLE = "Dropday"
PAGE_SIZE = 100
MAX_PAGES = 20
"""Pages read when looking for one external_id. The filter is a partial match, so more than one may be needed."""

_RENAMED = {
    "shipping_address.firstname": "shipping_address.first_name",
    "shipping_address.lastname": "shipping_address.last_name",
}
"""Error paths that still carry names from before 2021 (sheet section 1, history)."""


def auth_headers(account: Account) -> dict[str, str]:
    """`api-key` and `account-id` (sheet section 2)."""
    return {"api-key": account.value("api_key"), "account-id": account.value("account_id")}


def connect(account: Account, http: ProviderHttp) -> DropdayClient:
    """A client for one account."""
    return DropdayClient(http)


def create_request(body: Mapping[str, Any]) -> WireRequest:
    """POST /api/v1/orders."""
    return wire.post_json(wire.path("api", "v1", "orders"), body)


class DropdayClient:
    """One Dropday account."""

    def __init__(self, http: ProviderHttp) -> None:
        self._http = http

    async def create_order(self, request: WireRequest, once: SendOnce) -> WireCreated:
        """Send an order.

        Raises:
            ProviderRefused, ProviderAuth, RateLimited, ProviderUnavailable: no order came of it.
            OutcomeUnknown: one may have.
        """
        answer = await self._http.send_order(request, once)
        if not answer.ok:
            raise order_error(TITLE, answer, said(answer))
        try:
            return parse(WireCreated, answer.json_object())
        except Unreadable as error:
            raise unreadable_order(TITLE, error) from error

    async def get_order(self, reference: str) -> WireOrder:
        """GET /api/v1/orders/{reference}; `reference` is Dropday's own number.

        Raises:
            NotFound, ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        answer = await self._read(wire.get(wire.path("api", "v1", "orders", reference), headers=_HEADERS), "order")
        try:
            return parse(WireOrder, answer.json_object())
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error

    async def find_order(self, external_id: str) -> WireOrder | None:
        """The order with exactly this external_id, test orders included; None if the whole list has none.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused: the list could not be read to its end.
        """
        for page in range(1, MAX_PAGES + 1):
            query = {"external_id": external_id, "include_test": True, "per_page": PAGE_SIZE, "page": page}
            request = wire.get(wire.path("api", "v1", "orders"), query, _HEADERS)
            answer = await self._read(request, "order list")
            try:
                body = answer.json_object()
                rows = body.get("data")
                if not isinstance(rows, list):
                    raise Unreadable("the answer holds no list of orders")
                for row in cast("list[Any]", rows):
                    order = parse(WireOrder, row)
                    if order.external_id == external_id:
                        return order
                if not _has_more(body, page, len(cast("list[Any]", rows))):
                    return None
            except Unreadable as error:
                raise unreadable_read(TITLE, error) from error
        raise ProviderUnavailable(
            f"{TITLE} lists too many orders with similar numbers to find one",
            fix="Look the order up by Dropday's own reference instead.",
        )

    async def _read(self, request: WireRequest, what: str) -> Answer:
        answer = await self._http.read(request)
        if not answer.ok:
            raise read_error(TITLE, answer, what, said(answer))
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


_HEADERS = {"Content-Type": wire.JSON, "Accept": wire.JSON}


def _has_more(body: Mapping[str, Any], page: int, rows: int) -> bool:
    """Page facts stand in `meta` or at the top level, depending on the paginator (sheet section 5)."""
    meta = body.get("meta")
    facts = cast("Mapping[str, Any]", meta) if isinstance(meta, Mapping) else body
    last = facts.get("last_page")
    return page < last if isinstance(last, int) else rows >= PAGE_SIZE


def said(answer: Answer) -> str:
    """The provider's words about a failure: `errors` (a map of lists) or `error` and `message` (texts)."""
    try:
        body = answer.json_object()
    except Unreadable:
        return answer.text()[:2000]
    errors = body.get("errors")
    if isinstance(errors, Mapping):
        return " | ".join(
            f"{_RENAMED.get(field, field)}: {'; '.join(_texts(texts))}"
            for field, texts in cast("Mapping[str, Any]", errors).items()
        )
    return " - ".join(str(body[key]) for key in ("message", "error") if isinstance(body.get(key), str))


def _texts(value: Any) -> list[str]:
    return [str(text) for text in (cast("list[Any]", value) if isinstance(value, list) else [value])]
