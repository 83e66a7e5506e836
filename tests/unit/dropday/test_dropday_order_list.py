"""Listing orders: what is asked for on the wire, the short rows, and whether there are more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dropship_mcp.arguments import accept
from dropship_tools.dropday.order_list import NONE_FOUND, STATUS_IS, TESTS_HIDDEN, ListOrders
from dropship_tools.dropday.paging import NO_SUCH_PAGE
from dropship_tools.dropday.tools import TOOLS
from dropship_tools.errors import (
    DropshipError,
    InvalidArguments,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from unit.dropday.dropday_fakes import HELD, ORDERS, FakeDropday, changed, page
from unit.dropday.dropday_world import orders

pytestmark = pytest.mark.anyio

LIST = "GET /orders"
NO_CURRENCY = "not stated by Dropday"
ROW: dict[str, Any] = {
    "order_id": "98",
    "external_id": "L41223D",
    "source": "Example Shop Dot Org",
    "status": "received",
    "provider_status": "lines: 1 completed, 1 pending",
    "total": "435.45",
    "line_count": 2,
    "created_at": "2026-01-05T10:00:00Z",
}
SHOWN: dict[str, Any] = {
    "page": 1,
    "count": 1,
    "currency": NO_CURRENCY,
    "status_is": STATUS_IS,
    "orders": [ROW],
    "suppliers": [{"id": "301", "name": "Mario"}],
}
"""The page with the documented order, as our tool shows it."""


async def shown(body: Any, /, **asked: Any) -> dict[str, Any]:
    """The answer made of one page of Dropday's."""
    return await orders(FakeDropday({LIST: (200, body)}).client(), **asked)


async def row_of(**changes: Any) -> dict[str, Any]:
    """The row made of one order."""
    [row] = (await shown(page(changed(HELD, **changes))))["orders"]
    return row


def problems(**asked: Any) -> dict[str, str]:
    """What is wrong with such arguments, by field."""
    with pytest.raises(InvalidArguments) as raised:
        accept(ListOrders, asked, "dropday_list_orders")
    return {problem.field: problem.problem for problem in raised.value.fields}


# --- what is asked for ------------------------------------------------------------------------------------------

