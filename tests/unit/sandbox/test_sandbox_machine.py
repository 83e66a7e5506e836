"""Orders, repeats, looks, stock and time in any order, through each provider's real client.

Whatever comes: an order that was answered as placed is there once and stays to be found by every look there is, one that
was refused is not there, and no order leaves more or less reserved than there was before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar, cast

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from contract.providers import NAMES
from dropship_tools.errors import ReferenceConflict
from unit.sandbox.tool_desk import Desk, drawn_calls, open_desk

LISTS: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "dipli": ("dipli_list_orders", {"pageSize": 50}, "orders"),
    "dropday": ("dropday_list_orders", {"per_page": 50, "include_test": True}, "orders"),
    "duoplane": ("duoplane_list_orders", {"per_page": 50}, "orders"),
}
"""The tool that lists orders, how it lists all of them, and under what. Rewix has none."""

NOTHING: Mapping[str, Any] = {}

SHORT = (1567, 200020, 200021, 200022, 200023)
"""Of most of these the shop has a few pieces only."""


class ProviderLife(RuleBasedStateMachine):
    """One provider, one client."""

    name: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.portal = self.stack.enter_context(start_blocking_portal())
        self.desk: Desk = self.stack.enter_context(self.portal.wrap_async_context_manager(open_desk(self.name)))
        self.orders: dict[str, Mapping[str, Any]] = {}
        self.held: dict[int, int] = {}

    @rule(data=st.data(), number=st.integers(1, 5))
    def order(self, data: st.DataObject, number: int) -> None:
        """A new one, or another one under a reference that is taken."""
        sample = self.desk.sample
        arguments = {**data.draw(drawn_calls(sample.create)), sample.reference: f"R-{number}"}
        answer = self.portal.call(self.desk.order, arguments)
        if isinstance(answer, dict):
            self.orders.setdefault(answer["reference"], arguments)

    @rule(stock_id=st.sampled_from(SHORT), quantity=st.integers(1, 40), number=st.integers(1, 3))
    @precondition(lambda self: self.name == "rewix")
    def order_what_is_short(self, stock_id: int, quantity: int, number: int) -> None:
        """More than there may be."""
        items = [{"stock_id": 1578, "quantity": 1}, {"stock_id": stock_id, "quantity": quantity}]
        self.portal.call(self.desk.order, self.desk.sample.arguments(key=f"S-{number}", item_list=items))

    @rule(data=st.data())
    @precondition(lambda self: self.orders)
    def repeat(self, data: st.DataObject) -> None:
        """The same call again: the same order, not a second one."""
        reference = data.draw(st.sampled_from(list(self.orders)))
        answer = self.portal.call(self.desk.order, self.orders[reference])
        assert isinstance(answer, dict | ReferenceConflict)

    @rule(data=st.data())
    @precondition(lambda self: self.desk.placed)
    def look(self, data: st.DataObject) -> None:
        """By every number."""
        self.portal.call(self.desk.finds, data.draw(st.sampled_from(list(self.desk.placed))))

    @rule()
    def look_for_what_was_never_ordered(self) -> None:
        """Nothing is found."""
        assert self.portal.call(self.desk.seek, "NEVER-1").order is None

    @rule()
    @precondition(lambda self: self.name in LISTS)
    def list_orders(self) -> None:
        """All that were placed, and no others."""
        tool, everything, where = LISTS[self.name]
        answer = cast("Mapping[str, Any]", self.portal.call(self.desk.call, tool, everything))
        rows = cast("Sequence[Mapping[str, str]]", answer[where])
        assert sorted(row["order_id"] for row in rows) == sorted(self.desk.placed.values())

    @rule(kind=st.sampled_from(("lock", "unlock")), stock_id=st.sampled_from(SHORT), quantity=st.integers(1, 40))
    @precondition(lambda self: self.name == "rewix")
    def move_stock(self, kind: str, stock_id: int, quantity: int) -> None:
        """Into the reservation and out of it."""
        models = [{"stock_id": stock_id, "quantity": quantity}]
        answer = self.portal.call(self.desk.call, "rewix_reserve_stock", {"type": kind, "models": models})
        if isinstance(answer, dict):
            [moved] = answer["models"]
            self.held[stock_id] = self.held.get(stock_id, 0) + (1 if kind == "lock" else -1) * moved["granted"]

    @rule(data=st.data())
    @precondition(lambda self: self.name == "duoplane")
    def add_product(self, data: st.DataObject) -> None:
        """Which may change who supplies the next order."""
        arguments = data.draw(drawn_calls("duoplane_add_product"))
        self.portal.call(self.desk.call, "duoplane_add_product", arguments)

    @rule(minutes=st.sampled_from((1, 5, 60, 1500, 50_000)))
    def time_passes(self, minutes: int) -> None:
        """Orders come further, unpaid ones lapse."""
        self.desk.clock.move(minutes=minutes)

    @invariant()
    def there_is_what_was_placed(self) -> None:
        """No more and no less."""
        assert self.desk.count() == len(self.desk.placed)

    @invariant()
    @precondition(lambda self: self.name == "rewix")
    def reserved_is_what_was_reserved(self) -> None:
        """Orders give back what they have taken."""
        answer = cast("Mapping[str, Any]", self.portal.call(self.desk.call, "rewix_get_reserved", NOTHING))
        reserved = {row["stock_id"]: row["locked"] for row in answer["reserved"]}
        assert reserved == {stock_id: pieces for stock_id, pieces in self.held.items() if pieces}

    def teardown(self) -> None:
        """Close the sandbox."""
        self.stack.close()


def life_of(provider: str) -> type[ProviderLife]:
    """The machine for one provider."""

    class ThisLife(ProviderLife):
        name = provider

    return ThisLife


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_comes_an_order_that_was_placed_is_there_once(name: str) -> None:
    run_state_machine_as_test(
        life_of(name),
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            database=None,
        ),
    )
