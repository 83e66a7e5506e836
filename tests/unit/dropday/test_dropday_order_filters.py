"""What can be asked of the order list: the wire exactly as documented, and everything else refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from dropship_mcp.arguments import accept
from dropship_tools.dropday.order_list import ListOrders
from dropship_tools.errors import InvalidArguments
from unit.dropday.dropday_fakes import ORDERS, FakeDropday, page
from unit.dropday.dropday_world import orders

pytestmark = pytest.mark.anyio

LIST = "GET /orders"
PAGED = "per_page=10&page=1"


def problems(**asked: Any) -> dict[str, str]:
    """What is wrong with such arguments, by field."""
    with pytest.raises(InvalidArguments) as raised:
        accept(ListOrders, asked, "dropday_list_orders")
    return {problem.field: problem.problem for problem in raised.value.fields}


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
        ({"date_from": "2026-03-02", "date_to": "2026-03-01"}, "date_to", "lies before date_from"),
        ({"total_min": 2, "total_max": 1.99}, "total_max", "is less than total_min"),
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
