"""Several servers at one Rewix account, which has one reservation: none takes another's pieces for its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from contract.providers import row_of
from contract.rigs import Rig, Trace, make_rig, new_world
from dropship_tools.errors import DropshipError
from unit.ledger.ledgers import Ledgers
from unit.sandbox.worlds import Clock

pytestmark = pytest.mark.anyio

REWIX = row_of("rewix")
STOCK_ID, STOCK = 148259, 250


@asynccontextmanager
async def two_servers(folder: Path, ledgers: Ledgers, *traces: Trace) -> AsyncGenerator[list[Rig]]:
    """At one ledger and one supplier's shop, each with its trace."""
    clock = Clock()
    world = new_world(clock)
    one, other = [make_rig(folder, world, clock=clock, trace=t, ledger=ledgers.make(clock)) for t in traces]
    async with one.running(), other.running():
        yield [one, other]


def arguments(reference: str, pieces: int) -> dict[str, Any]:
    """An order of so many pieces."""
    return {**REWIX.arguments(reference), "item_list": [{"stock_id": STOCK_ID, "quantity": pieces}]}


async def all_at_once(rigs: list[Rig], pieces: int) -> Counter[str]:
    """How one order at each server ended."""
    ends = Counter[str]()

    async def order(rig: Rig, reference: str) -> None:
        try:
            ends[(await rig.create(REWIX, arguments(reference, pieces))).outcome] += 1
        except DropshipError as error:
            ends[error.code] += 1

    async with anyio.create_task_group() as tasks:
        for number, rig in enumerate(rigs):
            tasks.start_soon(order, rig, f"R-{number}")
    return ends


class Meeting:
    """Lets servers wait for each other at points, so that they would mix without turns.

    Args:
        waits: for a server and a point, the other server's point that should come first. It is not waited for any
            longer than a test can: with turns, it cannot come.
    """

    def __init__(self, waits: Mapping[tuple[str, str], str]) -> None:
        self._waits = waits
        self._passed: dict[tuple[str, str], anyio.Event] = defaultdict(anyio.Event)

    def trace(self, name: str, other: str) -> Trace:
        """For the server `name`."""

        async def at(point: str) -> None:
            self._passed[name, point].set()
            if awaited := self._waits.get((name, point)):
                with anyio.move_on_after(0.3):
                    await self._passed[other, awaited].wait()

        return Trace(at=at)

    def traces(self) -> list[Trace]:
        """For both."""
        return [self.trace("one", "other"), self.trace("other", "one")]


async def test_pieces_that_another_server_has_reserved_are_no_reason_to_refuse(
    ledgers: Ledgers, tmp_path: Path
) -> None:
    meeting = Meeting(
        {
            ("other", "before reserved"): "after reserve",
            ("one", "before create"): "after reserved",
            ("other", "before reserve"): "after create",
        }
    )
    async with two_servers(tmp_path, ledgers, *meeting.traces()) as rigs:
        assert await all_at_once(rigs, 1) == {"placed": 2}


async def test_the_last_pieces_are_sold_once_and_nobody_gets_an_empty_parcel(ledgers: Ledgers, tmp_path: Path) -> None:
    meeting = Meeting(
        {
            ("other", "before reserve"): "after reserved",
            ("one", "before reserve"): "after reserve",
            ("other", "before create"): "after create",
        }
    )
    async with two_servers(tmp_path, ledgers, *meeting.traces()) as rigs:
        assert await all_at_once(rigs, STOCK) == {"placed": 1, "provider_refused": 1}
        [order] = rigs[0].world.store.all("rewix", "order")
    assert [item["quantity"] for item in order.body["items"]] == [STOCK]


async def test_forty_orders_of_two_servers_wait_for_each_other(ledgers: Ledgers, tmp_path: Path) -> None:
    async with two_servers(tmp_path, ledgers, Trace(), Trace()) as rigs:
        assert await all_at_once(rigs * 20, 1) == {"placed": 40}
