"""Listing orders: what is asked for on the wire, the short rows, and whether there are more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from dropship_tools.dipli.listing import NO_SUCH_PAGE, NOTHING_PROVEN, ListOrders
from dropship_tools.dipli.tools import TOOLS, list_orders
from dropship_tools.errors import (
    DropshipError,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from unit.dipli.dipli_fakes import ADDRESS, ORDERS, FakeDipli, Ledger, listed, page_of

pytestmark = pytest.mark.anyio

ROW: dict[str, Any] = {
    "order_id": "A-111111",
    "date": "2026-03-02",
    "status": "received",
    "provider_status": "pending_confirmation",
    "payment_status": "payment_received",
    "total_incl_vat": "192.00",
    "products": ["Apple iPhone 8 64"],
    "destination": "Bourg en Bresse, fr",
}
EUR = "EUR (assumed, Dipli states none)"


async def shown(body: Any, /, **asked: Any) -> dict[str, Any]:
    """The answer made of one page of Dipli's."""
    dipli = FakeDipli((200, body))
    return (await list_orders(dipli.client(), ListOrders.model_validate(asked), Ledger())).facts()


async def row_of(**changes: Any) -> dict[str, Any]:
    """The row made of one order."""
    [row] = (await shown(page_of(listed(**changes))))["orders"]
    return row


async def extent(rows: int, **page: Any) -> tuple[Any, bool, int]:
    """What is said about the rest of the list, by default as page 1 with 2 orders asked for: count, has_more, page."""
    orders = [listed(f"A-{number}") for number in range(rows)]
    asked = page.pop("asked", 1)
    answer = await shown({"page": asked, "pageSize": 2, **page, "result": orders}, page=asked, pageSize=2)
    return answer.get("count"), answer.get("has_more", False), answer["page"]


def problem(**asked: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        ListOrders.model_validate(asked)
    [error] = refused.value.errors()
    return error["msg"].removeprefix("Value error, ")


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({}, "page=1&pageSize=10"),
        ({"page": 3, "pageSize": 50}, "page=3&pageSize=50"),
        ({"page": "2", "pageSize": "5"}, "page=2&pageSize=5"),
        ({"new": True}, "new=true&page=1&pageSize=10"),
        ({"new": False, "createdAt": "", "updatedAt": " ", "status": ""}, "page=1&pageSize=10"),
        (
            {"createdAt": "2026-03-01", "updatedAt": "2026-03-02"},
            "createdAt=2026-03-01&updatedAt=2026-03-02&page=1&pageSize=10",
        ),
        *(
            ({"status": word}, f"status={word}&page=1&pageSize=10")
            for word in ("ongoing_shipping", "error_shipping", "cancelled", "pending_confirmation", "shipped")
        ),
        ({"status": " Shipped "}, "status=shipped&page=1&pageSize=10"),
    ],
)
async def test_filters_leave_exactly_as_documented(asked: dict[str, Any], query: str) -> None:
    """Sheet section 4, casing trap; section 10, row 15: `page` and `pageSize`, not `limit` and `offset`."""
    dipli = FakeDipli((200, page_of()))
    await list_orders(dipli.client(), ListOrders.model_validate(asked), Ledger())
    [request] = dipli.requests
    assert (request.method, str(request.url), request.headers["apikey"], request.content) == (
        "GET",
        f"{ORDERS}?{query}",
        "k-123",
        b"",
    )


@pytest.mark.parametrize("name", ["createdAt", "updatedAt"])
@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02T14:34:30", "2026-03-02"),
        ("2026-03-02 14:34", "2026-03-02"),
        ("2026-03-02t23:59:59z", "2026-03-02"),
        ("2026-03-02T14:34:30.123456+01:00", "2026-03-02"),
        ("2026-03-02T00:30:00+02:00", "2026-03-01"),
        ("2026-03-01T20:00:00-10:00", "2026-03-02"),
        ("1970-01-01", "1970-01-01"),
        ("0001-01-01", "0001-01-01"),
    ],
)
def test_a_timestamp_is_cut_to_its_day_in_utc(name: str, given: str, day: str) -> None:
    """Sheet section 10, row 16. UTC's day is never later than Dipli's, so nothing is left out."""
    assert ListOrders.model_validate({name: given}).query()[name] == day


@pytest.mark.parametrize(
    "day",
    [
        "02-03-2026",
        "2026-02-30",
        "2026-3-2",
        "20260302",
        "2026-W10-1",
        "yesterday",
        "2026-03-02Tnoon",
        "2026-03-02T10:00+99:00",
        "0001-01-01T00:00:00+05:00",
        "٢٠٢٦-03-02",
        1772409600,
    ],
)
def test_anything_else_is_no_day(day: Any) -> None:
    assert problem(createdAt=day) == "must be a day like 2026-03-02, or an ISO 8601 time on it"


