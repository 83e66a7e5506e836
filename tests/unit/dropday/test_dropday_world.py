"""Dropday's tools against the sandbox, which behaves as the documentation says: whole jobs, from order to supplier."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from dropship_tools.dropday.models import DropdayPlaced, GetOrder
from dropship_tools.dropday.order_list import STATUS_IS, TESTS_HIDDEN
from dropship_tools.dropday.paging import NO_SUCH_PAGE
from dropship_tools.dropday.results import UNMATCHED
from dropship_tools.dropday.tools import EXISTED, find, get_order
from dropship_tools.errors import NotFound, ReferenceConflict
from dropship_tools.orders import Sought
from unit.dropday.dropday_fakes import NothingRecorded
from unit.dropday.dropday_world import BUYER, LAMP, NOBODYS, client_in, ordered, orders, products
from unit.sandbox.worlds import Clock, world_at

pytestmark = pytest.mark.anyio


def numbers(answer: dict[str, Any]) -> list[str]:
    return [row["external_id"] for row in answer["orders"]]


# --- the list of orders -----------------------------------------------------------------------------------------


async def test_an_order_shows_up_in_the_list_with_what_is_needed_to_recognise_it() -> None:
    clock = Clock()
    client = client_in(world_at(clock))
    placed = await ordered(client, "SHOP-1", LAMP, NOBODYS)
    clock.move(minutes=2)
    assert await orders(client) == {
        "page": 1,
        "count": 1,
        "currency": "not stated by Dropday",
        "status_is": STATUS_IS,
        "orders": [
            {
                "order_id": placed.order.order_id,
                "external_id": "SHOP-1",
                "source": "lampen.example",
                "status": "problem",
                "provider_status": "lines: 1 completed, 1 skipped",
                "total": "64.85",
                "line_count": 2,
                "created_at": "2026-03-02T12:00:00Z",
            }
        ],
        "suppliers": [{"id": "301", "name": "Nordlys Lighting"}],
    }


async def test_following_has_more_shows_every_order_once() -> None:
    """Sheet section 12, row 19."""
    client = client_in(world_at(Clock()))
    placed = [(await ordered(client, f"SHOP-{number}")).order.reference for number in range(7)]
    seen: list[str] = []
    page, more = 0, True
    while more:
        page += 1
        answer = await orders(client, page=page, per_page=3)
        assert answer["count"] == 7
        seen += numbers(answer)
        more = answer.get("has_more", False)
    assert (sorted(seen), page) == (sorted(placed), 3)


async def test_a_full_last_page_is_the_last() -> None:
    client = client_in(world_at(Clock()))
    for number in range(4):
        await ordered(client, f"SHOP-{number}")
    assert "has_more" not in await orders(client, page=2, per_page=2)
    assert (await orders(client, page=3, per_page=2))["next_step"] == NO_SUCH_PAGE


async def test_every_filter_narrows_the_list() -> None:
    clock = Clock()
    client = client_in(world_at(clock))
    await ordered(client, "SHOP-12", total=100)
    clock.move(days=1)
    await ordered(client, "SHOP-112", NOBODYS, total=200)
    await ordered(client, "SHOP-9", total=9000)
    first, second, blocked = "SHOP-12", "SHOP-112", "SHOP-9"
    for asked, expected in (
        ({"external_id": "12"}, [second, first]),
        ({"date_to": "2026-03-02"}, [first]),
        ({"date_from": "2026-03-03"}, [blocked, second]),
        ({"date_from": "2026-03-02T13:00:00+01:00", "date_to": "2026-03-02T12:00:00Z"}, [first]),
        ({"statuses": ["completed"]}, [first]),
        ({"statuses": "pending,completed"}, [blocked, second, first]),
        ({"supplier_ids": [301]}, [first]),
        ({"supplier_ids": "302,303"}, []),
        ({"total_min": 200, "total_max": 9000}, [blocked, second]),
        ({"total_max": "199.99"}, [first]),
        ({"blocked": True}, [blocked]),
        ({"blocked": False, "per_page": 1}, [second]),
    ):
        assert numbers(await orders(client, **asked)) == expected, asked


async def test_a_bare_last_day_counts_whole() -> None:
    """As a midnight it would leave out what was ordered on that day."""
    clock = Clock()
    client = client_in(world_at(clock))
    clock.move(hours=11, minutes=59, seconds=59)
    await ordered(client, "SHOP-1")
    clock.move(seconds=1)
    await ordered(client, "SHOP-2")
    assert numbers(await orders(client, date_from="2026-03-02", date_to="2026-03-02")) == ["SHOP-1"]


async def test_a_test_order_is_found_by_its_number_and_hidden_otherwise() -> None:
    """Sheet section 12, row 5."""
    client = client_in(world_at(Clock()))
    placed = await ordered(client, "TEST-1", test=True)
    hidden = await orders(client)
    assert (hidden["orders"], hidden["next_step"]) == ([], TESTS_HIDDEN)
    for asked in ({"include_test": True}, {"external_id": "TEST"}):
        [row] = (await orders(client, **asked))["orders"]
        assert (row["order_id"], row["test"]) == (placed.order.order_id, True)
    found = await get_order(client, GetOrder(external_id="TEST-1"), NothingRecorded())
    assert (found.order_id, found.test) == (placed.order.order_id, True)


async def test_one_order_is_found_by_its_exact_number_and_the_list_says_which_are_others() -> None:
    """Sheet section 12, rows 6 and 21."""
    client = client_in(world_at(Clock()))
    for number in ("1200", "112", "12"):
        await ordered(client, number)
    finding = await find(client, Sought("12"))
    assert finding.order is not None
    assert (finding.order.reference, finding.order.order_id) == ("12", "100")
    answer = await orders(client, external_id="12")
    assert numbers(answer) == ["12", "112", "1200"]
    assert answer["warnings"] == ["external_id also finds parts of numbers: 2 of these orders have another one."]
    for internal in ("12", "70001"):
        with pytest.raises(NotFound):
            await get_order(client, GetOrder(reference=internal), NothingRecorded())


async def test_list_and_single_order_agree_on_the_status_at_every_moment() -> None:
    """Sheet section 12, rows 12 and 13: completed is handed to the supplier, and no order ever arrives."""
    clock = Clock()
    client = client_in(world_at(clock))
    await ordered(client, "SHOP-1")
    seen: list[tuple[str, str]] = []
    for seconds in (0, 30, 90, 86400 * 60):
        clock.move(seconds=seconds)
        [row] = (await orders(client))["orders"]
        full = await get_order(client, GetOrder(external_id="SHOP-1"), NothingRecorded())
        assert (full.status, full.provider_status) == (row["status"], row["provider_status"])
        seen.append((row["provider_status"], row["status"]))
    assert seen == [
        ("lines: 1 pending", "received"),
        ("lines: 1 ruled", "received"),
        ("lines: 1 completed", "processing"),
        ("lines: 1 completed", "processing"),
    ]


async def test_a_supplier_that_has_not_everything_is_told_with_dropdays_reason() -> None:
    clock = Clock()
    client = client_in(world_at(clock))
    lines = [{**LAMP, "quantity": quantity, "external_id": f"L-{quantity}"} for quantity in (120, 121, 501)]
    await ordered(client, "SHOP-1", *lines, total=1)
    clock.move(minutes=2)
    order = await get_order(client, GetOrder(external_id="SHOP-1"), NothingRecorded())
    assert (order.status, order.provider_status) == (
        "problem",
        "lines: 1 completed, 1 declined, 1 partially_completed",
    )
    assert [line.why for line in order.lines] == [
        "",
        "",
        "Nordlys Lighting takes no orders of more than 500 pieces",
    ]


# --- creating ---------------------------------------------------------------------------------------------------


async def test_lines_that_no_rule_matches_are_reported_after_creating() -> None:
    """Sheet section 12, row 11."""
    clock = Clock()
    client = client_in(world_at(clock))
    await ordered(client, "SHOP-1", LAMP, NOBODYS)
    clock.move(minutes=1)
    finding = await find(client, Sought("SHOP-1"))
    assert isinstance(finding.order, DropdayPlaced)
    assert (finding.order.unmatched_lines, finding.order.warnings) == (["L-2"], [UNMATCHED])


async def test_a_duplicate_is_no_new_order_and_changes_nothing() -> None:
    """Sheet section 12, row 1."""
    world = world_at(Clock())
    client = client_in(world)
    first = await ordered(client, "1001")
    again = await ordered(client, "1001", NOBODYS, total=14.95)
    assert (first.existed, again.existed) == (False, True)
    assert again.order.order_id == first.order.order_id
    assert again.order.warnings[0] == EXISTED
    assert world.store.count("dropday", "order") == 1
    [row] = (await orders(client))["orders"]
    assert (row["total"], row["line_count"]) == ("64.85", 1)


async def test_another_shops_order_under_the_number_is_not_taken_for_ours() -> None:
    """Sheet section 12, row 20."""
    world = world_at(Clock())
    client = client_in(world)
    await ordered(client, "1001")
    with pytest.raises(ReferenceConflict):
        await ordered(client, "1001", source="bikes.example")
    ours = Sought("1001", since=datetime.now(UTC), is_trace=lambda trace: trace == "real bikes.example")
    finding = await find(client, ours)
    assert (finding.order, finding.absent) == (None, True)
    assert "not this one" in finding.why
    assert world.store.count("dropday", "order") == 1


@pytest.mark.parametrize("before", [True, False])
async def test_test_and_real_orders_are_not_taken_for_each_other(before: bool) -> None:
    """Sheet section 4: they may share their numbers; section 12, row 4."""
    client = client_in(world_at(Clock()))
    await ordered(client, "1001", test=before)
    assert (await ordered(client, "1001", test=before)).existed
    with pytest.raises(ReferenceConflict):
        await ordered(client, "1001", test=not before)


# --- products ---------------------------------------------------------------------------------------------------


async def test_following_has_more_shows_every_product_once() -> None:
    """Sheet section 12, row 19: the other envelope, fixed at a hundred."""
    client = client_in(world_at(Clock()))
    pages = [await products(client, page=page) for page in range(1, 8)]
    assert [len(page["products"]) for page in pages] == [20, 20, 20, 20, 20, 20, 13]
    assert [page.get("has_more", False) for page in pages] == [True] * 6 + [False]
    assert (
        {page["count"] for page in pages} == {133} == {len({row["sku"] for page in pages for row in page["products"]})}
    )
    assert await products(client, page=8) == {"page": 8, "count": 133, "products": [], "next_step": NO_SUCH_PAGE}


async def test_codes_keep_their_zeros_and_active_is_a_boolean() -> None:
    """Sheet section 7; section 12, row 7."""
    rows = {row["sku"]: row for row in (await products(client_in(world_at(Clock()))))["products"]}
    assert rows["KK-KETTLE-18"] == {
        "sku": "KK-KETTLE-18",
        "ean13": "0745125000015",
        "name": "Copper kettle 1.8 l",
        "purchase_price": "22.75",
        "stock_quantity": 45,
        "active": True,
    }
    assert rows["NL-PEND-03"]["active"] is False
    assert rows["VX-LIGHT-SET"]["stock_quantity"] == 0


async def test_a_sku_from_the_feed_is_routed_as_the_reference_of_a_line() -> None:
    clock = Clock()
    client = client_in(world_at(clock))
    [row] = [row for row in (await products(client))["products"] if row["sku"] == "VX-PUMP-01"]
    line = {"external_id": "L-1", "name": row["name"], "quantity": 1, "price": 29, "reference": row["sku"]}
    await ordered(client, "SHOP-1", line, total=33.95)
    clock.move(minutes=1)
    order = await get_order(client, GetOrder(external_id="SHOP-1"), NothingRecorded())
    assert [shown.supplier for shown in order.lines] == ["Velox Bikes Europe"]


async def test_nothing_about_the_buyer_and_no_key_is_logged_or_listed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_in(world_at(Clock()))
    placed = await ordered(client, "SHOP-1")
    await get_order(client, GetOrder(external_id="SHOP-1"), NothingRecorded())
    written = caplog.text + json.dumps([placed.order.facts(), await orders(client, external_id="SHOP")])
    assert caplog.records
    assert [value for value in (*BUYER.values(), "zenobia@", "sandbox-key") if value in written] == []
