"""Placing an order: what leaves in which order, and what every answer to the order itself means."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dropship_tools.errors import (
    DropshipError,
    LedgerUnavailable,
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from dropship_tools.rewix.results import EXISTED
from dropship_tools.rewix.tools import place, plan
from dropship_tools.tool import Placement
from dropship_tools.wire import SendOnce
from unit.rewix.rewix_placing import FREE_IT, GAVE_BACK, LOOKED, booked, failed, held, order
from unit.rewix.rewix_shop import (
    Fault,
    Shop,
    after_doing_says,
    arguments,
    breaks_off,
    breaks_off_after_doing,
    never_connects,
    permission,
    read_operation,
    read_order,
    says,
    shown,
    works,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_everything_is_reserved_then_ordered_once_then_looked_up(form: str) -> None:
    shop = Shop()
    assert await order(shop, form) == Placement(booked())
    assert shop.log == [*LOOKED, "create", "clientkey"]
    assert read_operation(shop.requests[2].content, form == "xml") == ("lock", {1567: 2, 1578: 1})
    assert read_order(shop.requests[3].content, form == "xml")["item_list"] == [
        {"stock_id": "1567", "quantity": "2"},
        {"stock_id": "1578", "quantity": "1"},
    ]
    assert (held(shop), shop.stock, shop.pauses) == ({}, {1567: 8, 1578: 9}, [0.5])


async def test_the_exact_request_of_the_plan_is_what_leaves() -> None:
    shop = Shop()
    client = shop.client()
    planned = plan(client, arguments())
    await place(client, planned, permission())
    lock, create = (shop.requests[2], shop.requests[3])
    for sent, previewed in zip((lock, create), planned.requests, strict=True):
        assert (sent.method, sent.url.path, sent.content) == (previewed.method, previewed.path, previewed.body)


async def test_the_number_of_the_reservation_is_never_the_number_of_the_order() -> None:
    placement = await order(Shop(faults={"create": [after_doing_says(200, '{"models": [], "order_id": 1000}')]}))
    assert placement == Placement(booked())


@pytest.mark.parametrize("body", ["", "OK", "{}", "<html>", b"\xff\x00", '{"models": [{"stock_id": "x"}]}'])
async def test_the_answer_to_an_order_need_not_make_sense_if_the_order_is_there(body: str | bytes) -> None:
    shop = Shop(faults={"create": [after_doing_says(200, body)]})
    assert await order(shop) == Placement(booked())
    assert shop.log == [*LOOKED, "create", "clientkey", "locked"]


async def test_a_paid_order_does_not_ask_for_payment() -> None:
    told = {"status": "processing", "provider_status": "2 TO DISPATCH", "payment_due": False}
    assert await order(Shop(status=2), args=arguments(autoConfirm=True)) == Placement(
        booked(**told, next_step="Follow it with rewix_get_order.")
    )


async def test_what_others_have_reserved_is_neither_counted_nor_touched() -> None:
    shop = Shop(stock={1567: 2, 1578: 1}, reserved={1567: 7, 42: 3})
    assert await order(shop) == Placement(booked())
    assert held(shop) == {1567: 7, 42: 3}


# --- before anything is sent --------------------------------------------------------------------------------------


async def test_an_order_that_is_there_already_is_returned_and_nothing_is_sent() -> None:
    shop = Shop(orders=[shown(status=3001)])
    told = {"status": "processing", "provider_status": "3001 WORKING ON", "payment_due": False}
    assert await order(shop) == Placement(
        booked(EXISTED, **told, next_step="Follow it with rewix_get_order."), existed=True
    )
    assert shop.log == ["clientkey"]


async def test_several_orders_that_are_there_already_are_pointed_out() -> None:
    shop = Shop(orders=[shown(), shown(order_id=131)])
    several = "Rewix shows 2 orders with this key: the parcel may be sent more than once."
    assert await order(shop) == Placement(booked(EXISTED, several), existed=True)


@pytest.mark.parametrize("nothing", [says(404), says(200, '{"orders": []}'), says(200, "<root><order_list/></root>")])
async def test_a_clear_no_lets_the_order_go_on(nothing: Fault) -> None:
    assert await order(Shop(faults={"clientkey": [nothing]})) == Placement(booked())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(500), ProviderUnavailable),
        (says(400), UnexpectedAnswer),
        (says(200), UnexpectedAnswer),
        (says(200, '{"orders": 7}'), UnexpectedAnswer),
        (says(200, json.dumps({"orders": [shown(status=5003)]})), ProviderUnavailable),
        (breaks_off, ProviderUnavailable),
        (says(401), ProviderAuth),
        (says(429), RateLimited),
    ],
)
async def test_an_unclear_first_look_sends_nothing(answer: Fault, error: type[DropshipError]) -> None:
    shop = Shop(faults={"clientkey": [answer]})
    await failed(shop, error)
    assert shop.log == ["clientkey"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(404), UnexpectedAnswer),
        (says(500), ProviderUnavailable),
        (says(200, "{}"), UnexpectedAnswer),
        (says(200, '{"message": "busy"}'), UnexpectedAnswer),
        (says(200, '{"order_id": 1, "models": 7}'), UnexpectedAnswer),
        (says(200, '{"order_id": 1, "models": [{"stock_id": 1, "locked": -1}]}'), UnexpectedAnswer),
        (
            says(200, '{"order_id": 1, "models": [{"stock_id": 1, "locked": 1}, {"stock_id": 1, "locked": 2}]}'),
            UnexpectedAnswer,
        ),
        (says(200, "<root/>"), UnexpectedAnswer),
        (says(200, '<root order_id="1"><model stock_id="1567"/></root>'), UnexpectedAnswer),
    ],
)
async def test_an_unreadable_reservation_sends_nothing(answer: Fault, error: type[DropshipError]) -> None:
    shop = Shop(faults={"locked": [answer]})
    await failed(shop, error)
    assert shop.log == ["clientkey", "locked"]


@pytest.mark.parametrize(
    "nothing", ['{"order_id": 0}', '{"order_id": 0, "models": null}', '{"models": []}', '<root order_id="0"/>']
)
async def test_an_empty_reservation_has_many_forms(nothing: str) -> None:
    assert await order(Shop(faults={"locked": [says(200, nothing)]})) == Placement(booked())


# --- the order itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Invalid date", "Invalid date"),
        ('{"message": "Invalid date"}', "Invalid date"),
        ('<?xml version="1.0"?><root message="Invalid date"/>', "Invalid date"),
        ('{"error": 7}', '{"error": 7}'),
        ("", ""),
    ],
)
@pytest.mark.parametrize("status", [400, 404, 406, 412, 429])
async def test_a_refused_order_is_confirmed_explained_and_cleaned_up(status: int, body: str, said: str) -> None:
    shop = Shop(faults={"create": [says(status, body)]})
    error = await failed(shop, ProviderRefused)
    assert error.provider_said == said
    assert (shop.log, held(shop)) == ([*LOOKED, "create", "clientkey", *GAVE_BACK], {})


async def test_a_429_is_no_invitation_to_wait_and_repeat() -> None:
    error = await failed(Shop(faults={"create": [says(429, "bad province")]}), ProviderRefused)
    assert (error.what, error.retry_after) == (
        "Rewix found an error in the order (HTTP 429, which does not mean too many requests here)",
        None,
    )


async def test_a_refused_order_gives_back_only_what_is_left_of_its_own_share() -> None:
    shop = Shop()

    def takes_one_and_refuses(do: Callable[[], Any]) -> Any:
        shop.reserved[1567] -= 1  # the failed order, or another process, took a piece
        shop.reserved[1578] += 4  # another process reserved some
        return says(404, "unknown")(do)

    shop.faults["create"] = [takes_one_and_refuses]
    await failed(shop, ProviderRefused)
    assert read_operation(shop.requests[-1].content, as_xml=False) == ("unlock", {1567: 1, 1578: 1})
    assert held(shop) == {1578: 4}


@pytest.mark.parametrize("body", ['{"code": "order_already_exists", "data": {"key": "WEB-77"}}', "oops"])
async def test_a_refused_order_that_is_there_was_there_before(body: str) -> None:
    shop = Shop()

    def another_was_quicker(do: Callable[[], Any]) -> Any:
        shop.orders.append(shown(order_id=129))
        return says(400, body)(do)

    shop.faults["create"] = [another_was_quicker]
    assert await order(shop) == Placement(booked(EXISTED, order_id="129"), existed=True)
    assert held(shop) == {}


async def test_a_refusal_that_cannot_be_confirmed_is_an_unknown_outcome() -> None:
    shop = Shop(faults={"create": [says(429, "bad")], "clientkey": [works, *[says(500)] * 3]})
    error = await failed(shop, OutcomeUnknown)
    assert error.provider_said == "bad"
    assert (shop.log, held(shop)) == ([*LOOKED, "create", *["clientkey"] * 3], {1567: 2, 1578: 1})


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_no_unknown_outcome(status: int) -> None:
    shop = Shop(faults={"create": [says(status)]})
    await failed(shop, ProviderAuth)
    assert (shop.log, held(shop)) == ([*LOOKED, "create", *GAVE_BACK], {})


@pytest.mark.parametrize(
    "lost", [breaks_off_after_doing, after_doing_says(500), after_doing_says(503), after_doing_says(408)]
)
async def test_an_order_whose_answer_was_lost_is_found_by_its_key(lost: Fault) -> None:
    shop = Shop(faults={"create": [lost]})
    assert await order(shop) == Placement(booked())
    assert shop.log == [*LOOKED, "create", "clientkey", "locked"]


@pytest.mark.parametrize("lost", [breaks_off, says(500), says(408), says(200, '{"order_id": 0}'), says(302)])
async def test_an_order_nobody_sees_is_an_unknown_outcome_and_nothing_is_released(lost: Fault) -> None:
    shop = Shop(faults={"create": [lost]})
    error = await failed(shop, OutcomeUnknown)
    assert error.what.endswith(
        "does not show it under its key so far, which proves nothing yet. What was reserved for it was left alone"
    )
    assert (shop.log, shop.pauses) == ([*LOOKED, "create", *["clientkey"] * 3], [0.5, 1.0, 2.0])
    assert held(shop) == {1567: 2, 1578: 1}


@pytest.mark.parametrize(
    "unclear", [says(500), says(404), says(200, "<html>"), says(200, json.dumps({"orders": [shown(status=5003)]}))]
)
async def test_an_order_that_shows_late_is_still_found(unclear: Fault) -> None:
    shop = Shop(faults={"clientkey": [works, unclear, unclear]})
    assert await order(shop) == Placement(booked())
    assert shop.pauses == [0.5, 1.0, 2.0]


async def test_an_order_that_never_left_releases_what_was_reserved() -> None:
    shop = Shop(faults={"create": [never_connects]})
    await failed(shop, ProviderUnavailable)
    assert (shop.log, held(shop)) == ([*LOOKED, "create", *GAVE_BACK], {})


async def test_an_order_that_cannot_be_promised_does_not_leave_and_releases_what_was_reserved() -> None:
    async def broken() -> None:
        raise LedgerUnavailable("the ledger cannot be written", fix="Mend it.")

    shop = Shop()
    await failed(shop, LedgerUnavailable, once=SendOnce(broken))
    assert (shop.log, held(shop)) == ([*LOOKED, *GAVE_BACK], {})


async def test_pieces_that_stay_reserved_after_the_order_are_pointed_out() -> None:
    shop = Shop()

    def forgets_a_piece(do: Callable[[], Any]) -> Any:
        do()
        shop.reserved[1567] += 1
        return says(200, '{"order_id": 0, "models": [{"stock_id": 1567, "locked": 1}]}')(do)

    shop.faults["create"] = [forgets_a_piece]
    left = (
        "More is reserved than before this order: 1 of stock_id 1567. The order may lack it, or another one of the "
        f"account reserved it. {FREE_IT}"
    )
    assert await order(shop) == Placement(booked(left))


async def test_an_order_whose_leftovers_cannot_be_read_is_placed_all_the_same() -> None:
    shop = Shop(faults={"create": [breaks_off_after_doing], "locked": [works, says(500)]})
    unread = "It could not be read whether the order took everything that was reserved for it."
    assert await order(shop) == Placement(booked(unread))
