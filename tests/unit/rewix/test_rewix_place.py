"""Placing an order: what leaves in which order, and what every answer on the way means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from dropship_tools.errors import (
    DropshipError,
    FieldProblem,
    LedgerUnavailable,
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from dropship_tools.rewix import placing, reservation
from dropship_tools.rewix.client import Reserved
from dropship_tools.rewix.models import CreateOrder, RewixPlaced
from dropship_tools.rewix.results import EXISTED
from dropship_tools.rewix.tools import place, plan
from dropship_tools.tool import Placement
from dropship_tools.wire import SendOnce
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

PAY = (
    "Not paid, so it will not ship: a person must pay it in the supplier's web shop. BrandsDistribution cancels unpaid "
    "orders after about 24 hours."
)
LOOKED = ["clientkey", "locked", "lock"]
GAVE_BACK = ["locked", "unlock"]
FREE_IT = "Reservations never lapse; the supplier can remove them."


def booked(*warnings: str, **changes: Any) -> RewixPlaced:
    """The order as it is after creation."""
    told: dict[str, Any] = {
        "reference": "WEB-77",
        "order_id": "130",
        "status": "awaiting_payment",
        "provider_status": "5 BOOKED",
        "next_step": PAY,
        "payment_due": True,
        "warnings": [*warnings],
    }
    return RewixPlaced(**{**told, **changes})


async def order(
    shop: Shop, form: str = "json", args: CreateOrder | None = None, once: SendOnce | None = None
) -> Placement:
    """Plan and place."""
    client = shop.client(form)
    return await place(client, plan(client, args or arguments()), once or permission())


async def failed(
    shop: Shop, error: type[DropshipError], form: str = "json", once: SendOnce | None = None
) -> DropshipError:
    """The error of placing the order."""
    with pytest.raises(DropshipError) as caught:
        await order(shop, form, once=once)
    assert type(caught.value) is error
    assert caught.value.sent == ("maybe" if error is OutcomeUnknown else "no")
    return caught.value


def held(shop: Shop) -> dict[int, int]:
    """What the account has reserved."""
    return {stock_id: pieces for stock_id, pieces in shop.reserved.items() if pieces}


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
        (says(400), ProviderUnavailable),
        (says(200), ProviderUnavailable),
        (says(200, '{"orders": 7}'), ProviderUnavailable),
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
    "answer",
    [
        says(404),
        says(500),
        says(200, "{}"),
        says(200, '{"message": "busy"}'),
        says(200, '{"order_id": 1, "models": 7}'),
        says(200, '{"order_id": 1, "models": [{"stock_id": 1, "locked": -1}]}'),
        says(200, '{"order_id": 1, "models": [{"stock_id": 1, "locked": 1}, {"stock_id": 1, "locked": 2}]}'),
        says(200, "<root/>"),
        says(200, '<root order_id="1"><model stock_id="1567"/></root>'),
    ],
)
async def test_an_unreadable_reservation_sends_nothing(answer: Fault) -> None:
    shop = Shop(faults={"locked": [answer]})
    await failed(shop, ProviderUnavailable)
    assert shop.log == ["clientkey", "locked"]


@pytest.mark.parametrize(
    "nothing", ['{"order_id": 0}', '{"order_id": 0, "models": null}', '{"models": []}', '<root order_id="0"/>']
)
async def test_an_empty_reservation_has_many_forms(nothing: str) -> None:
    assert await order(Shop(faults={"locked": [says(200, nothing)]})) == Placement(booked())


# --- reserving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_too_little_stock_orders_nothing_and_gives_back_exactly_what_was_gained(form: str) -> None:
    shop = Shop(stock={1567: 1, 1578: 0, 9: 5}, reserved={1567: 4})
    args = arguments(item_list=[{"stock_id": i, "quantity": n} for i, n in ((1567, 5), (1578, 1), (9, 2))])
    with pytest.raises(ProviderRefused) as caught:
        await order(shop, form, args)
    assert (caught.value.what, caught.value.sent) == ("Rewix has too little stock, so nothing was ordered", "no")
    assert caught.value.fields == (
        FieldProblem("item_list: stock_id 1567", "asked 5, granted 1"),
        FieldProblem("item_list: stock_id 1578", "asked 1, granted 0"),
    )
    assert shop.log == [*LOOKED, *GAVE_BACK]
    assert read_operation(shop.requests[-1].content, form == "xml") == ("unlock", {1567: 1, 9: 2})
    assert (held(shop), shop.stock) == ({1567: 4}, {1567: 1, 1578: 0, 9: 5})


async def test_nothing_is_given_back_if_nothing_was_gained() -> None:
    shop = Shop(stock={}, reserved={1567: 4, 1578: 4})
    error = await failed(shop, ProviderRefused)
    assert [problem.problem for problem in error.fields] == ["asked 2, granted 0", "asked 1, granted 0"]
    assert (shop.log, held(shop)) == (LOOKED, {1567: 4, 1578: 4})


@pytest.mark.parametrize("unlock", [says(500), says(404), breaks_off])
async def test_what_cannot_be_given_back_is_said(unlock: Fault) -> None:
    error = await failed(Shop(stock={1567: 1}, faults={"unlock": [unlock]}), ProviderRefused)
    assert error.what == (
        f"Rewix has too little stock, so nothing was ordered. Reserved stock may be left behind: 1 of stock_id 1567. {FREE_IT}"
    )


async def test_what_was_not_given_back_after_all_is_said() -> None:
    still = '{"order_id": 1000, "models": [{"stock_id": 1567, "locked": 1}]}'
    error = await failed(Shop(stock={1567: 1}, faults={"unlock": [says(200, still)]}), ProviderRefused)
    assert error.what.endswith(f". Reserved stock is left behind: 1 of stock_id 1567. {FREE_IT}")


@pytest.mark.parametrize("lost", [breaks_off_after_doing, after_doing_says(500), after_doing_says(200, "<html>")])
async def test_a_lost_answer_to_reserving_is_read_and_not_asked_for_again(lost: Fault) -> None:
    shop = Shop(faults={"lock": [lost]})
    assert await order(shop) == Placement(booked())
    assert shop.log == [*LOOKED, "locked", "create", "clientkey"]


async def test_a_lost_answer_that_hides_a_shortage_is_a_shortage() -> None:
    shop = Shop(stock={1567: 1, 1578: 1}, faults={"lock": [breaks_off_after_doing]})
    error = await failed(shop, ProviderRefused)
    assert error.fields == (FieldProblem("item_list: stock_id 1567", "asked 2, granted 1"),)
    assert (shop.log, held(shop)) == ([*LOOKED, "locked", *GAVE_BACK], {})


@pytest.mark.parametrize("lost", [breaks_off, never_connects, says(503)])
async def test_a_reservation_that_did_not_happen_orders_nothing(lost: Fault) -> None:
    shop = Shop(faults={"lock": [lost]})
    error = await failed(shop, ProviderUnavailable)
    assert error.what == "Rewix did not confirm that the items are reserved, so nothing was ordered"
    assert (shop.log, held(shop)) == ([*LOOKED, "locked", "locked"], {})


async def test_a_reservation_that_shows_late_is_given_back() -> None:
    empty = says(200, '{"order_id": 0}')
    shop = Shop(faults={"lock": [breaks_off_after_doing], "locked": [empty, empty]})
    await failed(shop, ProviderUnavailable)
    assert (shop.log, held(shop)) == ([*LOOKED, "locked", *GAVE_BACK], {})


async def test_a_reservation_nobody_can_see_is_said_to_be_left() -> None:
    shop = Shop(faults={"lock": [breaks_off_after_doing], "locked": [works, says(500), says(500)]})
    error = await failed(shop, ProviderUnavailable)
    assert "Reserved stock may be left behind: 2 of stock_id 1567, 1 of stock_id 1578." in error.what


@pytest.mark.parametrize("status", [404, 412, 429, 400])
async def test_a_refused_reservation_is_a_refused_order_without_leftovers(status: int) -> None:
    shop = Shop(faults={"lock": [after_doing_says(status, "unknown stock_id 1578")]})
    error = await failed(shop, ProviderRefused)
    assert error.provider_said == "unknown stock_id 1578"
    assert (shop.log, held(shop)) == ([*LOOKED, *GAVE_BACK], {})


async def test_refused_credentials_while_reserving_order_nothing() -> None:
    shop = Shop(faults={"lock": [says(401)]})
    await failed(shop, ProviderAuth)
    assert "create" not in shop.log


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


# --- several at once, and interruptions ---------------------------------------------------------------------------


async def test_orders_at_the_same_time_do_not_take_each_others_pieces() -> None:
    shop = Shop(stock={1567: 3, 1578: 3})
    client = shop.client()
    ended: list[str] = []

    async def one(key: str) -> None:
        try:
            await place(client, plan(client, arguments(key=key)), permission())
        except ProviderRefused:
            ended.append("refused")
        else:
            ended.append("placed")

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(one, f"WEB-{number}")
    assert sorted(ended) == ["placed", "refused", "refused"]
    assert (held(shop), shop.stock) == ({}, {1567: 1, 1578: 2})


async def test_an_order_does_not_wait_for_ever_behind_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "PATIENCE", 0.01)
    shop = Shop()
    client = shop.client()

    async def refused_to_wait() -> None:
        with pytest.raises(ProviderUnavailable, match="another order of this account") as caught:
            await place(client, plan(client, arguments()), permission())
        assert caught.value.sent == "no"

    await client.turn.acquire()  # as another order would, in another task
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(refused_to_wait)
    client.turn.release()
    assert shop.log == ["clientkey"]
    assert await place(client, plan(client, arguments()), permission()) == Placement(booked())


async def test_a_call_that_is_cancelled_before_sending_releases_what_was_reserved() -> None:
    shop = Shop()
    with anyio.CancelScope() as call:

        async def cancelled() -> None:
            call.cancel()
            await checkpoint()

        await order(shop, once=SendOnce(cancelled))
    assert call.cancelled_caught
    assert (shop.log, held(shop)) == ([*LOOKED, *GAVE_BACK], {})


async def test_a_call_that_is_cancelled_after_sending_releases_nothing() -> None:
    shop = Shop()
    with anyio.CancelScope() as call:
        client = shop.client()

        async def cancelled(seconds: float) -> None:
            call.cancel()
            await checkpoint()

        client.sleep = cancelled
        await place(client, plan(client, arguments()), permission())
    assert call.cancelled_caught
    assert shop.log == [*LOOKED, "create"]


async def test_cleaning_up_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservation, "CLEAN_UP", 0.01)
    client = Shop(stock={1567: 1}).client()

    async def hangs(operation: str, quantities: Mapping[int, int]) -> Reserved:
        return {1567: 1} if operation == "lock" else await anyio.sleep_forever()

    monkeypatch.setattr(client, "reserve", hangs)
    with pytest.raises(ProviderRefused) as caught:
        await place(client, plan(client, arguments()), permission())
    assert "Reserved stock may be left behind: 1 of stock_id 1567." in caught.value.what


async def test_long_lists_of_leftovers_stay_short() -> None:
    items = [{"stock_id": stock_id, "quantity": 1} for stock_id in range(1, 16)]
    shop = Shop(stock=dict.fromkeys(range(1, 15), 1), faults={"unlock": [says(500)]})
    with pytest.raises(ProviderRefused) as caught:
        await order(shop, args=arguments(item_list=items))
    assert "1 of stock_id 10, 4 more." in caught.value.what
