"""Settling an order whose answer was lost: recognising it among those that Dipli lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dropship_tools.dipli.client import MAX_PAGES
from dropship_tools.dipli.tools import find
from dropship_tools.dipli.traces import sent_trace
from dropship_tools.errors import DropshipError, ProviderAuth, ProviderUnavailable, UnexpectedAnswer
from dropship_tools.orders import Finding, Placed, Sought
from unit.dipli.dipli_fakes import ADDRESS, ORDERS, PRODUCT, SINCE, FakeDipli, arguments, listed, page_of

pytestmark = pytest.mark.anyio

NOTHING = Finding(why="No order at Dipli since 2026-03-01 shows this buyer, address and product, which proves nothing.")


def found(public_id: str = "A-111111", *, by_looks: bool = True) -> Finding:
    return Finding(
        Placed(
            reference="WEB-10045",
            order_id=public_id,
            status="received",
            provider_status="pending_confirmation",
            next_step=(
                "Not a confirmed sale yet: Dipli accepts by e-mail after checking its stock. "
                "Follow it with dipli_get_order."
            ),
            warnings=["Recognised by buyer, address and product: Dipli shows no alternative_id to know it by."]
            if by_looks
            else [],
        ),
        by_looks=by_looks,
    )


def sought(is_other: Callable[[str], bool] = lambda _: False, **changes: Any) -> Sought:
    trace = sent_trace(arguments(changes))
    return Sought("WEB-10045", since=SINCE, is_trace=lambda other: other == trace, is_other=is_other)


def someone_else(public_id: str) -> dict[str, Any]:
    return listed(public_id, shipping_address_json=json.dumps({**ADDRESS, "firstname": "Ana", "lastname": "Ruiz"}))


async def test_the_list_is_asked_from_the_day_before_page_by_page() -> None:
    others = [someone_else(f"A-{number}") for number in range(100)]
    dipli = FakeDipli((200, page_of(*others, count=101)), (200, page_of(listed(), count=101, number=2)))
    assert await find(dipli.client(), sought()) == found()
    assert [str(request.url) for request in dipli.requests] == [
        f"{ORDERS}?createdAt=2026-03-01&page=1&pageSize=100",
        f"{ORDERS}?createdAt=2026-03-01&page=2&pageSize=100",
    ]


async def test_pages_shorter_than_asked_for_are_all_read() -> None:
    dipli = FakeDipli(
        (200, {"count": 3, "page": 1, "pageSize": 2, "result": [someone_else("A-1"), someone_else("A-2")]}),
        (200, {"count": 3, "page": 2, "pageSize": 2, "result": [listed()]}),
    )
    assert await find(dipli.client(), sought()) == found()


async def test_a_list_without_a_count_ends_with_an_empty_page() -> None:
    dipli = FakeDipli((200, page_of(listed(), count="many")), (200, page_of(count="many")))
    assert (await find(dipli.client(), sought()), len(dipli.requests)) == (found(), 2)


@pytest.mark.parametrize("id_name", ["id", "product_id", "grouped_id"])
async def test_each_of_the_three_product_numbers_may_be_the_one_ordered(id_name: str) -> None:
    """Sheet section 3, trap 1."""
    dipli = FakeDipli((200, page_of(listed())))
    assert await find(dipli.client(), sought(product_id=PRODUCT[id_name])) == found()


@pytest.mark.parametrize(
    "changes",
    [
        {"firstname": "MARTIN", "lastname": "Zoe"},
        {"firstname": "Zoé Martin", "lastname": None},
        {"street": "12, rue de l\u2019Église, Bât. B", "additionnal": "3e étage"},
        {"city": "BOURG-EN-BRESSE", "postcode": " 01 000"},
    ],
)
async def test_an_order_is_recognised_however_dipli_spells_its_address(changes: dict[str, Any]) -> None:
    """Sheet section 3, trap 3: reading and writing use other names."""
    order = listed(shipping_address_json={**ADDRESS, **changes})
    assert await find(FakeDipli((200, page_of(order))).client(), sought()) == found()


@pytest.mark.parametrize(
    "changes",
    [{"lastname": "Martinez"}, {"street": "14 rue de l'Église"}, {"postcode": "01001"}, {"country": "BE"}],
)
async def test_an_order_for_somebody_else_is_not_taken(changes: dict[str, Any]) -> None:
    order = listed(shipping_address_json={**ADDRESS, **changes})
    assert await find(FakeDipli((200, page_of(order))).client(), sought()) == NOTHING


async def test_another_product_for_the_same_buyer_is_not_taken() -> None:
    assert await find(FakeDipli((200, page_of(listed()))).client(), sought(product_id=42)) == NOTHING


async def test_an_order_that_belongs_to_another_reference_is_not_taken() -> None:
    dipli = FakeDipli((200, page_of(listed("A-1"), listed("A-2"))))
    assert await find(dipli.client(), sought(is_other=lambda public_id: public_id == "A-1")) == found("A-2")


async def test_two_that_look_alike_settle_nothing() -> None:
    dipli = FakeDipli((200, page_of(listed("A-1"), listed("A-2"))))
    assert await find(dipli.client(), sought()) == Finding(
        why="2 orders at Dipli have this buyer, address and product; a person must choose."
    )


async def test_one_order_shown_twice_is_one_order() -> None:
    assert await find(FakeDipli((200, page_of(listed(), listed()))).client(), sought()) == found()


async def test_an_older_order_is_not_taken_even_if_the_filter_lets_it_through() -> None:
    order = listed(order_at="2026-02-28T23:59:59+01:00")
    assert await find(FakeDipli((200, page_of(order))).client(), sought()) == NOTHING


async def test_an_order_whose_date_has_another_form_can_be_recognised() -> None:
    order = listed(order_at="02/03/2026 01:30")
    assert await find(FakeDipli((200, page_of(order))).client(), sought()) == found()


async def test_an_order_without_a_date_can_be_recognised_and_one_without_a_number_cannot() -> None:
    orders = [listed("A-1", order_at=None), listed(""), listed("A-3", shipping_address_json=None, cart_items=None)]
    assert await find(FakeDipli((200, page_of(*orders))).client(), sought()) == found("A-1")


async def test_an_empty_list_proves_nothing() -> None:
    """Sheet section 10, row 1."""
    assert await find(FakeDipli((200, page_of())).client(), sought()) == NOTHING


async def test_a_known_number_is_simply_asked_for() -> None:
    dipli = FakeDipli((200, listed()))
    assert await find(dipli.client(), Sought("WEB-10045", order_id="A-111111")) == found(by_looks=False)
    assert [str(request.url) for request in dipli.requests] == [f"{ORDERS}/A-111111"]


async def test_a_known_number_that_dipli_does_not_show_proves_nothing() -> None:
    dipli = FakeDipli((404, {"code": 404, "msg": "Not Found"}))
    assert await find(dipli.client(), Sought("WEB-10045", order_id="A-111111")) == Finding(
        why="Dipli does not show the order that it confirmed under this number."
    )


async def test_an_order_this_ledger_never_promised_is_not_searched_for() -> None:
    dipli = FakeDipli((200, page_of(listed())))
    assert await find(dipli.client(), Sought("WEB-10045")) == Finding(
        why="Dipli cannot be asked by alternative_id, and this ledger knows nothing of the order."
    )
    assert dipli.requests == []


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {}, ProviderAuth),
        (500, {"code": 500, "msg": "Internale Server Error"}, ProviderUnavailable),
        (200, {"code": 500, "msg": "Internale Server Error"}, ProviderUnavailable),
        (200, {"count": 1, "results": [listed()]}, UnexpectedAnswer),
        (200, {"count": 1, "result": None}, UnexpectedAnswer),
        (200, {"count": 1, "result": ["A-111111"]}, UnexpectedAnswer),
        (200, [listed()], UnexpectedAnswer),
        (200, b"<html>", UnexpectedAnswer),
    ],
)
async def test_a_list_that_cannot_be_read_is_no_finding(status: int, body: Any, kind: type[DropshipError]) -> None:
    with pytest.raises(DropshipError) as failure:
        await find(FakeDipli((status, body)).client(), sought())
    assert type(failure.value) is kind


async def test_a_list_without_end_is_given_up() -> None:
    dipli = FakeDipli((200, page_of(someone_else("A-1"), count=10**6)))
    with pytest.raises(ProviderUnavailable, match="too many orders since 2026-03-01"):
        await find(dipli.client(), sought())
    assert len(dipli.requests) == MAX_PAGES
