"""The account of the Duoplane sandbox: its stores, vendors and products (sheet 1, 5.4 to 5.6, 6.6).

Two stores, three vendors, twelve products with one or two vendors each. `HP-TOTE` is the SKU of two products, the
teapot is out of stock and never ships, the kettle's `quantity_available` means nothing because its inventory is not
managed. Quantities are hints of the vendors; orders do not lower them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dropship_tools.sandbox.store import Document
from dropship_tools.sandbox.world import SandboxWorld

PROVIDER = "duoplane"
PRODUCT = "product"
FIRST_OWN_PRODUCT = 2200001
LISTED_AT = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)

RETAILER_ID = 9001
RETAILER = "Harbour & Pine"
STORES: dict[int, str] = {3101: "Harbour & Pine Web Shop", 3102: "Harbour & Pine Wholesale"}
VENDORS: dict[int, str] = {501: "Elm Street Mills", 502: "Bluewater Ceramics", 503: "Kestrel Outdoor"}


@dataclass(frozen=True)
class Inventory:
    """What one vendor has of a product. `managed` False: always considered in stock, `quantity` is to be ignored."""

    id: int
    vendor_id: int
    vendor_sku: str | None
    purchase_name: str | None
    cost: float
    managed: bool = True
    quantity: int = 0
    backordered_until: str | None = None

    def covers(self, quantity: int) -> bool:
        """Whether the vendor can send so many."""
        return not self.managed or self.quantity >= quantity


@dataclass(frozen=True)
class Product:
    """A product of the retailer's."""

    id: int
    name: str
    retailer_sku: str | None
    upc: str | None
    mpn: str | None
    other_barcode: str | None
    inventories: tuple[Inventory, ...]
    stores: tuple[int, ...] = ()
    type: str = "simple"
    created_at: datetime = LISTED_AT

    def source(self, quantity: int) -> Inventory | None:
        """Who gets the purchase order: the cheapest vendor that has enough, otherwise the cheapest."""
        able = [inventory for inventory in self.inventories if inventory.covers(quantity)]
        return min(able or self.inventories, key=lambda inventory: inventory.cost, default=None)


def _product(
    number: int,
    name: str,
    sku: str,
    *offers: dict[str, Any],
    stores: tuple[int, ...] = (3101, 3102),
    kind: str = "simple",
) -> Product:
    product_id = 2100000 + number
    inventories = tuple(
        Inventory(id=product_id * 10 + position, purchase_name=f"{name} (bulk)", **offer)
        for position, offer in enumerate(offers, 1)
    )
    return Product(
        id=product_id,
        name=name,
        retailer_sku=sku,
        upc=f"0{84012300000 + number}",
        mpn=f"MPN-{number:03d}",
        other_barcode=f"40123450{number:05d}",
        inventories=inventories,
        stores=stores,
        type=kind,
    )


def _offer(vendor_id: int, vendor_sku: str, cost: float, quantity: int, **more: Any) -> dict[str, Any]:
    return {"vendor_id": vendor_id, "vendor_sku": vendor_sku, "cost": cost, "quantity": quantity, **more}


BUILT_IN: tuple[Product, ...] = (
    _product(1, "Linen Throw, Sand", "HP-THROW-SAND", _offer(501, "ESM-1001", 18.5, 240)),
    _product(2, "Linen Throw, Slate", "HP-THROW-SLATE", _offer(501, "ESM-1002", 18.5, 180)),
    _product(3, "Stoneware Mug 350 ml", "HP-MUG-350", _offer(502, "BW-M35", 4.2, 6), _offer(503, "KO-7710", 4.9, 900)),
    _product(4, "Stoneware Bowl 20 cm", "HP-BOWL-20", _offer(502, "BW-B20", 6.75, 320), stores=(3101,)),
    _product(5, "Camping Lantern", "HP-LANTERN", _offer(503, "KO-2204", 11.0, 75)),
    _product(6, "Wool Blanket", "HP-BLANKET", _offer(501, "ESM-3001", 32.0, 40), _offer(503, "KO-9001", 30.5, 25)),
    _product(7, "Enamel Kettle", "HP-KETTLE", _offer(503, "KO-3107", 9.4, 0, managed=False)),
    _product(8, "Cotton Tote, Natural", "HP-TOTE", _offer(501, "ESM-5001", 2.1, 1500)),
    _product(9, "Cotton Tote, Black", "HP-TOTE", _offer(501, "ESM-5002", 2.3, 1100)),
    _product(10, "Teapot 1 l", "HP-TEAPOT", _offer(502, "BW-T10", 13.8, 0, backordered_until="2031-01-31")),
    _product(11, "Picnic Set", "HP-PICNIC", _offer(503, "KO-SET4", 27.9, 60), kind="bundle"),
    _product(12, "Field Journal", "HP-JOURNAL", _offer(501, "ESM-8001", 3.3, 4), _offer(502, "BW-J01", 3.6, 500)),
)


def all_products(world: SandboxWorld) -> list[Product]:
    """The built-in products and those the API user has added, oldest first."""
    return [*BUILT_IN, *(_stored(document) for document in world.store.all(PROVIDER, PRODUCT))]


def find_product(world: SandboxWorld, product_id: int) -> Product | None:
    """The product with this id, or None."""
    return next((product for product in all_products(world) if product.id == product_id), None)


def with_sku(products: Sequence[Product], sku: str) -> list[Product]:
    """Every product with exactly this retailer SKU: SKUs need not be unique."""
    return [product for product in products if product.retailer_sku == sku]


def add_product(world: SandboxWorld, body: dict[str, Any]) -> Product:
    """Keep a checked product body (`sandbox_orders.check_product`)."""
    kept = {**body, "created_at": world.now().isoformat()}
    sku = body.get("retailer_sku") or ""
    return _stored(world.store.add(PROVIDER, PRODUCT, kept, key=sku, first_id=FIRST_OWN_PRODUCT))


def _stored(document: Document) -> Product:
    body = document.body
    by_name = {name: vendor_id for vendor_id, name in VENDORS.items()}
    inventories = tuple(
        Inventory(
            id=document.id * 10 + position,
            vendor_id=given.get("vendor_id") or by_name[given["vendor_name"]],
            vendor_sku=given.get("vendor_sku"),
            purchase_name=given.get("purchase_name"),
            cost=given.get("cost") or 0.0,
            managed=given.get("manage_inventory") is not False,
            quantity=given.get("quantity_available") or 0,
            backordered_until=given.get("backordered_until"),
        )
        for position, given in enumerate(body.get("product_inventories") or [], 1)
    )
    return Product(
        id=document.id,
        name=body["name"],
        retailer_sku=body.get("retailer_sku"),
        upc=body.get("upc"),
        mpn=body.get("mpn"),
        other_barcode=body.get("other_barcode"),
        inventories=inventories,
        created_at=datetime.fromisoformat(body["created_at"]),
    )
