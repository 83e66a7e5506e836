"""Listing orders: the short rows, and whether there are more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dropship_tools.dropday.order_list import NONE_FOUND, STATUS_IS, TESTS_HIDDEN
from dropship_tools.dropday.paging import NO_SUCH_PAGE
from dropship_tools.dropday.tools import TOOLS, find
from dropship_tools.errors import (
    DropshipError,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from dropship_tools.orders import Sought
from unit.dropday.dropday_fakes import HELD, FakeDropday, changed, page
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
        "warnings": [
            "Blocked, Dropday gives no reason: 1 of these orders; a person must look in the Dropday dashboard."
        ],
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
    assert answer == {**SHOWN, "count": 90, "warnings": ["Dropday answered with another page than was asked for."]}


@pytest.mark.parametrize(("told", "proves"), [((1, 2, 3), True), ((None, None, None), True), ((1, 1, 1), False)])
async def test_an_order_is_absent_only_when_every_page_was_really_read(told: tuple[Any, ...], proves: bool) -> None:
    """Section 12, row 6: all pages, or the order may stand on one that never came."""
    other = changed(HELD, external_id="L41223D-2")
    pages = [(200, {"data": [other], "current_page": number, "last_page": 3}) for number in told]
    dropday = FakeDropday({LIST: pages})
    if proves:
        finding = await find(dropday.client(), Sought("L41223D"))
        assert (finding.order, finding.absent) == (None, True)
    else:
        with pytest.raises(ProviderUnavailable, match="gives other pages of the list than were asked for"):
            await find(dropday.client(), Sought("L41223D"))
    assert len(dropday.requests) == 3


async def test_no_more_than_a_hundred_rows_come_out() -> None:
    answer = await shown(page(*[HELD] * 150, last_page=2, total=300))
    assert answer == {
        **SHOWN,
        "count": 300,
        "has_more": True,
        "orders": [ROW] * 100,
        "warnings": ["Dropday sent 150 rows at once; those behind the first 100 are left out."],
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
        (404, {"message": "Not Found"}, UnexpectedAnswer),
        (422, {"message": "Errors", "errors": {"statuses": ["odd"]}}, ProviderRefused),
        (429, {}, RateLimited),
        (500, {"message": "Server Error", "error": "?"}, ProviderUnavailable),
        (200, [HELD], UnexpectedAnswer),
        (200, {"data": {"0": HELD}}, UnexpectedAnswer),
        (200, {"orders": [HELD]}, UnexpectedAnswer),
        (200, page({}, None), UnexpectedAnswer),
        (200, b"<html>", UnexpectedAnswer),
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
