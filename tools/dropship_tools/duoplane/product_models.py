"""Arguments and results of the tools about products (sheet sections 5.4 to 5.6 and 6.6)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from dropship_tools.arguments import Amount, Arguments, Count, Line, Part, PositiveInt, RequiredLine, WrongTogether
from dropship_tools.duoplane.ids import ProductId
from dropship_tools.duoplane.models import FLAT
from dropship_tools.orders import Result


def _day(value: str) -> str:
    if value:
        try:
            if len(value) != 10:
                raise ValueError
            date.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a date such as 2026-11-07") from None
    return value


class GetProduct(Arguments):
    """GET /api/products/{id} (sheet section 5.5)."""

    also_called: ClassVar[Mapping[str, str]] = {
        "id": "product_id",
        "retailer_product_id": "product_id",
        **dict.fromkeys(("sku", "retailer_sku", "vendor_sku", "upc"), "duoplane_find_product looks a SKU up"),
    }

    product_id: ProductId = Field(description="Duoplane's number")


class FindProduct(Arguments):
    """GET /products.json by SKU (sheet section 6.6)."""

    also_called: ClassVar[Mapping[str, str]] = {
        "sku": "retailer_sku",
        "id": "duoplane_get_product takes Duoplane's number",
        "product_id": "duoplane_get_product takes Duoplane's number",
        "name": "Duoplane finds products by SKU only",
    }

    retailer_sku: Line = ""
    vendor_sku: Line = Field(default="", validate_default=True)

    @field_validator("vendor_sku")
    @classmethod
    def _some_sku(cls, vendor_sku: str, info: ValidationInfo) -> str:
        if not vendor_sku and info.data.get("retailer_sku") == "":
            raise WrongTogether("give retailer_sku or vendor_sku, or both")
        return vendor_sku


class ProductInventory(Part):
    """One of `product_inventories`: a vendor that carries the product."""

    also_called: ClassVar[Mapping[str, str]] = {
        "vendor": "vendor_name",
        "supplier": "vendor_name",
        "sku": "vendor_sku",
        "name": "purchase_name",
        "price": "cost",
        "quantity": "quantity_available",
        "stock": "quantity_available",
        "qty": "quantity_available",
    }

    vendor_id: PositiveInt | None = None
    vendor_name: Line = Field(default="", validate_default=True)
    vendor_sku: Line = ""
    purchase_name: Line = ""
    cost: Amount | None = None
    manage_inventory: bool | None = Field(default=None, description="false: always in stock")
    quantity_available: Count | None = None
    backordered_until: Annotated[Line, AfterValidator(_day)] = Field(default="", description="yyyy-mm-dd")

    @field_validator("vendor_name")
    @classmethod
    def _some_vendor(cls, vendor_name: str, info: ValidationInfo) -> str:
        if not vendor_name and info.data.get("vendor_id", ...) is None:
            raise WrongTogether("needs vendor_id or vendor_name")
        return vendor_name

    @field_validator("quantity_available")
    @classmethod
    def _counted(cls, quantity_available: int | None, info: ValidationInfo) -> int | None:
        if quantity_available is not None and not info.data.get("manage_inventory", True):
            raise WrongTogether("counts only with manage_inventory true", "quantity_available")
        return quantity_available


class AddProduct(Arguments):
    """POST /api/products (sheet section 5.4). Which fields are required is not documented; ours are name and SKU."""

    also_called: ClassVar[Mapping[str, str]] = {
        "sku": "retailer_sku",
        "title": "name",
        "barcode": "other_barcode",
        "inventories": "product_inventories",
        "vendors": "product_inventories",
        "price": "a product has no retail price; what a vendor charges is product_inventories.cost",
        **dict.fromkeys(("data", "attributes", "relationships"), FLAT),
        **dict.fromkeys(("vendor_id", "vendor_sku", "cost"), "it belongs into product_inventories"),
    }

    name: RequiredLine
    retailer_sku: RequiredLine
    upc: Line = ""
    mpn: Line = ""
    other_barcode: Line = ""
    product_inventories: Annotated[list[ProductInventory], Field(max_length=20)] = Field(
        default_factory=list[ProductInventory]
    )


class InventoryResult(Result):
    """A vendor that carries a product; `cost` is what it charges per piece.

    `quantity_available` counts only where the inventory is managed; otherwise `stock` says so (sheet section 5.6).
    """

    vendor_id: str = ""
    vendor_name: str = ""
    vendor_sku: str = ""
    cost: str = ""
    quantity_available: int | None = None
    stock: str = ""
    backordered_until: str = ""


class StoreResult(Result):
    """A store that sells a product."""

    store_id: str = ""
    store_name: str = ""


class ProductResult(Result):
    """One product. `product_id` is the retailer_product_id of an order's lines."""

    product_id: str = ""
    name: str = ""
    retailer_sku: str = ""
    product_type: str = ""
    upc: str = ""
    mpn: str = ""
    other_barcode: str = ""
    inventories: list[InventoryResult] = Field(default_factory=list[InventoryResult])
    stores: list[StoreResult] = Field(default_factory=list[StoreResult])


class DuoplaneProduct(Result):
    """One product, as read or as just added. The new API does not tell its stores."""

    product: ProductResult
    currency: str = ""
    warnings: list[str] = Field(default_factory=list)
    next_step: str = ""


class FoundProducts(Result):
    """The products with a SKU. `unique`: there is exactly one, and all were looked through."""

    products: list[ProductResult]
    unique: bool
    has_more: bool = False
    currency: str = ""
    warnings: list[str] = Field(default_factory=list)
    next_step: str = ""