@pytest.mark.parametrize("word", ["delivered", "received", "in transit", "canceled"])
def test_other_words_for_a_status_are_answered_with_what_diplis_words_mean(word: str) -> None:
    """Sheet section 10, row 7: `shipped` is among Dipli's words and among ours, so none is translated silently."""
    assert problem(status=word) == (
        "must be one of Dipli's words: pending_confirmation (which means received), ongoing_shipping (which means "
        "shipped), shipped (which means delivered), error_shipping (which means problem), cancelled (which means "
        "cancelled)"
    )


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"page": 0}, "greater than or equal to 1"),
        ({"pageSize": 51}, "less than or equal to 50"),
        ({"pageSize": "many"}, "must be a whole number"),
        ({"status": ["shipped"]}, "Input should be"),
        ({"limit": 5}, "not permitted"),
    ],
)
def test_what_the_list_cannot_do_is_refused(asked: dict[str, Any], says: str) -> None:
    assert says in problem(**asked)


async def test_a_row_is_short_and_holds_no_personal_data() -> None:
    """Sheet section 10, row 19."""
    answer = await shown(page_of(listed()))
    assert answer == {"orders": [ROW], "page": 1, "count": 1, "currency": EUR}
    private = (ADDRESS["lastname"], ADDRESS["street"], ADDRESS["telephone"], ADDRESS["email"], "orders.agora.place")
    assert [text for text in private if text.lower() in json.dumps(answer).lower()] == []


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending_confirmation", "received"),
        ("ongoing_shipping", "shipped"),
        ("shipped", "delivered"),
        ("error_shipping", "problem"),
        ("cancelled", "cancelled"),
        ("awaiting_parts", "unknown"),
    ],
)
async def test_rows_say_what_diplis_words_mean_and_the_words_themselves(word: str, status: str) -> None:
    """Sheet section 10, row 7."""
    assert await row_of(shipping_status=word) == {**ROW, "status": status, "provider_status": word}


async def test_courier_and_number_stand_together() -> None:
    row = await row_of(tracking_courier="ups", tracking_number="X12FA123GT")
    assert row == {**ROW, "tracking": "ups X12FA123GT"}
    assert (await row_of(tracking_number="X12FA123GT"))["tracking"] == "X12FA123GT"


async def test_products_are_named_with_their_number_and_not_without_end() -> None:
    named = {"product_name": "Apple iPhone 8 64", "product_quantity": 10}
    by_sku = {"product_sku": "APPLE_IPHONE_8_SKU"}
    inside = {"product_extra_infos": {"name": "Apple iPhone 8 32"}, "product_quantity": 1}
    no_json = {"product_extra_infos": "iPhone, grey"}
    row = await row_of(cart_items=[named, by_sku, inside, no_json, {}, {}, {}])
    assert row["products"] == [
        "10 x Apple iPhone 8 64",
        "APPLE_IPHONE_8_SKU",
        "Apple iPhone 8 32",
        "iPhone, grey",
        "not named",
        "2 more",
    ]


async def test_a_row_needs_nothing_but_a_status() -> None:
    everything_null = dict.fromkeys(listed())
    assert await shown(page_of(everything_null, {})) == {
        "orders": [{"status": "unknown"}, {"status": "unknown"}],
        "page": 1,
        "count": 2,
    }


async def test_a_date_in_another_form_is_shown_as_it_came_and_not_compared() -> None:
    answer = await shown(page_of(listed(order_at="02/03/2026 14:34")), createdAt="2026-03-02")
    assert (answer["orders"], "warnings" in answer) == ([{**ROW, "date": "02/03/2026 14:34"}], False)


async def test_long_texts_are_cut_and_lose_what_hides_in_them() -> None:
    item = {"product_name": "iPhone <b>\u202e" + "x" * 500}
    row = await row_of(cart_items=[item], payment_status="y" * 500)
    assert (row["products"], row["payment_status"]) == (["iPhone " + "x" * 72 + "…"], "y" * 79 + "…")


