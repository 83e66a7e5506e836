"""How one Rewix order is placed: look, reserve, check, send once, look again (sheet section 5).

The create call neither reports shortened quantities nor the order's number, and nothing is known to stop a second order
under the same key. So the key is looked up before and after, and the stock is reserved in between.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from dropship_tools.answers import ORDER_ONCE
from dropship_tools.errors import DropshipError, OutcomeUnknown, ProviderRefused, ProviderUnavailable
from dropship_tools.rewix.client import TITLE, RewixClient
from dropship_tools.rewix.models import WireOrder
from dropship_tools.rewix.reservation import Reservation, turn
from dropship_tools.rewix.results import EXISTED, placed, without_reservation
from dropship_tools.tool import Placement
from dropship_tools.wire import SendOnce, WireRequest

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before each look-up after the order was sent."""

BEFORE = 22.0
"""Longest time, in seconds, for everything before the order is sent: what is left of a call's 42 s is for the order."""

LOOKING = 8.0
"""Longest time, in seconds, for the look-ups after an order was sent: the agent's host is waiting for an answer."""


@dataclass(frozen=True, slots=True)
class Order:
    """What `plan` hands to `place`: the exact order request, and the pieces per stock_id to reserve for it."""

    key: str
    quantities: Mapping[int, int]
    request: WireRequest


async def existing(client: RewixClient, key: str) -> list[WireOrder]:
    """The orders under a key; empty only if Rewix clearly has none.

    Raises:
        ProviderUnavailable: it cannot be told.
        ProviderAuth, RateLimited.
    """
    found = await client.orders_by_key(key)
    orders = without_reservation(found)
    if found and not orders:
        raise ProviderUnavailable(
            f"{TITLE} shows the account's reservation under this key, so it cannot be told whether an order exists",
            fix="Ask the supplier what is stored under this key.",
        )
    return orders


async def place(client: RewixClient, order: Order, once: SendOnce) -> Placement:
    """Place one order, whole or not at all.

    Raises:
        ProviderRefused, ProviderAuth, RateLimited, ProviderUnavailable: no order exists; what this call reserved was
            given back, or the error says what is left.
        OutcomeUnknown: one may exist; what was reserved was left alone.
    """
    by = anyio.current_time() + BEFORE
    with _unsent_by(by):
        orders = await existing(client, order.key)
    if orders:
        return Placement(placed(orders, [EXISTED]), existed=True)
    async with turn(client) as is_held:
        with _unsent_by(by):
            before = await client.reserved()
        reservation = Reservation(client, order.quantities, before)
        try:
            with _unsent_by(by):
                await reservation.take()
            if not is_held():
                raise _turn_lost()
            after = await client.create_order(order.request, once)
        except OutcomeUnknown as unknown:
            if not (orders := await _look(client, order.key)):
                raise _not_seen(unknown.what, unknown.provider_said) from unknown
            after = None
        except DropshipError as error:
            return await _not_ordered(client, order.key, reservation, error, sent=once.used)
        except BaseException:
            if not once.used:  # cancelled while reserving
                await reservation.give_back()
            raise
        else:
            if not (orders := await _look(client, order.key)):
                raise _not_seen(f"{TITLE} accepted the order")
        return Placement(placed(orders, await reservation.left_over(after)))


async def _not_ordered(
    client: RewixClient, key: str, reservation: Reservation, error: DropshipError, *, sent: bool
) -> Placement:
    """Make sure of a refusal, then clean up after it.

    Returns:
        The order that is there all the same: another process may have been quicker.

    Raises:
        DropshipError: `error` with what is left behind, or OutcomeUnknown where Rewix would not confirm it.
    """
    orders: list[WireOrder] | None = []
    if sent and isinstance(error, ProviderRefused):
        orders = await _look(client, key, until_found=False)
        if orders is None:
            raise _not_seen(error.what, error.provider_said) from error
    left = await reservation.give_back()
    if orders:
        return Placement(placed(orders, [EXISTED, left] if left else [EXISTED]), existed=True)
    raise _with(error, left) if left else error


async def _look(client: RewixClient, key: str, *, until_found: bool = True) -> list[WireOrder] | None:
    """The orders under a key after one was sent; None if no look-up was clear. Stops at the first clear one, or only
    at one that finds an order: it is not known how long Rewix takes to show it.
    """
    seen: list[WireOrder] | None = None
    with anyio.move_on_after(LOOKING):
        for pause in PAUSES:
            await client.sleep(pause)
            try:
                seen = await existing(client, key)
            except DropshipError:
                continue
            if seen or not until_found:
                break
    return seen


@contextmanager
def _unsent_by(deadline: float) -> Generator[None]:
    """What comes before the order ends by `deadline` on the event loop's clock.

    Raises:
        ProviderUnavailable: it did not.
    """
    with anyio.CancelScope(deadline=deadline) as steps:
        yield
    if steps.cancelled_caught:
        raise ProviderUnavailable(
            f"{TITLE} was too slow while the order was prepared, so it was not sent",
            fix="Make the same call again later, with the same key.",
        )


def _turn_lost() -> ProviderUnavailable:
    return ProviderUnavailable(
        "the ledger's database broke off while stock was being reserved, and other orders of the account may have used "
        "the reservation meanwhile, so the order was not sent",
        fix="Make the same call again, with the same key.",
    )


def _not_seen(what: str, said: str = "") -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{what}; {TITLE} does not show it under its key so far, which proves nothing yet. What was reserved for it "
        "was left alone",
        fix=f"Look again with rewix_get_order by key in some minutes. {ORDER_ONCE}",
        provider_said=said,
    )


def _with(error: DropshipError, more: str) -> DropshipError:
    """`error`, with something more to say."""
    return type(error)(
        f"{error.what}. {more}",
        fix=error.fix,
        sent=error.sent,
        provider_said=error.provider_said,
        fields=error.fields,
        retry_after=error.retry_after,
    )
