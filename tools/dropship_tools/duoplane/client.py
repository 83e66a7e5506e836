"""Requests and answers of both Duoplane APIs, nothing else (https://developers.duoplane.com, sheet sections 4 to 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import anyio

from dropship_tools import wire
from dropship_tools.answers import ORDER_ONCE, parse
from dropship_tools.duoplane.budget import Budget, RequestBudget, SharedBudget
from dropship_tools.duoplane.envelope import complaints, said
from dropship_tools.duoplane.exchange import Exchange
from dropship_tools.duoplane.failures import TITLE, VENDOR_KEY, change_failure, order_failure
from dropship_tools.duoplane.paging import MOST_SHOWN, Page
from dropship_tools.duoplane.wire_shapes import (
    WireCreated,
    WireListedOrder,
    WireListedProduct,
    WireOrder,
    WireProduct,
    WirePurchaseOrder,
    WireShipment,
)
from dropship_tools.errors import (
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    UnexpectedAnswer,
    WrongKindOfKey,
)
from dropship_tools.http import ProviderHttp
from dropship_tools.provider import Account
from dropship_tools.wire import SendOnce, Unreadable, WireRequest

MAX_PAGES = 4
"""Pages read of one list. No filter of the lists of orders and shipments is known, so they are read newest first."""

_ORDERS = wire.path("api", "orders")
_PRODUCTS = wire.path("api", "products")

LOOK_FIRST = "Look with duoplane_find_product whether it is there before trying again."


def auth_headers(account: Account) -> dict[str, str]:
    """HTTP Basic with the API key as user name (sheet section 2)."""
    return wire.basic_auth(account.value("api_key"), account.value("password"))


def connect(account: Account, http: ProviderHttp) -> DuoplaneClient:
    """A client for one account."""
    budget = SharedBudget(account.bucket) if account.bucket else RequestBudget()
    return DuoplaneClient(http, default_store_id=account.value("store_id"), budget=budget)


def create_request(body: Mapping[str, Any]) -> WireRequest:
    """POST /api/orders."""
    return wire.post_json(_ORDERS, body)


def add_request(body: Mapping[str, Any]) -> WireRequest:
    """POST /api/products."""
    return wire.post_json(_PRODUCTS, body)


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


class DuoplaneClient:
    """One Duoplane account.

    Args:
        default_store_id: the store of orders that name none, as configured; may be empty.
        budget: shared by all calls of the account, because Duoplane counts per API user.

    Attributes:
        adding: held while a product is looked for and added.
    """

    def __init__(self, http: ProviderHttp, *, default_store_id: str = "", budget: Budget | None = None) -> None:
        self.default_store_id = default_store_id.strip()
        self.adding = anyio.Lock()
        self._base_url = http.base_url
        self._exchange = Exchange(http, budget or RequestBudget())

    def app_url(self, order_id: str) -> str:
        """Where a person sees an order (sheet section 6.5)."""
        return self._base_url + wire.path("orders", order_id)

    async def create_order(self, request: WireRequest, once: SendOnce) -> Created:
        """Send an order.

        Raises:
            ProviderRefused, ProviderAuth, RateLimited, ProviderUnavailable: no order came of it.
            OutcomeUnknown: one may have.
        """
        answer, body = await self._exchange.send_order(request, once)
        if not answer.ok:
            raise order_failure(answer, body)
        data = _data(body)
        try:
            order_id = parse(WireCreated, data).id
        except Unreadable as error:
            raise OutcomeUnknown(
                f"{TITLE} answered the order with HTTP {answer.status}, but without an order id",
                fix=ORDER_ONCE,
                provider_said=said(answer, body),
            ) from error
        return Created(order_id, tuple(complaints(body)), _unmatched(data))

    async def get_order(self, order_id: str) -> tuple[WireOrder, tuple[str, ...]]:
        """GET /api/orders/{id} and the `errors` told with it; `order_id` is Duoplane's own number.

        Raises:
            NotFound, ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        return await self._exchange.one(
            wire.get(_ORDERS + wire.path(order_id)),
            WireOrder,
            order_id,
            "order",
            "order_id is Duoplane's own number of an order; give your own number as external_id.",
        )

    async def list_orders(self, page: int, per_page: int) -> Page[WireOrder]:
        """One page of GET /api/orders.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        return await self._exchange.page("orders", _ORDERS, WireOrder, number=page, size=per_page)

    async def check(self) -> None:
        """See whether the account works, by the shortest list of orders.

        Purchase orders, which vendors may see too, tell a vendor's key from an address where Duoplane is not.

        Raises:
            WrongKindOfKey, ProviderAuth, RateLimited, ProviderUnavailable.
        """
        try:
            await self.list_orders(1, 1)
        except (ProviderAuth, ProviderRefused) as refusal:
            try:
                await self._exchange.page(
                    "purchase orders", wire.path("purchase_orders.json"), WirePurchaseOrder, size=1
                )
            except ProviderRefused as error:
                raise UnexpectedAnswer(
                    f"{TITLE} shows neither sales orders nor purchase orders at this address",
                    fix="Ask the person who runs this server to check the account's address.",
                    provider_said=error.provider_said,
                ) from error
            raise WrongKindOfKey(
                f"{TITLE} shows this key purchase orders but no sales orders: it looks like a vendor's key",
                fix=VENDOR_KEY,
                provider_said=refusal.provider_said,
            ) from refusal

    async def list_order_ids(self, reference: str, pages: int = MAX_PAGES) -> list[str]:
        """Ids of the newest orders with this external_id, then of those with this internal_id.

        Looks through so many pages at most, to the first with that external_id, so none found proves nothing.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        rows, _ = await self._exchange.scan(
            "orders",
            _ORDERS,
            WireListedOrder,
            lambda row: reference in (row.attributes.external_id, row.attributes.internal_id),
            pages=pages,
            enough=lambda row: row.attributes.external_id == reference,
        )
        rows.sort(key=lambda row: row.attributes.external_id != reference)
        return [row.id for row in rows if row.id]

    async def purchase_orders(self, reference: str) -> list[WirePurchaseOrder]:
        """GET /purchase_orders.json: all of the order with this number. None proves nothing.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        rows, _ = await self._exchange.scan(
            "purchase orders",
            wire.path("purchase_orders.json"),
            WirePurchaseOrder,
            lambda row: row.order_public_reference == reference,
            pages=MAX_PAGES,
            query={"search[order_public_reference]": reference},
        )
        return rows

    async def shipments(self, purchase_order_ids: frozenset[str]) -> tuple[list[WireShipment], bool]:
        """GET /shipments.json: those of some purchase orders, and whether all shipments were looked through.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        return await self._exchange.scan(
            "shipments",
            wire.path("shipments.json"),
            WireShipment,
            lambda row: row.purchase_order_id in purchase_order_ids,
            pages=MAX_PAGES,
        )

    async def get_product(self, product_id: str) -> tuple[WireProduct, tuple[str, ...]]:
        """GET /api/products/{id} and the `errors` told with it.

        Raises:
            NotFound, ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        return await self._exchange.one(
            wire.get(_PRODUCTS + wire.path(product_id)),
            WireProduct,
            product_id,
            "product",
            "product_id is Duoplane's own number; duoplane_find_product finds it by SKU.",
        )

    async def find_products(self, *, retailer_sku: str = "", vendor_sku: str = "") -> Page[WireListedProduct]:
        """GET /products.json by SKU: what Duoplane takes for a hit, which may be more than equal SKUs.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        searched = {"search[retailer_sku]": retailer_sku, "search[vendor_sku]": vendor_sku}
        return await self._exchange.page(
            "products",
            wire.path("products.json"),
            WireListedProduct,
            query={name: value for name, value in searched.items() if value},
            size=MOST_SHOWN,
        )

    async def add_product(self, body: Mapping[str, Any]) -> tuple[WireProduct, tuple[str, ...]]:
        """POST /api/products, once, and the `errors` told with the answer.

        Raises:
            ProviderRefused, ProviderAuth, RateLimited: nothing was added.
            ProviderUnavailable: the message says whether it may have been.
        """
        answer, said_body = await self._exchange.change(add_request(body), LOOK_FIRST)
        if not answer.ok:
            raise change_failure(answer, said_body, "the product", LOOK_FIRST)
        try:
            product = parse(WireProduct, _data(said_body))
            if not product.id:
                raise Unreadable("the answer shows no id")
        except Unreadable as error:
            raise ProviderUnavailable(
                f"{TITLE} took the product (HTTP {answer.status}), but {error}: it probably exists",
                fix=LOOK_FIRST,
                provider_said=said(answer, said_body),
            ) from error
        return product, tuple(complaints(said_body))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._exchange.aclose()


def _data(body: Any) -> Any:
    return cast("Mapping[str, Any]", body).get("data") if isinstance(body, Mapping) else None


def _unmatched(data: Any) -> tuple[str, ...]:
    """Never fails: the order exists, whatever its lines look like."""
    try:
        return parse(WireOrder, data).unmatched()
    except Unreadable:
        return ()