@pytest.mark.parametrize(
    ("rows", "page", "expected"),
    [
        (2, {"count": 5}, (5, True, 1)),
        (2, {"count": 5, "asked": 2}, (5, True, 2)),
        (1, {"count": 5, "asked": 3}, (5, False, 3)),
        (2, {"count": 2}, (2, False, 1)),
        (0, {"count": 0}, (0, False, 1)),
        (0, {"count": 5, "asked": 9}, (5, False, 9)),
        (0, {"count": -1}, (None, False, 1)),
        # Dipli gives shorter or longer pages than were asked for
        (1, {"count": 3, "pageSize": 1, "asked": 2}, (3, True, 2)),
        (4, {"count": 8, "pageSize": 4, "asked": 2}, (8, False, 2)),
        (4, {"count": 9, "asked": 2}, (9, True, 2)),
        # it does not say how many there are, or fewer than it has shown
        (2, {}, (None, True, 1)),
        (1, {}, (None, False, 1)),
        (2, {"count": 2, "asked": 3}, (None, True, 3)),
        (2, {"count": "many", "page": None, "pageSize": None}, (None, True, 1)),
        (2, {"count": 5, "page": "1", "pageSize": 0}, (5, True, 1)),
    ],
)
async def test_there_is_more_only_when_there_is(rows: int, page: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """Sheet section 4: `count` is the total; section 10, row 15: `has_more`."""
    assert await extent(rows, **page) == expected


async def test_a_page_that_was_not_asked_for_is_told_and_leads_nowhere() -> None:
    answer = await shown({"count": 90, "page": 1, "pageSize": 10, "result": [listed()]}, page=4)
    assert answer == {
        "orders": [ROW],
        "page": 1,
        "count": 90,
        "currency": EUR,
        "warnings": ["Dipli answered with page 1 when asked for page 4."],
    }


async def test_no_more_than_fifty_rows_come_out() -> None:
    answer = await shown({"count": 120, "page": 1, "pageSize": 100, "result": [listed()] * 100})
    assert answer == {
        "orders": [ROW] * 50,
        "page": 1,
        "count": 120,
        "has_more": True,
        "currency": EUR,
        "warnings": ["Dipli sent 100 orders at once; the first 50 are shown. Narrow the list."],
    }


async def test_an_empty_list_is_no_proof_that_nothing_was_ordered() -> None:
    """Sheet section 10, row 1: a list that has not caught up must not lead to a second order."""
    assert await shown(page_of()) == {"orders": [], "page": 1, "count": 0, "next_step": NOTHING_PROVEN}


async def test_a_page_behind_the_end_is_told_apart_from_an_empty_list() -> None:
    answer = await shown(page_of(count=12, number=9), page=9)
    assert answer == {"orders": [], "page": 9, "count": 12, "next_step": NO_SUCH_PAGE}


@pytest.mark.parametrize(
    ("asked", "strays"),
    [
        ({"createdAt": "2026-03-03"}, 0),  # a day of margin
        ({"createdAt": "2026-03-04"}, 1),
        ({"status": "pending_confirmation"}, 0),
        ({"status": "shipped"}, 1),
        ({"createdAt": "0001-01-01"}, 0),
    ],
)
async def test_orders_outside_of_the_filters_are_shown_and_told(asked: dict[str, str], strays: int) -> None:
    """That the days are lower bounds is our reading (sheet section 4)."""
    answer = await shown(page_of(listed(), listed("A-2", order_at=None, shipping_status=None)), **asked)
    warning = f"{strays} of the orders on this page do not match the filters: Dipli reads them in another way."
    assert (len(answer["orders"]), answer.get("warnings", [])) == (2, [warning] if strays else [])


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"code": 400, "msg": "Bad Request"}, ProviderRefused),
        (500, {"code": 500, "msg": "Internale Server Error"}, ProviderUnavailable),
        (200, {"code": 400, "msg": "Bad Request"}, ProviderRefused),
        (401, {"message": "Unauthorized"}, ProviderAuth),
        (429, {}, RateLimited),
        (200, {"count": 1, "results": [listed()]}, UnexpectedAnswer),
        (200, {"count": 1, "result": None}, UnexpectedAnswer),
        (200, [listed()], UnexpectedAnswer),
        (200, b"<html>", UnexpectedAnswer),
    ],
)
async def test_a_list_that_cannot_be_read_is_an_error(status: int, body: Any, kind: type[DropshipError]) -> None:
    with pytest.raises(DropshipError) as failure:
        await list_orders(FakeDipli((status, body)).client(), ListOrders(), Ledger())
    assert (type(failure.value), failure.value.sent) == (kind, "no")


def test_the_description_says_what_the_rows_cannot() -> None:
    [tool] = [tool for tool in TOOLS if tool.name == "dipli_list_orders"]
    assert len(tool.description) <= 160
    assert "order_id is the public_id for dipli_get_order" in tool.description
    assert "`shipped` means delivered" in tool.description
