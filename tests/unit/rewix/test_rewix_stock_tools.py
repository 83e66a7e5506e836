"""Carriers and the reservation: what the tools say, through the real client, in both formats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import anyio
import httpx2
import pytest

from dropship_tools.errors import (
    FieldProblem,
    InvalidArguments,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from dropship_tools.orders import Sought
from dropship_tools.rewix import reservation, stock
from dropship_tools.rewix.client import RewixClient
from dropship_tools.rewix.reservation import turn
from dropship_tools.rewix.sandbox_catalogue import LAST_TWO, SOLD_OUT
from dropship_tools.rewix.stock_models import (
    Carrier,
    Carriers,
    GetReserved,
    ListCarriers,
    Moved,
    MovedPieces,
    Reserved,
    ReservedPieces,
    ReserveStock,
)
from dropship_tools.rewix.tools import find
from unit.rewix.rewix_placing import order
from unit.rewix.rewix_sandbox import Desk
from unit.rewix.rewix_shop import NoRecords, Shop, answer, arguments, read_operation

pytestmark = pytest.mark.anyio

both_formats = pytest.mark.parametrize("form", ["json", "xml"])

WISH = "carrierId is a wish: another carrier is used where it has no rate; carrier_name shows it later."
COSTS = "listed_cost: the listed cost, meaning not documented (currency, VAT and what it covers); never a quote."
OTHERS = "Pieces may belong to other processes of the account; free only what is known to be yours."


def answering(status: int, body: str) -> Desk:
    """A shop that answers this to everything."""
    return Desk(instead=lambda _: answer(status, body))


async def carriers(desk: Desk, form: str = "json") -> Carriers:
    """rewix_list_carriers."""
    return await stock.list_carriers(desk.client(form), ListCarriers(), NoRecords())


async def reserved(client: RewixClient) -> Reserved:
    """rewix_get_reserved."""
    return await stock.get_reserved(client, GetReserved(), NoRecords())


async def change(client: RewixClient, kind: str, pieces: Mapping[int, int]) -> Moved:
    """rewix_reserve_stock."""
    models = [{"stock_id": stock_id, "quantity": quantity} for stock_id, quantity in pieces.items()]
    return await stock.reserve_stock(client, ReserveStock.model_validate({"type": kind, "models": models}), NoRecords())


# --- carriers ---------------------------------------------------------------------------------------------------------


async def test_the_documented_json_list_of_carriers_has_costs_of_unknown_meaning() -> None:
    """Sheet section 6: promises a carrier or a shipping price."""
    desk = answering(200, '[{"id": 39, "name": "TNT", "cost": 9.80}, {"id": 20, "name": "UPS", "cost": null}]')
    assert await carriers(desk) == Carriers(
        carriers=[Carrier(carrierId=39, name="TNT", listed_cost="9.80"), Carrier(carrierId=20, name="UPS")],
        warnings=[COSTS],
        next_step=WISH,
    )
    assert [(r.method, r.url.raw_path, r.headers["accept"]) for r in desk.requests] == [
        ("GET", b"/restful/export/carriers", "application/json")
    ]


async def test_the_documented_xml_list_of_carriers_has_no_costs() -> None:
    body = '<?xml version="1.0" encoding="UTF-8"?><collection><carrier id="10" name="DHL &amp; Co"/></collection>'
    assert await carriers(answering(200, body), "xml") == Carriers(
        carriers=[Carrier(carrierId=10, name="DHL & Co")], next_step=WISH
    )


async def test_the_cost_attribute_of_the_makers_class_is_shown_too() -> None:
    body = '<collection><carrier id="10" name="DHL" cost="14.5"/></collection>'
    assert (await carriers(answering(200, body), "xml")).carriers[0].listed_cost == "14.50"


@both_formats
async def test_the_sandboxs_carriers_are_listed(form: str) -> None:
    listed = await carriers(Desk(), form)
    assert [(carrier.carrierId, carrier.name) for carrier in listed.carriers] == [
        (10, "DHL"),
        (20, "UPS"),
        (30, "GLS"),
        (39, "TNT"),
        (40, "Bartolini"),
    ]
    assert bool(listed.warnings) == (form == "json")
    assert not listed.has_more


async def test_a_very_long_list_of_carriers_is_cut_and_says_so() -> None:
    rows = [{"id": number, "name": "x" * 999} for number in range(1, 80)]
    listed = await carriers(answering(200, json.dumps(rows)))
    assert (len(listed.carriers), listed.has_more) == (stock.MOST_CARRIERS, True)
    assert max(len(carrier.name) for carrier in listed.carriers) == stock.LONGEST_NAME


@pytest.mark.parametrize("body", ["[]", "null", "<collection/>"])
async def test_an_account_without_carriers_has_an_empty_list(body: str) -> None:
    assert (await carriers(answering(200, body))).facts() == {"carriers": [], "next_step": WISH}


@pytest.mark.parametrize(
    "body", ["", "{}", '[{"name": "DHL"}]', '["DHL"]', "<root/>", "<html>", "<collection><carrier/></collection>"]
)
async def test_an_answer_that_is_no_list_of_carriers_is_no_answer(body: str) -> None:
    with pytest.raises(ProviderUnavailable):
        await carriers(answering(200, body))


# --- what is reserved -------------------------------------------------------------------------------------------------


async def test_the_documented_reservation_is_shown_without_its_order_id() -> None:
    """Sheet section 1: the reservation's id is never taken for an order number."""
    body = '{"models": [{"stock_id": 1578, "locked": 1, "available": 0}, {"stock_id": 1567, "locked": 1, "available": 7}], "order_id": 1000}'
    assert await reserved(answering(200, body).client()) == Reserved(
        reserved=[
            ReservedPieces(stock_id=1567, locked=1, available=7),
            ReservedPieces(stock_id=1578, locked=1, available=0),
        ],
        next_step=OTHERS,
    )


