"""From Duoplane's products to our answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dropship_tools.duoplane.paging import Page
from dropship_tools.duoplane.product_models import (
    DuoplaneProduct,
    FoundProducts,
    InventoryResult,
    ProductResult,
    StoreResult,
)
from dropship_tools.duoplane.results import CURRENCY
from dropship_tools.duoplane.wire_shapes import WireInventory, WireListedProduct, WireProduct

MOST_PRODUCTS = 10
MOST_INVENTORIES = 10

UNMANAGED = "not managed: always considered in stock"
UNTOLD = "not told"
NO_VENDOR = "No vendor carries it, so an order of it would reach nobody."
NOT_THERE = (
    "No product has exactly this SKU, and an order of it may reach no vendor. retailer_sku is the retailer's own, "
    "vendor_sku the vendor's: try the other, or ask a person."
)
NOT_ALL_SEEN = "Duoplane has more hits than were looked through, so this is no proof."
SEVERAL = "Not unique: ask a person which one is meant, and order it by retailer_product_id."
STORES_ELSEWHERE = "Its stores (store_id) are shown by duoplane_find_product."
ADDED = "Later orders of this SKU may go to these vendors."
NO_STORE = "No store sells it: ask a person for store_id."
WHICH_STORE = "Ask a person which of the stores the order belongs to, for store_id."


def product(found: WireProduct, complaints: Sequence[str], next_step: str = "") -> DuoplaneProduct:
    """One product with the vendors that carry it."""
    facts, inventories = found.attributes, found.inventories()
    return DuoplaneProduct(
        product=ProductResult(
            product_id=found.id or "",
            name=facts.name or "",
            retailer_sku=facts.retailer_sku or "",
            upc=facts.upc or "",
            mpn=facts.mpn or "",
            other_barcode=facts.other_barcode or "",
            inventories=_inventories(inventories),
        ),
        currency=_currency(inventories),
        warnings=[*complaints, *_doubts(inventories)],
        next_step=next_step,
    )


def found(hits: Sequence[WireListedProduct], page: Page[WireListedProduct], default_store_id: str) -> FoundProducts:
    """The products that have the SKU, among those that Duoplane's search gave."""
    inventories = [row for hit in hits[:MOST_PRODUCTS] for row in hit.product_inventories or []]
    warnings = list(page.complaints)
    if page.more:
        warnings.append(NOT_ALL_SEEN)
    if near := [hit.retailer_sku for hit in page.rows if hit not in hits and hit.retailer_sku]:
        warnings.append(f"Duoplane's search also gave products with other SKUs: {', '.join(near[:5])}.")
    for hit in hits[:MOST_PRODUCTS]:
        warnings += [f"product {hit.id}: {doubt}" for doubt in _doubts(hit.product_inventories or [])]
    unique = len(hits) == 1 and not page.more
    return FoundProducts(
        products=[_found(hit) for hit in hits[:MOST_PRODUCTS]],
        unique=unique,
        has_more=len(hits) > MOST_PRODUCTS,
        currency=_currency(inventories),
        warnings=warnings,
        next_step=_next_step(hits, unique, default_store_id),
    )


def _next_step(hits: Sequence[WireListedProduct], unique: bool, default_store_id: str) -> str:
    if not hits:
        return NOT_THERE
    if not unique:
        return SEVERAL
    stores = [store.store_id for store in hits[0].store_products or [] if store.store_id]
    if default_store_id in stores:
        return "The account's default store sells it, so an order needs no store_id."
    if default_store_id:
        return f"The account's default store {default_store_id} does not sell it: ask a person for store_id."
    if not stores:
        return NO_STORE
    return f"store_id is {stores[0]}." if len(set(stores)) == 1 else WHICH_STORE


def _found(hit: WireListedProduct) -> ProductResult:
    return ProductResult(
        product_id=hit.id or "",
        name=hit.name or "",
        retailer_sku=hit.retailer_sku or "",
        product_type=hit.product_type or "",
        inventories=_inventories(hit.product_inventories or []),
        stores=[
            StoreResult(store_id=store.store_id or "", store_name=store.store_name or "")
            for store in (hit.store_products or [])[:MOST_INVENTORIES]
        ],
    )


def _inventories(rows: Sequence[WireInventory]) -> list[InventoryResult]:
    return [_inventory(row) for row in rows[:MOST_INVENTORIES]]


def _inventory(row: WireInventory) -> InventoryResult:
    counted = row.manage_inventory and row.quantity_available is not None
    return InventoryResult(
        vendor_id=row.vendor_id or "",
        vendor_name=row.vendor_name or "",
        vendor_sku=row.vendor_sku or "",
        cost=row.cost or "",
        quantity_available=row.quantity_available if counted else None,
        stock="" if counted else UNMANAGED if row.manage_inventory is False else UNTOLD,
        backordered_until=row.backordered_until or "",
    )


def _doubts(inventories: Sequence[WireInventory]) -> list[str]:
    if not inventories:
        return [NO_VENDOR]
    hidden = len(inventories) - MOST_INVENTORIES
    return [f"{hidden} more vendors are not shown."] if hidden > 0 else []


def _currency(inventories: Iterable[WireInventory]) -> str:
    return CURRENCY if any(row.cost for row in inventories) else ""
