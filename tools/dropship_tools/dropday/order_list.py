"""The list of orders (sheet section 5): what can be asked, the short rows, and what they do not say."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from dropship_tools.arguments import Amount, Arguments, Line, PositiveInt, WrongTogether
from dropship_tools.dropday.dates import From, Until
from dropship_tools.dropday.models import WireOrder
from dropship_tools.dropday.paging import LARGEST_PAGE, NO_SUCH_PAGE, ListResult, Page
from dropship_tools.dropday.results import CURRENCY, line_words, money
from dropship_tools.dropday.statuses import LineWord, in_words, order_status
from dropship_tools.orders import Result, Status
from dropship_tools.text import Said

STATUS_IS = "computed from the lines, the worst decides; completed means handed to the supplier, not delivered"
NONE_FOUND = "No order matches. For one order use dropday_get_order: it looks for the exact number, test orders too."
TESTS_HIDDEN = "No order matches; test orders are hidden unless include_test is true."

_PAGES = "Dropday pages with page (from 1) and per_page"
_ONE_ORDER = "dropday_get_order shows one order; external_id narrows this list by a part of your number"
_NO_SEARCH = "the list has no search by buyer or product; narrow it by external_id, dates, total and statuses"
_NO_SHOP = "the documentation has no such filter; every row names its source"


def _items(value: Any) -> Any:
    """The documented comma list, and a single value, stand for a list."""
    if isinstance(value, str):
        return [item for item in (part.strip() for part in value.split(",")) if item]
    return [value] if isinstance(value, int) else value


class ListOrders(Arguments):
    """GET /api/v1/orders."""

    also_called: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("since", "from", "after", "created_after", "created_from", "date"), "date_from"),
        **dict.fromkeys(("until", "to", "before", "created_before", "created_to"), "date_to"),
        **dict.fromkeys(("status", "current_status", "order_status", "line_status", "provider_status"), "statuses"),
        **dict.fromkeys(("supplier_id", "supplier_ids[]"), "supplier_ids"),
        **dict.fromkeys(("supplier", "supplier_name"), "supplier_ids takes numbers, which the rows' suppliers show"),
        **dict.fromkeys(("min_total", "total_from"), "total_min"),
        **dict.fromkeys(("max_total", "total_to"), "total_max"),
        **dict.fromkeys(("is_blocked", "on_hold"), "blocked"),
        **dict.fromkeys(("test", "is_test", "with_test"), "include_test"),
        **dict.fromkeys(("limit", "page_size", "pagesize", "size"), "per_page"),
        **dict.fromkeys(("offset", "cursor", "skip"), _PAGES),
        **dict.fromkeys(("reference", "order_id", "id"), _ONE_ORDER),
        **dict.fromkeys(("name", "email", "city", "country", "sku", "q", "query", "search"), _NO_SEARCH),
        **dict.fromkeys(("source", "shop"), _NO_SHOP),
    }

    external_id: Line = Field(default="", description="a part of it is enough")
    date_from: From = Field(default="", description="ISO 8601, UTC")
    date_to: Until = ""
    statuses: Annotated[list[LineWord], BeforeValidator(_items), Field(max_length=7)] = Field(
        default_factory=list[LineWord]
    )
    supplier_ids: Annotated[list[PositiveInt], BeforeValidator(_items), Field(max_length=50)] = Field(
        default_factory=list[PositiveInt]
    )
    total_min: Amount | None = None
    total_max: Amount | None = None
    blocked: bool | None = None
    include_test: bool | None = None
    per_page: Annotated[
        PositiveInt,
        Field(le=LARGEST_PAGE),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    ] = 10
    page: PositiveInt = 1

    @field_validator("date_to")
    @classmethod
    def _days(cls, date_to: str, info: ValidationInfo) -> str:
        """An empty answer to an impossible question would look like a fact."""
        if date_to and info.data.get("date_from", "") > date_to:
            raise WrongTogether("lies before date_from", "date_to")
        return date_to

    @field_validator("total_max")
    @classmethod
    def _totals(cls, total_max: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if total_max is not None and (info.data.get("total_min") or 0) > total_max:
            raise WrongTogether("is less than total_min", "total_max")
        return total_max

    @property
    def shows_tests(self) -> bool:
        """Whether test orders are listed: if asked for, and when looking for a number (sheet section 12, row 5)."""
        return bool(self.external_id) if self.include_test is None else self.include_test

    def query(self) -> dict[str, Any]:
        """The documented query; filters that were not given stay out."""
        return {
            "external_id": self.external_id or None,
            "date_from": self.date_from or None,
            "date_to": self.date_to or None,
            "statuses": ",".join(self.statuses) or None,
            "supplier_ids": ",".join(map(str, self.supplier_ids)) or None,
            "total_min": self.total_min,
            "total_max": self.total_max,
            "blocked": self.blocked,
            "include_test": self.shows_tests or None,  # hidden by default
            "per_page": self.per_page,
            "page": self.page,
        }


class OrderRow(Result):
    """One order in the list: enough to recognise it, nothing about the buyer."""

    blocked: bool = False
    order_id: Said = ""
    external_id: Said = ""
    source: str = ""
    status: Status
    provider_status: Said = ""
    test: bool = False
    total: str = ""
    line_count: int = 0
    created_at: str = ""


class SupplierRow(Result):
    """A supplier that lines were matched to; only orders show the numbers that `supplier_ids` takes."""

    id: str = ""
    name: str = ""


class OrderList(ListResult):
    """One page of orders. `status_is` says where the rows' `status` comes from, since Dropday has none for orders."""

    status_is: str = ""
    orders: list[OrderRow]
    suppliers: list[SupplierRow] = Field(default_factory=list[SupplierRow])


