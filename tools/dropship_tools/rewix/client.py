"""Requests and answers of the Rewix API, nothing else (https://developer.rewixecommerce.com/reservations-and-orders/)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio

from dropship_tools import wire
from dropship_tools.answers import order_error, parse, read_error, unreadable_read
from dropship_tools.errors import DropshipError, ProviderRefused, ProviderUnavailable, RateLimited, UnexpectedAnswer
from dropship_tools.http import ProviderHttp
from dropship_tools.provider import Account, Held, Turn
from dropship_tools.rewix.catalogue import Catalogue, TooLongAgo
from dropship_tools.rewix.catalogue_file import ASKED_EVERY, CatalogueFile
from dropship_tools.rewix.formats import (
    FORMATS,
    Format,
    Operation,
    carrier_rows,
    order_rows,
    reservation_rows,
    said,
)
from dropship_tools.rewix.models import WireCarrier, WireOrder, WireReserved
from dropship_tools.text import clean
from dropship_tools.wire import Answer, SendOnce, Unreadable, WireRequest

ReadT = TypeVar("ReadT")

TITLE = "Rewix"

Reserved = Mapping[int, int]
"""Pieces the account has reserved, per stock_id: over all its carts, plugins and processes."""

LOOK_SECONDS = 6.0
"""Longest wait for one look-up or change of the reservation. Several stand before an order, and a call has 42 s."""

LOOK_ATTEMPTS = 2

DOWNLOAD_SECONDS = 40.0
DOWNLOAD_BYTES = 64 * 1024 * 1024
"""Limits of the catalogue: some 10,000 products are 30 MB."""

LOCALES = "en_US"
"""Languages of the catalogue's texts. Each further one makes the download larger."""

_CLIENT_ORDERS = wire.path("restful", "ghost", "clientorders")

CHECK_IDS = "Check each stock_id (rewix_find_stock; it is no product id, SKU or barcode) and carrierId."
OTHER_FORMAT = "Ask the person who runs this server to set the account's format to the other one, json or xml."
CHECK_ACCOUNT = "Ask the person who runs this server to check the account's address and format."


def auth_headers(account: Account) -> dict[str, str]:
    """HTTP Basic with the API key and the password of the shop login (sheet section 3.1)."""
    return wire.basic_auth(account.value("api_key"), account.value("password"))


def connect(account: Account, http: ProviderHttp) -> RewixClient:
    """A client for one account, in the format the account is set to."""
    form = FORMATS["xml" if account.value("format") == "xml" else "json"]
    shop = "\n".join((account.base_url, account.value("api_key"), form.name))
    return RewixClient(http, form, file=CatalogueFile(account.cache, shop), turn=account.turn)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nobody_else() -> AbstractAsyncContextManager[Held]:
    return nullcontext(lambda: True)


