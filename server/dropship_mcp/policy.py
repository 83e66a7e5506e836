"""May this order go out? A pure function of what the operator decided, the order, and what went out before.

Deny beats ask beats allow: no rule can loosen another one. Everything that a rule looks at comes from the order itself
and from the ledger, nothing from an argument that a model could add.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from typing import Literal

Decision = Literal["allow", "ask", "deny"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Limits:
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
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if value is not None and value != frozenset():
                yield f"{name} {_text(value)}"


@dataclass(frozen=True)
class Policy:
    """What the operator decided.

    Attributes:
        orders: the answer where no rule says more.
        deny: limits that forbid.
        ask: limits above which a person is asked.
        same_parcel: an order with the content of one that went out in the last 24 hours under another reference.
        pay_at_once: orders that spend the account's credit when they are placed (Rewix `autoConfirm`).
        real_orders: orders that are no test orders, where the provider knows test orders (Dropday `test`).
        providers, accounts: rules for all orders of one, by name.
        approval: how long a question waits for a person, and how long the person's agreement is good for.
    """

    orders: Decision = "allow"
    deny: Limits = Limits()
    ask: Limits = Limits()
    same_parcel: Decision = "allow"
    pay_at_once: Decision = "allow"
    real_orders: Decision = "allow"
    providers: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    accounts: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    approval: timedelta = timedelta(minutes=30)

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


@dataclass(frozen=True)
class OrderFacts:
    """What the policy looks at.

    `total` is None where the provider sets the price, `test` where the provider knows no test orders.
    """

    provider: str
    account: str
    country: str
    largest_quantity: int
    total: Decimal | None = None
    pays_at_once: bool = False
    test: bool | None = None


@dataclass(frozen=True)
class Before:
    """What went out before, by the ledger: orders of this mode that were not refused.

    `same_parcel` is the reference of an order with the same content in the last 24 hours; empty if there is none.
    """

    orders_last_hour: int = 0
    orders_last_day: int = 0
    total_last_day: Decimal = Decimal(0)
    same_parcel: str = ""


@dataclass(frozen=True)
class Reason:
    """One rule that spoke: its name in the settings, what it allows, and what the order has."""

    rule: str
    decision: Decision
    limit: str
    value: str

    def text(self) -> str:
        """In one line, for people and models."""
        return f"{self.rule} is {self.limit}, this order: {self.value}"


@dataclass(frozen=True)
class Verdict:
    """The decision, and every rule that led to it."""

    decision: Decision
    reasons: tuple[Reason, ...] = ()

    def text(self) -> str:
        """The reasons in one line."""
        return "; ".join(reason.text() for reason in self.reasons)


def judge(policy: Policy, order: OrderFacts, before: Before) -> Verdict:
    """Deny if any rule denies; else ask if any asks; else allow."""
    reasons = (
        *_choices(policy, order, before),
        *_above(policy.deny, "deny", order, before),
        *_above(policy.ask, "ask", order, before),
    )
    for decision in ("deny", "ask"):
        if spoke := tuple(reason for reason in reasons if reason.decision == decision):
            return Verdict(decision, spoke)
    return Verdict("allow")


def _choices(policy: Policy, order: OrderFacts, before: Before) -> Iterator[Reason]:
    """Rules that look at what kind of order it is."""
    provider = policy.providers.get(order.provider, "allow")
    account = policy.accounts.get(order.account, "allow")
    kinds: tuple[tuple[str, Decision, bool, str], ...] = (
        ("orders", policy.orders, True, "any order"),
        (f"providers.{order.provider}", provider, True, f"goes to {order.provider}"),
        (f"accounts.{order.account}", account, True, f"goes through {order.account}"),
        ("pay_at_once", policy.pay_at_once, order.pays_at_once, "is paid from the account's credit at once"),
        ("real_orders", policy.real_orders, order.test is False, "is no test order"),
        (
            "same_parcel",
            policy.same_parcel,
            bool(before.same_parcel),
            f"the same parcel as {before.same_parcel}, ordered or begun within 24 hours",
        ),
    )
    for rule, decision, holds, value in kinds:
        if decision != "allow" and holds:
            yield Reason(rule, decision, decision, value)


def _above(limits: Limits, decision: Decision, order: OrderFacts, before: Before) -> Iterator[Reason]:
    """Rules that look at a number, and the countries."""
    total = order.total
    day_total = None if total is None else before.total_last_day + total
    values: tuple[tuple[str, int | Decimal | None, int | Decimal | None, str], ...] = (
        ("orders_per_hour", limits.orders_per_hour, before.orders_last_hour + 1, "number {} in 60 minutes"),
        ("orders_per_day", limits.orders_per_day, before.orders_last_day + 1, "number {} in 24 hours"),
        ("total_per_order", limits.total_per_order, total, "{}"),
        ("total_per_day", limits.total_per_day, day_total, "makes {} in 24 hours"),
        ("quantity_per_line", limits.quantity_per_line, order.largest_quantity, "{}"),
    )
    for rule, limit, value, words in values:
        if limit is not None and value is not None and value > limit:
            yield Reason(rule, decision, _text(limit), words.format(_text(value)))
    if limits.countries and order.country.upper() not in limits.countries:
        yield Reason("countries", decision, _text(limits.countries), order.country)


def _text(value: int | Decimal | frozenset[str]) -> str:
    return (
        ", ".join(sorted(value))
        if isinstance(value, frozenset)
        else format(value, "f" if isinstance(value, Decimal) else "d")
    )
