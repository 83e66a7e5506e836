"""Arguments and results of the tools that place no order: carriers, reservation, catalogue."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dropship_tools.arguments import Arguments, Line, Part, PositiveInt, Quantity, RequiredLine
from dropship_tools.orders import Result
from dropship_tools.text import Said


class ListCarriers(Arguments):
    """GET /restful/export/carriers."""


class GetReserved(Arguments):
    """GET /restful/ghost/orders/dropshipping/locked/."""


class Pieces(Part):
    """One of `models`."""

    also_called: ClassVar[Mapping[str, str]] = {
        "model_id": "stock_id",
        "variant_id": "stock_id",
        "id": "stock_id",
        "qty": "quantity",
        **dict.fromkeys(("sku", "product_id", "barcode", "ean", "code"), "rewix_find_stock finds the stock_id"),
    }

    stock_id: PositiveInt
    quantity: Quantity


class ReserveStock(Arguments):
    """POST /restful/ghost/orders/sold/ with one operation; `set` and `ensure` are never sent (sheet section 4.5)."""

    also_called: ClassVar[Mapping[str, str]] = {
        "operation": "type",
        "operations": "type and models; one operation for each call",
        "action": "type",
        "items": "models",
        "item_list": "models",
    }

    type: Literal["lock", "unlock"]
    models: Annotated[list[Pieces], Field(min_length=1, max_length=200)]

    def quantities(self) -> dict[int, int]:
        """Pieces per stock_id; what is named twice is added up."""
        pieces: dict[int, int] = {}
        for model in self.models:
            pieces[model.stock_id] = pieces.get(model.stock_id, 0) + model.quantity
        return pieces


class FindStock(Arguments):
    """A look into the catalogue, which has no search of its own (sheet section 4.8)."""

    also_called: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("query", "q", "name", "product", "code", "sku", "barcode", "ean", "stock_id"), "search"),
        **dict.fromkeys(("size", "color", "colour", "option", "variant"), "options"),
    }

    search: RequiredLine = Field(description="name, code or barcode")
    options: Line = Field(default="", description="size, colour")


# --- results ----------------------------------------------------------------------------------------------------------


class Carrier(Result):
    """A carrier. `listed_cost`: a decimal string without a documented currency or meaning."""

    carrierId: int
    name: Said = ""
    listed_cost: str = ""


class Carriers(Result):
    """The account's carriers, as of now."""

    carriers: list[Carrier]
    has_more: bool = False
    warnings: list[str] = Field(default_factory=list)
    next_step: str = ""


class ReservedPieces(Result):
    """What the whole account holds of a variant, and what anybody could still take."""

    stock_id: int
    locked: int
    available: int | None = None


class Reserved(Result):
    """The account's reservation."""

    reserved: list[ReservedPieces]
    has_more: bool = False
    next_step: str = ""


class MovedPieces(Result):
    """What became of one of `models`. `locked`: what the whole account holds of it now."""

    stock_id: int
    asked: int
    granted: int
    locked: int


class Moved(Result):
    """What a change of the reservation did."""

    models: list[MovedPieces]
    warnings: list[str] = Field(default_factory=list)
    next_step: str = ""


class FoundVariant(Result):
    """A variant of the catalogue. `price`: what the account pays for a piece, without VAT, a decimal string."""

    stock_id: int
    name: Said
    code: Said = ""
    options: Said = ""
    barcode: Said = ""
    price: str = ""
    currency: Said = ""
    indicative_availability: int | None = None


class FoundStock(Result):
    """Variants that match. `catalogue_age_minutes`: since the shop was asked, which makes it new every 15 minutes."""

    variants: list[FoundVariant]
    has_more: bool = False
    catalogue_age_minutes: int
    warnings: list[str] = Field(default_factory=list)
    next_step: str = ""
