"""Products of the suppliers' feeds (sheet section 7).

Dropday knows no filter and no page size: a hundred rows come at once. They are shown in pieces, for a model reads every
row, and `page` counts the pieces.
"""

from collections.abc import Mapping
from typing import ClassVar

from dropship_tools.arguments import Arguments, PositiveInt
from dropship_tools.dropday.models import WireProduct
from dropship_tools.dropday.paging import LARGEST_PAGE, NO_SUCH_PAGE, ListResult, Page
from dropship_tools.dropday.results import CURRENCY, money
from dropship_tools.orders import Result
from dropship_tools.text import clean

NAME_LIMIT = 80
"""Characters of a name: enough to recognise a product among many."""

PIECE = 20
"""Products shown at once."""

PIECES = LARGEST_PAGE // PIECE
"""Of one page of Dropday's."""

NO_PRODUCTS = (
    "Dropday lists no products: no supplier feed is imported. Orders need none, their lines are matched by rules."
)

_FIXED = f"a page always holds {PIECE} products"
_NO_FILTER = "Dropday's product list has no search or filter; read it page by page"


class ListProducts(Arguments):
    """GET /api/v1/products."""

    also_called: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("per_page", "limit", "page_size", "pagesize", "size"), _FIXED),
        **dict.fromkeys(("offset", "cursor", "skip"), "page"),
        **dict.fromkeys(("sku", "ean13", "ean", "name", "q", "query", "search", "reference", "active"), _NO_FILTER),
        **dict.fromkeys(("supplier", "supplier_id", "supplier_ids", "product_feed_id", "in_stock"), _NO_FILTER),
    }

    page: PositiveInt = 1

    @property
    def dropdays_page(self) -> int:
        """Dropday's page with the piece."""
        return (self.page - 1) // PIECES + 1

    @property
    def piece(self) -> int:
        """Which piece of Dropday's page, from 0."""
        return (self.page - 1) % PIECES


class ProductRow(Result):
    """One product. `purchase_price` is what the supplier takes, a decimal string in main units."""

    sku: str = ""
    ean13: str = ""
    name: str = ""
    purchase_price: str = ""
    stock_quantity: int | None = None
    active: bool | None = None


class ProductList(ListResult):
    """One piece of a page of products. `page` counts pieces."""

    products: list[ProductRow]


def listed(page: Page[WireProduct], args: ListProducts) -> ProductList:
    """A piece of Dropday's page as our answer."""
    asked, came = args.dropdays_page, page.rows[:LARGEST_PAGE]
    products, rest = came[args.piece * PIECE :][:PIECE], came[(args.piece + 1) * PIECE :]
    has_more = page.more(asked, LARGEST_PAGE) or bool(rest and not page.strays_from(asked))
    return ProductList(
        products=[_row(product) for product in products],
        page=args.page if page.number is None else (page.number - 1) * PIECES + args.piece + 1,
        count=page.total,
        has_more=has_more,
        currency=CURRENCY if any(product.purchase_price for product in products) else "",
        warnings=list(page.doubts(asked)),
        next_step="" if products or has_more else NO_SUCH_PAGE if args.page > 1 else NO_PRODUCTS,
    )


def _row(product: WireProduct) -> ProductRow:
    return ProductRow(
        sku=product.sku or "",
        ean13=product.ean13 or "",
        name=clean(product.name or "", NAME_LIMIT),
        purchase_price=money(product.purchase_price),
        stock_quantity=product.stock_quantity,
        active=product.active,
    )
