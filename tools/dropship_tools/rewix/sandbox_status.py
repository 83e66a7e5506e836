"""Orders of the Rewix sandbox: how they come to be, where they stand, what the status calls say (sheet 4.1 to 4.4).

What people and payment gateways do to an order is asked for in its `notes`: see `ASKED_FOR`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from dropship_tools.rewix.sandbox_carriers import Carrier, assign_carrier, find_carrier
from dropship_tools.rewix.sandbox_catalogue import Catalogue
from dropship_tools.rewix.sandbox_orders import Line, NewOrder
from dropship_tools.rewix.sandbox_stock import (
    GROWING_ORDER,
    PAYMENT_TIME,
    PROVIDER,
    Account,
    UnknownStock,
    give_back_at,
)
from dropship_tools.sandbox.store import Document
from dropship_tools.sandbox.world import SandboxWorld

ORDER = "order"
FIRST_ORDER = 130001

MONEY_WAITING = 1
TO_DISPATCH = 2
DISPATCHED = 3
BOOKED = 5
CANCELLED = 2000
VERIFY_FAILED = 2002
WORKING_ON = 3001
READY = 3002
MISSING_ITEMS = 3004  # not documented for dropshippers (sheet 4.4)
GROWING = 5003

Life = tuple[tuple[timedelta, int], ...]

# Minutes, not days: a person who tries the sandbox wants to see a parcel leave.
CONFIRMED_LIFE: Life = (
    (timedelta(0), TO_DISPATCH),
    (timedelta(seconds=60), WORKING_ON),
    (timedelta(seconds=120), READY),
    (timedelta(seconds=180), DISPATCHED),
)
UNPAID_LIFE: Life = ((timedelta(0), BOOKED), (PAYMENT_TIME, CANCELLED))
ASKED_FOR: dict[str, Life] = {
    # A person pays in the supplier's web shop, which takes nothing from the credit.
    "sandbox:paid": (
        (timedelta(0), BOOKED),
        *((timedelta(seconds=60) + after, code) for after, code in CONFIRMED_LIFE),
    ),
    "sandbox:cancelled": ((timedelta(0), BOOKED), (timedelta(seconds=60), CANCELLED)),
    "sandbox:verify_failed": ((timedelta(0), MONEY_WAITING), (timedelta(seconds=60), VERIFY_FAILED)),
    "sandbox:missing_items": ((timedelta(0), TO_DISPATCH), (timedelta(seconds=60), MISSING_ITEMS)),
}
CARRIER_KNOWN = frozenset({WORKING_ON, READY, DISPATCHED})


def place(world: SandboxWorld, account: Account, order: NewOrder) -> None:
    """Make one order of what there is.

    Pieces beyond the stock are left out without a word, and a known `key` makes another order (sheet 4.1.1).

    Raises:
        UnknownStock: no order was made, but the quantities of its other lines are now locked in the reservation.
    """
    unknown = [line.stock_id for line in order.lines if account.catalogue.stock(line.stock_id) is None]
    if unknown:
        for line in order.lines:
            if line.stock_id not in unknown:
                account.hold(line)
        raise UnknownStock(unknown[0])
    taken = [Line(line.stock_id, account.take(line)) for line in order.lines]
    carrier = assign_carrier(order.carrier_id, order.country)
    cost = _cost(account.catalogue, taken, carrier)
    pieces = sum(line.quantity for line in taken)
    # Whether an order without a single piece is made at all is not documented (sheet 11.4). Here it is, the call
    # being "no error", but there is nothing to confirm.
    payable = order.auto_confirm and carrier is not None and pieces > 0
    confirmed = payable and order.recipient["notes"] not in ASKED_FOR and account.pay(cost)
    body = {
        "created_at": account.now.isoformat(),
        "confirmed": confirmed,
        "carrier_id": carrier.id if carrier else None,
        "cost_cents": cost,
        "items": [
            {"stock_id": line.stock_id, "asked": line.quantity, "quantity": got.quantity}
            for line, got in zip(order.lines, taken, strict=True)
        ],
        "received": {
            "date": order.date.isoformat(),
            "carrierId": order.carrier_id,
            "autoConfirm": order.auto_confirm,
            "recipient_details": order.recipient,
        },
    }
    world.store.add(PROVIDER, ORDER, body, key=order.key, first_id=FIRST_ORDER)
    for after, code in _life(body):
        if code == CANCELLED:
            give_back_at(world, account.now + after, taken)


def _cost(catalogue: Catalogue, lines: list[Line], carrier: Carrier | None) -> int:
    goods = sum(catalogue.price_cents(line.stock_id) * line.quantity for line in lines)
    return goods + (carrier.cost_cents if carrier else 0)


def by_key(world: SandboxWorld, key: str) -> list[dict[str, Any]]:
    """The statuses of every order with this key of the caller's: none, one or several."""
    return [status_of(world, document) for document in world.store.find(PROVIDER, ORDER, key)]


def by_id(world: SandboxWorld, account: Account, order_id: int) -> list[dict[str, Any]]:
    """The status of the order with this id, in a list; the growing order is one of them, with 5003."""
    if order_id == GROWING_ORDER and account.growing_since:
        since = datetime.fromisoformat(account.growing_since)
        return [_status(order_id, None, GROWING, since)]
    document = world.store.get(PROVIDER, ORDER, order_id)
    return [] if document is None else [status_of(world, document)]


def status_of(world: SandboxWorld, document: Document) -> dict[str, Any]:
    """The fields of sheet 4.2 in their JSON form. No items, no prices: a short order cannot be told from a full one."""
    body = document.body
    created_at = datetime.fromisoformat(body["created_at"])
    code, since = _stage(_life(body), created_at, world.now())
    answer = _status(document.id, document.key, code, since)
    carrier = None if body["carrier_id"] is None else find_carrier(body["carrier_id"])
    if carrier is not None and code in CARRIER_KNOWN:
        answer["carrier_name"] = carrier.name
    if carrier is not None and code == DISPATCHED:
        tracking = f"{world.number(10**12, PROVIDER, 'tracking', document.id):012d}"
        answer["tracking_url"] = carrier.tracking_url.format(code=tracking)
        answer["tracking_code"] = tracking if carrier.gives_code else None
    return answer


def _life(body: dict[str, Any]) -> Life:
    """The statuses an order goes through, and how long after it was made."""
    asked_for = ASKED_FOR.get(cast(str, body["received"]["recipient_details"]["notes"]))
    return asked_for or (CONFIRMED_LIFE if body["confirmed"] else UNPAID_LIFE)


def _stage(life: Life, created_at: datetime, now: datetime) -> tuple[int, datetime]:
    """The status number and since when."""
    reached = [(code, created_at + after) for after, code in life if created_at + after <= now]
    return reached[-1] if reached else (life[0][1], created_at)


def _status(order_id: int, key: str | None, code: int, since: datetime) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "ext_ref": key,
        "status": code,
        "substatus": None,
        "last_update": since.strftime("%Y/%m/%d %H:%M:%S %z"),
        "parsedDate": int(since.replace(microsecond=0).timestamp() * 1000),
        "tracking_code": None,
        "tracking_url": None,
        "carrier_name": None,
    }
