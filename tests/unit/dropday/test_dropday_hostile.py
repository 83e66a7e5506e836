"""Whatever Dropday answers, a call ends in an order or in an error of ours."""

from __future__ import annotations

import json
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.dropday.models import GetOrder
from dropship_tools.dropday.tools import find, get_order, place
from dropship_tools.errors import DropshipError, OutcomeUnknown
from dropship_tools.orders import Sought
from unit.dropday.dropday_fakes import (
    DOCUMENTED,
    HELD,
    FakeDropday,
    NothingRecorded,
    changed,
    page,
    permission,
    planned,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)
FIELDS = st.sampled_from(sorted(HELD))
LINE_FIELDS = st.sampled_from(sorted(HELD["order_lines"][0]))
DEEP = b"[" * 3000 + b"]" * 3000
BODIES = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=200),
    st.just(DEEP),
    st.just(b'{"reference": ' + b"9" * 5000 + b"}"),
)

ORDER = planned(DOCUMENTED)


def _run(call: Any, *arguments: Any) -> tuple[Any, DropshipError | None]:
    async def ended() -> tuple[Any, DropshipError | None]:
        try:
            return await call(*arguments), None
        except DropshipError as error:
            return None, error

    return anyio.run(ended)


@settings(deadline=None)
@given(BODIES | JSON.map(lambda v: json.dumps({"message": "Order created", "reference": v}).encode()), BODIES)
def test_a_sent_order_ends_placed_or_unknown(created: bytes, read: bytes) -> None:
    dropday = FakeDropday({"POST /orders": (200, created)})
    dropday.otherwise = (200, read)

    placement, error = _run(place, dropday.client(), ORDER, permission())

    assert error is None or type(error) is OutcomeUnknown
    assert error is not None or placement.order.reference == "L41223D"
    assert [request.method for request in dropday.requests].count("POST") == 1


@settings(deadline=None)
@given(st.integers(min_value=200, max_value=599), BODIES)
def test_any_status_with_any_body_ends_in_an_order_or_an_error_of_ours(status: int, body: bytes) -> None:
    dropday = FakeDropday({})
    dropday.otherwise = (status, body)

    _run(get_order, dropday.client(), GetOrder(reference="98"), NothingRecorded())
    _run(find, dropday.client(), Sought("L41223D"))
    _run(place, dropday.client(), ORDER, permission())

    assert [request.method for request in dropday.requests].count("POST") == 1


@settings(deadline=None)
@given(st.dictionaries(FIELDS, JSON), st.dictionaries(LINE_FIELDS, JSON))
def test_an_order_with_odd_fields_is_shown_or_cannot_be_read(fields: dict[str, Any], line: dict[str, Any]) -> None:
    odd = changed(HELD, order_lines__0={**HELD["order_lines"][0], **line}, **fields)
    dropday = FakeDropday({"GET /orders/98": (200, odd), "GET /orders": (200, page(odd))})

    order, _ = _run(get_order, dropday.client(), GetOrder(reference="98"), NothingRecorded())
    finding, _ = _run(find, dropday.client(), Sought("L41223D"))

    if order is not None:
        assert None not in order.facts().values()
    if finding is not None and finding.order is not None:
        assert finding.order.reference == "L41223D"
