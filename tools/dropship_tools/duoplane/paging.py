"""Pages of Duoplane's lists: which are asked for, and what one brought (sheet sections 4 and 6)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import Field, WithJsonSchema

from dropship_tools.answers import parse
from dropship_tools.arguments import PositiveInt
from dropship_tools.duoplane.budget import metadata
from dropship_tools.duoplane.envelope import complaints
from dropship_tools.duoplane.wire_shapes import WireRow
from dropship_tools.wire import Answer, Unreadable

Row = TypeVar("Row", bound=WireRow)

FULL_PAGE = 250
"""The documented default and maximum of `per_page`."""

MOST_SHOWN = 50
"""Rows a tool shows at most."""

PageSize = Annotated[
    PositiveInt, Field(le=MOST_SHOWN), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_SHOWN})
]
"""`per_page`, below the documented maximum: a model reads every row."""

PAGING_NAMES = {"limit": "per_page", "page_size": "per_page", "offset": "page", "cursor": "page"}
"""What agents call the two arguments."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list.

    Attributes:
        size: the `per_page` that was asked for.
        total: rows of the whole list; None where it is not told.
        more: whether another page follows.
        complaints: `errors` of the answer, which may be filled on success too.
    """

    rows: list[Row]
    size: int
    total: int | None
    more: bool
    complaints: tuple[str, ...] = ()

    @property
    def last(self) -> int | None:
        """The number of the last page, where the total is told."""
        return math.ceil(self.total / self.size) if self.total else None

    @property
    def oldest_first(self) -> bool:
        """The order of the lists is not documented; ids grow, so they show it."""
        ids = [int(row.id) for row in self.rows if row.id and row.id.isdecimal()]
        return bool(ids) and ids[0] < ids[-1]

    def others(self, pages: int) -> list[int]:
        """The pages to read after this first one to have read so many: the newest, on whichever end they are."""
        if not self.more:
            return []
        last = self.last or pages
        if last > pages and self.oldest_first:
            return list(range(last, last - pages + 1, -1))
        return list(range(2, min(last, pages) + 1))


def read_page(answer: Answer, body: Any, model: type[Row], number: int, size: int) -> Page[Row]:
    """A page of the new API (`data` and `metadata`) or of the old one (a bare array and headers).

    Raises:
        Unreadable: it is no list of such rows.
    """
    raw = cast("Mapping[str, Any]", body).get("data") if isinstance(body, Mapping) else body
    if not isinstance(raw, list):
        raise Unreadable("the answer holds no list")
    rows = [parse(model, row) for row in cast("list[Any]", raw)]
    facts = metadata(body)
    total_text = str(facts.get("total_count", answer.headers.get("duoplane-total-count")))
    total = int(total_text) if total_text.isdecimal() and len(total_text) < 10 else None
    told = str(facts.get("has_next_page", answer.headers.get("duoplane-has-next-page"))).lower()
    if told in ("true", "1", "false", "0"):
        more = told in ("true", "1")
    else:
        more = len(rows) >= size if total is None else number * size < total
    # An empty page is the end whatever is told, or a reader would turn pages for ever.
    return Page(rows, size, total, more and bool(rows), tuple(complaints(body)))
