"""Products: reading one, finding by SKU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from dropship_tools.duoplane.product_models import (
    DuoplaneProduct,
    FindProduct,
    FoundProducts,
    GetProduct,
    ProductResult,
    StoreResult,
)
from dropship_tools.duoplane.product_results import (
    NO_STORE,
    NO_VENDOR,
    NOT_ALL_SEEN,
    NOT_THERE,
    SEVERAL,
    STORES_ELSEWHERE,
    UNMANAGED,
    WHICH_STORE,
)
from dropship_tools.duoplane.products import find_product, get_product
from dropship_tools.duoplane.results import CURRENCY
from dropship_tools.errors import (
    DropshipError,
    NotFound,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from unit.duoplane.duoplane_fakes import FakeDuoplane, NoLedger, Reply, envelope
from unit.duoplane.duoplane_products import OAK, STOCK, row, shown

pytestmark = pytest.mark.anyio

PRODUCT = "GET /api/products/7001"
PRODUCTS = "GET /products.json"
POST = "POST /api/products"


async def read(reply: Reply) -> DuoplaneProduct:
    return await get_product(FakeDuoplane({PRODUCT: reply}).client, GetProduct(product_id="7001"), NoLedger())


async def found(rows: Any, headers: Mapping[str, str] | None = None, store: str = "", **by: str) -> FoundProducts:
    fake = FakeDuoplane({PRODUCTS: Reply(200, rows, headers or {})}, default_store_id=store)
    by = by or {"retailer_sku": "TRAY-W"}
    return await find_product(fake.client, FindProduct.model_validate(by), NoLedger())


# --- reading one ----------------------------------------------------------------------------------------------------


async def test_a_product_is_shown_with_the_vendors_that_carry_it() -> None:
    reply = Reply(200, envelope(shown(STOCK)))
    assert await read(reply) == DuoplaneProduct(
        product=ProductResult(
            product_id="7001",
            name="Walnut tray",
            retailer_sku="TRAY-W",
            upc="012345678905",
            inventories=[OAK],
        ),
        currency=CURRENCY,
        next_step=STORES_ELSEWHERE,
    )


@pytest.mark.parametrize(
    ("stock", "quantity", "words"),
    [
        ({"manage_inventory": True, "quantity_available": 0}, 0, ""),
        ({"manage_inventory": True, "quantity_available": -3}, -3, ""),
        ({"manage_inventory": "true", "quantity_available": "6"}, 6, ""),
        ({"manage_inventory": True, "quantity_available": 6.0}, 6, ""),
        ({"manage_inventory": True, "quantity_available": None}, None, "not told"),
        ({"manage_inventory": False, "quantity_available": 0}, None, UNMANAGED),
        ({"manage_inventory": False, "quantity_available": 9}, None, UNMANAGED),
        ({"manage_inventory": None, "quantity_available": 9}, None, "not told"),
    ],
)
async def test_a_quantity_counts_only_where_the_inventory_is_managed(
    stock: dict[str, Any], quantity: int | None, words: str
) -> None:
    """Sheet section 5.6: an unmanaged inventory is always considered in stock, whatever number stands there."""
    [vendor] = (await read(Reply(200, envelope(shown({**STOCK, **stock}))))).product.inventories
    assert (vendor.quantity_available, vendor.stock) == (quantity, words)


@pytest.mark.parametrize(
    ("cost", "text"),
    [(17.25, "17.25"), ("17.25", "17.25"), (18, "18"), (0, "0"), (1e2, "100.0"), ("free", ""), (True, ""), (None, "")],
    ids=repr,
)
async def test_a_cost_is_plain_digits_whether_it_came_as_number_or_text(cost: Any, text: str) -> None:
    """Sheet section 5.7: cost is a number here and a text there. Row 16: the currency is not stated."""
    result = await read(Reply(200, envelope(shown({**STOCK, "cost": cost}))))
    assert result.product.inventories[0].cost == text
    assert result.currency == (CURRENCY if text else "")


async def test_a_product_nobody_carries_is_warned_of_and_vendors_without_end_are_counted() -> None:
    assert (await read(Reply(200, envelope(shown())))).warnings == [NO_VENDOR]
    crowded = await read(Reply(200, envelope(shown(*[STOCK] * 12), ["Mind the tray"])))
    assert (len(crowded.product.inventories), crowded.warnings) == (
        10,
        ["Mind the tray", "2 more vendors are not shown."],
    )


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(401, ""), ProviderAuth),
        (Reply(403, ""), ProviderAuth),
        (Reply(404, envelope(None, ["Product not found"])), NotFound),
        (Reply(422, ""), ProviderRefused),
        (Reply(429, ""), RateLimited),
        (Reply(500, ""), ProviderUnavailable),
        (Reply(200, ""), UnexpectedAnswer),
        (Reply(200, envelope(shown(product_id="7002"))), UnexpectedAnswer),
        (Reply(200, envelope([shown()])), UnexpectedAnswer),
    ],
)
async def test_a_product_that_cannot_be_read_is_the_right_error(reply: Reply, kind: type[DropshipError]) -> None:
    with pytest.raises(DropshipError) as failure:
        await read(reply)
    assert type(failure.value) is kind


async def test_an_unknown_number_leads_to_the_search_and_to_a_vendors_key() -> None:
    """Rows 10 and 19: a SKU is no product id, and a vendor's key sees no products."""
    with pytest.raises(NotFound) as failure:
        await read(Reply(404, ""))
    assert "duoplane_find_product finds it by SKU" in failure.value.fix
    assert "may be a vendor's" in failure.value.fix


