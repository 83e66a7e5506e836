"""Finding an order by the caller's number, and following it through the old API.

No look-up by external_id is documented. Purchase orders can be searched by order number, but exist only once the order
is split; the list of orders has no known filter. So an order can be found, but its absence is never proved (sheet
sections 6.1 and 9).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import anyio

from dropship_tools.duoplane import results
from dropship_tools.duoplane.client import MAX_PAGES, DuoplaneClient
from dropship_tools.duoplane.models import DuoplaneOrder
from dropship_tools.duoplane.paging import FULL_PAGE
from dropship_tools.duoplane.wire_shapes import WireOrder, WirePurchaseOrder, WireShipment
from dropship_tools.errors import DropshipError, NotFound, ProviderAuth, ProviderRefused, ProviderUnavailable

NOT_FOUND = (
    f"Duoplane showed no order under this number, neither on purchase orders nor among its newest "
    f"{MAX_PAGES * FULL_PAGE} orders. That does not prove there is none: Duoplane may know it under another number, "
    "purchase orders may be made by hand in this account, or it may not be split yet."
)
MOST_NAMESAKES = 3
"""Orders read under one number."""

PAGES_BEFORE = 2
"""Pages of orders read before one is sent: the newest, on whichever end of the list they are."""

LOOKING = 10.0
"""Longest time, in seconds, for looking before an order is sent, which needs the rest of the call."""

NOT_LOOKED = "Before sending, it could not be looked up whether Duoplane had an order under this number."


@dataclass(frozen=True, slots=True)
class Match:
    """An order under the number that was looked for.

    Attributes:
        doubts: about it, in our words.
        complaints: `errors` that Duoplane told with it.
        shown: Duoplane showed the order itself.
    """

    order: WireOrder
    doubts: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()
    shown: bool = True

    @property
    def order_id(self) -> str:
        """Duoplane's number."""
        return self.order.id or ""


async def read(client: DuoplaneClient, order_id: str) -> Match:
    """The order with Duoplane's number.

    Raises:
        NotFound, ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
    """
    order, complaints = await client.get_order(order_id)
    return Match(order, complaints=complaints)


def has_number(order: WireOrder, reference: str) -> bool:
    """Another channel's order may go by the same order number, but not by our external_id."""
    return order.attributes.external_id in (None, "", reference)


async def existing(client: DuoplaneClient, reference: str, store_id: str) -> tuple[Match | None, tuple[str, ...]]:
    """An order that is there before one is sent, and doubts about the looking.

    Another machine may have placed it, or the sales channel brought it, and nothing at Duoplane turns a second one away
    (sheet section 5.1). Finding none proves nothing; so where looking fails, the order goes out with a warning.

    Raises:
        RateLimited: nothing may be sent now.
    """

    def is_it(order: WireOrder) -> bool:
        return has_number(order, reference) and order.attributes.store_id in (None, store_id)

    try:
        with anyio.move_on_after(LOOKING):
            return await look_up(client, reference, is_it, pages=PAGES_BEFORE), ()
    except (ProviderAuth, ProviderRefused, ProviderUnavailable):
        pass
    return None, (NOT_LOOKED,)


async def look_up(
    client: DuoplaneClient, reference: str, accept: Callable[[WireOrder], bool], *, pages: int = MAX_PAGES
) -> Match | None:
    """The order under this number that is accepted: by its purchase orders, else among the newest orders.

    Raises:
        RateLimited, ProviderUnavailable, ProviderAuth, ProviderRefused: it could not be looked for.
    """
    trouble: DropshipError | None = None
    try:
        rows = await client.purchase_orders(reference)
        ids = [row.order_id for row in rows if row.order_id]
        if match := await _read_first(client, ids, accept):
            return match
    except (ProviderAuth, ProviderRefused) as error:
        trouble = error  # one of the two APIs may be closed to this key; the other is asked all the same
    try:
        listed = await client.list_order_ids(reference, pages)
    except ProviderRefused:
        listed = []  # the list is only mentioned in the documentation (sheet section 5.3)
    match = await _read_first(client, listed, accept)
    if match is None and trouble:
        raise trouble
    return match


async def _read_first(client: DuoplaneClient, ids: Sequence[str], accept: Callable[[WireOrder], bool]) -> Match | None:
    matches: list[Match] = []
    for order_id in list(dict.fromkeys(ids))[:MOST_NAMESAKES]:
        try:
            match = await read(client, order_id)
        except NotFound:  # its address is inferred (sheet section 5.2), and the order was seen elsewhere
            doubt = "The order itself could not be read, only what belongs to it."
            match = Match(WireOrder(id=order_id), (doubt,), shown=False)
        if accept(match.order):
            matches.append(match)
    if not matches:
        return None
    first = matches[0]
    if len(matches) == 1:
        return first
    numbers = ", ".join(match.order_id for match in matches)
    doubt = f"Duoplane holds several orders under this number ({numbers}): a person must look which one is meant."
    return replace(first, doubts=(doubt, *first.doubts))


async def follow(client: DuoplaneClient, match: Match, reference: str = "") -> DuoplaneOrder:
    """The order with its purchase orders and shipments; what the old API does not show becomes a warning."""
    order, warnings = match.order, [*match.doubts, *match.complaints]
    purchase_orders: list[WirePurchaseOrder] | None = None
    shipments: list[WireShipment] | None = None
    try:
        purchase_orders = await _purchase_orders(client, order, reference)
    except DropshipError as error:
        warnings.append(f"Its purchase orders and shipments could not be read: {error.what}.")
    if purchase_orders is not None:
        ids = frozenset(row.id for row in purchase_orders if row.id)
        try:
            shipments, complete = await client.shipments(ids) if ids else ([], True)
            if not complete:
                warnings.append("Not all shipments could be searched: older ones may be missing here.")
        except DropshipError as error:
            warnings.append(f"Its shipments could not be read: {error.what}.")
    app_url = client.app_url(match.order_id)
    return results.full(order, purchase_orders, shipments, warnings, app_url, shown=match.shown)


async def _purchase_orders(client: DuoplaneClient, order: WireOrder, reference: str) -> list[WirePurchaseOrder] | None:
    """Under each number the order has, for which of them becomes the order number is not documented."""
    numbers = dict.fromkeys(filter(None, (reference, order.attributes.external_id, order.attributes.internal_id)))
    for number in numbers:
        rows = [row for row in await client.purchase_orders(number) if row.order_id in (None, order.id)]
        if rows:
            return rows
    return [] if numbers else None
