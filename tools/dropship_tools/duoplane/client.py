"""Requests and answers of both Duoplane APIs, nothing else (https://developers.duoplane.com, sheet sections 4 to 6)."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from dropship_tools import wire
from dropship_tools.answers import ORDER_ONCE, order_error, parse, read_error, unreadable_read
from dropship_tools.duoplane.budget import RequestBudget, metadata, quota, slow_down
from dropship_tools.duoplane.envelope import body_of, complaints, said
from dropship_tools.duoplane.models import (
    WireCreated,
    WireListedOrder,
    WireOrder,
    WirePurchaseOrder,
    WireShipment,
)
from dropship_tools.errors import DropshipError, NotFound, OutcomeUnknown, ProviderAuth, ProviderRefused
from dropship_tools.http import ProviderHttp
from dropship_tools.provider import Account
from dropship_tools.wire import Answer, SendOnce, Unreadable, WireRequest

TITLE = "Duoplane"
ORDER, ORDERS, PURCHASE_ORDERS, SHIPMENTS = "order", "orders", "purchase orders", "shipments"
PAGE_SIZE = 250
MAX_PAGES = 4
"""Pages read of one list. No filter of the lists of orders and shipments is known, so they are read newest first."""

Row = TypeVar("Row", WireListedOrder, WirePurchaseOrder, WireShipment)

_VENDOR_KEY = (
    "Stop and ask the person who runs this server to check the account: this looks like a vendor's key, and only a "
    "retailer's can create orders."
)
_ARGUMENTS = {
    "sku": "order_items retailer_sku",
    "product": "order_items retailer_product_id",
    "country": "shipping_address.country_iso2",
    "province": "shipping_address.province_code",
    "state": "shipping_address.province_code",
    "post": "shipping_address.post_code",
    "store": "store_id",
}
"""Words in Duoplane's errors, which name no field, and the arguments they are probably about."""


def auth_headers(account: Account) -> dict[str, str]:
    """HTTP Basic with the API key as user name (sheet section 2)."""
    pair = f"{account.value('api_key')}:{account.value('password')}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def connect(account: Account, http: ProviderHttp) -> DuoplaneClient:
    """A client for one account."""
    return DuoplaneClient(http, default_store_id=account.value("store_id"))


def create_request(body: Mapping[str, Any]) -> WireRequest:
    """POST /api/orders."""
    return wire.post_json(wire.path("api", "orders"), body)


