"""Whole numbers and amounts: what is accepted, in which form it is kept, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from unit.tools.argument_probe import kept, problem


@pytest.mark.parametrize("name", ["PositiveInt", "Quantity", "Count"])
@pytest.mark.parametrize("value", [2, "2", " 2 ", 2.0, "+2", "02"], ids=repr)
def test_whole_numbers_may_come_as_text(name: str, value: Any) -> None:
    number = kept(name, value)
    assert (number, type(number)) == (2, int)


@pytest.mark.parametrize("name", ["PositiveInt", "Quantity", "Count"])
@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        2.5,
        "2.5",
        "2.0",
        "2 pieces",
        "two",
        "",
        "0x10",
        "1_000",
        "1,000",
        "1e3",
        "\u0662",
        "1" * 19,
        "9" * 5000,
        *(float("nan"), float("inf"), 1e300, 10**30, None, [2], {"value": 2}),
    ],
    ids=lambda v: repr(v)[:20],
)
def test_what_is_no_whole_number_is_refused(name: str, value: Any) -> None:
    assert problem(name, value)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("PositiveInt", 1, 10**15), ("Quantity", 1, 100_000), ("Count", 0, 10**9)],
)
def test_whole_numbers_have_bounds(name: str, least: int, most: int) -> None:
    assert (kept(name, least), kept(name, most)) == (least, most)
    assert problem(name, least - 1) == f"Input should be greater than or equal to {least}"
    assert problem(name, most + 1) == f"Input should be less than or equal to {most}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00"),
        (-0.0, "0.00"),
        (5, "5.00"),
        (10.99, "10.99"),
        (2.5, "2.50"),
        (0.1, "0.10"),
        ("10.99", "10.99"),
        (" 10.9 ", "10.90"),
        ("10.990", "10.99"),
        ("007", "7.00"),
        ("1." + "0" * 300, "1.00"),
        (999_999_999.99, "999999999.99"),
        (Decimal("4.950"), "4.95"),
        (Decimal("1E+2"), "100.00"),
    ],
    ids=lambda v: repr(v)[:20],
)
def test_amounts_are_kept_with_two_places(value: Any, text: str) -> None:
    assert str(kept("Amount", value)) == text


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (True, "must be a number"),
        ("10,99", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("1,234.50", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("\u20ac10", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("10 EUR", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("1e2", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("-1", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("NaN", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("\u0661", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("", "must be a plain number such as 10.99, without currency or thousands separator"),
        ("9" * 13, "must be a plain number such as 10.99, without currency or thousands separator"),
        (10.999, "must have at most two decimal places"),
        ("0.001", "must have at most two decimal places"),
        (26.930000000000003, "must have at most two decimal places"),
        (1e-7, "must have at most two decimal places"),
        (5e-324, "must have at most two decimal places"),
        ("1." + "0" * 300 + "1", "must have at most two decimal places"),
        (-0.01, "Input should be greater than or equal to 0"),
        (-1, "Input should be greater than or equal to 0"),
        (10**9, "Input should be less than 1000000000"),
        (1e300, "Input should be less than 1000000000"),
        (10**400, "Input should be less than 1000000000"),
        (float("nan"), "Input should be a finite number"),
        (float("inf"), "Input should be a finite number"),
        (None, "Decimal input should be an integer, float, string or Decimal object"),
        ([1], "Decimal input should be an integer, float, string or Decimal object"),
    ],
    ids=lambda v: repr(v)[:30],
)
def test_what_is_no_amount_is_refused(value: Any, why: str) -> None:
    assert problem("Amount", value) == why


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=Decimal("999999999.99"), places=2))
def test_an_amount_is_the_same_as_a_number_as_text_and_after_json(amount: Decimal) -> None:
    as_float = json.loads(str(amount))

    forms = {str(kept("Amount", form)) for form in (amount, str(amount), as_float, f"{amount}0")}

    assert forms == {str(abs(amount))}


@settings(deadline=None)
@given(st.one_of(st.floats(), st.integers(), st.text(), st.decimals()))
def test_an_amount_is_exact_or_refused(value: Any) -> None:
    try:
        amount = kept("Amount", value)
    except ValidationError:
        return
    assert amount.as_tuple().exponent == -2
    assert 0 <= amount < 10**9
    assert amount == (Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
