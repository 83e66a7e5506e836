"""Placing an order at a test shop, and what is expected of it."""

from __future__ import annotations

from typing import Any

import pytest

from dropship_tools.errors import (
    DropshipError,
    OutcomeUnknown,
)
from dropship_tools.rewix.models import CreateOrder, RewixPlaced
from dropship_tools.rewix.tools import place, plan
from dropship_tools.tool import Placement
from dropship_tools.wire import SendOnce
from unit.rewix.rewix_shop import (
    Shop,
    arguments,
    permission,
)

PAY = (
    "Not paid, so it will not ship: a person must pay it in the supplier's web shop. BrandsDistribution cancels unpaid "
    "orders after about 24 hours."
)
LOOKED = ["clientkey", "locked", "lock"]
GAVE_BACK = ["locked", "unlock"]
FREE_IT = "Reservations never lapse: free them with rewix_reserve_stock (unlock), or ask the supplier."


def booked(*warnings: str, **changes: Any) -> RewixPlaced:
    """The order as it is after creation."""
    told: dict[str, Any] = {
        "reference": "WEB-77",
        "order_id": "130",
        "status": "awaiting_payment",
        "provider_status": "5 BOOKED",
        "next_step": PAY,
        "payment_due": True,
        "warnings": [*warnings],
    }
    return RewixPlaced(**{**told, **changes})


async def order(
    shop: Shop, form: str = "json", args: CreateOrder | None = None, once: SendOnce | None = None
) -> Placement:
    """Plan and place."""
    client = shop.client(form)
    return await place(client, plan(client, args or arguments()), once or permission())


async def failed(
    shop: Shop, error: type[DropshipError], form: str = "json", once: SendOnce | None = None
) -> DropshipError:
    """The error of placing the order."""
    with pytest.raises(DropshipError) as caught:
        await order(shop, form, once=once)
    assert type(caught.value) is error
    assert caught.value.sent == ("maybe" if error is OutcomeUnknown else "no")
    return caught.value


def held(shop: Shop) -> dict[int, int]:
    """What the account has reserved."""
    return {stock_id: pieces for stock_id, pieces in shop.reserved.items() if pieces}
