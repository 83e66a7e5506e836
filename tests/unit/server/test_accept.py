"""From raw arguments to typed ones: what is forgiven, what is not, and that nothing a model sends can break it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropship_mcp.arguments import accept
from dropship_tools import PROVIDERS
from dropship_tools.arguments import Arguments
from dropship_tools.dipli.models import CreateOrder as DipliOrder
from dropship_tools.dropday.models import CreateOrder as DropdayOrder
from dropship_tools.errors import FieldProblem, InvalidArguments
from protocol.samples import DIPLI, DROPDAY, SAMPLES

MODELS: dict[str, type[Arguments]] = {
    provider.name: next(tool.arguments for tool in provider.tools() if tool.name.endswith("_create_order"))
    for provider in PROVIDERS
}
"""What each create tool takes."""

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "null", "[]", "{}", '{"a": [1, null]}', "[[[", "1e999", "\ud800", "\u202e", "-0", "0x10"]
    ),
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def refused(model: type[Arguments], raw: dict[str, Any]) -> InvalidArguments:
    """The error these arguments bring."""
    with pytest.raises(InvalidArguments) as caught:
        accept(model, raw, "some_tool")
    return caught.value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    assert refused(DropdayOrder, DROPDAY.arguments(total=value)).fields == (FieldProblem("total", "must be a number"),)


def test_text_that_looks_like_json_stays_text_where_text_is_meant() -> None:
    accepted = accept(DipliOrder, DIPLI.arguments(extra='{"ring": "twice"}', buyer="[Zenobia]"), "t")
    assert (accepted.extra, accepted.buyer) == ('{"ring": "twice"}', "[Zenobia]")


def test_json_texts_are_opened_inside_lists_and_objects_too() -> None:
    order = DROPDAY.arguments(products=['{"external_id":"L-1","name":"Lamp","quantity":"2","price":29.95}'])
    assert accept(DropdayOrder, order, "t").products[0].quantity == 2


def test_the_callers_own_arguments_are_left_as_they_are() -> None:
    order = DROPDAY.arguments(shipping='{"note": null}', email=None)
    before = copy.deepcopy(order)
    accept(DropdayOrder, order, "t")
    assert order == before


def test_a_null_among_lines_is_not_taken_for_no_line() -> None:
    products = DROPDAY.order["products"]
    assert refused(DropdayOrder, DROPDAY.arguments(products=[*products, None])).fields == (
        FieldProblem("products.1", "must be an object"),
    )


def test_names_of_other_things_are_not_suggested() -> None:
    [problem] = refused(DipliOrder, DIPLI.arguments(warehouse="Lyon")).fields
    assert problem.problem.startswith("is not an argument; known: ")


@pytest.mark.parametrize("provider", list(MODELS))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_stands_in_an_order_it_is_accepted_or_every_problem_is_named_safely(
    provider: str, data: st.DataObject
) -> None:
    order = SAMPLES[provider].arguments()
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(list(_places(order))))
        if isinstance(holder, dict) and data.draw(st.booleans()):
            key = data.draw(st.text(max_size=12))
        holder[key] = data.draw(ANYTHING)
    error = _error(MODELS[provider], order)
    if error is not None:
        assert error.sent == "no"
        assert 1 <= len(error.fields) <= 20
        for problem in error.fields:
            assert 1 <= len(problem.field) <= 60
            assert "\n" not in problem.field + problem.problem
            assert "Zenobia" not in problem.field + problem.problem


def _error(model: type[Arguments], order: dict[str, Any]) -> InvalidArguments | None:
    """What is wrong with the order; any other exception is a bug."""
    try:
        accept(model, order, "some_tool")
    except InvalidArguments as error:
        return error
    return None


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(cast("dict[Any, Any]", value).items())
    elif isinstance(value, list):
        pairs = list(enumerate(cast("list[Any]", value)))
    for key, child in pairs:
        yield value, key
        yield from _places(child)