class RewixClient:
    """One account at one supplier's shop.

    Args:
        http: how requests leave.
        form: JSON or XML.
        file: where the catalogue is kept; in memory if not given.
        now: the clock that dates orders; its moments carry an offset.
        sleep: how to pause between look-ups.
        turn: had by one of all the servers that share the account.

    Attributes:
        line, turn: the orders of this process, and then this process among others, wait in them for the account's one
            reservation; see `reservation.turn`.
        catalogue: the shop's catalogue.
    """

    def __init__(
        self,
        http: ProviderHttp,
        form: Format,
        *,
        file: CatalogueFile | None = None,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[Any]] = anyio.sleep,
        turn: Turn | None = None,
    ) -> None:
        self._http = http
        self._form = form
        self.now = now
        self.sleep = sleep
        self.line = anyio.Lock()
        self.turn = turn or _nobody_else
        self.catalogue = Catalogue(TITLE, self.products, file or CatalogueFile(None, ""), lambda: self.now())
        usual = http.timing
        self._looking = replace(usual, read=min(usual.read, LOOK_SECONDS), attempts=min(usual.attempts, LOOK_ATTEMPTS))
        self._downloading = replace(usual, read=DOWNLOAD_SECONDS, attempts=1)

    def create_request(self, order: Mapping[str, Any]) -> WireRequest:
        """POST of one order; `order` has the documentation's names, empty values where nothing was given."""
        return self._request(
            "POST", wire.path("restful", "ghost", "orders", 0, "dropshipping"), self._form.order(order)
        )

    def reserve_request(self, operation: Operation, quantities: Mapping[int, int]) -> WireRequest:
        """POST of one change of the reservation, relative to what is reserved."""
        body = self._form.reservation(operation, quantities)
        return self._request("POST", wire.path("restful", "ghost", "orders", "sold") + "/", body)

    async def create_order(self, request: WireRequest, once: SendOnce) -> Reserved | None:
        """Send an order.

        Returns:
            What is left in the reservation, which is all that Rewix answers; None if that cannot be read. It proves
            neither that an order exists nor which number it has.

        Raises:
            ProviderRefused, ProviderAuth, ProviderUnavailable: by Rewix's word no order came of it.
            OutcomeUnknown: one may have.
        """
        answer = await self._http.send_order(request, once)
        if not answer.ok:
            raise _create_error(answer)
        try:
            return _locked(_reservation(answer))
        except Unreadable:
            return None

    async def orders_by_key(self, key: str) -> list[WireOrder]:
        """GET clientkey/{key}: what Rewix has under the caller's own number; empty if it clearly has nothing.

        Raises:
            ProviderUnavailable: no clear answer; HTTP 500 is none, although old plugins read it as absence.
            ProviderAuth, RateLimited.
        """
        return await self._orders("clientkey", key, lambda order: order.ext_ref in (None, "", clean(key)))

    async def orders_by_id(self, order_id: int) -> list[WireOrder]:
        """GET serverkey/{id}: the order with Rewix's number; empty if there is none. Raises like `orders_by_key`."""
        return await self._orders("serverkey", order_id, lambda order: order.order_id == str(order_id))

    async def reserved(self) -> Reserved:
        """What is locked in the account's whole reservation. Raises like `reservation`."""
        return _locked(await self.reservation())

    async def reservation(self) -> list[WireReserved]:
        """GET locked: the account's whole reservation.

        Raises:
            ProviderUnavailable, ProviderAuth, RateLimited.
        """
        path = wire.path("restful", "ghost", "orders", "dropshipping", "locked") + "/"
        return await self._read(path, _reservation)

    async def check(self) -> None:
        """See whether the account works, by its reservation (sheet section 3.1). Raises like `reservation`."""
        await self.reservation()

    async def carriers(self) -> list[WireCarrier]:
        """GET carriers: those of the account. Raises like `reservation`."""
        path = wire.path("restful", "export", "carriers")
        return await self._read(path, lambda answer: [parse(WireCarrier, row) for row in carrier_rows(answer)])

    async def carrier_names(self) -> list[str]:
        """The names of the account's carriers. Raises like `reservation`."""
        return [carrier.name for carrier in await self.carriers() if carrier.name]

    async def products(self, since: str) -> Answer:
        """GET products: the whole catalogue, or what changed in it since the `lastUpdate` of an earlier answer.

        Raises:
            TooLongAgo: it cannot be told what changed since then.
            RateLimited: on this call HTTP 429 does mean too many requests (sheet section 3.3).
            ProviderUnavailable, ProviderAuth.
        """
        query = (("acceptedlocales", LOCALES), ("v", "TEAL"), *((("since", since),) if since else ()))
        path = wire.path("restful", "export", "api", f"products.{self._form.name}")
        request = self._request("GET", path, query=query)
        answer = await self._http.read(request, timing=self._downloading, limit=DOWNLOAD_BYTES)
        if answer.status == 412 and since:
            raise TooLongAgo
        if answer.status == 429:
            seconds = max(ASKED_EVERY, answer.retry_after or 0)
            raise RateLimited(
                f"{TITLE} was asked for its catalogue too often",
                fix=f"Wait {seconds / 60:.0f} minutes, then make the same call again; others may use the account, too.",
                provider_said=said(answer),
                retry_after=seconds,
            )
        if not answer.ok:
            raise _read_error(answer)
        return answer

    async def reserve(self, operation: Operation, quantities: Mapping[int, int]) -> Reserved:
        """Change the reservation, once; the whole of it afterwards.

        Raises:
            ProviderRefused, ProviderAuth: Rewix said no.
            ProviderUnavailable: no usable answer; the change may have happened all the same.
        """
        answer = await self._http.change(self.reserve_request(operation, quantities), timing=self._looking)
        if not answer.ok:
            raise _reserve_error(answer)
        try:
            return _locked(_reservation(answer))
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _request(
        self, method: str, path: str, body: bytes = b"", query: tuple[tuple[str, str], ...] = ()
    ) -> WireRequest:
        headers = {"Accept": self._form.media, "Content-Type": self._form.media}
        return WireRequest(method, path, query, headers, body)

    async def _read(self, path: str, read: Callable[[Answer], ReadT]) -> ReadT:
        answer = await self._http.read(self._request("GET", path), timing=self._looking)
        if not answer.ok:
            raise _read_error(answer)
        try:
            return read(answer)
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error

    async def _orders(self, kind: str, value: str | int, is_asked: Callable[[WireOrder], bool]) -> list[WireOrder]:
        path = _CLIENT_ORDERS + wire.path(kind, value)
        answer = await self._http.read(self._request("GET", path), timing=self._looking)
        if answer.status == 404:
            return []
        if not answer.ok:
            raise _read_error(answer)
        try:
            orders = [parse(WireOrder, row) for row in order_rows(answer)]
            if not all(map(is_asked, orders)):
                raise Unreadable("the answer is about another order")
        except Unreadable as error:
            raise unreadable_read(TITLE, error) from error
        return orders


