"""The operator's policy from the environment (the usual caps) and from the configuration file (all of it).

    [policy]
    same_parcel = "ask"          # allow, ask or deny: the content of an earlier order under another reference
    pay_at_once = "ask"          # Rewix autoConfirm
    real_orders = "allow"        # Dropday orders that are no test orders
    approval_minutes = 30        # how long a question waits, and an agreement is good for

    [policy.deny]                # above these an order is refused
    orders_per_hour = 10
    orders_per_day = 50
    total_per_order = 500
    total_per_day = 2000
    quantity_per_line = 20
    countries = ["NL", "BE"]

    [policy.ask]                 # above these a person is asked; the same names
    total_per_order = 100

    [policy.providers]
    rewix = "ask"
    [policy.accounts]
    griffati = "deny"

Standard library only, like all settings. A rule that cannot be understood is an error, never a missing rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast, get_args

from dropship_mcp.near_names import did_you_mean
from dropship_mcp.policy_rules import Decision, Limits, Policy

if TYPE_CHECKING:
    from decimal import Decimal

CAPS: dict[str, str] = {
    "DROPSHIP_MAX_ORDERS_PER_DAY": "orders_per_day",
    "DROPSHIP_MAX_ORDER_TOTAL": "total_per_order",
    "DROPSHIP_MAX_QUANTITY": "quantity_per_line",
    "DROPSHIP_COUNTRIES": "countries",
}
"""Limits that deny, by their variable."""

_DECISIONS: tuple[Decision, ...] = get_args(Decision)
_RULES = tuple(name for name in Policy._fields if name != "orders")
_LONGEST_APPROVAL = 24 * 60
LARGEST = 10**12
"""Of any limit."""
_COUNTRY = r"[A-Z]{2}"


def read_policy(
    env: Mapping[str, str], table: Any, *, orders: Decision, live: bool, names: Mapping[str, tuple[str, ...]]
) -> tuple[Policy, list[str]]:
    """The policy, and the problems found.

    Args:
        env: the environment.
        table: `[policy]` of the configuration file.
        orders: the answer where no rule says more.
        live: real orders, where the same parcel twice needs a person unless the operator says otherwise.
        names: the providers and accounts that rules may name.
    """
    problems: list[str] = []
    values = _table(table, "policy", problems)
    _check_names(values, "policy", _RULES, problems)
    deny = _limits(values.get("deny", {}), "policy.deny", problems)

    def choice(name: str, default: Decision = "allow") -> Decision:
        return _decision(values.get(name, default), f"policy.{name}", problems)

    def choices(kind: str) -> dict[str, Decision]:
        return _decisions(values.get(kind, {}), f"policy.{kind}", names[kind], problems)

    policy = Policy(
        orders=orders,
        deny=_with_caps(deny, env, problems),
        ask=_limits(values.get("ask", {}), "policy.ask", problems),
        same_parcel=choice("same_parcel", "ask" if live else "allow"),
        pay_at_once=choice("pay_at_once"),
        real_orders=choice("real_orders"),
        providers=choices("providers"),
        accounts=choices("accounts"),
        approval_minutes=_minutes(values, problems),
    )
    return policy, problems


def _with_caps(deny: Limits, env: Mapping[str, str], problems: list[str]) -> Limits:
    for variable, name in CAPS.items():
        text = env.get(variable, "").strip()
        if not text:
            continue
        if getattr(deny, name) not in (None, frozenset()):
            problems.append(f"{variable} and policy.deny.{name} are both set; keep one")
        value: object = [c.strip() for c in text.split(",") if c.strip()] if name == "countries" else text
        if (limit := _LIMITS[name](value, variable, problems)) is not None:
            deny = deny._replace(**{name: limit})
    return deny


def _limits(table: Any, where: str, problems: list[str]) -> Limits:
    values = _table(table, where, problems)
    _check_names(values, where, tuple(_LIMITS), problems)
    found = {n: read(values[n], f"{where}.{n}", problems) for n, read in _LIMITS.items() if n in values}
    return Limits(**{name: limit for name, limit in found.items() if limit is not None})


def _count(value: object, where: str, problems: list[str]) -> int | None:
    number = _number(value)
    if number is None or number != number.to_integral_value():
        problems.append(f"{where} must be a whole number, 0 or more")
        return None
    return int(number)


def _money(value: object, where: str, problems: list[str]) -> Decimal | None:
    number = _number(value)
    if number is None:
        problems.append(f"{where} must be an amount like 100 or 99.50")
    return number


def _countries(value: object, where: str, problems: list[str]) -> frozenset[str] | None:
    """An empty list would read as "nowhere" and work as "everywhere"."""
    names = [str(name).upper() for name in cast("list[object]", value)] if isinstance(value, list) else []
    if not names or not all(re.fullmatch(_COUNTRY, name) for name in names):
        problems.append(f"{where} must be country codes of two letters, like NL")
        return None
    from iso3166 import countries_by_alpha2

    if strange := sorted(name for name in names if name not in countries_by_alpha2):
        hint = "; the United Kingdom is GB" if "UK" in strange else ""
        problems.append(f"{where}: there is no country {', '.join(strange)} in ISO 3166-1{hint}")
        return None
    return frozenset(names)


_LIMITS: Mapping[str, Callable[[object, str, list[str]], Any]] = {
    "orders_per_hour": _count,
    "orders_per_day": _count,
    "total_per_order": _money,
    "total_per_day": _money,
    "quantity_per_line": _count,
    "countries": _countries,
}


def _number(value: object) -> Decimal | None:
    """A number that is not negative and not absurd; None for anything else."""
    from decimal import Decimal, InvalidOperation  # most settings have no limit

    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= LARGEST else None


def _minutes(values: Mapping[str, Any], problems: list[str]) -> float:
    if "approval_minutes" not in values:
        return Policy().approval_minutes
    number = _number(values["approval_minutes"])
    if number is None or not 1 <= number <= _LONGEST_APPROVAL:
        problems.append(f"policy.approval_minutes must be between 1 and {_LONGEST_APPROVAL}")
        return Policy().approval_minutes
    return float(number)


def _decision(value: object, where: str, problems: list[str]) -> Decision:
    for decision in _DECISIONS:
        if value == decision:
            return decision
    problems.append(f"{where} must be one of: {', '.join(_DECISIONS)}")
    return "deny"


def _decisions(table: Any, where: str, names: tuple[str, ...], problems: list[str]) -> dict[str, Decision]:
    values = _table(table, where, problems)
    _check_names(values, where, names, problems)
    return {name: _decision(value, f"{where}.{name}", problems) for name, value in values.items()}


def _table(value: Any, where: str, problems: list[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        problems.append(f"{where} must be a table: [{where}]")
        return {}
    return cast("Mapping[str, Any]", value)


def _check_names(values: Mapping[str, Any], where: str, known: tuple[str, ...], problems: list[str]) -> None:
    for name in values:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
            problems.append(f"{where}.{name} is not known{hint}")