PAGED = "per_page=10&page=1"


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({}, PAGED),
        ({"page": 3, "per_page": 100}, "per_page=100&page=3"),
        ({"page": "2", "per_page": "5"}, "per_page=5&page=2"),
        ({"external_id": "", "statuses": [], "supplier_ids": None, "date_to": " "}, PAGED),
        ({"external_id": "L 4/1&x"}, f"external_id=L%204%2F1%26x&include_test=true&{PAGED}"),
        ({"external_id": "L41", "include_test": False}, f"external_id=L41&{PAGED}"),
        ({"include_test": True}, f"include_test=true&{PAGED}"),
        ({"include_test": "false"}, PAGED),
        ({"blocked": True}, f"blocked=true&{PAGED}"),
        ({"blocked": False}, f"blocked=false&{PAGED}"),
        ({"statuses": ["failed"]}, f"statuses=failed&{PAGED}"),
        ({"statuses": ["failed", " Declined "]}, f"statuses=failed%2Cdeclined&{PAGED}"),
        ({"statuses": "failed, declined,"}, f"statuses=failed%2Cdeclined&{PAGED}"),
        ({"statuses": '["failed"]'}, f"statuses=failed&{PAGED}"),
        ({"supplier_ids": [301, "302"]}, f"supplier_ids=301%2C302&{PAGED}"),
        ({"supplier_ids": "301,302"}, f"supplier_ids=301%2C302&{PAGED}"),
        ({"supplier_ids": 301}, f"supplier_ids=301&{PAGED}"),
        ({"total_min": 0, "total_max": 1000}, f"total_min=0.00&total_max=1000.00&{PAGED}"),
        ({"total_min": "10.5", "total_max": 99999999.9}, f"total_min=10.50&total_max=99999999.90&{PAGED}"),
        (
            {"date_from": "2026-03-01", "date_to": "2026-03-02"},
            f"date_from=2026-03-01T00%3A00%3A00&date_to=2026-03-02T23%3A59%3A59&{PAGED}",
        ),
    ],
    ids=str,
)
async def test_filters_leave_exactly_as_documented(asked: dict[str, Any], query: str) -> None:
    """Sheet section 5; section 12, rows 5 and 19."""
    dropday = FakeDropday({LIST: (200, page())})
    await orders(dropday.client(), **asked)
    [request] = dropday.requests
    headers = {name: request.headers[name] for name in ("api-key", "account-id", "content-type", "accept")}
    assert (request.method, str(request.url), request.content) == ("GET", f"{ORDERS}?{query}", b"")
    assert headers == {
        "api-key": "k-123",
        "account-id": "101",
        "content-type": "application/json",
        "accept": "application/json",
    }


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        ("2026-03-02", "2026-03-02T00:00:00", "2026-03-02T23:59:59"),
        ("2026-03-02T14:34:30", "2026-03-02T14:34:30", "2026-03-02T14:34:30"),
        ("2026-03-02 14:34", "2026-03-02T14:34:00", "2026-03-02T14:34:00"),
        ("2026-03-02t14:34:30.987654z", "2026-03-02T14:34:30", "2026-03-02T14:34:30"),
        ("2026-03-02T00:30:00+02:00", "2026-03-01T22:30:00", "2026-03-01T22:30:00"),
        ("2026-03-01T20:00:00-1000", "2026-03-02T06:00:00", "2026-03-02T06:00:00"),
        ("0001-01-01", "0001-01-01T00:00:00", "0001-01-01T23:59:59"),
    ],
)
def test_bounds_include_their_day_and_leave_without_a_zone(given: str, start: str, end: str) -> None:
    """Sheet section 5: ISO 8601 date-times, samples without zone, inclusive. Orders carry UTC."""
    assert ListOrders.model_validate({"date_from": given}).query()["date_from"] == start
    assert ListOrders.model_validate({"date_to": given}).query()["date_to"] == end


@pytest.mark.parametrize(
    "given",
    [
        "02-03-2026",
        "2026-02-30",
        "2026-3-2",
        "20260302",
        "2026-W10-1",
        "yesterday",
        "2026-03-02Tnoon",
        "2026-03-02T",
        "2026-03-02T25:00",
        "2026-03-02T10:00+99:00",
        "0001-01-01T00:00:00+05:00",
        "٢٠٢٦-03-02",
        1772409600,
    ],
)
def test_anything_else_is_no_bound(given: Any) -> None:
    assert problems(date_from=given, date_to=given) == dict.fromkeys(
        ("date_from", "date_to"), "must be a day like 2026-03-02 or a time like 2026-03-02T14:15:22Z"
    )


@pytest.mark.parametrize("word", ["shipped", "delivered", "in transit", "", 7, None, ["failed"]])
def test_other_words_for_a_status_are_answered_with_dropdays(word: Any) -> None:
    """Sheet section 12, row 12."""
    assert problems(statuses=["failed", word]) == {
        "statuses.1": "must be one of Dropday's words: failed, declined, skipped, pending, ruled, partially_completed, "
        "completed; completed means handed to the supplier, and Dropday knows nothing of shipping or delivery"
    }


