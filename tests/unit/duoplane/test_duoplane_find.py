"""Settling an unknown outcome: the order is found, or nothing is proved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from dropship_tools.duoplane.lookup import NOT_FOUND
from dropship_tools.duoplane.models import DuoplanePlaced
from dropship_tools.duoplane.results import ACCEPTED, COMPLAINS
from dropship_tools.duoplane.tools import find
from dropship_tools.errors import ProviderAuth, ProviderRefused, ProviderUnavailable, RateLimited
from dropship_tools.orders import Finding, Sought
from unit.duoplane.duoplane_fakes import FakeDuoplane, Reply, envelope, order, purchase_order

pytestmark = pytest.mark.anyio

ORDER = "GET /api/orders/51661073"
ORDERS = "GET /api/orders"
PURCHASE_ORDERS = "GET /purchase_orders.json"
SOUGHT = Sought("WEB-10045")
NONE = Reply(200, [])
FOUND = Finding(
    DuoplanePlaced(
        reference="WEB-10045",
        order_id="51661073",
        status="received",
        provider_status="seen in Duoplane",
        next_step=ACCEPTED,
        app_url="https://app.duoplane.com/orders/51661073",
    )
)


def newest(*rows: dict[str, Any]) -> Reply:
    return Reply(200, envelope(list(rows)))


def asked_pages(fake: FakeDuoplane) -> list[str]:
    return [request.url.params["page"] for request in fake.requests if request.url.path == "/api/orders"]


async def test_a_known_order_id_is_read() -> None:
    fake = FakeDuoplane({ORDER: Reply(200, envelope(order()))})
    assert await find(fake.client, Sought("WEB-10045", order_id="51661073")) == FOUND
    assert fake.asked() == [ORDER]


async def test_a_known_order_that_is_gone_is_not_called_absent() -> None:
    finding = await find(FakeDuoplane({ORDER: Reply(404, "")}).client, Sought("WEB-10045", order_id="51661073"))
    assert (finding.order, finding.absent) == (None, False)
    assert finding.why == "Duoplane no longer shows the order under its number; an administrator may have deleted it."


async def test_purchase_orders_lead_to_the_order() -> None:
    fake = FakeDuoplane(
        {
            PURCHASE_ORDERS: Reply(200, [purchase_order(order_id="51661073.0"), purchase_order(2)]),
            ORDER: Reply(200, envelope(order())),
        }
    )
    assert await find(fake.client, SOUGHT) == FOUND
    assert len(fake.requests) == 2


async def test_the_newest_orders_show_one_without_purchase_orders() -> None:
    rows = [order(7, external_id="WEB-10046"), order()]
    fake = FakeDuoplane({PURCHASE_ORDERS: NONE, ORDERS: newest(*rows), ORDER: Reply(200, envelope(order()))})
    assert await find(fake.client, SOUGHT) == FOUND


async def test_an_order_of_another_channel_with_the_same_order_number_is_not_ours() -> None:
    fake = FakeDuoplane(
        {
            PURCHASE_ORDERS: Reply(200, [purchase_order()]),
            ORDER: Reply(200, envelope(order(external_id="5439054", internal_id="WEB-10045"))),
            ORDERS: newest(order(external_id="5439054", internal_id="WEB-10045")),
        }
    )
    assert await find(fake.client, SOUGHT) == Finding(why=NOT_FOUND)


async def test_an_order_that_belongs_to_another_promise_is_not_ours() -> None:
    fake = FakeDuoplane({PURCHASE_ORDERS: NONE, ORDERS: newest(order()), ORDER: Reply(200, envelope(order()))})
    sought = Sought("WEB-10045", is_other=lambda order_id: order_id == "51661073")
    assert await find(fake.client, sought) == Finding(why=NOT_FOUND)


async def test_two_orders_under_one_number_are_told() -> None:
    fake = FakeDuoplane(
        {
            PURCHASE_ORDERS: NONE,
            ORDERS: newest(order(), order(51661074), order(51661074)),
            ORDER: Reply(200, envelope(order())),
            "GET /api/orders/51661074": Reply(200, envelope(order(51661074))),
        }
    )
    finding = await find(fake.client, SOUGHT)
    assert finding.order is not None
    assert finding.order.warnings == [
        "Duoplane holds several orders under this number (51661073, 51661074): a person must look which one is meant."
    ]


async def test_a_found_order_is_warned_of_in_our_words_only() -> None:
    """The ledger keeps the warnings, and Duoplane's may quote the buyer."""
    data = order()
    data["relationships"]["order_items"][0]["attributes"]["vendor_sku"] = None
    fake = FakeDuoplane({ORDER: Reply(200, envelope(data, ["address of Nora Byrne is incomplete"]))})
    finding = await find(fake.client, Sought("WEB-10045", order_id="51661073"))
    assert finding.order is not None
    assert finding.order.warnings == [
        COMPLAINS,
        "Duoplane shows no vendor SKU for: TRAY-W; such lines may reach no vendor.",
    ]


