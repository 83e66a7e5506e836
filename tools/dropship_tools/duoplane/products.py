"""What the product tools do: read one, find by SKU, add one that is not there yet."""

from __future__ import annotations

from dropship_tools.duoplane import product_results
from dropship_tools.duoplane.client import DuoplaneClient
from dropship_tools.duoplane.given import given
from dropship_tools.duoplane.paging import Page
from dropship_tools.duoplane.product_models import AddProduct, DuoplaneProduct, FindProduct, FoundProducts, GetProduct
from dropship_tools.duoplane.wire_shapes import WireListedProduct
from dropship_tools.errors import FieldProblem, InvalidArguments
from dropship_tools.text import clean
from dropship_tools.tool import Records


async def get_product(client: DuoplaneClient, args: GetProduct, _: Records) -> DuoplaneProduct:
    """By Duoplane's number."""
    found, complaints = await client.get_product(args.product_id)
    return product_results.product(found, complaints, product_results.STORES_ELSEWHERE)


async def find_product(client: DuoplaneClient, args: FindProduct, _: Records) -> FoundProducts:
    """By exactly these SKUs."""
    hits, page = await _with_sku(client, args.retailer_sku, args.vendor_sku)
    return product_results.found(hits, page, client.default_store_id)


async def add_product(client: DuoplaneClient, args: AddProduct, _: Records) -> DuoplaneProduct:
    """Look, then add once: two products with one SKU make every later order of it doubtful (sheet section 11).

    Raises:
        InvalidArguments: the SKU is taken, or it cannot be told; nothing was sent.
        ProviderRefused, ProviderAuth, RateLimited: nothing was added.
        ProviderUnavailable: the message says whether it may have been.
    """
    async with client.adding:  # two calls at once would both find nothing
        hits, page = await _with_sku(client, args.retailer_sku)
        if hits or page.more:
            raise _taken(hits)
        added, complaints = await client.add_product(given(args.model_dump()))
    return product_results.product(added, complaints, product_results.ADDED)


async def _with_sku(
    client: DuoplaneClient, retailer_sku: str, vendor_sku: str = ""
) -> tuple[list[WireListedProduct], Page[WireListedProduct]]:
    """The products with exactly these SKUs. Whether Duoplane's own search is exact is not documented."""
    page = await client.find_products(retailer_sku=retailer_sku, vendor_sku=vendor_sku)
    ours, theirs = clean(retailer_sku), clean(vendor_sku)
    hits = [
        row
        for row in page.rows
        if ours in ("", row.retailer_sku)
        and (not theirs or any(offer.vendor_sku == theirs for offer in row.product_inventories or []))
    ]
    return hits, page


def _taken(hits: list[WireListedProduct]) -> InvalidArguments:
    ids = ", ".join(row.id or "?" for row in hits[:3])
    problem = f"belongs to product {ids}" if hits else "Duoplane shows too many products to tell whether it is free"
    return InvalidArguments(
        "nothing was added, because a retailer_sku must be unique for orders to reach the right vendor",
        fix="Use the product that is there (duoplane_get_product), or ask a person for another SKU.",
        fields=[FieldProblem("retailer_sku", problem)],
    )