@pytest.mark.parametrize(
    ("asked", "field", "problem"),
    [
        ({"page": 0}, "page", "must be at least 1"),
        ({"per_page": 101}, "per_page", "must be at most 100"),
        ({"per_page": "many"}, "per_page", "must be a whole number"),
        ({"statuses": ["failed"] * 8}, "statuses", "must have at most 7 entries"),
        ({"statuses": 7.5}, "statuses", "must be a list"),
        ({"supplier_ids": ["Mario"]}, "supplier_ids.0", "must be a whole number"),
        ({"supplier_ids": [0]}, "supplier_ids.0", "must be at least 1"),
        ({"supplier_ids": True}, "supplier_ids.0", "must be a whole number"),
        ({"supplier_ids": list(range(1, 52))}, "supplier_ids", "must have at most 50 entries"),
        (
            {"total_min": "1,000"},
            "total_min",
            "must be a plain number such as 10.99, without currency or thousands separator",
        ),
        ({"blocked": "perhaps"}, "blocked", "must be true or false"),
        ({"external_id": 1.5}, "external_id", "must be text: as a number it may lose digits"),
        ({"date_from": "2026-03-02", "date_to": "2026-03-01"}, "arguments", "date_to lies before date_from"),
        ({"total_min": 2, "total_max": 1.99}, "arguments", "total_max is less than total_min"),
    ],
    ids=str,
)
def test_what_the_list_cannot_do_is_refused_before_it_is_asked(asked: Any, field: str, problem: str) -> None:
    assert problems(**asked) == {field: problem}


def test_a_range_may_be_one_day_or_one_amount() -> None:
    args = accept(
        ListOrders,
        {"date_from": "2026-03-02", "date_to": "2026-03-02", "total_min": 5, "total_max": "5.00"},
        "dropday_list_orders",
    )
    assert (args.total_min, args.date_from) == (args.total_max, "2026-03-02T00:00:00")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("limit", "; did you mean per_page?"),
        ("offset", ": Dropday pages with page (from 1) and per_page"),
        ("status", "; did you mean statuses?"),
        ("since", "; did you mean date_from?"),
        ("created_before", "; did you mean date_to?"),
        ("test", "; did you mean include_test?"),
        ("source", ": the documentation has no such filter; every row names its source"),
        ("supplier", ": supplier_ids takes numbers, which the rows' suppliers show"),
        ("email", ": the list has no search by buyer or product; narrow it by external_id, dates, total and statuses"),
        (
            "reference",
            ": dropday_get_order shows one order; external_id narrows this list by a part of your number",
        ),
    ],
)
def test_names_that_agents_try_are_answered(name: str, answer: str) -> None:
    assert problems(**{name: "1"}) == {name: f"is not an argument{answer}"}


# --- rows -------------------------------------------------------------------------------------------------------


async def test_a_row_is_short_and_holds_nothing_about_the_buyer() -> None:
    """Sheet section 12, rows 13 and 21: the status is computed and says so, the number is text."""
    answer = await shown(page(changed(HELD, reference=98)))
    assert answer == SHOWN
    text = json.dumps(answer)
    assert [
        word for word in ("John", "Doe", "Jumpstreet", "4500", "222", "info@", "Ring", "onions") if word in text
    ] == []


async def test_a_blocked_order_says_so_first() -> None:
    """Sheet section 12, row 14."""
    blocked = changed(HELD, blocked=True, test=True, reference="DD-98541")
    answer = await shown(page(blocked, HELD, total=2))
    assert answer == {
        **SHOWN,
        "count": 2,
        "warnings": ["1 of these orders are blocked, without a reason; a person must look in the Dropday dashboard."],
        "orders": [
            {
                **ROW,
                "blocked": True,
                "order_id": "DD-98541",
                "status": "problem",
                "provider_status": "blocked; lines: 1 completed, 1 pending",
                "test": True,
            },
            ROW,
        ],
    }
    assert next(iter(answer["orders"][0])) == "blocked"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", "received"),
        ("ruled", "received"),
        ("completed", "processing"),
        ("partially_completed", "processing"),
        ("failed", "problem"),
        ("declined", "problem"),
        ("skipped", "problem"),
        ("delivered", "unknown"),
    ],
)
async def test_the_worst_line_decides_and_completed_is_never_delivered(word: str, status: str) -> None:
    """Sheet section 12, rows 12 and 13."""
    row = await row_of(order_lines__1__current_status=word, order_lines__0__current_status="completed")
    counted = (
        "2 completed" if word == "completed" else ", ".join(sorted(("1 completed", f"1 {word}"), key=lambda t: t[2:]))
    )
    assert row == {**ROW, "status": status, "provider_status": f"lines: {counted}"}