@dataclass(frozen=True, slots=True)
class Created:
    """An order exists.

    Attributes:
        order_id: Duoplane's number.
        complaints: `errors` of the answer, which may be filled on success too.
        unmatched: SKUs of the lines that the answer shows without a vendor SKU.
    """

    order_id: str
    complaints: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list. `total` is None where it is not told."""

    rows: list[Row]
    total: int | None
    more: bool

    def others(self) -> list[int]:
        """The pages to read after this first one: the newest, on whichever end of the list they are.

        The order of the lists is not documented; ids grow, so they show it.
        """
        if not self.more:
            return []
        last = math.ceil(self.total / PAGE_SIZE) if self.total else MAX_PAGES
        ids = [int(row.id) for row in self.rows if row.id and row.id.isdecimal()]
        if last > MAX_PAGES and ids and ids[0] < ids[-1]:
            return list(range(last, last - MAX_PAGES + 1, -1))
        return list(range(2, min(last, MAX_PAGES) + 1))


class DuoplaneClient:
    """One Duoplane account.

    Args:
        default_store_id: the store of orders that name none, as configured; may be empty.
        budget: shared by all calls of the account, because Duoplane counts per API user.
    """

    def __init__(self, http: ProviderHttp, *, default_store_id: str = "", budget: RequestBudget | None = None) -> None:
        self.default_store_id = default_store_id.strip()
        self._http = http
        self._budget = budget or RequestBudget()

    def app_url(self, order_id: str) -> str:
        """Where a person sees an order (sheet section 6.5)."""
        return self._http.base_url + wire.path("orders", order_id)

    async def create_order(self, request: WireRequest, once: SendOnce) -> Created:
        """Send an order.

        Raises:
            ProviderRefused, ProviderAuth, RateLimited, ProviderUnavailable: no order came of it.
            OutcomeUnknown: one may have.
        """
        await self._budget.take()
        answer = await self._http.send_order(request, once)
        body = self._read_quota(answer)
        if not answer.ok:
            raise self._create_error(answer, body)
        data = cast("Mapping[str, Any]", body).get("data") if isinstance(body, Mapping) else None
        try:
            order_id = parse(WireCreated, data).id
        except Unreadable as error:
            raise OutcomeUnknown(
                f"{TITLE} answered the order with HTTP {answer.status}, but without an order id",
                fix=ORDER_ONCE,
                provider_said=said(answer, body),
            ) from error
        return Created(order_id, tuple(complaints(body)), _unmatched(data))

    async def get_order(self, order_id: str) -> WireOrder:
        """GET /api/orders/{id}; `order_id` is Duoplane's own number.

        Raises:
            NotFound, ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        _, body = await self._read(wire.get(wire.path("api", "orders", order_id)), ORDER)
        try:
            if not isinstance(body, Mapping):
                raise Unreadable("the answer is not the documented envelope")
            order = parse(WireOrder, cast("Mapping[str, Any]", body).get("data"))
            if order.id != order_id:
                raise Unreadable("the answer shows another order")
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error
        return order

    async def list_order_ids(self, reference: str) -> list[str]:
        """Ids of the newest orders with this external_id, then of those with this internal_id.

        Looks through `MAX_PAGES` pages at most, to the first with that external_id, so none found proves nothing.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        rows, _ = await self._scan(
            ORDERS,
            wire.path("api", "orders"),
            {},
            WireListedOrder,
            lambda row: reference in (row.attributes.external_id, row.attributes.internal_id),
            enough=lambda row: row.attributes.external_id == reference,
        )
        rows.sort(key=lambda row: row.attributes.external_id != reference)
        return [row.id for row in rows if row.id]

    async def purchase_orders(self, reference: str) -> list[WirePurchaseOrder]:
        """GET /purchase_orders.json: all of the order with this number. None proves nothing.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        rows, _ = await self._scan(
            PURCHASE_ORDERS,
            wire.path("purchase_orders.json"),
            {"search[order_public_reference]": reference},
            WirePurchaseOrder,
            lambda row: row.order_public_reference == reference,
        )
        return rows

    async def shipments(self, purchase_order_ids: frozenset[str]) -> tuple[list[WireShipment], bool]:
        """GET /shipments.json: those of some purchase orders, and whether all shipments were looked through.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        return await self._scan(
            SHIPMENTS,
            wire.path("shipments.json"),
            {},
            WireShipment,
            lambda row: row.purchase_order_id in purchase_order_ids,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _scan(
        self,
        what: str,
        target: str,
        query: Mapping[str, str],
        model: type[Row],
        wanted: Callable[[Row], bool],
        *,
        enough: Callable[[Row], bool] = lambda _: False,
    ) -> tuple[list[Row], bool]:
        """The wanted rows of a list, up to the page with one that is `enough`; and whether it was read to its end."""
        page = await self._page(what, target, query, model, 1)
        hits = [row for row in page.rows if wanted(row)]
        end = math.inf
        for number in page.others():
            if number > end or any(map(enough, hits)):
                break
            page = await self._page(what, target, query, model, number)
            hits += [row for row in page.rows if wanted(row)]
            if not page.more:
                end = number
        return hits, not page.more

    async def _page(self, what: str, target: str, query: Mapping[str, str], model: type[Row], number: int) -> Page[Row]:
        """A page of the new API (`data` and `metadata`) or of the old one (a bare array and headers)."""
        # Paging stands outside of search[...]; inside it is silently ignored (sheet section 9).
        request = wire.get(target, {**query, "page": number, "per_page": PAGE_SIZE})
        answer, body = await self._read(request, what)
        rows = cast("Mapping[str, Any]", body).get("data") if isinstance(body, Mapping) else body
        try:
            if not isinstance(rows, list):
                raise Unreadable("the answer holds no list")
            parsed = [parse(model, row) for row in cast("list[Any]", rows)]
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error
        facts = metadata(body)
        total = str(facts.get("total_count", answer.headers.get("duoplane-total-count")))
        more = str(facts.get("has_next_page", answer.headers.get("duoplane-has-next-page"))).lower()
        return Page(
            parsed,
            total=int(total) if total.isdecimal() and len(total) < 10 else None,
            more=more in ("true", "1") if more in ("true", "false", "1", "0") else len(parsed) >= PAGE_SIZE,
        )

    async def _read(self, request: WireRequest, what: str) -> tuple[Answer, Any]:
        await self._budget.take()
        answer = await self._http.read(request)  # may send up to three; requests_remaining corrects the count
        body = self._read_quota(answer)
        if answer.status == 429:
            raise slow_down(quota(answer, body).wait, said(answer, body))
        if answer.status == 404 and what != ORDER:
            raise ProviderRefused(
                f"{TITLE} does not show this account {what}",
                fix="Ask the person who runs this server whether the key is a retailer's and may see them.",
                provider_said=said(answer, body),
            )
        if answer.status == 404:
            raise NotFound(
                f"{TITLE} knows no order under that id",
                fix="order_id is Duoplane's own number of an order; give your own number as external_id.",
                provider_said=said(answer, body),
            )
        if not answer.ok:
            raise read_error(TITLE, answer, what, said(answer, body))
        return answer, body

    def _read_quota(self, answer: Answer) -> Any:
        """The body, after the budget learned what the answer tells about it."""
        body = body_of(answer)
        self._budget.heed(quota(answer, body))
        return body

    def _create_error(self, answer: Answer, body: Any) -> DropshipError:
        words = said(answer, body)
        if answer.status == 429:
            return slow_down(quota(answer, body).wait, words)
        if answer.status == 403:
            return ProviderAuth(f"{TITLE} refused the order with HTTP 403", fix=_VENDOR_KEY, provider_said=words)
        if answer.status == 404:
            return ProviderRefused(f"{TITLE} refused the order with HTTP 404", fix=_VENDOR_KEY, provider_said=words)
        return order_error(TITLE, answer, words, _fix(words))


def _fix(words: str) -> str:
    """Duoplane's errors are plain texts; name the arguments they seem to be about (sheet section 9)."""
    names = dict.fromkeys(name for word, name in _ARGUMENTS.items() if word in words.lower())
    return f"Correct {', '.join(names)} and call again with the same external_id." if names else ""


def _unmatched(data: Any) -> tuple[str, ...]:
    """Never fails: the order exists, whatever its lines look like."""
    try:
        items = parse(WireOrder, data).items()
    except Unreadable:
        return ()
    return tuple(item.retailer_sku or item.name or "?" for item in items if not item.vendor_sku)
