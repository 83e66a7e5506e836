"""The catalogue's copy: when the shop is asked, what is answered when it must not be, and what processes share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from dropship_tools.errors import ProviderAuth, ProviderUnavailable, RateLimited
from unit.rewix.rewix_catalogue import CHANGES, FULL, answers, find, stock_of
from unit.rewix.rewix_feeds import feed_json, model, product
from unit.rewix.rewix_sandbox import Desk
from unit.rewix.rewix_shop import answer

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("cached", [True, False])
async def test_the_shop_is_asked_once_in_15_minutes_and_then_for_changes_only(cached: bool, tmp_path: Path) -> None:
    """Sheet section 6: trusts `availability`, downloads the whole catalogue."""
    desk = Desk()
    client = desk.client(cache=tmp_path if cached else None)
    assert (stock_of(await find(client)), desk.asked()) == (120, [FULL])
    await client.reserve("lock", {1578: 20})
    desk.requests.clear()
    desk.clock.move(minutes=14, seconds=59)
    found = await find(client)
    assert (stock_of(found), found.catalogue_age_minutes, found.warnings, desk.asked()) == (120, 14, [], [])
    desk.clock.move(seconds=1)
    found = await find(client)
    assert (stock_of(found), found.catalogue_age_minutes, desk.asked()) == (100, 0, [CHANGES])


async def test_a_copy_that_is_too_old_for_changes_is_downloaded_again(tmp_path: Path) -> None:
    """Sheet section 4.8: HTTP 412 for a `since` that is more than some four hours old."""
    desk = Desk()
    client = desk.client(cache=tmp_path)
    await find(client)
    desk.clock.move(hours=5)
    assert (await find(client)).catalogue_age_minutes == 0
    assert desk.asked() == [FULL, CHANGES, FULL]


async def test_the_whole_catalogue_is_downloaded_once_a_day() -> None:
    desk = Desk(instead=answers(200, feed_json(product()).decode()))
    client = desk.client()
    for _ in range(9):
        await find(client)
        desk.clock.move(hours=3)
    assert [path == FULL for path in desk.asked()] == [True, *[False] * 7, True]


async def test_a_shop_that_names_no_last_update_is_asked_for_everything() -> None:
    desk = Desk(instead=answers(200, feed_json(product(), lastUpdate=None).decode()))
    client = desk.client()
    await find(client)
    desk.clock.move(minutes=15)
    await find(client)
    assert desk.asked() == [FULL, FULL]


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_both_formats_find_the_same(form: str) -> None:
    desk = Desk()
    found = await find(desk.client(form), "1578")
    assert found.facts() == {
        "variants": [
            {
                "stock_id": 1578,
                "name": found.variants[0].name,
                "code": found.variants[0].code,
                "options": found.variants[0].options,
                "barcode": found.variants[0].barcode,
                "price": found.variants[0].price,
                "currency": "EUR",
                "indicative_availability": 120,
            }
        ],
        "catalogue_age_minutes": 0,
        "next_step": "Order it by stock_id; the reservation at ordering decides about availability.",
    }
    assert found == await find(Desk().client(), "1578")
    (request,) = desk.requests
    assert (request.url.path, request.headers["accept"]) == (
        f"/restful/export/api/products.{form}",
        f"application/{form}",
    )


# --- what is shown ----------------------------------------------------------------------------------------------------


async def test_at_most_20_rows_come_out_and_sizes_narrow_them() -> None:
    desk = Desk()
    client = desk.client()
    many = await find(client, "shoes")
    assert (len(many.variants), many.has_more) == (20, True)
    assert many.next_step == "More variants match: add words, or size and colour in options."
    some = await find(client, "sneakers", "38")
    assert {variant.options.split(",")[0] for variant in some.variants} == {"38"}
    assert not some.has_more


async def test_a_code_that_all_sizes_share_asks_to_choose() -> None:
    client = Desk().client()
    code = (await find(client)).variants[0].code
    found = await find(client, code)
    assert [variant.stock_id for variant in found.variants] == [1567, 1578, 1589]
    assert {variant.code for variant in found.variants} == {code}
    assert found.next_step == "Sizes may share one code: choose by options, and ask a person if in doubt."


async def test_nothing_found_is_an_answer_and_no_reason_to_guess() -> None:
    assert (await find(Desk().client(), "unicorn")).facts() == {
        "variants": [],
        "catalogue_age_minutes": 0,
        "next_step": "Nothing matches: try fewer words, a code or a barcode. Never guess a stock_id.",
    }


async def test_sold_out_and_unknown_availability_and_currency_are_told_apart() -> None:
    body = feed_json(
        product(
            model(id=1, availability=0, currency=None),
            model(id=2, availability=None, taxable=None),
            currency=None,
            taxable=None,
        )
    )
    found = await find(Desk(instead=answers(200, body.decode())).client(), "monteluce")
    assert [variant.facts() for variant in found.variants] == [
        {**_shown(1), "price": "12.90", "currency": "not stated", "indicative_availability": 0},
        _shown(2),
    ]


def _shown(stock_id: int) -> dict[str, Any]:
    return {
        "stock_id": stock_id,
        "name": "Monteluce T-shirt",
        "code": "MO1000",
        "options": "M, Nero",
        "barcode": "0800000000017",
    }


async def test_the_suppliers_texts_are_cleaned_and_short() -> None:
    """Sheet section 6: follows text of others as instructions."""
    body = feed_json(product(model(option1="\u202eM<b>\u0000"), name="<script>x</script>Shirt " + "long " * 99))
    (variant,) = (await find(Desk(instead=answers(200, body.decode())).client(), "shirt")).variants
    assert (variant.options, len(variant.name)) == ("M , Nero", 80)
    assert variant.name.startswith("Shirt long")


async def test_products_that_did_not_come_are_pointed_out() -> None:
    body = feed_json(product(), {"id": 3}, totalItems=7)
    found = await find(Desk(instead=answers(200, body.decode())).client(), "shirt")
    assert found.warnings == ["The shop's catalogue came without 6 of its products."]


# --- when the shop gives none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure", [answer(429, "slow down"), answer(500), answer(400), answer(200, "<html>"), httpx2.ReadError("reset")]
)
async def test_an_old_copy_serves_with_its_age_when_the_shop_gives_no_new_one(
    failure: httpx2.Response | Exception, tmp_path: Path
) -> None:
    desk = Desk()
    client = desk.client(cache=tmp_path)
    await find(client)
    desk.instead = lambda _: failure
    desk.clock.move(minutes=20)
    found = await find(client)
    assert (stock_of(found), found.catalogue_age_minutes) == (120, 20)
    assert found.warnings == ["The catalogue could not be refreshed; this copy is 20 minutes old."]
    desk.clock.move(minutes=14)
    assert (await find(client)).catalogue_age_minutes == 34
    assert len(desk.requests) == 2
    desk.instead = lambda _: None
    desk.clock.move(minutes=1)
    assert (await find(client)).warnings == []


async def test_a_throttle_without_a_copy_asks_to_wait_15_minutes_and_the_shop_is_left_alone(tmp_path: Path) -> None:
    """Sheet section 3.3: on the catalogue 429 is a real throttle."""
    desk = Desk(instead=answers(429, "slow down"))
    client = desk.client(cache=tmp_path)
    with pytest.raises(RateLimited) as caught:
        await find(client)
    assert (caught.value.retry_after, caught.value.provider_said) == (900.0, "slow down")
    assert caught.value.fix.startswith("Wait 15 minutes")
    desk.clock.move(minutes=5)
    for again in (client, desk.client(cache=tmp_path)):
        with pytest.raises(RateLimited) as caught:
            await find(again)
        assert caught.value.retry_after == 600.0
    assert len(desk.requests) == 1


async def test_a_longer_wait_that_the_shop_names_is_passed_on() -> None:
    def busy(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(429, headers={"retry-after": "3600"}, stream=httpx2.ByteStream(b""))

    with pytest.raises(RateLimited) as caught:
        await find(Desk(instead=busy).client())
    assert caught.value.retry_after == 3600.0


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_said_at_once_and_may_be_mended_at_once(status: int) -> None:
    desk = Desk()
    client = desk.client()
    desk.instead = answers(status)
    with pytest.raises(ProviderAuth):
        await find(client)
    desk.instead = lambda _: None
    assert stock_of(await find(client)) == 120
    desk.instead = answers(status)
    desk.clock.move(hours=1)
    with pytest.raises(ProviderAuth):
        await find(client)


async def test_a_shop_that_was_not_reached_may_be_asked_again_at_once() -> None:
    desk = Desk(instead=lambda _: httpx2.ConnectError("no network"))
    client = desk.client()
    with pytest.raises(ProviderUnavailable):
        await find(client)
    desk.instead = lambda _: None
    assert stock_of(await find(client)) == 120


async def test_a_download_is_never_repeated_by_itself() -> None:
    desk = Desk(instead=answers(503))
    with pytest.raises(ProviderUnavailable):
        await find(desk.client())
    assert len(desk.requests) == 1


async def test_a_catalogue_larger_than_other_answers_is_read() -> None:
    products = [product(model(id=n), id=n, name=f"Shirt {n} " + "x" * 300) for n in range(1, 4000)]
    body = feed_json(*products).decode()
    assert len(body) > 3 * 1024**2
    assert (await find(Desk(instead=answers(200, body)).client(), "shirt 3999")).variants[0].stock_id == 3999


async def test_several_searches_at_once_download_once() -> None:
    desk = Desk()
    client = desk.client()
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(find, client)
    assert desk.asked() == [FULL]


async def test_a_clock_that_was_set_back_does_not_keep_an_old_copy_for_ever() -> None:
    desk = Desk()
    client = desk.client()
    await find(client)
    desk.clock.move(days=-1)
    assert (await find(client)).catalogue_age_minutes == 0
    assert desk.asked() == [FULL, FULL]
