"""Requests and answers of the Dropday API, nothing else (https://docs.dropday.io)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dropship_tools import wire
from dropship_tools.answers import order_error, parse, read_error, unreadable_order, unreadable_read
from dropship_tools.dropday.models import WireCreated, WireOrder, WireProduct, WireRow
from dropship_tools.dropday.paging import LARGEST_PAGE, ModelT, Page, page_of, typed
from dropship_tools.errors import NotFound, ProviderUnavailable
from dropship_tools.http import ProviderHttp
from dropship_tools.provider import Account
from dropship_tools.wire import Answer, SendOnce, Unreadable, WireRequest

TITLE = "Dropday"
ORDERS = wire.path("api", "v1", "orders")
PRODUCTS = wire.path("api", "v1", "products")
MAX_PAGES = 20
"""Pages read when looking for one external_id. The filter is a partial match, so more than one may be needed."""

_READ_HEADERS = {"Content-Type": wire.JSON, "Accept": wire.JSON}  # documented for every request

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
    return wire.post_json(ORDERS, body)


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
            fix = "Correct the fields Dropday names, then call dropday_create_order with the same external_id."
            raise order_error(TITLE, answer, said(answer), fix)
        try:
            return parse(WireCreated, answer.json_object())
        except Unreadable as error:
            raise unreadable_order(TITLE, error) from error

    async def get_order(self, reference: str) -> WireOrder:
        """GET /api/v1/orders/{reference}; `reference` is Dropday's own number.

        Raises:
            NotFound, ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        try:
            target = ORDERS + wire.path(reference)
        except ValueError as error:
            raise NotFound(
                "no Dropday order has such a number", fix="Check the number, or look by external_id."
            ) from error
        answer = await self._read(wire.get(target, headers=_READ_HEADERS), "order")
        try:
            return parse(WireOrder, answer.json_object())
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error

    async def find_order(self, external_id: str) -> WireOrder | None:
        """The order with exactly this external_id, test orders included; None if the whole list has none.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused: the list could not be read to its end.
        """
        strayed = False
        for number in range(1, MAX_PAGES + 1):
            query = {"external_id": external_id, "include_test": True, "per_page": LARGEST_PAGE, "page": number}
            page = await self._list(ORDERS, query)
            try:
                for row in page.rows:
                    if parse(WireRow, row).external_id == external_id:
                        return parse(WireOrder, row)
            except Unreadable as error:
                raise unreadable_read(TITLE, error) from error
            strayed = strayed or page.strays_from(number)
            if page.ends(number):
                if strayed:
                    raise unreadable_read(TITLE, Unreadable("gives other pages of the list than were asked for"))
                return None
        raise ProviderUnavailable(
            f"{TITLE} lists too many orders with similar numbers to find one",
            fix="Look the order up by Dropday's own reference instead.",
        )

    async def list_orders(self, query: Mapping[str, Any]) -> Page[WireOrder]:
        """GET /api/v1/orders.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        return self._typed(await self._list(ORDERS, query), WireOrder)

    async def list_products(self, page: int) -> Page[WireProduct]:
        """GET /api/v1/products, a hundred a page.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        return self._typed(await self._list(PRODUCTS, {"page": page}), WireProduct)

    async def check(self) -> None:
        """See whether the account works, by the shortest list. Raises like `list_orders`.

        The documented check (`GET /`) promises nothing about its answer, so that any host would pass it.
        """
        await self._list(ORDERS, {"per_page": 1, "page": 1})

    def _typed(self, page: Page[Any], model: type[ModelT]) -> Page[ModelT]:
        try:
            return typed(page, model)
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error

    async def _list(self, target: str, query: Mapping[str, Any]) -> Page[Any]:
        try:
            answer = await self._read(wire.get(target, query, _READ_HEADERS), "list")
            return page_of(answer.json_object())
        except NotFound as error:  # about the list, and so no word about what is in it
            raise unreadable_read(TITLE, Unreadable("has no list at this address")) from error
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error

    async def _read(self, request: WireRequest, what: str) -> Answer:
        answer = await self._http.read(request)
        if not answer.ok:
            raise read_error(TITLE, answer, what, said(answer))
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def said(answer: Answer) -> str:
    """The provider's words about a failure: `errors` (a map of lists) or `message` and `error` (texts)."""
    try:
        body = answer.json_object()
    except Unreadable:
        return answer.text()[:2000]
    errors = body.get("errors")
    if isinstance(errors, Mapping) and errors:
        return " | ".join(
            f"{_RENAMED.get(field, field)}: {'; '.join(_texts(texts))}"
            for field, texts in cast("Mapping[str, Any]", errors).items()
        )
    return " - ".join(str(body[key]) for key in ("message", "error") if isinstance(body.get(key), str))


def _texts(value: Any) -> list[str]:
    return [str(text) for text in (cast("list[Any]", value) if isinstance(value, list) else [value])]