@both_formats
async def test_nothing_reserved_is_an_empty_list(form: str) -> None:
    assert (await reserved(Desk().client(form))).facts() == {"reserved": []}


async def test_an_availability_that_makes_no_sense_does_not_hide_what_is_locked() -> None:
    body = '{"order_id": 0, "models": [{"stock_id": 1, "locked": 2, "available": -4}, {"stock_id": 3, "locked": 0}]}'
    assert (await reserved(answering(200, body).client())).reserved == [ReservedPieces(stock_id=1, locked=2)]


async def test_a_large_reservation_is_cut_and_says_so() -> None:
    rows = [{"stock_id": number, "locked": 1, "available": 1} for number in range(1, 99)]
    shown = await reserved(answering(200, json.dumps({"order_id": 1, "models": rows})).client())
    assert (len(shown.reserved), shown.has_more) == (stock.MOST_RESERVED, True)


# --- locking and unlocking --------------------------------------------------------------------------------------------


@both_formats
async def test_one_operation_leaves_with_the_documented_names(form: str) -> None:
    """Sheet section 3.2: JSON and XML have different shapes; section 4.5: `set` is never sent."""
    desk = Desk()
    await change(desk.client(form), "lock", {1567: 2, 1578: 1})
    sent = [request for request in desk.requests if request.method == "POST"]
    assert [request.url.path for request in sent] == ["/restful/ghost/orders/sold/"]
    assert read_operation(sent[0].content, form == "xml") == ("lock", {1567: 2, 1578: 1})


@both_formats
async def test_locking_tells_asked_and_granted_and_the_accounts_total(form: str) -> None:
    """Sheet section 1: the smaller of asked and available is granted without a word."""
    client = Desk().client(form)
    await change(client, "lock", {1578: 5})
    assert await change(client, "lock", {1578: 2, LAST_TWO: 5, SOLD_OUT: 1}) == Moved(
        models=[
            MovedPieces(stock_id=1578, asked=2, granted=2, locked=7),
            MovedPieces(stock_id=LAST_TWO, asked=5, granted=2, locked=2),
            MovedPieces(stock_id=SOLD_OUT, asked=1, granted=0, locked=0),
        ],
        warnings=["Less was granted than asked: there is no more. What was granted stays locked."],
        next_step=stock.HELD,
    )
    assert (await reserved(client)).reserved == [
        ReservedPieces(stock_id=1578, locked=7, available=113),
        ReservedPieces(stock_id=LAST_TWO, locked=2, available=0),
    ]


async def test_an_answer_shows_granted_none_as_zero() -> None:
    facts = (await change(Desk().client(), "lock", {SOLD_OUT: 1})).facts()
    assert facts["models"] == [{"stock_id": SOLD_OUT, "asked": 1, "granted": 0, "locked": 0}]
    assert "next_step" not in facts


@both_formats
async def test_unlocking_gives_back_what_was_asked(form: str) -> None:
    client = Desk().client(form)
    await change(client, "lock", {1578: 5})
    assert await change(client, "unlock", {1578: 3}) == Moved(
        models=[MovedPieces(stock_id=1578, asked=3, granted=3, locked=2)]
    )
    assert await change(client, "unlock", {1578: 2}) == Moved(
        models=[MovedPieces(stock_id=1578, asked=2, granted=2, locked=0)]
    )


async def test_never_more_is_unlocked_than_is_locked() -> None:
    desk = Desk()
    client = desk.client()
    await change(client, "lock", {1578: 2})
    sent = len(desk.requests)
    with pytest.raises(InvalidArguments) as caught:
        await change(client, "unlock", {1578: 3, 1567: 1})
    assert caught.value.fields == (
        FieldProblem("models: stock_id 1578", "asked 3, locked 2"),
        FieldProblem("models: stock_id 1567", "asked 1, locked 0"),
    )
    assert [request.method for request in desk.requests[sent:]] == ["GET"]


async def test_the_same_variant_twice_is_one_wish() -> None:
    args = ReserveStock.model_validate(
        {"type": "lock", "models": [{"stock_id": "1578", "quantity": "1"}, {"stock_id": 1578, "quantity": 2}]}
    )
    assert args.quantities() == {1578: 3}


