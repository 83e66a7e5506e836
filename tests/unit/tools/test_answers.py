"""From answers to errors: what is alike for all providers."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.answers import WireModel, order_error, parse, read_error, unreadable_order, unreadable_read
from dropship_tools.errors import (
    DropshipError,
    NotFound,
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from dropship_tools.text import Said
from dropship_tools.wire import Answer, Unreadable


class Inner(WireModel):
    """A nested object."""

    id: Said


class Outer(WireModel):
    """An answer."""

    reference: str
    inner: Inner | None = None
    rows: list[Inner] | None = None


def test_unknown_keys_are_ignored_and_numbers_may_stand_for_text() -> None:
    read = parse(Outer, {"reference": 98, "inner": {"id": 7, "more": []}, "rows": None, "extra": {"a": 1}})

    assert read == Outer(reference="98", inner=Inner(id="7"))


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        ({}, "reference"),
        ([], "its root"),
        (None, "its root"),
        ("text", "its root"),
        ({"reference": True}, "reference"),
        ({"reference": "1", "inner": []}, "inner"),
        ({"reference": "1", "rows": [{"id": "1"}, {"no": 1}, {"id": None}]}, "rows.1.id, rows.2.id"),
        ({"inner": {"no": 1}, "rows": [{"no": 1}, {"no": 1}]}, "inner.id, reference, rows.0.id"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place_and_not_by_its_value(raw: Any, places: str) -> None:
    with pytest.raises(Unreadable) as raised:
        parse(Outer, raw)

    assert str(raised.value) == f"the answer has an unexpected form at {places}"


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_nothing_else_is_raised_whatever_the_answer_holds(raw: Any) -> None:
    for value in (raw, {"reference": raw}, {"reference": "1", "inner": raw, "rows": raw}):
        with suppress(Unreadable):
            parse(Outer, value)


def shown(error: DropshipError) -> tuple[type[DropshipError], str, str, str, float | None]:
    """What matters about an error."""
    return type(error), error.sent, error.what, error.provider_said, error.retry_after


def answered(status: int, **headers: str) -> Answer:
    """An answer without a body."""
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_a_matter_for_a_person(status: int) -> None:
    what = f"Shop does not accept the credentials (HTTP {status})"
    for error in (order_error("Shop", answered(status), "no"), read_error("Shop", answered(status), "order", "no")):
        assert shown(error) == (ProviderAuth, "no", what, "no", None)


@pytest.mark.parametrize(
    ("after", "seconds"), [("5", 5.0), ("0", 0.0), ("", 60.0), ("soon", 60.0), ("\u00b2", 60.0), ("9" * 99, 86400.0)]
)
def test_a_provider_that_asks_to_slow_down_is_waited_for(after: str, seconds: float) -> None:
    answer = answered(429, retry_after=after)
    for error in (order_error("Shop", answer, "slow"), read_error("Shop", answer, "order", "slow")):
        assert shown(error) == (RateLimited, "no", "Shop asks to slow down", "slow", seconds)
        assert error.fix == f"Wait {seconds:g} s, then make the same call again."


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520, 599])
def test_a_failing_provider_may_have_taken_the_order(status: int) -> None:
    assert shown(order_error("Shop", answered(status), "oops")) == (
        OutcomeUnknown,
        "maybe",
        f"the order was sent to Shop, which answered with HTTP {status}",
        "oops",
        None,
    )
    assert shown(read_error("Shop", answered(status), "order", "oops")) == (
        ProviderUnavailable,
        "no",
        f"Shop answered with HTTP {status}",
        "oops",
        None,
    )


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 415, 422, 451])
def test_any_other_refusal_of_an_order_means_that_there_is_none(status: int) -> None:
    error = order_error("Shop", answered(status), "no")

    assert shown(error) == (ProviderRefused, "no", f"Shop refused the order with HTTP {status}", "no", None)
    assert order_error("Shop", answered(status), "no", "Pay first.").fix == "Pay first."


def test_a_look_up_of_something_unknown_says_so() -> None:
    error = read_error("Shop", answered(404), "order", "gone")

    assert shown(error) == (NotFound, "no", "Shop knows no order under that id", "gone", None)


@pytest.mark.parametrize("status", [400, 405, 422])
def test_a_refused_look_up_says_so(status: int) -> None:
    error = read_error("Shop", answered(status), "order")

    assert shown(error) == (ProviderRefused, "no", f"Shop refused the look-up with HTTP {status}", "", None)


def test_an_answer_without_sense_leaves_an_order_open_and_a_look_up_failed() -> None:
    error = Unreadable("the answer is not valid JSON")

    assert shown(unreadable_order("Shop", error)) == (
        OutcomeUnknown,
        "maybe",
        "Shop took the order, but the answer is not valid JSON",
        "",
        None,
    )
    assert shown(unreadable_read("Shop", error)) == (
        UnexpectedAnswer,
        "no",
        "Shop answered, but the answer is not valid JSON",
        "",
        None,
    )
