"""The list of orders (sheet section 4): what can be asked, the short rows, and whether there are more."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from dropship_tools.arguments import Arguments, PositiveInt
from dropship_tools.dipli.days import Day, day_before, day_of
from dropship_tools.dipli.models import WireItem, WireOrder, WirePage
from dropship_tools.dipli.results import CURRENCY, money
from dropship_tools.dipli.statuses import ShippingStatus, order_status, shipping_status
from dropship_tools.orders import Result, Status
from dropship_tools.text import CleanAlready, clean

LARGEST_PAGE = 50
"""Rows in one answer, whatever Dipli sends: its own default, and as much as a model should read at once."""

SHOWN_PRODUCTS = 5

LONGEST_TEXT = 80
"""Characters of any of Dipli's texts in a row; the whole text is in dipli_get_order."""

NOTHING_PROVEN = (
    "An empty list does not prove that an order does not exist. For an unknown outcome call dropship_settle_order; "
    "do not order again."
)
NO_SUCH_PAGE = "The list ends before this page."

_PAGES = "Dipli pages with page (from 1) and pageSize"
_OWN_NUMBER = "Dipli never shows your own number; dipli_get_order finds it where it was ordered through this server"
_ONE_ORDER = "dipli_get_order shows one order"
_NO_SEARCH = "Dipli's list has no search; narrow it by day and status, then compare product and destination"
_NO_UPPER_BOUND = "Dipli filters from a day on and knows no last day"


class ListOrders(Arguments):
    """GET /api-drop/v2/orders. Whether the days are lower bounds is our reading of the documentation."""

    also_called: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("created_at", "createdat", "created_after", "since", "from", "date", "date_from"), "createdAt"
        ),
        **dict.fromkeys(("updated_at", "updatedat", "updated_after", "modified_since"), "updatedAt"),
        **dict.fromkeys(("is_new", "only_new"), "new"),
        **dict.fromkeys(("shipping_status", "provider_status", "order_status", "state"), "status"),
        **dict.fromkeys(("limit", "pagesize", "page_size", "per_page", "size"), "pageSize"),
        **dict.fromkeys(("offset", "cursor", "skip", "after"), _PAGES),
        **dict.fromkeys(("alternative_id", "reference", "order_number", "external_id", "key"), _OWN_NUMBER),
        **dict.fromkeys(("public_id", "order_id", "id"), _ONE_ORDER),
        **dict.fromkeys(("buyer", "email", "buyer_email", "name", "country", "product_id", "q", "query"), _NO_SEARCH),
        **dict.fromkeys(("until", "to", "before", "created_before", "date_to"), _NO_UPPER_BOUND),
    }

    new: bool = Field(default=False, description="only new; Dipli does not define it")
    createdAt: Day = Field(default="", description="from this day, yyyy-mm-dd")
    updatedAt: Day = ""
    status: Annotated[ShippingStatus | None, BeforeValidator(shipping_status)] = None
    page: PositiveInt = 1
    pageSize: Annotated[
        PositiveInt,
        Field(le=LARGEST_PAGE),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    ] = 10

    def query(self) -> dict[str, Any]:
        """The documented query; filters that were not given stay out."""
        return {
            "new": self.new or None,
            "createdAt": self.createdAt or None,
            "updatedAt": self.updatedAt or None,
            "status": self.status,
            "page": self.page,
            "pageSize": self.pageSize,
        }


def _short(text: str) -> str:
    return clean(text, LONGEST_TEXT)


Short = Annotated[str, BeforeValidator(_short), CleanAlready(LONGEST_TEXT, numbers=False)]


class OrderRow(Result):
    """One order in the list: enough to recognise it, no name, street, phone or e-mail."""

    order_id: Short = ""
    date: Short = ""
    status: Status
    provider_status: Short = ""
    payment_status: Short = ""
    total_incl_vat: str = ""
    tracking: Short = ""
    products: list[Short] = Field(default_factory=list)
    destination: Short = ""


class OrderList(Result):
    """One page of orders. `count` is the number of all that match; amounts are in `currency`."""

    orders: list[OrderRow]
    page: int
    count: int | None = None
    has_more: bool = False
    currency: str = ""
    warnings: list[str] = Field(default_factory=list)
    next_step: str = ""


def listed(page: WirePage, args: ListOrders) -> OrderList:
    """Dipli's page as our answer."""
    number = args.page if page.page is None else page.page
    total, has_more = _extent(page, args, number)
    rows = [_row(order) for order in page.result[:LARGEST_PAGE]]
    return OrderList(
        orders=rows,
        page=number,
        count=total,
        has_more=has_more,
        currency=CURRENCY if any(row.total_incl_vat for row in rows) else "",
        warnings=[*_doubts(page, args, number), *_strays(page.result, args)],
        next_step="" if rows else NO_SUCH_PAGE if number > 1 else NOTHING_PROVEN,
    )


def _extent(page: WirePage, args: ListOrders, number: int) -> tuple[int | None, bool]:
    """How many orders there are, if Dipli says something possible, and whether there are more after this page."""
    shown = len(page.result)
    size = max(page.page_size or args.pageSize, shown)  # Dipli may give longer or shorter pages than were asked for
    seen = (number - 1) * size + shown if shown else 0
    total = page.count if page.count is not None and page.count >= seen else None
    if number != args.page or not shown:
        return total, False  # asking for the page after this one would lead nowhere
    return total, seen < total if total is not None else shown == size


def _doubts(page: WirePage, args: ListOrders, number: int) -> Iterator[str]:
    if number != args.page:
        yield f"Dipli answered with page {number} when asked for page {args.page}."
    if len(page.result) > LARGEST_PAGE:
        yield f"Dipli sent {len(page.result)} orders at once; the first {LARGEST_PAGE} are shown. Narrow the list."


def _strays(orders: list[WireOrder], args: ListOrders) -> Iterator[str]:
    """What the filters do is not documented well enough to rely on: orders outside of them are told, not hidden."""
    # A day of margin, because neither the time zone of the filter nor that of the dates is known.
    earliest = day_before(args.createdAt) if args.createdAt else ""
    strays = sum(
        "" < day_of(order.order_at) < earliest
        or (args.status is not None and order.shipping_status not in ("", args.status))
        for order in orders
    )
    if strays:
        yield f"{strays} of the orders on this page do not match the filters: Dipli reads them in another way."


def _row(order: WireOrder) -> OrderRow:
    to = order.shipping_address
    products = [_product(item) for item in order.cart_items[:SHOWN_PRODUCTS]]
    if len(order.cart_items) > SHOWN_PRODUCTS:
        products.append(f"{len(order.cart_items) - SHOWN_PRODUCTS} more")
    return OrderRow(
        order_id=order.public_id,
        date=day_of(order.order_at) or order.order_at,
        status=order_status(order.shipping_status),
        provider_status=order.shipping_status,
        payment_status=order.payment_status,
        total_incl_vat=money(order.total_ttc),
        tracking=" ".join(filter(None, (order.tracking_courier, order.tracking_number))),
        products=products,
        destination=", ".join(filter(None, (to.city, to.country))),
    )


def _product(item: WireItem) -> str:
    name = item.product_name or item.product.name or item.product_sku or "not named"
    quantity = item.product_quantity
    return name if quantity in (None, 1) else f"{quantity} x {name}"
