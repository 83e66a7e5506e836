"""Products as both APIs of Duoplane show them."""

from __future__ import annotations

from typing import Any

from dropship_tools.duoplane.product_models import InventoryResult

STOCK: dict[str, Any] = {
    "product_id": 7001,
    "vendor_id": 12,
    "vendor_name": "Oak & Sons",
    "vendor_sku": "V-88",
    "purchase_name": "Tray, walnut",
    "cost": 17.25,
    "manage_inventory": True,
    "quantity_available": 4,
    "backordered_until": None,
}
OAK = InventoryResult(vendor_id="12", vendor_name="Oak & Sons", vendor_sku="V-88", cost="17.25", quantity_available=4)
FACTS: dict[str, Any] = {"name": "Walnut tray", "retailer_sku": "TRAY-W", "upc": "012345678905"}


def shown(*stock: dict[str, Any], product_id: Any = "7001") -> dict[str, Any]:
    """A product as the new API shows it: its id a text, the inventory's a number."""
    inventories: list[dict[str, Any]] = [
        {"id": 90 + n, "type": "product_inventory", "attributes": row, "relationships": [{}]}
        for n, row in enumerate(stock)
    ]
    return {
        "id": product_id,
        "type": "product",
        "attributes": FACTS,
        "relationships": [{"product_inventories": inventories}],
    }


def row(*stock: dict[str, Any], stores: Any = ((4711, "Web shop"),), **changes: Any) -> dict[str, Any]:
    """A product as the old API lists it."""
    return {
        "id": 7001,
        **FACTS,
        "product_type": "simple",
        "product_inventories": [{"id": 90 + n, **one} for n, one in enumerate(stock or (STOCK,))],
        "store_products": [{"id": 5, "store_id": number, "store_name": name} for number, name in stores],
        **changes,
    }
