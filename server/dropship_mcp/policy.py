"""May this order go out? A pure function of what the operator decided, the order, and what went out before.

Deny beats ask beats allow: no rule can loosen another one. Everything that a rule looks at comes from the order itself
and from the ledger, nothing from an argument that a model could add.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from dropship_mcp.policy_rules import Decision, Limits, Policy, limit_text

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class OrderFacts(NamedTuple):
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


class Before(NamedTuple):
    """What went out before, by the ledger: orders of this mode that were not refused.

    `same_parcel` is the reference of an order with the same content in the last 24 hours; empty if there is none.
    """

    orders_last_hour: int = 0
    orders_last_day: int = 0
    total_last_day: Decimal = Decimal(0)
    same_parcel: str = ""


class Reason(NamedTuple):
    """One rule that spoke: its name in the settings, what it allows, and what the order has."""

    rule: str
    decision: Decision
    limit: str
    value: str

    def text(self) -> str:
        """In one line, for people and models."""
        return f"{self.rule} is {self.limit}, this order: {self.value}"


class Verdict(NamedTuple):
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
            yield Reason(rule, decision, limit_text(limit), words.format(limit_text(value)))
    if limits.countries and order.country.upper() not in limits.countries:
        yield Reason("countries", decision, limit_text(limits.countries), order.country)
