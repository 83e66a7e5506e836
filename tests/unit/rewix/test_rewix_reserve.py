"""Reserving before ordering: nothing is shortened, nothing is left behind, nobody else's pieces are touched."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext

import anyio
import pytest
from anyio.lowlevel import checkpoint

from dropship_tools.errors import (
    FieldProblem,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
)
from dropship_tools.rewix import reservation
from dropship_tools.rewix.client import Reserved
from dropship_tools.rewix.tools import place, plan
from dropship_tools.tool import Placement
from dropship_tools.wire import SendOnce, WireRequest
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
    says,
    works,
)

pytestmark = pytest.mark.anyio

# --- reserving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_too_little_stock_orders_nothing_and_gives_back_exactly_what_was_gained(form: str) -> None:
    shop = Shop(stock={1567: 1, 1578: 0, 9: 5}, reserved={1567: 4})
    args = arguments(item_list=[{"stock_id": i, "quantity": n} for i, n in ((1567, 5), (1578, 1), (9, 2))])
    with pytest.raises(ProviderRefused) as caught:
        await order(shop, form, args)
    assert (caught.value.what, caught.value.sent) == ("Rewix has too little stock, so nothing was ordered", "no")
    assert caught.value.fields == (
        FieldProblem("item_list: stock_id 1567", "asked 5, granted 1; held by the account before: 4"),
        FieldProblem("item_list: stock_id 1578", "asked 1, granted 0"),
    )
    assert shop.log == [*LOOKED, *GAVE_BACK]
    assert read_operation(shop.requests[-1].content, form == "xml") == ("unlock", {1567: 1, 9: 2})
    assert (held(shop), shop.stock) == ({1567: 4}, {1567: 1, 1578: 0, 9: 5})


async def test_nothing_is_given_back_if_nothing_was_gained() -> None:
    shop = Shop(stock={}, reserved={1567: 4, 1578: 4})
    error = await failed(shop, ProviderRefused)
    assert [problem.problem for problem in error.fields] == [
        "asked 2, granted 0; held by the account before: 4",
        "asked 1, granted 0; held by the account before: 4",
    ]
    assert error.fix.endswith("meant for this order: rewix_reserve_stock unlock first.")
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
    monkeypatch.setattr(reservation, "PATIENCE", 0.01)
    shop = Shop()
    client = shop.client()

    async def refused_to_wait() -> None:
        with pytest.raises(ProviderUnavailable, match="another order of this account") as caught:
            await place(client, plan(client, arguments()), permission())
        assert caught.value.sent == "no"

    async with reservation.turn(client), anyio.create_task_group() as tasks:
        tasks.start_soon(refused_to_wait)
    assert shop.log == ["clientkey"]
    assert await place(client, plan(client, arguments()), permission()) == Placement(booked())


async def test_an_order_whose_turn_was_lost_is_not_sent_and_gives_back_what_it_reserved() -> None:
    shop = Shop()
    client = shop.client()
    client.turn = lambda: nullcontext(lambda: False)
    with pytest.raises(ProviderUnavailable, match="other orders of the account") as caught:
        await place(client, plan(client, arguments()), permission())
    assert caught.value.sent == "no"
    assert (shop.log, held(shop)) == ([*LOOKED, *GAVE_BACK], {})


async def test_a_call_that_is_cancelled_before_sending_releases_what_was_reserved() -> None:
    shop = Shop()
    with anyio.CancelScope() as call:

        async def cancelled() -> None:
            call.cancel()
            await checkpoint()

        await order(shop, once=SendOnce(cancelled))
    assert call.cancelled_caught
    assert (shop.log, held(shop)) == ([*LOOKED, *GAVE_BACK], {})


async def test_a_call_that_is_cancelled_while_sending_releases_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    client = shop.client()
    with anyio.CancelScope() as call:

        async def cancelled(request: WireRequest, once: SendOnce) -> None:
            await once.use()
            call.cancel()
            await checkpoint()

        monkeypatch.setattr(client, "create_order", cancelled)
        await place(client, plan(client, arguments()), permission())
    assert call.cancelled_caught
    assert (shop.log, held(shop)) == (LOOKED, {1567: 2, 1578: 1})


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
    shop = Shop()
    client = shop.client()

    async def hangs(operation: str, quantities: Mapping[int, int]) -> Reserved:
        if operation == "unlock":
            await anyio.sleep_forever()
        shop.reserved = {1567: 1}
        return shop.reserved

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