async def test_a_row_needs_nothing_but_a_number() -> None:
    everything_null = {**dict.fromkeys(HELD), "reference": 7}
    unknown = {"status": "unknown", "provider_status": "no lines shown"}
    assert await shown(page(everything_null, {"reference": "8"}, total=None)) == {
        "page": 1,
        "status_is": STATUS_IS,
        "orders": [{"order_id": "7", **unknown}, {"order_id": "8", **unknown}],
    }


@pytest.mark.parametrize(
    ("came", "text"),
    [
        ("2026-01-05T10:00:00.123456Z", "2026-01-05T10:00:00Z"),
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"),
        ("2026-01-05T10:00:00.5+02:00", "2026-01-05T10:00:00.5+02:00"),
        ("yesterday", "yesterday"),
    ],
)
async def test_fractions_of_seconds_are_not_worth_their_tokens(came: str, text: str) -> None:
    assert (await row_of(created_at=came))["created_at"] == text


async def test_suppliers_are_told_once_for_the_whole_page() -> None:
    """Sheet section 10: supplier ids surface inside orders only, and the list filters by them."""
    other = changed(HELD, order_lines__0__matched_supplier={"id": 302, "name": None})
    unnumbered = changed(HELD, order_lines__0__matched_supplier={"name": "Luigi"})
    answer = await shown(page(HELD, other, HELD, unnumbered))
    assert answer["suppliers"] == [{"id": "301", "name": "Mario"}, {"id": "302"}]


async def test_provider_text_comes_out_harmless() -> None:
    poison = "\u202eIgnore\u200b <b>all</b> &lt;script&gt;x&lt;/script&gt;\U000e0041 " + "y" * 5000
    line = {**HELD["order_lines"][0], "current_status": poison, "matched_supplier": {"id": poison, "name": poison}}
    names = ("reference", "external_id", "source", "total", "created_at")
    odd = {**HELD, **dict.fromkeys(names, poison), "order_lines": [line] * 3}
    text = json.dumps(await shown(page(odd)), ensure_ascii=False)
    for sign in ("\u202e", "\u200b", "\U000e0041", "<", "script", "y" * 301):
        assert sign not in text


async def test_similar_numbers_are_told_apart_from_the_one_that_was_meant() -> None:
    """Sheet section 12, row 6: the filter is a partial match."""
    similar = [changed(HELD, external_id=f"L41223D{n}") for n in range(2)]
    answer = await shown(page(HELD, *similar), external_id="L41223D")
    assert answer["warnings"] == ["external_id also finds parts of numbers: 2 of these orders have another one."]
    assert "warnings" not in await shown(page(HELD), external_id="L41223D")


# --- pages ------------------------------------------------------------------------------------------------------


def bare(count: int, **facts: Any) -> dict[str, Any]:
    """A page of so many orders with these page facts at the top, and none in `meta`."""
    return {"data": [HELD] * count, **facts}


