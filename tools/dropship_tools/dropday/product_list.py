"""Products of the suppliers' feeds (sheet section 7): a hundred a page, no filter, so the rows are short."""

from collections.abc import Mapping
from typing import ClassVar

from dropship_tools.arguments import Arguments, PositiveInt
from dropship_tools.dropday.models import WireProduct
from dropship_tools.dropday.paging import LARGEST_PAGE, NO_SUCH_PAGE, ListResult, Page
from dropship_tools.dropday.results import CURRENCY, money
from dropship_tools.orders import Result
from dropship_tools.text import clean

NAME_LIMIT = 80
"""Characters of a name: enough to recognise a product among a hundred."""

NO_PRODUCTS = (
    "Dropday lists no products: no supplier feed is imported. Orders need none, their lines are matched by rules."
)

_FIXED = "a page always holds 100 products"
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


class ProductRow(Result):
    """One product. `purchase_price` is what the supplier takes, a decimal string in main units."""

    sku: str = ""
    ean13: str = ""
    name: str = ""
    purchase_price: str = ""
    stock_quantity: int | None = None
    active: bool | None = None


class ProductList(ListResult):
    """One page of products."""

    products: list[ProductRow]


def listed(page: Page[WireProduct], args: ListProducts) -> ProductList:
    """Dropday's page as our answer."""
    products = page.rows[:LARGEST_PAGE]
    return ProductList(
        products=[_row(product) for product in products],
        page=args.page if page.number is None else page.number,
        count=page.total,
        has_more=page.more(args.page, LARGEST_PAGE),
        currency=CURRENCY if any(product.purchase_price for product in products) else "",
        warnings=list(page.doubts(args.page)),
        next_step="" if products else NO_SUCH_PAGE if args.page > 1 else NO_PRODUCTS,
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