def _reservation(answer: Answer) -> list[WireReserved]:
    rows = [parse(WireReserved, row) for row in reservation_rows(answer)]
    if len({row.stock_id for row in rows}) != len(rows):
        raise Unreadable("the answer names a stock_id twice")
    return rows


def _locked(rows: Sequence[WireReserved]) -> Reserved:
    return {row.stock_id: row.locked for row in rows}


def _read_error(answer: Answer) -> DropshipError:
    if answer.status in (401, 403, 408, 429) or answer.status >= 500:
        return read_error(TITLE, answer, "order", said(answer))
    return UnexpectedAnswer(
        f"{TITLE} answered a look-up with HTTP {answer.status}, which it should not",
        fix=OTHER_FORMAT if answer.status == 406 else CHECK_ACCOUNT,
        provider_said=said(answer),
    )


def _reserve_error(answer: Answer) -> DropshipError:
    if answer.status in (401, 403):
        return read_error(TITLE, answer, "reservation", said(answer))
    if answer.status >= 500 or answer.status == 408:
        return ProviderUnavailable(
            f"{TITLE} answered with HTTP {answer.status}; the change may or may not have happened",
            fix="Call rewix_get_reserved before trying again.",
            provider_said=said(answer),
        )
    return ProviderRefused(
        f"{TITLE} refused to change the reservation (HTTP {answer.status}); nothing was ordered",
        fix=CHECK_IDS,
        provider_said=said(answer),
    )


def _create_error(answer: Answer) -> DropshipError:
    if answer.status == 429:
        # Waiting would be the wrong advice: on this call the code means a faulty order (sheet section 3.3).
        return ProviderRefused(
            f"{TITLE} found an error in the order (HTTP 429, which does not mean too many requests here)",
            fix="Correct what Rewix names, then call again with the same key; unchanged it will be refused again.",
            provider_said=said(answer),
        )
    fixes = {404: CHECK_IDS + " Then call again with the same key.", 406: OTHER_FORMAT}
    return order_error(TITLE, answer, said(answer), fixes.get(answer.status, ""))