@pytest.mark.parametrize(
    ("body", "asked", "expected"),
    [
        (page(HELD, last_page=3, total=21), {}, (1, 21, True)),
        (page(HELD, last_page=3, total=21, current_page=3), {"page": 3}, (3, 21, False)),
        (page(HELD, last_page="3", current_page="2", total="21"), {"page": 2}, (2, 21, True)),
        (bare(2, current_page=1, last_page=2, total=3), {"per_page": 2}, (1, 3, True)),
        (bare(2, meta=None, last_page=1), {"per_page": 2}, (1, None, False)),
        (bare(2, meta={"last_page": 2}, last_page=1), {"per_page": 2}, (1, None, True)),
        # not told: a full page may be followed by another
        (bare(2), {"per_page": 2}, (1, None, True)),
        (bare(1), {"per_page": 2}, (1, None, False)),
        (bare(2, last_page=None, total=-1, current_page=True), {"per_page": 2, "page": 4}, (4, None, True)),
        # an empty page is the end, whatever is told
        (bare(0, last_page=9, total=90), {}, (1, 90, False)),
        (bare(0), {}, (1, None, False)),
    ],
    ids=str,
)
async def test_there_is_more_only_when_there_is(body: Any, asked: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """Sheet section 12, row 19."""
    answer = await shown(body, **asked)
    assert (answer["page"], answer.get("count"), answer.get("has_more", False)) == expected


async def test_a_dropday_that_ignores_the_page_is_not_paged_for_ever() -> None:
    """Sheet section 5: `page` is not in the documented table."""
    answer = await shown(page(HELD, last_page=9, total=90), page=4)
    assert answer == {**SHOWN, "count": 90, "warnings": ["Dropday answered with page 1 when asked for page 4."]}


async def test_no_more_than_a_hundred_rows_come_out() -> None:
    answer = await shown(page(*[HELD] * 150, last_page=2, total=300))
    assert answer == {
        **SHOWN,
        "count": 300,
        "has_more": True,
        "orders": [ROW] * 100,
        "warnings": ["Dropday sent 150 rows at once; the first 100 are shown."],
    }


async def test_a_row_that_cannot_be_read_does_not_hide_the_others() -> None:
    answer = await shown(page({"reference": None}, HELD, "row", total=3))
    assert answer == {**SHOWN, "count": 3, "warnings": ["2 rows of this page could not be read and are not shown."]}


@pytest.mark.parametrize(
    ("asked", "next_step"),
    [
        ({}, TESTS_HIDDEN),
        ({"include_test": True}, NONE_FOUND),
        ({"external_id": "L41"}, NONE_FOUND),
        ({"external_id": "L41", "include_test": False}, TESTS_HIDDEN),
        ({"page": 2}, NO_SUCH_PAGE),
    ],
)
async def test_an_empty_list_says_what_it_may_hide(asked: dict[str, Any], next_step: str) -> None:
    """Sheet section 12, row 5."""
    number = asked.get("page", 1)
    answer = await shown(page(current_page=number), **asked)
    assert answer == {"orders": [], "page": number, "count": 0, "next_step": next_step}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"message": "Unauthorized", "error": "bad key"}, ProviderAuth),
        (404, {"message": "Not Found"}, ProviderUnavailable),
        (422, {"message": "Errors", "errors": {"statuses": ["odd"]}}, ProviderRefused),
        (429, {}, RateLimited),
        (500, {"message": "Server Error", "error": "?"}, ProviderUnavailable),
        (200, [HELD], ProviderUnavailable),
        (200, {"data": {"0": HELD}}, ProviderUnavailable),
        (200, {"orders": [HELD]}, ProviderUnavailable),
        (200, page({}, None), ProviderUnavailable),
        (200, b"<html>", ProviderUnavailable),
    ],
)
async def test_a_list_that_cannot_be_read_is_an_error(status: int, body: Any, kind: type[DropshipError]) -> None:
    """Sheet section 12, row 17: two forms of errors, and answers that are none."""
    with pytest.raises(DropshipError) as failure:
        await orders(FakeDropday({LIST: (status, body)}).client())
    assert (type(failure.value), failure.value.sent) == (kind, "no")


def test_the_description_says_what_the_rows_cannot() -> None:
    [tool] = [tool for tool in TOOLS if tool.name == "dropday_list_orders"]
    assert len(tool.description) <= 160
    assert "order_id is the reference for dropday_get_order" in tool.description
    assert "Test orders are hidden" in tool.description
