"""The policy: each rule at its border, and what holds for any rules and any order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropship_mcp.policy import Before, Decision, Limits, OrderFacts, Policy, Verdict, judge

ORDER = OrderFacts("rewix", "griffati", "NL", largest_quantity=3, total=Decimal("120.50"))


def said(verdict: Verdict) -> tuple[str, list[str]]:
    """The decision and its reasons as people read them."""
    return verdict.decision, [reason.text() for reason in verdict.reasons]


BORDERS: list[tuple[str, dict[str, Any], dict[str, Any], Before, str]] = [
    ("orders_per_hour", {"orders_per_hour": 3}, {}, Before(orders_last_hour=2), ""),
    (
        "orders_per_hour",
        {"orders_per_hour": 3},
        {},
        Before(orders_last_hour=3),
        "orders_per_hour is 3, this order: number 4 in 60 minutes",
    ),
    ("orders_per_day", {"orders_per_day": 10}, {}, Before(orders_last_day=9), ""),
    (
        "orders_per_day",
        {"orders_per_day": 10},
        {},
        Before(orders_last_day=10),
        "orders_per_day is 10, this order: number 11 in 24 hours",
    ),
    ("no orders at all", {"orders_per_day": 0}, {}, Before(), "orders_per_day is 0, this order: number 1 in 24 hours"),
    ("total_per_order", {"total_per_order": Decimal("120.50")}, {}, Before(), ""),
    (
        "total_per_order",
        {"total_per_order": Decimal("120.49")},
        {},
        Before(),
        "total_per_order is 120.49, this order: 120.50",
    ),
    ("total_per_order, no price", {"total_per_order": Decimal(1)}, {"total": None}, Before(), ""),
    ("total_per_day", {"total_per_day": Decimal(500)}, {}, Before(total_last_day=Decimal("379.50")), ""),
    (
        "total_per_day",
        {"total_per_day": Decimal(500)},
        {},
        Before(total_last_day=Decimal("379.51")),
        "total_per_day is 500, this order: makes 500.01 in 24 hours",
    ),
    ("quantity_per_line", {"quantity_per_line": 3}, {}, Before(), ""),
    ("quantity_per_line", {"quantity_per_line": 2}, {}, Before(), "quantity_per_line is 2, this order: 3"),
    ("countries", {"countries": frozenset({"BE", "NL"})}, {}, Before(), ""),
    ("countries", {"countries": frozenset({"NL"})}, {"country": "nl"}, Before(), ""),
    ("countries", {"countries": frozenset({"DE", "BE"})}, {}, Before(), "countries is BE, DE, this order: NL"),
]


@pytest.mark.parametrize("decision", ["deny", "ask"])
@pytest.mark.parametrize(("name", "limit", "order", "before", "reason"), BORDERS)
def test_a_limit_speaks_above_its_value_and_not_at_it(
    name: str, limit: dict[str, Any], order: dict[str, Any], before: Before, reason: str, decision: Decision
) -> None:
    policy = Policy()._replace(**{decision: Limits(**limit)})
    verdict = judge(policy, ORDER._replace(**order), before)
    assert said(verdict) == ((decision, [reason]) if reason else ("allow", []))


KINDS: list[tuple[dict[str, Any], dict[str, Any], Before, str]] = [
    ({"orders": "ask"}, {}, Before(), "orders is ask, this order: any order"),
    ({"providers": {"rewix": "ask"}}, {}, Before(), "providers.rewix is ask, this order: goes to rewix"),
    ({"providers": {"dipli": "ask"}}, {}, Before(), ""),
    ({"accounts": {"griffati": "ask"}}, {}, Before(), "accounts.griffati is ask, this order: goes through griffati"),
    ({"accounts": {"other": "ask"}}, {}, Before(), ""),
    ({"pay_at_once": "ask"}, {}, Before(), ""),
    (
        {"pay_at_once": "ask"},
        {"pays_at_once": True},
        Before(),
        "pay_at_once is ask, this order: is paid from the account's credit at once",
    ),
    ({"real_orders": "ask"}, {}, Before(), ""),
    ({"real_orders": "ask"}, {"test": True}, Before(), ""),
    ({"real_orders": "ask"}, {"test": False}, Before(), "real_orders is ask, this order: is no test order"),
    ({"same_parcel": "ask"}, {}, Before(), ""),
    (
        {"same_parcel": "ask"},
        {},
        Before(same_parcel="R-1"),
        "same_parcel is ask, this order: the same parcel as R-1, ordered or begun within 24 hours",
    ),
]


@pytest.mark.parametrize(("rule", "order", "before", "reason"), KINDS)
@pytest.mark.parametrize("decision", ["deny", "ask"])
def test_a_rule_for_a_kind_of_order_speaks_for_that_kind(
    rule: dict[str, Any], order: dict[str, Any], before: Before, reason: str, decision: Decision
) -> None:
    [(name, value)] = rule.items()
    rules = decision if isinstance(value, str) else dict.fromkeys(value, decision)
    verdict = judge(Policy()._replace(**{name: rules}), ORDER._replace(**order), before)
    expected = reason.replace(" is ask,", f" is {decision},")
    assert said(verdict) == ((decision, [expected]) if reason else ("allow", []))


def test_deny_beats_ask_and_only_what_denies_is_named() -> None:
    policy = Policy(orders="ask", deny=Limits(quantity_per_line=1), ask=Limits(total_per_order=Decimal(1)))
    assert said(judge(policy, ORDER, Before())) == ("deny", ["quantity_per_line is 1, this order: 3"])


def test_every_rule_that_asks_is_named() -> None:
    policy = Policy(orders="ask", ask=Limits(total_per_order=Decimal(1), countries=frozenset({"DE"})))
    assert said(judge(policy, ORDER, Before())) == (
        "ask",
        [
            "orders is ask, this order: any order",
            "total_per_order is 1, this order: 120.50",
            "countries is DE, this order: NL",
        ],
    )


def test_the_rules_are_shown_as_they_hold() -> None:
    policy = Policy(
        deny=Limits(orders_per_day=10, countries=frozenset({"NL", "BE"})),
        ask=Limits(total_per_order=Decimal("99.50")),
        same_parcel="ask",
        accounts={"griffati": "deny"},
    )
    assert policy.shown() == [
        "deny: orders_per_day 10",
        "deny: countries BE, NL",
        "ask: total_per_order 99.50",
        "ask: same_parcel",
        "deny: account griffati",
    ]


# --- for any rules and any order ---------------------------------------------------------------------------------

decisions = st.sampled_from(["allow", "ask", "deny"])
amounts = st.decimals(0, 1000, places=2)
counts = st.integers(0, 30)
limits = st.builds(
    Limits,
    orders_per_hour=st.none() | counts,
    orders_per_day=st.none() | counts,
    total_per_order=st.none() | amounts,
    total_per_day=st.none() | amounts,
    quantity_per_line=st.none() | counts,
    countries=st.frozensets(st.sampled_from(["NL", "BE", "DE"])),
)
policies = st.builds(
    Policy,
    orders=decisions,
    deny=limits,
    ask=limits,
    same_parcel=decisions,
    pay_at_once=decisions,
    real_orders=decisions,
    providers=st.dictionaries(st.sampled_from(["rewix", "dipli"]), decisions),
    accounts=st.dictionaries(st.sampled_from(["griffati", "dipli"]), decisions),
)
orders = st.builds(
    OrderFacts,
    provider=st.sampled_from(["rewix", "dipli"]),
    account=st.sampled_from(["griffati", "dipli"]),
    country=st.sampled_from(["NL", "BE", "DE", "FR"]),
    largest_quantity=counts,
    total=st.none() | amounts,
    pays_at_once=st.booleans(),
    test=st.sampled_from([None, True, False]),
)
befores = st.builds(
    Before,
    orders_last_hour=counts,
    orders_last_day=counts,
    total_last_day=amounts,
    same_parcel=st.sampled_from(["", "R-1"]),
)

STRICTNESS = {"allow": 0, "ask": 1, "deny": 2}


@given(policies, orders, befores)
def test_a_decision_has_reasons_of_its_own_kind_and_only_allow_has_none(
    policy: Policy, order: OrderFacts, before: Before
) -> None:
    verdict = judge(policy, order, before)
    assert {reason.decision for reason in verdict.reasons} == (
        set() if verdict.decision == "allow" else {verdict.decision}
    )
    assert judge(policy, order, before) == verdict


@given(policies, orders, befores, st.sampled_from(["orders", "same_parcel", "pay_at_once", "real_orders"]))
def test_a_stricter_rule_never_makes_the_answer_milder(
    policy: Policy, order: OrderFacts, before: Before, rule: str
) -> None:
    answers = [
        STRICTNESS[judge(policy._replace(**{rule: decision}), order, before).decision] for decision in STRICTNESS
    ]
    assert answers == sorted(answers)


@given(policies, orders, befores, st.integers(1, 5), amounts)
def test_a_larger_order_and_a_fuller_day_are_never_judged_milder(
    policy: Policy, order: OrderFacts, before: Before, more: int, money: Decimal
) -> None:
    larger = order._replace(largest_quantity=order.largest_quantity + more, total=(order.total or Decimal(0)) + money)
    fuller = before._replace(
        orders_last_hour=before.orders_last_hour + more,
        orders_last_day=before.orders_last_day + more,
        total_last_day=before.total_last_day + money,
    )
    least = STRICTNESS[judge(policy, order, before).decision]
    assert STRICTNESS[judge(policy, larger, before).decision] >= least
    assert STRICTNESS[judge(policy, order, fuller).decision] >= least


@given(policies, orders, befores)
def test_what_went_out_before_matters_only_where_the_policy_counts(
    policy: Policy, order: OrderFacts, before: Before
) -> None:
    if not policy.counts():
        assert judge(policy, order, before) == judge(policy, order, Before())