async def test_silence_is_never_absence() -> None:
    """Row 11."""
    finding = await find(FakeDuoplane({PURCHASE_ORDERS: NONE, ORDERS: newest()}).client, SOUGHT)
    assert finding == Finding(why=NOT_FOUND)
    assert not finding.absent
    for reason in ("under another number", "made by hand", "not be split yet"):
        assert reason in finding.why


async def test_a_list_that_is_not_there_proves_nothing_either() -> None:
    assert await find(FakeDuoplane({PURCHASE_ORDERS: NONE}).client, SOUGHT) == Finding(why=NOT_FOUND)


async def test_a_closed_old_api_does_not_hide_an_order_of_the_new_one() -> None:
    pages = {PURCHASE_ORDERS: Reply(403, ""), ORDERS: newest(order()), ORDER: Reply(200, envelope(order()))}
    assert await find(FakeDuoplane(pages).client, SOUGHT) == FOUND


@pytest.mark.parametrize(
    ("purchase_orders", "orders", "kind"),
    [
        (Reply(403, ""), newest(), ProviderAuth),
        (Reply(404, ""), newest(), ProviderRefused),
        (Reply(500, ""), newest(order()), ProviderUnavailable),
        (NONE, Reply(200, {"data": {}}), ProviderUnavailable),
        (Reply(200, [{"id": []}]), newest(), ProviderUnavailable),
        (Reply(429, ""), newest(), RateLimited),
    ],
)
async def test_looking_in_vain_is_an_error_and_not_an_answer(
    purchase_orders: Reply, orders: Reply, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await find(FakeDuoplane({PURCHASE_ORDERS: purchase_orders, ORDERS: orders}).client, SOUGHT)


def listing(first: int, step: int, total: int | None, hit_on: int = 0) -> Callable[[httpx2.Request], Reply]:
    """Full pages of orders whose ids start at `first` and go by `step`; one page holds the sought order."""

    def page(request: httpx2.Request) -> Reply:
        number = int(request.url.params["page"])
        start = first + step * 250 * (number - 1)
        rows = [order(start + step * n, external_id="X") for n in range(250)]
        if number == hit_on:
            rows[9] = order()
        told = (
            {"has_next_page": True} if total is None else {"total_count": total, "has_next_page": number * 250 < total}
        )
        return Reply(200, envelope(rows, **told))

    return page


@pytest.mark.parametrize(
    ("pages", "asked"),
    [
        (listing(90_000, -1, 5000), ["1", "2", "3", "4"]),
        (listing(10, 1, 5000), ["1", "20", "19", "18"]),
        (listing(10, 1, 1000), ["1", "2", "3", "4"]),
        (listing(10, 1, 600), ["1", "2", "3"]),
        (listing(10, 1, None), ["1", "2", "3", "4"]),
    ],
    ids=["newest first", "oldest first", "four pages", "three pages", "total not told"],
)
async def test_the_newest_pages_are_read_on_whichever_end_they_are(
    pages: Callable[[httpx2.Request], Reply], asked: list[str]
) -> None:
    fake = FakeDuoplane({PURCHASE_ORDERS: NONE, ORDERS: pages})
    assert await find(fake.client, SOUGHT) == Finding(why=NOT_FOUND)
    assert asked_pages(fake) == asked


async def test_the_same_number_as_internal_id_of_another_order_does_not_end_the_search() -> None:
    def pages(request: httpx2.Request) -> Reply:
        row = order() if request.url.params["page"] == "2" else order(7, external_id="X", internal_id="WEB-10045")
        return Reply(200, envelope([row], has_next_page=request.url.params["page"] == "1"))

    fake = FakeDuoplane(
        {
            PURCHASE_ORDERS: NONE,
            ORDERS: pages,
            ORDER: Reply(200, envelope(order())),
            "GET /api/orders/7": Reply(200, envelope(order(7, external_id="X"))),
        }
    )
    assert await find(fake.client, SOUGHT) == FOUND


async def test_reading_stops_at_the_page_that_holds_the_order() -> None:
    pages = {PURCHASE_ORDERS: NONE, ORDERS: listing(10, 1, 5000, hit_on=19), ORDER: Reply(200, envelope(order()))}
    fake = FakeDuoplane(pages)
    assert await find(fake.client, SOUGHT) == FOUND
    assert asked_pages(fake) == ["1", "20", "19"]
