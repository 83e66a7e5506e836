"""Adding a product: looked for, sent once, and what every answer means."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx2
import pytest
from pydantic import ValidationError

from dropship_tools.duoplane.client import LOOK_FIRST
from dropship_tools.duoplane.failures import VENDOR_KEY
from dropship_tools.duoplane.product_models import (
    AddProduct,
    DuoplaneProduct,
)
from dropship_tools.duoplane.product_results import (
    ADDED,
)
from dropship_tools.duoplane.products import add_product
from dropship_tools.errors import (
    DropshipError,
    InvalidArguments,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from unit.duoplane.duoplane_fakes import FakeDuoplane, NoLedger, Reply, Script, envelope
from unit.duoplane.duoplane_products import STOCK, row, shown

pytestmark = pytest.mark.anyio

PRODUCT = "GET /api/products/7001"
PRODUCTS = "GET /products.json"
POST = "POST /api/products"

ARGUMENTS: dict[str, Any] = {
    "name": "Walnut tray",
    "retailer_sku": "TRAY-W",
    "upc": "012345678905",
    "product_inventories": [
        {"vendor_id": 12, "vendor_sku": "V-88", "cost": 17.25, "manage_inventory": True, "quantity_available": 0}
    ],
}


async def added(fake: FakeDuoplane, **changes: Any) -> DuoplaneProduct:
    return await add_product(fake.client, AddProduct.model_validate({**ARGUMENTS, **changes}), NoLedger())


def free(post: Script) -> FakeDuoplane:
    """A Duoplane where the SKU is not taken."""
    return FakeDuoplane({PRODUCTS: Reply(200, []), POST: post})


async def test_a_product_is_looked_for_and_then_added_once_as_documented() -> None:
    fake = free(Reply(201, envelope(shown(STOCK))))
    result = await added(fake)
    assert fake.asked() == [f"{PRODUCTS} search[retailer_sku]=TRAY-W page=1 per_page=50", POST]
    [request] = fake.sent()
    assert json.loads(request.content) == ARGUMENTS, "row 1: flat, and nothing but what was given"
    assert request.headers["content-type"] == "application/json"
    assert (result.product.product_id, result.next_step) == ("7001", ADDED)


async def test_every_documented_field_goes_out_and_false_is_a_value() -> None:
    stock = {
        "vendor_name": "Oak & Sons",
        "vendor_sku": "V-88",
        "purchase_name": "Tray",
        "cost": "17.25",
        "manage_inventory": False,
        "backordered_until": "2019-08-24",
    }
    fake = free(Reply(201, envelope(shown())))
    await added(fake, mpn="M-1", other_barcode="401", upc="", product_inventories=[stock])
    assert json.loads(fake.sent()[0].content) == {
        "name": "Walnut tray",
        "retailer_sku": "TRAY-W",
        "mpn": "M-1",
        "other_barcode": "401",
        "product_inventories": [{**stock, "cost": 17.25}],
    }


async def test_a_sku_that_is_taken_is_refused_before_anything_is_sent() -> None:
    """Two products with one SKU make every later order doubtful (sheet section 11, question 6)."""
    fake = FakeDuoplane({PRODUCTS: Reply(200, [row()]), POST: Reply(201, envelope(shown()))})
    with pytest.raises(InvalidArguments) as failure:
        await added(fake)
    assert ([(f.field, f.problem) for f in failure.value.fields], fake.sent()) == (
        [("retailer_sku", "belongs to product 7001")],
        [],
    )


async def test_a_sku_of_which_it_cannot_be_told_is_refused_too() -> None:
    full = Reply(200, [row(retailer_sku="X")] * 50)
    with pytest.raises(InvalidArguments, match="nothing was added"):
        await added(FakeDuoplane({PRODUCTS: full, POST: Reply(201, envelope(shown()))}))


async def test_two_calls_at_once_add_one_product() -> None:
    rows: list[dict[str, Any]] = []

    def post(_: httpx2.Request) -> Reply:
        rows.append(row())
        return Reply(201, envelope(shown()))

    fake = FakeDuoplane({PRODUCTS: lambda _: Reply(200, rows), POST: post})
    outcomes: list[str] = []

    async def call() -> None:
        try:
            await added(fake)
            outcomes.append("added")
        except InvalidArguments:
            outcomes.append("taken")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        tasks.start_soon(call)
    assert (outcomes, len(fake.sent())) == (["added", "taken"], 1)


@pytest.mark.parametrize(
    ("reply", "kind", "fix"),
    [
        (Reply(400, envelope(None, ["no"])), ProviderRefused, "Correct what Duoplane names and call again."),
        (Reply(422, envelope(None, ["no"])), ProviderRefused, "Correct what Duoplane names and call again."),
        (Reply(403, envelope(None, ["no"])), ProviderAuth, VENDOR_KEY),
        (Reply(404, envelope(None, ["no"])), ProviderRefused, VENDOR_KEY),
        (Reply(500, envelope(None, ["no"])), ProviderUnavailable, LOOK_FIRST),
        (Reply(408, envelope(None, ["no"])), ProviderUnavailable, LOOK_FIRST),
        (Reply(201, envelope(None, ["no"])), ProviderUnavailable, LOOK_FIRST),
        (Reply(201, envelope({"id": ""}, ["no"])), ProviderUnavailable, LOOK_FIRST),
    ],
)
async def test_a_product_that_was_not_clearly_added_is_the_right_error(
    reply: Reply, kind: type[DropshipError], fix: str
) -> None:
    fake = free(reply)
    with pytest.raises(DropshipError) as failure:
        await added(fake)
    assert (type(failure.value), failure.value.fix, failure.value.provider_said) == (kind, fix, "no")
    assert len(fake.sent()) == 1, "it is never sent again"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(httpx2.ReadError("reset"), "may or may not have happened"), (httpx2.ConnectError("no"), "did not happen")],
)
async def test_a_connection_that_breaks_says_what_may_have_happened(trouble: Exception, words: str) -> None:
    with pytest.raises(ProviderUnavailable, match=words) as failure:
        await added(free(trouble))
    assert failure.value.fix == LOOK_FIRST


async def test_bad_credentials_and_a_limit_stop_the_adding() -> None:
    with pytest.raises(ProviderAuth, match="does not accept the credentials"):
        await added(free(Reply(401, "")))
    with pytest.raises(RateLimited) as limited:
        await added(free(Reply(429, envelope(None, retry_after_seconds=30))))
    assert limited.value.retry_after == 30.5


async def test_errors_beside_an_added_product_are_shown() -> None:
    """Row 8."""
    result = await added(free(Reply(201, envelope(shown(STOCK), ["Vendor 12 is paused"]))))
    assert result.warnings == ["Vendor 12 is paused"]


@pytest.mark.parametrize(
    ("stock", "problem"),
    [
        ({"vendor_sku": "V-88"}, "needs vendor_id or vendor_name"),
        ({"vendor_id": 12, "quantity_available": 3}, "counts only with manage_inventory true"),
        (
            {"vendor_id": 12, "quantity_available": 3, "manage_inventory": False},
            "counts only with manage_inventory true",
        ),
        ({"vendor_id": 12, "backordered_until": "soon"}, "must be a date such as 2026-11-07"),
        ({"vendor_id": 12, "backordered_until": "20261107"}, "must be a date such as 2026-11-07"),
        ({"vendor_id": 0}, "greater than or equal to 1"),
        ({"vendor_id": 12, "cost": -1}, "greater than or equal to 0"),
    ],
)
def test_an_inventory_that_cannot_be_right_is_refused(stock: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        AddProduct.model_validate({**ARGUMENTS, "product_inventories": [stock]})


@pytest.mark.parametrize("name", ["name", "retailer_sku"])
def test_a_product_needs_a_name_and_a_sku(name: str) -> None:
    with pytest.raises(ValidationError, match="must not be empty"):
        AddProduct.model_validate({**ARGUMENTS, name: " "})
