"""The query of Dropday's order list (sheet section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dropship_tools.dropday.sandbox_orders import is_blocked, lines_of
from dropship_tools.dropday.sandbox_rules import Refused, plain_number
from dropship_tools.sandbox.store import Document

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

STATUSES = frozenset({"completed", "partially_completed", "failed", "pending", "ruled", "declined", "skipped"})
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
PER_PAGE = 50
LARGEST_PAGE = 100


@dataclass(frozen=True)
class Search:
    """The documented filters; None means not asked for. Bounds are inclusive, times without a zone are UTC."""

    external_id: str
    date_from: datetime | None
    date_to: datetime | None
    statuses: frozenset[str]
    supplier_ids: frozenset[int]
    total_min: float | None
    total_max: float | None
    blocked: bool | None
    include_test: bool
    per_page: int

    @classmethod
    def parse(cls, query: QueryParams) -> Search:
        """Raises Refused with every parameter that is wrong. Undocumented parameters are ignored."""
        reader = _Reader(query)
        search = cls(
            external_id=query.get("external_id", ""),
            date_from=reader.moment("date_from"),
            date_to=reader.moment("date_to"),
            statuses=reader.statuses("statuses"),
            supplier_ids=reader.ids("supplier_ids"),
            total_min=reader.number("total_min"),
            total_max=reader.number("total_max"),
            blocked=reader.boolean("blocked"),
            include_test=reader.boolean("include_test") or False,
            per_page=reader.per_page("per_page"),
        )
        if reader.errors:
            raise Refused(reader.errors)
        return search

    def matches(self, order: Document, now: datetime) -> bool:
        """Whether the order belongs to the answer at this moment; one line is enough for the line filters."""
        body = order.body
        if body["test"] and not self.include_test:
            return False
        if self.blocked is not None and is_blocked(order) != self.blocked:
            return False
        if self.external_id not in body["external_id"]:
            return False
        if self.date_from is not None and order.created_at < self.date_from:
            return False
        if self.date_to is not None and order.created_at > self.date_to:
            return False
        if self.total_min is not None and body["total"] < self.total_min:
            return False
        if self.total_max is not None and body["total"] > self.total_max:
            return False
        lines = lines_of(order, now)
        if self.statuses and not any(line.status in self.statuses for line in lines):
            return False
        suppliers = {line.supplier.id for line in lines if line.supplier is not None}
        return not self.supplier_ids or bool(self.supplier_ids & suppliers)


class _Reader:
    def __init__(self, query: QueryParams) -> None:
        self.query = query
        self.errors: dict[str, list[str]] = {}

    def fail(self, name: str, problem: str) -> None:
        self.errors.setdefault(name, []).append(f"The {name.replace('_', ' ')} {problem}.")

    def moment(self, name: str) -> datetime | None:
        text = self.query.get(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(name, "is not a valid date")
            return None
        return moment.replace(tzinfo=moment.tzinfo or UTC)

    def statuses(self, name: str) -> frozenset[str]:
        asked = self._items(name)
        if not asked <= STATUSES:
            self.fail(name, "is invalid")
        return asked

    def ids(self, name: str) -> frozenset[int]:
        asked = self._items(name)
        if not all(item.isascii() and item.isdigit() and len(item) < 16 for item in asked):
            self.fail(name, "must be numbers")
            return frozenset()
        return frozenset(int(item) for item in asked)

    def number(self, name: str) -> float | None:
        text = self.query.get(name)
        number = plain_number(text) if text else None
        if text and number is None:
            self.fail(name, "must be a number")
        return number

    def boolean(self, name: str) -> bool | None:
        text = self.query.get(name)
        if text and text not in BOOLEANS:
            self.fail(name, "field must be true or false")
        return BOOLEANS.get(text) if text else None

    def per_page(self, name: str) -> int:
        number = self.number(name)
        if name in self.errors or number is None:
            return PER_PAGE
        if number != int(number) or not 1 <= number <= LARGEST_PAGE:
            self.fail(name, f"must be between 1 and {LARGEST_PAGE}")
        return int(number)

    def _items(self, name: str) -> frozenset[str]:
        return frozenset(item.strip() for item in self.query.get(name, "").split(",") if item.strip())
