"""Listing orders: the documented query, lean rows, and what is said about order and end of the list."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dropship_tools.duoplane.models import ListedOrder, ListOrders, OrderList
from dropship_tools.duoplane.results import LOOK_CLOSER
from dropship_tools.duoplane.tools import list_orders
from dropship_tools.errors import (
    DropshipError,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from unit.duoplane.duoplane_fakes import FakeDuoplane, NoLedger, Reply, envelope, order

pytestmark = pytest.mark.anyio

ORDERS = "GET /api/orders"
NOTHING: list[dict[str, Any]] = []


async def listed(reply: Reply, **arguments: Any) -> OrderList:
    fake = FakeDuoplane({ORDERS: reply})
    return await list_orders(fake.client, ListOrders.model_validate(arguments), NoLedger())


async def test_a_page_is_asked_for_as_documented_and_shown_in_few_words() -> None:
    row = order(internal_id="A-1", ordered_at="2026-03-02T10:00:00Z")
    fake = FakeDuoplane({ORDERS: Reply(200, envelope([row], total_count=11, has_next_page=False))})
    assert await list_orders(fake.client, ListOrders(page=2), NoLedger()) == OrderList(
        orders=[
            ListedOrder(
                order_id="51661073",
                reference="WEB-10045",
                internal_id="A-1",
                store_id="4711",
                ordered_at="2026-03-02T10:00:00Z",
                country="US",
                items="2 x TRAY-W",
            )
        ],
        page=2,
        next_step=LOOK_CLOSER,
    )
    assert fake.asked() == [f"{ORDERS} page=2 per_page=10"]


async def test_a_row_names_no_buyer() -> None:
    shown = str((await listed(Reply(200, envelope([order()])))).facts())
    assert not any(word in shown for word in ("Ada", "Byrne", "Terry", "94158", "San Francisco", "example.org"))


async def test_many_lines_are_counted_and_odd_ones_still_shown() -> None:
    row = order()
    line = row["relationships"]["order_items"][0]
    named = {**line, "attributes": {"name": "Bowl", "quantity": "3"}}
    row["relationships"]["order_items"] = [line, named, {"attributes": [{}]}, line, line]
    [shown] = (await listed(Reply(200, envelope([row])))).orders
    assert shown.items == "2 x TRAY-W, 3 x Bowl, ? x ?, and 2 more"


@pytest.mark.parametrize(
    ("rows", "metadata", "more"),
    [
        (10, {"has_next_page": True}, True),
        (10, {"has_next_page": False}, False),
        (10, {"total_count": 10}, False),
        (10, {"total_count": 11}, True),
        (10, {}, True),
        (9, {}, False),
        (0, {"has_next_page": True, "total_count": 99}, False),
    ],
)
async def test_there_is_more_only_when_something_says_so(rows: int, metadata: dict[str, Any], more: bool) -> None:
    page = await listed(Reply(200, envelope([order(90 - n) for n in range(rows)], **metadata)))
    assert (len(page.orders), page.has_more) == (rows, more)


async def test_no_orders_are_an_empty_list_and_no_error() -> None:
    assert (await listed(Reply(200, envelope(NOTHING)))).facts() == {"orders": [], "page": 1}


async def test_a_page_size_that_duoplane_ignores_is_kept_here() -> None:
    page = await listed(Reply(200, envelope([order(900 - n) for n in range(250)])), per_page=5)
    assert [row.order_id for row in page.orders] == ["900", "899", "898", "897", "896"]
    assert page.warnings == ["Duoplane sent more than per_page; 245 orders of this page are not shown."]


@pytest.mark.parametrize(("metadata", "where"), [({"total_count": 95}, "page 10"), ({}, "the last page")])
async def test_a_list_that_begins_with_the_oldest_says_where_the_newest_are(
    metadata: dict[str, Any], where: str
) -> None:
    """The order of the list is not documented (sheet section 5.3)."""
    reply = Reply(200, envelope([order(10 + n) for n in range(10)], **metadata))
    assert (await listed(reply)).warnings == [f"The oldest orders come first here; the newest are on {where}."]
    assert (await listed(reply, page=2)).warnings == []


async def test_errors_beside_the_list_are_shown() -> None:
    """Row 8: `errors` may be filled on success too."""
    assert (await listed(Reply(200, envelope([order()], ["Store 9 is <b>archived</b>"])))).warnings == [
        "Store 9 is archived"
    ]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(401, ""), ProviderAuth),
        (Reply(403, envelope(None, ["Forbidden"])), ProviderAuth),
        (Reply(404, "<html>"), ProviderRefused),
        (Reply(429, envelope(None, retry_after_seconds=9)), RateLimited),
        (Reply(500, "<html>"), ProviderUnavailable),
        (Reply(200, "<html>"), UnexpectedAnswer),
        (Reply(200, envelope({"id": 1})), UnexpectedAnswer),
        (Reply(200, envelope([1])), UnexpectedAnswer),
    ],
)
async def test_a_list_that_cannot_be_read_is_the_right_error(reply: Reply, kind: type[DropshipError]) -> None:
    with pytest.raises(DropshipError) as failure:
        await listed(reply)
    assert (type(failure.value), failure.value.sent) == (kind, "no")


async def test_what_duoplane_says_instead_of_a_list_is_told() -> None:
    """Row 8: a success without data, but with `errors`."""
    with pytest.raises(ProviderUnavailable) as failure:
        await listed(Reply(200, envelope(None, ["Maintenance"])))
    assert failure.value.provider_said == "Maintenance"


@pytest.mark.parametrize("given", [{"page": 0}, {"per_page": 0}, {"per_page": 51}, {"page": "x"}, {"status": "open"}])
def test_pages_are_whole_numbers_and_at_most_fifty_rows_long(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ListOrders.model_validate(given)


def test_what_agents_try_on_lists_is_explained() -> None:
    assert ListOrders.also_called["limit"] == "per_page"
    assert "no filter" in ListOrders.also_called["status"]
