"""Pages of Dropday's lists, whose two envelopes differ (sheet sections 5 and 7)."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from pydantic import Field

from dropship_tools.answers import WireModel, parse
from dropship_tools.orders import Result
from dropship_tools.wire import Unreadable

Row = TypeVar("Row")
ModelT = TypeVar("ModelT", bound=WireModel)

LARGEST_PAGE = 100
"""Rows read of one answer, whatever Dropday sends: the documented maximum for orders, the fixed size for products."""

NO_SUCH_PAGE = "The list ends before this page."


class ListResult(Result):
    """What both lists say beside their rows. `count` is the number of all rows on all pages."""

    page: int
    has_more: bool = False
    count: int | None = None
    currency: str = ""
    warnings: list[str] = Field(default_factory=list)
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list. What Dropday does not tell is None.

    Attributes:
        number: which page it says it is.
        last: the number of the last page.
        total: rows on all pages.
        unreadable: rows that came and made no sense.
    """

    rows: list[Row]
    number: int | None
    last: int | None
    total: int | None
    unreadable: int = 0

    def strays_from(self, asked: int) -> bool:
        """Whether it says that it is another page.

        `page` is not in the documented table for orders. Where it is ignored, every page is the first one, which must
        neither be read for ever nor be taken for the whole list.
        """
        return self.number not in (None, asked)

    def ends(self, asked: int) -> bool:
        """Whether nothing can follow: the last page was asked for, or, where it is not told, this one is empty."""
        return asked >= self.last if self.last is not None else not self._came

    def more(self, asked: int, size: int) -> bool:
        """Whether asking for the page after `asked` would bring other rows; `size` is that of a full page."""
        if not self._came or self.strays_from(asked):
            return False
        return asked < self.last if self.last is not None else self._came >= size

    def doubts(self, asked: int) -> Iterator[str]:
        """What is odd about it, in our words."""
        if self.strays_from(asked):
            yield "Dropday answered with another page than was asked for."
        if len(self.rows) > LARGEST_PAGE:
            yield f"Dropday sent {len(self.rows)} rows at once; those behind the first {LARGEST_PAGE} are left out."
        if self.unreadable:
            yield f"{self.unreadable} rows of this page could not be read and are not shown."

    @property
    def _came(self) -> int:
        return len(self.rows) + self.unreadable


def page_of(body: Mapping[str, Any]) -> Page[Any]:
    """A page with its rows as they came.

    Raises:
        Unreadable: it holds no list.
    """
    rows = body.get("data")
    if not isinstance(rows, list):
        raise Unreadable("the answer holds no list of rows")
    return Page(cast("list[Any]", rows), _fact(body, "current_page"), _fact(body, "last_page"), _fact(body, "total"))


def typed(page: Page[Any], model: type[ModelT]) -> Page[ModelT]:
    """The page with its rows as `model`. One odd row does not hide the others: it is counted instead.

    Raises:
        Unreadable: not one row could be read.
    """
    rows: list[ModelT] = []
    for row in page.rows:
        with suppress(Unreadable):
            rows.append(parse(model, row))
    if page.rows and not rows:
        parse(model, page.rows[0])  # says what is wrong with them
    return Page(rows, page.number, page.last, page.total, len(page.rows) - len(rows))


def _fact(body: Mapping[str, Any], name: str) -> int | None:
    """Page facts stand in `meta` or at the top level, as whole numbers or as their text."""
    meta = body.get("meta")
    inner = cast("Mapping[str, Any]", meta) if isinstance(meta, Mapping) else body
    for facts in (inner, body):
        text = str(facts.get(name))
        if text.isascii() and text.isdigit() and len(text) < 16:
            return int(text)
    return None
