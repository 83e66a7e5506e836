"""Finding an order by the shop's own number: exactly, to the end of the list, and never more certain than that."""

from __future__ import annotations

from typing import Any

import pytest

from dropship_tools.dropday.tools import find
from dropship_tools.errors import (
    DropshipError,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from dropship_tools.orders import Finding, Sought
from unit.dropday.dropday_fakes import HELD, FakeDropday, changed, page

pytestmark = pytest.mark.anyio

LIST = "GET /orders"
ABSENT = Finding(absent=True, why="Dropday lists no order with this external_id.")
ASKED = "GET /orders?external_id=L41223D&include_test=true&per_page=100&page="


async def found(*pages: Any, external_id: str = "L41223D") -> tuple[Finding, list[str]]:
    """What is found on these pages, and what was asked."""
    dropday = FakeDropday({LIST: [(200, body) for body in pages]})
    return await find(dropday.client(), Sought(external_id)), dropday.asked()


async def test_an_order_is_found_by_its_exact_number_among_similar_ones() -> None:
    similar = [changed(HELD, external_id=other) for other in ("L41223D1", "XL41223D", "l41223d", None, "L41223D ", 12)]

    finding, asked = await found(page(*similar, HELD))

    assert finding.order is not None
    assert (finding.order.order_id, finding.order.reference) == ("98", "L41223D")
    assert asked == [ASKED + "1"]


async def test_marks_around_a_number_make_it_another_number() -> None:
    finding, _ = await found(
        page(changed(HELD, external_id="<b>L41223D</b>"), changed(HELD, external_id="L41223D\u200b"))
    )

    assert finding == ABSENT


async def test_a_number_may_be_written_as_one() -> None:
    finding, _ = await found(page(changed(HELD, external_id=12345)), external_id="12345")

    assert finding.order is not None


async def test_rows_of_others_may_look_as_they_like() -> None:
    finding, _ = await found(page({"external_id": "OTHER", "reference": None, "shipping": 7}, HELD))

    assert finding.order is not None


OTHER = changed(HELD, external_id="L41223D-2")
TOP = {"data": [OTHER], "current_page": 1}


@pytest.mark.parametrize(
    ("first", "pages"),
    [
        (page(), 1),
        ({"data": []}, 1),
        (page(last_page=2), 2),
        (page(OTHER), 1),
        (page(OTHER, last_page=2), 2),
        (page(OTHER, last_page="2"), 2),
        ({**TOP, "last_page": 1}, 1),
        ({**TOP, "last_page": 2}, 2),
        ({**TOP, "meta": {}, "last_page": 2}, 2),
        ({**TOP, "meta": [], "last_page": 2}, 2),
        ({**TOP, "meta": {"last_page": None}, "last_page": 2}, 2),
        ({**TOP, "meta": {"last_page": 2}, "last_page": 1}, 2),
        ({**TOP, "meta": {"last_page": None}, "last_page": 1}, 1),
        (TOP, 2),
        ({**TOP, "last_page": True}, 2),
        ({**TOP, "last_page": -1}, 2),
        ({**TOP, "last_page": "9" * 5000}, 2),
    ],
)
async def test_the_list_is_read_to_its_end_whatever_the_paginator_calls_it(first: Any, pages: int) -> None:
    assert await found(first, {"data": []}) == (ABSENT, [f"{ASKED}{n}" for n in range(1, pages + 1)])


async def test_an_order_on_a_later_page_is_found() -> None:
    finding, asked = await found(page(OTHER, last_page=3), page(OTHER, last_page=3), page(HELD, last_page=3))

    assert finding.order is not None
    assert len(asked) == 3


async def test_a_list_without_end_proves_nothing() -> None:
    with pytest.raises(ProviderUnavailable, match="too many orders with similar numbers"):
        await found(TOP)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        {},
        {"data": None},
        {"data": {"0": HELD}},
        page("row"),
        page(None),
        page({}),
        page({"external_id": True}),
        page({"external_id": "L41223D"}),
        page(changed(HELD, order_lines=7)),
    ],
)
async def test_a_list_that_cannot_be_read_proves_nothing(body: Any) -> None:
    with pytest.raises(ProviderUnavailable, match="Dropday answered, but the answer "):
        await found(body)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, ProviderAuth),
        (404, UnexpectedAnswer),
        (422, ProviderRefused),
        (429, RateLimited),
        (500, ProviderUnavailable),
    ],
)
async def test_a_list_that_is_refused_proves_nothing(status: int, error: type[DropshipError]) -> None:
    dropday = FakeDropday({LIST: (status, {})})

    with pytest.raises(DropshipError) as raised:
        await find(dropday.client(), Sought("L41223D"))

    assert type(raised.value) is error
