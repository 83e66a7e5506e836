"""Reading orders: the documented order in our words, by Dropday's number or by the shop's."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.dropday.models import DropdayOrder, GetOrder, LineResult
from dropship_tools.dropday.statuses import in_words, order_status
from dropship_tools.dropday.tools import get_order
from dropship_tools.errors import (
    DropshipError,
    NotFound,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from dropship_tools.orders import ShipTo
from unit.dropday.dropday_fakes import HELD, FakeDropday, NothingRecorded, changed, page

pytestmark = pytest.mark.anyio

BY_NUMBER = "GET /orders/98"
SHOWN = DropdayOrder(
    reference="L41223D",
    order_id="98",
    status="received",
    provider_status="lines: 1 completed, 1 pending",
    next_step=(
        "For shipping and tracking ask the supplier: completed means handed to the supplier, "
        "Dropday knows nothing later."
    ),
    source="Example Shop Dot Org",
    total="435.45",
    shipping_cost="4.95",
    currency="not stated by Dropday",
    delivery_date="2025-11-07",
    ship_to=ShipTo(name="John Doe", company="Jeff", street="Jumpstreet 23", postcode="4500", city="LA", country="US"),
    lines=[
        LineResult(
            external_id="1", name="Pizza margerita", quantity="2", price="10.99", status="completed", supplier="Mario"
        ),
        LineResult(external_id="2", name="Coca Cola", quantity="2", price="2.50", status="pending"),
    ],
    created_at="2026-01-05T10:00:00.000000Z",
    updated_at="2026-01-05T10:02:00.000000Z",
)


async def shown(held: Any) -> DropdayOrder:
    """An order as our tool shows it."""
    dropday = FakeDropday({BY_NUMBER: (200, held)})
    return await get_order(dropday.client(), GetOrder(reference="98"), NothingRecorded())


async def failure(dropday: FakeDropday, args: GetOrder) -> DropshipError:
    """A look-up that does not go well."""
    with pytest.raises(DropshipError) as raised:
        await get_order(dropday.client(), args, NothingRecorded())
    assert raised.value.sent == "no"
    return raised.value


# --- one order --------------------------------------------------------------------------------------------------


async def test_the_documented_order_is_shown_in_our_words() -> None:
    assert await shown(HELD) == SHOWN


async def test_an_order_is_found_by_the_shops_own_number_and_read_with_its_logs() -> None:
    listed = changed(HELD, order_lines__0__logs=...)
    dropday = FakeDropday({"GET /orders": (200, page(listed)), BY_NUMBER: (200, HELD)})

    assert await get_order(dropday.client(), GetOrder(external_id="L41223D"), NothingRecorded()) == SHOWN

    assert dropday.asked() == [
        "GET /orders?external_id=L41223D&include_test=true&per_page=100&page=1",
        "GET /orders/98",
    ]
    for request in dropday.requests:
        assert request.headers["accept"] == request.headers["content-type"] == "application/json"


async def test_a_number_is_one_segment_of_the_address() -> None:
    dropday = FakeDropday({"GET /orders/DD%2F..%2F1%3Fx": (200, HELD)})

    assert await get_order(dropday.client(), GetOrder(reference="DD/../1?x"), NothingRecorded()) == SHOWN


async def test_an_order_of_which_nothing_but_the_number_is_known_is_shown() -> None:
    least = DropdayOrder(
        order_id="98",
        status="unknown",
        provider_status="no lines shown",
        next_step=SHOWN.next_step,
        currency="not stated by Dropday",
    )
    nulls = {key: None for key in HELD if key != "reference"}

    assert await shown({"reference": 98}) == least
    assert await shown({**nulls, "reference": "98"}) == least


@pytest.mark.parametrize("nothing", [None, [], {}, False])
async def test_objects_that_are_not_there_may_be_written_in_any_way(nothing: Any) -> None:
    held = changed(HELD, shipping=nothing, shipping_address=nothing, order_lines__0__matched_supplier=nothing)

    assert await shown(held) == SHOWN.model_copy(
        update={
            "shipping_cost": "",
            "delivery_date": "",
            "ship_to": None,
            "lines": [SHOWN.lines[0].model_copy(update={"supplier": ""}), SHOWN.lines[1]],
        }
    )


async def test_a_blocked_order_says_so_first() -> None:
    order = await shown(changed(HELD, blocked=True, test=True))

    assert order == SHOWN.model_copy(
        update={
            "status": "problem",
            "provider_status": "blocked; lines: 1 completed, 1 pending",
            "warnings": [
                "Dropday has blocked this order and gives no reason; a person must look in the Dropday dashboard."
            ],
            "blocked": True,
            "test": True,
        }
    )


@pytest.mark.parametrize("word", ["failed", "declined", "skipped"])
async def test_a_line_that_did_not_go_through_says_why(word: str) -> None:
    logs = [
        {"status": word, "message": "first"},
        {"status": word, "message": "<b>out of stock</b>"},
        {"status": "pending", "message": "later"},
        {"status": word, "message": None},
    ]

    order = await shown(changed(HELD, order_lines__1__current_status=word, order_lines__1__logs=logs))

    assert order.status == "problem"
    assert order.lines[1] == SHOWN.lines[1].model_copy(update={"status": word, "why": "out of stock"})


@pytest.mark.parametrize(
    ("total", "text"),
    [
        (435.4, "435.40"),
        (435, "435.00"),
        ("435.4", "435.40"),
        ("435,40", "435,40"),
        ("about 5", "about 5"),
        (-1.5, "-1.50"),
        (12.345, "12.345"),
        (1e30, "1E+30"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("1e999999999", "1e999999999"),
        (None, ""),
    ],
    ids=repr,
)
async def test_amounts_are_shown_with_two_places_or_as_they_came(total: Any, text: str) -> None:
    assert (await shown(changed(HELD, total=total))).total == text


@pytest.mark.parametrize(
    ("date", "text"), [("07-11-2025", "2025-11-07"), ("2025-11-07", "2025-11-07"), ("soon", "soon"), (None, "")]
)
async def test_delivery_dates_are_shown_year_first(date: Any, text: str) -> None:
    assert (await shown(changed(HELD, shipping__delivery_date=date))).delivery_date == text


def _poisoned(value: Any, poison: str) -> Any:
    if isinstance(value, dict):
        return {name: _poisoned(item, poison) for name, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_poisoned(item, poison) for item in cast("list[Any]", value)]
    return poison if isinstance(value, str) else value


async def test_poisoned_text_comes_out_harmless_everywhere() -> None:
    poison = "\u202eIgnore\u200b <b>all</b> &lt;script&gt;x&lt;/script&gt;\U000e0041 " + "y" * 5000

    text = (await shown(_poisoned(HELD, poison))).model_dump_json()

    for sign in ("\u202e", "\u200b", "\U000e0041", "<", "script", "y" * 301):
        assert sign not in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        [],
        {},
        {"reference": None},
        {"reference": ["98"]},
        {"data": HELD},
        changed(HELD, order_lines={"0": {}}),
        changed(HELD, order_lines=["line"]),
        changed(HELD, shipping="UPS"),
        changed(HELD, blocked="because"),
    ],
)
async def test_an_answer_that_is_no_order_is_a_provider_that_cannot_be_read(body: Any) -> None:
    raised = await failure(FakeDropday({BY_NUMBER: (200, body)}), GetOrder(reference="98"))

    assert type(raised) is UnexpectedAnswer
    assert raised.what.startswith("Dropday answered, but the answer ")


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (404, {"message": "Not Found", "error": "no order 98"}, NotFound, "Not Found - no order 98"),
        (401, {"message": "Unauthorized", "error": "bad key"}, ProviderAuth, "Unauthorized - bad key"),
        (403, {"message": "Forbidden"}, ProviderAuth, "Forbidden"),
        (429, {"message": "Too Many Attempts."}, RateLimited, "Too Many Attempts."),
        (500, {"message": "Server Error", "error": "?"}, ProviderUnavailable, "Server Error - ?"),
        (422, {"message": "Errors", "errors": {"page": ["odd"]}}, ProviderRefused, "page: odd"),
    ],
)
async def test_every_refused_look_up_has_its_error(
    status: int, body: Any, error: type[DropshipError], said: str
) -> None:
    raised = await failure(FakeDropday({BY_NUMBER: (status, body)}), GetOrder(reference="98"))

    assert (type(raised), raised.provider_said) == (error, said)


@pytest.mark.parametrize("reference", [".", ".."])
async def test_a_number_that_fits_into_no_address_belongs_to_no_order(reference: str) -> None:
    dropday = FakeDropday({})

    assert type(await failure(dropday, GetOrder(reference=reference))) is NotFound
    assert dropday.requests == []


async def test_an_order_nobody_knows_is_not_found() -> None:
    raised = await failure(FakeDropday({"GET /orders": (200, page())}), GetOrder(external_id="L41223D"))

    assert type(raised) is NotFound
    assert raised.what == "Dropday lists no order with exactly this external_id, test orders included"


# --- status -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([], "unknown"),
        (["pending"], "received"),
        (["ruled"], "received"),
        (["completed"], "processing"),
        (["Completed"], "processing"),
        (["partially_completed"], "processing"),
        (["failed"], "problem"),
        (["declined"], "problem"),
        (["skipped"], "problem"),
        (["delivered"], "unknown"),
        (["completed", "pending"], "received"),
        (["completed", "new word"], "unknown"),
        (["completed", "new word", "failed"], "problem"),
        (["completed", "completed"], "processing"),
    ],
)
def test_the_worst_line_decides(lines: list[str], status: str) -> None:
    assert order_status(lines, blocked=False) == status
    assert order_status(lines, blocked=True) == "problem"


@settings(deadline=None)
@given(st.lists(st.text()), st.booleans())
def test_no_words_make_an_order_shipped_or_delivered(lines: list[str], blocked: bool) -> None:
    assert order_status(lines, blocked=blocked) in {"problem", "unknown", "received", "processing"}


@pytest.mark.parametrize(
    ("lines", "blocked", "words"),
    [
        (["pending", "completed", "pending"], False, "lines: 1 completed, 2 pending"),
        (["pending"], True, "blocked; lines: 1 pending"),
        ([], False, "no lines shown"),
        ([], True, "blocked; no lines shown"),
    ],
)
def test_dropdays_own_words_are_counted(lines: list[str], blocked: bool, words: str) -> None:
    assert in_words(lines, blocked=blocked) == words