@pytest.mark.parametrize("given", [7001, "7001", "7001.0", 7001.0, " 7001 "], ids=repr)
def test_a_product_id_is_read_as_digits(given: Any) -> None:
    """Row 13."""
    assert GetProduct.model_validate({"product_id": given}).product_id == "7001"


@pytest.mark.parametrize("given", ["TRAY-W", "", "7001/edit", True, -1, "1" * 19, None], ids=repr)
def test_a_sku_is_no_product_id(given: Any) -> None:
    with pytest.raises(ValidationError, match="Duoplane's number of the product"):
        GetProduct.model_validate({"product_id": given})


# --- finding by SKU -------------------------------------------------------------------------------------------------


async def test_a_sku_is_found_with_vendors_and_stores() -> None:
    """Row 14: where a store_id comes from."""
    assert await found([row()]) == FoundProducts(
        products=[
            ProductResult(
                product_id="7001",
                name="Walnut tray",
                retailer_sku="TRAY-W",
                product_type="simple",
                inventories=[OAK],
                stores=[StoreResult(store_id="4711", store_name="Web shop")],
            )
        ],
        unique=True,
        currency=CURRENCY,
        next_step="store_id is 4711.",
    )


@pytest.mark.parametrize(
    ("by", "query"),
    [
        ({"retailer_sku": "TRAY-W"}, " search[retailer_sku]=TRAY-W"),
        ({"vendor_sku": "V-88"}, " search[vendor_sku]=V-88"),
        ({"retailer_sku": "A&B=C", "vendor_sku": "V 88"}, " search[retailer_sku]=A&B=C search[vendor_sku]=V 88"),
    ],
)
async def test_the_search_stands_inside_the_brackets_and_the_page_outside(by: dict[str, str], query: str) -> None:
    """Row 18: paging inside of `search[]` is silently ignored."""
    fake = FakeDuoplane({PRODUCTS: Reply(200, [])})
    await find_product(fake.client, FindProduct.model_validate(by), NoLedger())
    assert fake.asked() == [f"{PRODUCTS}{query} page=1 per_page=50"]


@pytest.mark.parametrize(
    ("stores", "default", "said"),
    [
        (((1, "A"), (2, "B")), "", WHICH_STORE),
        (((1, "A"), (1, "A")), "", "store_id is 1."),
        (((1, "A"), (2, "B")), "2", "The account's default store sells it, so an order needs no store_id."),
        (((1, "A"),), "2", "The account's default store 2 does not sell it: ask a person for store_id."),
        ((), "", NO_STORE),
        (((None, "A"),), "", NO_STORE),
    ],
)
async def test_the_store_is_named_or_asked_for_but_never_guessed(stores: Any, default: str, said: str) -> None:
    """Row 14."""
    assert (await found([row(stores=stores)], store=default)).next_step == said


async def test_a_sku_of_several_products_is_to_be_ordered_by_number() -> None:
    result = await found([row(), row(id=7002)])
    assert ([one.product_id for one in result.products], result.unique) == (["7001", "7002"], False)
    assert result.next_step == SEVERAL


async def test_a_sku_that_is_not_there_is_said_not_to_be() -> None:
    assert (await found([])).facts() == {"products": [], "unique": False, "next_step": NOT_THERE}


async def test_hits_with_other_skus_are_not_taken_for_the_product() -> None:
    """Whether Duoplane's search is exact is not documented; a filter it ignored would bring everything."""
    result = await found([row(retailer_sku="TRAY-W-XL", id=1), row(retailer_sku="tray-w", id=2)])
    assert (result.products, result.unique) == ([], False)
    assert result.warnings == ["Duoplane's search also gave products with other SKUs: TRAY-W-XL, tray-w."]
    other_vendor = await found([row({**STOCK, "vendor_sku": "V-880"})], vendor_sku="V-88")
    assert other_vendor.products == []


async def test_a_search_that_was_not_read_to_its_end_proves_nothing() -> None:
    result = await found([row()], {"Duoplane-Has-Next-Page": "true"})
    assert (result.unique, result.warnings, result.next_step) == (False, [NOT_ALL_SEEN], SEVERAL)


async def test_ten_products_are_shown_and_the_rest_is_told() -> None:
    result = await found([row(id=number) for number in range(1, 13)])
    assert (len(result.products), result.has_more) == (10, True)


async def test_a_hit_without_vendors_or_stores_is_shown_all_the_same() -> None:
    result = await found([row(product_inventories=None, store_products=None, product_type="bundle")])
    assert (result.unique, result.currency, result.next_step) == (True, "", NO_STORE)
    assert result.warnings == [f"product 7001: {NO_VENDOR}"]
    assert result.products[0].product_type == "bundle"


def test_a_search_needs_a_sku() -> None:
    with pytest.raises(ValidationError, match="give retailer_sku or vendor_sku, or both"):
        FindProduct()
