"""Whatever Rewix answers, nothing but the errors of the contract comes out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, cast
from xml.sax.saxutils import escape

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.answers import parse
from dropship_tools.errors import (
    DropshipError,
    NotFound,
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from dropship_tools.orders import Sought
from dropship_tools.rewix import results
from dropship_tools.rewix.client import RewixClient
from dropship_tools.rewix.models import GetOrder, WireOrder
from dropship_tools.rewix.tools import find, get_order, place, plan
from dropship_tools.wire import Unreadable
from unit.rewix.rewix_shop import NoRecords, Shop, arguments, permission, says, shown, works

ORDER_ERRORS = (ProviderAuth, ProviderRefused, ProviderUnavailable, RateLimited, OutcomeUnknown)
LOOK_UP_ERRORS = (ProviderAuth, ProviderRefused, ProviderUnavailable, RateLimited, NotFound)

Values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800\u202e") | st.just(10**4000),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def objects_with(names: Any, values: st.SearchStrategy[Any] = Values) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that hold some of these names."""
    return st.dictionaries(st.sampled_from(sorted(names)), values, max_size=12)


def ours(row: dict[str, Any]) -> dict[str, Any]:
    """A row that names the order that was asked for."""
    return {**row, "order_id": 130, "ext_ref": "WEB-77"}


Rows = objects_with(shown())
ROWS = Rows | Rows.map(ours)
MODELS = objects_with(["stock_id", "locked", "available"], Values | st.sampled_from([1567, "1567", 2]))
ENTRIES: st.SearchStrategy[Any] = ROWS | MODELS | Values
BODIES = objects_with(["orders", "models", "order_id", "message"], Values | st.lists(ENTRIES, max_size=3))


def as_xml(value: Any, tag: str = "root") -> str:
    """Some XML with the same names and texts."""
    parts: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        parts = [
            (name if name.isidentifier() and name.isascii() else "x", v)
            for name, v in cast("dict[str, Any]", value).items()
        ]
    elif isinstance(value, list):
        parts = [("order_list", v) for v in cast("list[Any]", value)]
    inner = "".join(as_xml(v, name) for name, v in parts)
    return f"<{tag}>{inner or escape(str(value) if isinstance(value, str) else '')}</{tag}>"


ANSWERS = (
    st.binary(max_size=40)
    | (BODIES | Values).map(lambda body: json.dumps(body).encode())
    | BODIES.map(lambda body: as_xml(body).encode("utf-8", "replace"))
    | st.text(alphabet="<>/root=\"'&;!-[]?", max_size=30).map(str.encode)
)
STATUSES = st.sampled_from([200, 200, 200, 200, 204, 400, 401, 404, 412, 429, 500])


@settings(deadline=None, max_examples=200)
@given(ROWS | Values)
def test_any_json_is_an_order_or_unreadable(raw: Any) -> None:
    try:
        order = parse(WireOrder, raw)
    except Unreadable:
        return
    for result in (results.full([order]), results.placed([order])):
        facts = result.facts()
        assert None not in facts.values()
        assert json.loads(json.dumps(facts)) == facts
        json.dumps(facts, ensure_ascii=False).encode()


def error_of(action: Callable[[], Awaitable[Any]]) -> DropshipError | None:
    """The error of the contract that an action ends in; any other error is a bug."""
    try:
        anyio.run(action)
    except DropshipError as error:
        return error
    return None


@settings(deadline=None, max_examples=150)
@given(STATUSES, ANSWERS, st.sampled_from(["json", "xml"]))
def test_a_look_up_ends_in_an_order_or_an_error_of_the_contract(status: int, body: bytes, form: str) -> None:
    def client() -> RewixClient:
        answer = says(status, body)
        return Shop(faults={"clientkey": [answer], "serverkey": [answer]}).client(form)

    for error in (
        error_of(lambda: get_order(client(), GetOrder(key="WEB-77"), NoRecords())),
        error_of(lambda: get_order(client(), GetOrder(rewix_order_id=130), NoRecords())),
        error_of(lambda: find(client(), Sought("WEB-77"))),
    ):
        assert error is None or (isinstance(error, LOOK_UP_ERRORS) and error.sent == "no")


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["clientkey", "late clientkey", "locked", "lock", "unlock", "create"]), STATUSES, ANSWERS)
def test_an_order_ends_placed_refused_or_unknown(step: str, status: int, body: bytes) -> None:
    answer = says(status, body)
    shop = Shop(stock={1567: 1 if step == "unlock" else 9, 1578: 9})
    shop.faults[step.removeprefix("late ")] = [works, answer, answer, answer] if step.startswith("late") else [answer]
    client = shop.client()
    error = error_of(lambda: place(client, plan(client, arguments()), permission()))
    assert error is None or isinstance(error, ORDER_ERRORS)
    assert (error is not None and error.sent == "maybe") == isinstance(error, OutcomeUnknown)
    assert not isinstance(error, OutcomeUnknown) or "create" in shop.log
    assert shop.log.count("create") <= 1
    assert shop.log.count("lock") <= 1
