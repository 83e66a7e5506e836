"""What the operator decided about orders, as settings hold it; `policy` judges by it.

Settings are read before a host has its tools, so neither `decimal` nor `datetime` is imported here until it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import timedelta
    from decimal import Decimal

Decision = Literal["allow", "ask", "deny"]


class Limits(NamedTuple):
    """Above these an order is denied, or a person asked. None and empty mean no limit.

    Attributes:
        orders_per_hour, orders_per_day: orders of the last 60 minutes and 24 hours, all accounts together, this one
            included; refused ones do not count.
        total_per_order, total_per_day: money as the orders state it, where they state prices at all.
        quantity_per_line: pieces on one line.
        countries: the only ones that are delivered to (ISO 3166-1 alpha-2).
    """

    orders_per_hour: int | None = None
    orders_per_day: int | None = None
    total_per_order: Decimal | None = None
    total_per_day: Decimal | None = None
    quantity_per_line: int | None = None
    countries: frozenset[str] = frozenset()

    def counts(self) -> bool:
        """Whether earlier orders matter."""
        return not (self.orders_per_hour is self.orders_per_day is self.total_per_day is None)

    def shown(self) -> Iterator[str]:
        """Each limit as `name value`."""
        for name in self._fields:
            value = getattr(self, name)
            if value is not None and value != frozenset():
                yield f"{name} {limit_text(value)}"


class Policy(NamedTuple):
    """What the operator decided.

    Attributes:
        orders: the answer where no rule says more.
        deny: limits that forbid.
        ask: limits above which a person is asked.
        same_parcel: an order with the content of one that went out in the last 24 hours under another reference.
        pay_at_once: orders that spend the account's credit when they are placed (Rewix `autoConfirm`).
        real_orders: orders that are no test orders, where the provider knows test orders (Dropday `test`).
        providers, accounts: rules for all orders of one, by name.
        approval_minutes: how long a question waits for a person, and how long the person's agreement is good for.
    """

    orders: Decision = "allow"
    deny: Limits = Limits()
    ask: Limits = Limits()
    same_parcel: Decision = "allow"
    pay_at_once: Decision = "allow"
    real_orders: Decision = "allow"
    providers: Mapping[str, Decision] = {}
    accounts: Mapping[str, Decision] = {}
    approval_minutes: float = 30

    @property
    def approval(self) -> timedelta:
        """`approval_minutes`, for adding to times."""
        from datetime import timedelta

        return timedelta(minutes=self.approval_minutes)

    def counts(self) -> bool:
        """Whether earlier orders matter."""
        return self.deny.counts() or self.ask.counts() or self.same_parcel != "allow"

    def shown(self) -> list[str]:
        """Every rule in force, one line each, for people and models."""
        choices = [
            *(("same_parcel", self.same_parcel), ("pay_at_once", self.pay_at_once), ("real_orders", self.real_orders)),
            *((f"provider {name}", decision) for name, decision in self.providers.items()),
            *((f"account {name}", decision) for name, decision in self.accounts.items()),
        ]
        return [
            *(f"deny: {limit}" for limit in self.deny.shown()),
            *(f"ask: {limit}" for limit in self.ask.shown()),
            *(f"{decision}: {name}" for name, decision in choices if decision != "allow"),
        ]


def limit_text(value: int | Decimal | frozenset[str]) -> str:
    """A limit, or a value that is held against one, for people and models."""
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    return format(value, "d" if isinstance(value, int) else "f")
