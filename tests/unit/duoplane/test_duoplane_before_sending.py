"""The look at Duoplane before an order leaves: an order that is there already is not bought again (sheet section 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import httpx2
import pytest

from dropship_tools.duoplane import lookup
from dropship_tools.duoplane.lookup import NOT_LOOKED
from dropship_tools.duoplane.models import DuoplanePlaced
from dropship_tools.duoplane.results import ACCEPTED, EXISTED
from dropship_tools.duoplane.tools import place, plan
from dropship_tools.errors import RateLimited, ReferenceConflict
from dropship_tools.tool import Placement
from unit.duoplane.duoplane_fakes import (
    FakeDuoplane,
    Reply,
    Script,
    accepting,
    arguments,
    envelope,
    order,
    permission,
    purchase_order,
)

pytestmark = pytest.mark.anyio

ORDERS = "GET /api/orders"
ORDER = "GET /api/orders/51661073"
PURCHASE_ORDERS = "GET /purchase_orders.json"
EXISTING = Placement(
    DuoplanePlaced(
        reference="WEB-10045",
        order_id="51661073",
        status="received",
        provider_status="seen in Duoplane",
        warnings=[EXISTED],
        next_step=ACCEPTED,
        app_url="https://app.duoplane.com/orders/51661073",
    ),
    existed=True,
)


def duoplane(pages: Mapping[str, Script]) -> FakeDuoplane:
    fake = accepting(Reply(201, envelope(order(77))))
    fake.pages.update(pages)
    return fake


async def placed(pages: Mapping[str, Script]) -> tuple[Placement, int]:
    """What placing answers, and how many orders left."""
    fake = duoplane(pages)
    placement = await place(fake.client, plan(fake.client, arguments()), permission())
    return placement, len(fake.sent())


async def test_two_reads_come_before_an_order() -> None:
    fake = duoplane({})
    await place(fake.client, plan(fake.client, arguments()), permission())
    assert fake.asked() == [
        f"{PURCHASE_ORDERS} search[order_public_reference]=WEB-10045 page=1 per_page=250",
        f"{ORDERS} page=1 per_page=250",
        "POST /api/orders",
    ]


@pytest.mark.parametrize(
    "pages",
    [
        {PURCHASE_ORDERS: Reply(200, [purchase_order()]), ORDER: Reply(200, envelope(order()))},
        {ORDERS: Reply(200, envelope([order()])), ORDER: Reply(200, envelope(order()))},
        {PURCHASE_ORDERS: Reply(200, [purchase_order()]), ORDER: Reply(200, envelope(order(external_id=None)))},
    ],
    ids=["by purchase order", "among the newest", "brought by the channel, without an external_id"],
)
async def test_an_order_that_is_there_already_is_not_bought_again(pages: dict[str, Reply]) -> None:
    assert await placed(pages) == (EXISTING, 0)


async def test_purchase_orders_of_an_order_that_is_not_shown_stop_ours_and_are_not_taken_for_it() -> None:
    fake = duoplane({PURCHASE_ORDERS: Reply(200, [purchase_order()]), ORDER: Reply(404, "")})
    with pytest.raises(ReferenceConflict) as caught:
        await place(fake.client, plan(fake.client, arguments()), permission())
    assert (caught.value.sent, fake.sent()) == ("no", [])


@pytest.mark.parametrize("other", [{"external_id": "WEB-9"}, {"store_id": 4712}], ids=["number", "store"])
async def test_another_order_with_the_same_order_number_does_not_stop_ours(other: dict[str, Any]) -> None:
    pages = {PURCHASE_ORDERS: Reply(200, [purchase_order()]), ORDER: Reply(200, envelope(order(**other)))}
    placement, sent = await placed(pages)
    assert (placement.order.order_id, placement.existed, placement.order.warnings, sent) == ("77", False, [], 1)


@pytest.mark.parametrize("trouble", [Reply(403, ""), Reply(404, ""), Reply(500, ""), Reply(200, "<html>")])
async def test_looking_in_vain_is_told_and_does_not_stop_an_order(trouble: Reply) -> None:
    """What the old API answers is known from others' code only; nothing found proves nothing anyway."""
    placement, sent = await placed({PURCHASE_ORDERS: trouble})
    assert (placement.order.order_id, placement.order.warnings, sent) == ("77", [NOT_LOOKED], 1)


async def test_a_look_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "LOOKING", 0.05)
    fake = duoplane({})
    budget = fake.budget
    taken = budget.take
    calls = 0

    async def slow_at_first() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await anyio.sleep_forever()
        await taken()

    monkeypatch.setattr(budget, "take", slow_at_first)
    placement = await place(fake.client, plan(fake.client, arguments()), permission())
    assert (placement.order.order_id, placement.order.warnings) == ("77", [NOT_LOOKED])


async def test_a_limit_met_while_looking_stops_the_order_unsent() -> None:
    """Row 9: requests sent while limited make the wait longer."""
    fake = duoplane({PURCHASE_ORDERS: Reply(429, envelope(None, retry_after_seconds=20))})
    once = permission()
    with pytest.raises(RateLimited) as failure:
        await place(fake.client, plan(fake.client, arguments()), once)
    assert (failure.value.retry_after, once.used, fake.sent()) == (20.5, False, [])


async def test_the_newest_orders_are_seen_on_whichever_end_of_a_long_list() -> None:
    def pages(request: httpx2.Request) -> Reply:
        number = int(request.url.params["page"])
        rows = [order(250 * number + n, external_id="X") for n in range(250)]
        if number == 20:
            rows[9] = order()
        return Reply(200, envelope(rows, total_count=5000, has_next_page=number < 20))

    fake = duoplane({ORDERS: pages, ORDER: Reply(200, envelope(order()))})
    assert await place(fake.client, plan(fake.client, arguments()), permission()) == EXISTING
    assert [r.url.params["page"] for r in fake.requests if r.url.path == "/api/orders"] == ["1", "20"]
