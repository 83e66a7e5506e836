"""Looking an order up: what Dipli shows, in our words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dropship_tools.dipli.models import GetOrder
from dropship_tools.dipli.tools import get_order
from dropship_tools.errors import (
    DropshipError,
    NotFound,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from unit.dipli.dipli_fakes import ADDRESS, ORDERS, PRODUCT, FakeDipli, Ledger, listed

pytestmark = pytest.mark.anyio

BY_PUBLIC_ID = GetOrder(public_id="A-111111")
BY_ALTERNATIVE_ID = GetOrder(alternative_id="WEB-10045")

SHOWN: dict[str, Any] = {
    "order_id": "A-111111",
    "status": "received",
    "provider_status": "pending_confirmation",
    "next_step": (
        "Not a confirmed sale yet: Dipli accepts by e-mail after checking its stock. Follow it with dipli_get_order."
    ),
    "payment_status": "payment_received",
    "total_incl_vat": "192.00",
    "total_excl_vat": "160.00",
    "shipping_incl_vat": "12.00",
    "shipping_excl_vat": "10.00",
    "currency": "EUR (assumed, Dipli states none)",
    "ship_to": {
        "name": "Zoé MARTIN",
        "street": "12 RUE DE L EGLISE, Bat B 3e etage",
        "postcode": "01000",
        "city": "Bourg en Bresse",
        "country": "fr",
    },
    "lines": [
        {
            "name": "Apple iPhone 8 64",
            "sku": "APPLE_IPHONE_8_SKU",
            "quantity": 1,
            "grade": "Grade C",
            "unit_price": "150.00",
        }
    ],
    "ordered_at": "2026-03-02T01:30:10+01:00",
    "delivery_slip_token": "762b60bbe9f82bca7b80f5747fe959a4",
}

THE_DOCUMENTED_ANSWER = {
    **listed(),
    "order_at": "2022-09-05T14:34:30+01:00",
    "delivered_at": "2022-09-11T10:30:10+01:00",
    "canceled_at": "2022-09-15T10:30:10+01:00",
    "tracking_courier": "ups",
    "tracking_number": "X12FA123GT",
    "total_ttc": 19900,
    "total_ht": 16583,
    "shipping_address_json": json.dumps(
        {**ADDRESS, "street": "a", "additionnal": "a", "postcode": "75000", "city": "a", "country": "FR"}
        | {"firstname": "a", "lastname": "a", "company": "A"}
    ),
    "cart_items": [
        {
            "tax_class": "TVA Classique",
            "product_sku": "APPLE_IPHONE_8_SKU",
            "product_name": "Apple iPhone 8 64",
            "product_quantity": 10,
            "product_extra_infos": json.dumps({**PRODUCT, "price": 12000, "name": "Apple iPhone 8 32"}),
        }
    ],
}


async def shown(order: Any) -> dict[str, Any]:
    return (await get_order(FakeDipli((200, order)).client(), BY_PUBLIC_ID, Ledger())).facts()


async def failed(status: int, body: Any) -> DropshipError:
    with pytest.raises(DropshipError) as failure:
        await get_order(FakeDipli((status, body)).client(), BY_PUBLIC_ID, Ledger())
    assert failure.value.sent == "no"
    return failure.value


async def test_an_order_is_asked_for_as_documented_and_shown_in_our_words() -> None:
    dipli = FakeDipli((200, listed()))
    order = await get_order(dipli.client(), BY_PUBLIC_ID, Ledger())
    [request] = dipli.requests
    assert (request.method, str(request.url), request.headers["apikey"], request.content) == (
        "GET",
        f"{ORDERS}/A-111111",
        "k-123",
        b"",
    )
    assert order.facts() == SHOWN


async def test_the_documented_answer_is_read_in_spite_of_its_contradictions() -> None:
    """Sheet section 5: the sample breaks every rule one could make of it."""
    assert await shown(THE_DOCUMENTED_ANSWER) == {
        **SHOWN,
        "tracking_courier": "ups",
        "tracking_number": "X12FA123GT",
        "total_incl_vat": "199.00",
        "total_excl_vat": "165.83",
        "ship_to": {
            "name": "a a",
            "company": "A",
            "street": "a, a",
            "postcode": "75000",
            "city": "a",
            "country": "FR",
        },
        "lines": [
            {
                "name": "Apple iPhone 8 64",
                "sku": "APPLE_IPHONE_8_SKU",
                "quantity": 10,
                "grade": "Grade C",
                "unit_price": "120.00",
            }
        ],
        "ordered_at": "2022-09-05T14:34:30+01:00",
        "delivered_at": "2022-09-11T10:30:10+01:00",
        "cancelled_at": "2022-09-15T10:30:10+01:00",
    }


async def test_the_shops_own_number_leads_to_the_order_through_the_ledger() -> None:
    """Sheet section 10, row 2."""
    dipli = FakeDipli((200, listed()))
    order = await get_order(dipli.client(), BY_ALTERNATIVE_ID, Ledger(**{"WEB-10045": "A-111111"}))
    assert str(dipli.requests[0].url) == f"{ORDERS}/A-111111"
    assert order.facts() == {**SHOWN, "reference": "WEB-10045"}


async def test_a_number_of_the_shop_that_the_ledger_does_not_know_is_not_asked_for() -> None:
    """Sheet section 10, row 2."""
    dipli = FakeDipli((200, listed()))
    with pytest.raises(NotFound) as unknown:
        await get_order(dipli.client(), BY_ALTERNATIVE_ID, Ledger())
    assert (unknown.value.what, unknown.value.fix, dipli.requests) == (
        "Dipli cannot look an order up by alternative_id, and this machine's ledger does not know this one",
        "dipli_list_orders shows Dipli's own numbers; pass one as public_id (A- and digits).",
        [],
    )


@pytest.mark.parametrize("kept", ["..", "A-1/../../x", "A 1"])
async def test_a_recorded_number_that_could_change_the_path_is_not_asked_for(kept: str) -> None:
    dipli = FakeDipli((200, listed()))
    with pytest.raises(NotFound):
        await get_order(dipli.client(), BY_ALTERNATIVE_ID, Ledger(**{"WEB-10045": kept}))
    assert dipli.requests == []


@pytest.mark.parametrize(
    ("word", "status", "says"),
    [
        ("pending_confirmation", "received", "Not a confirmed sale yet"),
        ("ongoing_shipping", "shipped", ""),
        ("shipped", "delivered", "says shipped when the parcel has been delivered"),
        ("error_shipping", "problem", "Dipli's support"),
        ("cancelled", "cancelled", "new alternative_id"),
        ("Shipped", "unknown", ""),
        ("awaiting_parts", "unknown", ""),
    ],
)
async def test_diplis_words_get_their_real_meaning(word: str, status: str, says: str) -> None:
    """Sheet section 10, row 7."""
    order = await shown(listed(shipping_status=word))
    assert (order["status"], order["provider_status"]) == (status, word)
    assert says in order.get("next_step", "")
    assert bool(says) == ("next_step" in order)


async def test_nested_objects_are_read_as_well_as_json_in_strings() -> None:
    """Sheet section 10, row 9."""
    plain = listed(shipping_address_json=ADDRESS)
    plain["cart_items"][0]["product_extra_infos"] = PRODUCT
    assert await shown(plain) == SHOWN


async def test_an_address_that_is_no_json_is_shown_as_it_came() -> None:
    """Sheet section 10, row 9."""
    order = await shown(listed(shipping_address_json="Zoé Martin, 12 rue de l'Église"))
    assert order["ship_to"] == {"street": "Zoé Martin, 12 rue de l'Église"}


@pytest.mark.parametrize("infos", ["iPhone, 64 GB", '{"name": "iPh', ["iPhone"], None])
async def test_a_product_that_is_no_json_never_hides_what_the_line_says(infos: Any) -> None:
    """Sheet section 10, row 9."""
    item = {**listed()["cart_items"][0], "product_extra_infos": infos}
    order = await shown(listed(cart_items=[item]))
    assert order["lines"] == [{"name": "Apple iPhone 8 64", "sku": "APPLE_IPHONE_8_SKU", "quantity": 1}]


async def test_a_product_that_is_no_json_is_named_as_it_came_where_the_line_has_no_name() -> None:
    """Sheet section 10, row 9."""
    order = await shown(listed(cart_items=[{"product_extra_infos": "iPhone, 64 GB", "product_quantity": 1}]))
    assert order["lines"] == [{"name": "iPhone, 64 GB", "quantity": 1}]


@pytest.mark.parametrize("address", ["", "null", "[]", "{}", "1", None, [], 3, '{"street": null}', '{"street": [1]}'])
async def test_an_empty_address_is_left_out(address: Any) -> None:
    assert "ship_to" not in await shown(listed(shipping_address_json=address))


async def test_nothing_but_the_number_and_a_status_is_needed() -> None:
    everything_null = dict.fromkeys(listed()) | {"public_id": "A-111111"}
    assert await shown(everything_null) == {"order_id": "A-111111", "status": "unknown"}
    assert await shown({"shipping_status": "ongoing_shipping"}) == {
        "order_id": "A-111111",
        "status": "shipped",
        "provider_status": "ongoing_shipping",
    }


@pytest.mark.parametrize("amount", [None, True, "19900.5", "much", [19900], 10**15, 199.5])
async def test_an_amount_that_is_not_in_whole_cents_is_left_out(amount: Any) -> None:
    assert "total_incl_vat" not in await shown(listed(total_ttc=amount))


async def test_amounts_as_text_are_cents_too() -> None:
    """Sheet section 10, row 8."""
    assert (await shown(listed(total_ttc="5")))["total_incl_vat"] == "0.05"


async def test_no_currency_is_assumed_without_amounts() -> None:
    bare = listed(total_ttc=None, total_ht=None, shipping_h_t=None, shipping_t_t_c=None, cart_items=None)
    assert "currency" not in await shown(bare)


async def test_the_delivery_slip_is_a_link_only_if_it_is_one() -> None:
    """Sheet section 10, row 10."""
    order = await shown(listed(bordereau_url="https://bi.agora.place/slips/1"))
    assert (order.get("delivery_slip_token"), order["delivery_slip_url"]) == (None, "https://bi.agora.place/slips/1")


async def test_a_payment_status_nobody_documented_is_passed_on() -> None:
    assert (await shown(listed(payment_status="sepa_pending")))["payment_status"] == "sepa_pending"


async def test_instructions_in_provider_text_lose_what_hides_them() -> None:
    order = await shown(listed(tracking_number="X1<script>alert(1)</script>\u202e\u200b2\n3"))
    assert order["tracking_number"] == "X1 2 3"


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, {"code": 400, "msg": "Bad Request"}, ProviderRefused, "Bad Request"),
        (404, {"code": 404, "msg": "Not Found"}, NotFound, "Not Found"),
        (500, {"code": 500, "msg": "Internale Server Error"}, ProviderUnavailable, "Internale Server Error"),
        (401, {"message": "Unauthorized"}, ProviderAuth, "Unauthorized"),
        (403, b"<html>no</html>", ProviderAuth, "<html>no</html>"),
        (429, {}, RateLimited, ""),
        (503, b"", ProviderUnavailable, ""),
    ],
)
async def test_errors_are_told_apart(status: int, body: Any, kind: type[DropshipError], said: str) -> None:
    error = await failed(status, body)
    assert (type(error), error.provider_said) == (kind, said)


@pytest.mark.parametrize(
    ("code", "kind"), [(400, ProviderRefused), ("404", NotFound), (500, ProviderUnavailable), (7, UnexpectedAnswer)]
)
async def test_an_error_in_the_body_of_a_success_is_an_error(code: Any, kind: type[DropshipError]) -> None:
    assert type(await failed(200, {"code": code, "msg": "Bad Request"})) is kind


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        [listed()],
        {"msg": "Success"},
        listed("A-2"),
        b"",
        b"<!doctype html>",
        b"\xff\xfe",
        b'{"public_id": "A-111111"',
        b'{"public_id":' * 5000,
        b'{"public_id": "A-111111", "total_ttc": ' + b"9" * 5000 + b"}",
    ],
)
async def test_an_answer_without_the_order_is_unusable(body: Any) -> None:
    error = await failed(200, body)
    assert type(error) is UnexpectedAnswer