@pytest.mark.parametrize("kind", ["set", "ensure", "LOCK", "", None, ["lock", "unlock"]])
async def test_there_is_nothing_but_lock_and_unlock(kind: Any) -> None:
    """Sheet section 5: `set` overwrites what other processes hold."""
    with pytest.raises(ValueError, match="type"):
        ReserveStock.model_validate({"type": kind, "models": [{"stock_id": 1, "quantity": 1}]})


@pytest.mark.parametrize("quantity", [0, -1, 1.5, True])
async def test_a_negative_lock_is_no_way_to_unlock(quantity: Any) -> None:
    with pytest.raises(ValueError, match="quantity"):
        ReserveStock.model_validate({"type": "lock", "models": [{"stock_id": 1, "quantity": quantity}]})


def lost_after_doing(desk: Desk, failure: httpx2.Response | Exception) -> None:
    """The next change is done, and its answer is lost."""

    def instead(request: httpx2.Request) -> httpx2.Response | Exception | None:
        return failure if request.method == "POST" else None

    desk.instead = instead


@pytest.mark.parametrize(
    ("failure", "what"),
    [
        (
            httpx2.ReadError("reset"),
            "Rewix gave no usable answer: the connection broke off; the change may or may not have happened",
        ),
        (
            httpx2.ConnectError("no"),
            "Rewix gave no usable answer: the connection could not be made; the change did not happen",
        ),
        (answer(500, "oops"), "Rewix answered with HTTP 500; the change may or may not have happened"),
        (answer(200, "<html>"), "Rewix answered, but the answer is not valid XML"),
    ],
)
async def test_a_lost_answer_says_to_look_first_and_nothing_is_repeated(
    failure: httpx2.Response | Exception, what: str
) -> None:
    """Sheet section 6: retries `lock` after a timeout."""
    desk = Desk()
    client = desk.client()
    await change(client, "lock", {1578: 4})
    sent = len(desk.requests)
    lost_after_doing(desk, failure)
    with pytest.raises(ProviderUnavailable) as caught:
        await change(client, "lock", {1578: 2})
    assert caught.value.what == f"{what}. Locked before this call: 4 of stock_id 1578"
    assert caught.value.fix.startswith("Call rewix_get_reserved first")
    assert [request.method for request in desk.requests[sent:]] == ["GET", "POST"]


async def test_a_lock_is_not_sent_where_the_present_state_cannot_be_read() -> None:
    desk = answering(500, "")
    with pytest.raises(ProviderUnavailable):
        await change(desk.client(), "lock", {1578: 2})
    assert {request.method for request in desk.requests} == {"GET"}


async def test_an_unknown_stock_id_is_refused_with_rewixs_words() -> None:
    with pytest.raises(ProviderRefused) as caught:
        await change(Desk().client(), "lock", {999: 1})
    assert (caught.value.what, caught.value.provider_said) == (
        "Rewix refused to change the reservation (HTTP 404); nothing was ordered",
        "stock_id 999 not found",
    )


@pytest.mark.parametrize(("status", "error"), [(401, ProviderAuth), (429, RateLimited)])
async def test_other_refusals_of_a_look_up_are_what_they_are(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        await reserved(answering(status, "").client())


async def test_a_change_waits_for_an_order_that_is_using_the_reservation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservation, "PATIENCE", 0.01)
    desk = Desk()
    client = desk.client()

    async def refused_to_wait() -> None:
        with pytest.raises(ProviderUnavailable, match="another order of this account"):
            await change(client, "lock", {1578: 1})

    async with turn(client), anyio.create_task_group() as tasks:
        tasks.start_soon(refused_to_wait)
    assert desk.requests == []


# --- what an order leaves ---------------------------------------------------------------------------------------------


async def test_pieces_of_an_order_that_never_came_to_be_are_freed_by_hand() -> None:
    """An unknown outcome leaves its pieces locked; when it is settled as absent, the finding says how to free them."""
    desk = Desk()
    client = desk.client()
    await client.reserve("lock", {1567: 2, 1578: 1})
    finding = await find(client, Sought("WEB-77"))
    assert finding.absent
    assert "rewix_reserve_stock (unlock)" in finding.why
    shown = (await reserved(client)).reserved
    freed = await change(client, "unlock", {row.stock_id: row.locked for row in shown})
    assert [(row.asked, row.granted, row.locked) for row in freed.models] == [(2, 2, 0), (1, 1, 0)]


async def test_pieces_held_for_an_order_count_as_taken_until_they_are_unlocked() -> None:
    """An order reserves for itself, so what an agent locked beforehand stands in its own way."""
    shop = Shop(stock={1567: 2, 1578: 1})
    client = shop.client()
    await change(client, "lock", {1567: 2})
    with pytest.raises(ProviderRefused) as caught:
        await order(shop, args=arguments())
    assert caught.value.fields == (
        FieldProblem("item_list: stock_id 1567", "asked 2, granted 0; held by the account before: 2"),
    )
    await change(client, "unlock", {1567: 2})
    assert (await order(shop)).order.order_id == "130"