def listed(page: Page[WireOrder], args: ListOrders) -> OrderList:
    """Dropday's page as our answer."""
    orders = page.rows[:LARGEST_PAGE]
    return OrderList(
        orders=[_row(order) for order in orders],
        status_is=STATUS_IS if orders else "",
        suppliers=_suppliers(orders),
        page=args.page if page.number is None else page.number,
        count=page.total,
        has_more=page.more(args.page, args.per_page),
        currency=CURRENCY if any(order.total for order in orders) else "",
        warnings=[*_blocked(orders), *page.doubts(args.page), *_others(orders, args.external_id)],
        next_step="" if orders else _empty(args),
    )


def _empty(args: ListOrders) -> str:
    if args.page > 1:
        return NO_SUCH_PAGE
    return NONE_FOUND if args.shows_tests else TESTS_HIDDEN


def _blocked(orders: list[WireOrder]) -> Iterator[str]:
    if count := sum(bool(order.blocked) for order in orders):
        yield f"Blocked, Dropday gives no reason: {count} of these orders; a person must look in the Dropday dashboard."


def _others(orders: list[WireOrder], external_id: str) -> Iterator[str]:
    others = sum(order.external_id != external_id for order in orders)
    if external_id and others:
        yield f"external_id also finds parts of numbers: {others} of these orders have another one."


_FRACTION = re.compile(r"\.[0-9]+Z$")


def _row(order: WireOrder) -> OrderRow:
    words, blocked = line_words(order), bool(order.blocked)
    return OrderRow(
        blocked=blocked,
        order_id=order.reference,
        external_id=order.external_id or "",
        source=order.source or "",
        status=order_status(words, blocked=blocked),
        provider_status=in_words(words, blocked=blocked),
        test=bool(order.test),
        total=money(order.total),
        line_count=len(words),
        created_at=_FRACTION.sub("Z", order.created_at or ""),
    )


def _suppliers(orders: list[WireOrder]) -> list[SupplierRow]:
    matched = (line.matched_supplier for order in orders for line in order.order_lines or [])
    names = {supplier.id: supplier.name or "" for supplier in matched if supplier and supplier.id}
    return [SupplierRow(id=id, name=name) for id, name in list(names.items())[:LARGEST_PAGE]]
