"""What the children do: order, die in the middle of it, order with a full disk or without permissions."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio

from contract.providers import NAMES, row_of
from contract.rigs import Rig, Trace, make_rig, new_world
from dropship_mcp.ordering import Budget
from dropship_tools.errors import DropshipError
from unit.sandbox.worlds import Clock

for _name in ("httpx2", "iso3166", "filelock", "anyio._backends._asyncio", "dropship_mcp.ledger.owner"):
    import_module(_name)
for _provider in NAMES:
    for _part in ("tools", "client", "sandbox"):
        import_module(f"dropship_tools.{_provider}.{_part}")

@dataclass(frozen=True)
class Ended:
    """How a create call ended, and what was the case before and after it.

    Attributes:
        end: the outcome, or the error's code.
        sent: whether an order was sent, by the call's own words; empty for outcomes.
        why: the error's words, or the last warning.
        states: of the order in the ledger, before and after.
        orders: at the provider, before and after.
        seconds: how long the call took.
    """

    end: str
    sent: str
    why: str
    states: tuple[str, str]
    orders: tuple[int, int]
    seconds: float


def shared_rig(folder: Path, trace: Trace | None = None, **options: Any) -> Rig:
    """A server's insides over a ledger and a sandbox that are files."""
    clock = Clock(datetime.now(UTC))
    world = new_world(clock, folder / "sandbox.sqlite3")
    return make_rig(folder, world, clock=clock, trace=trace, budget=Budget(poll=0.02), **options)


async def attempt(rig: Rig, name: str, reference: str, ready: Callable[[], object] = lambda: None) -> Ended:
    """A create call. `ready` is called right before it."""
    row = row_of(name)
    state, orders = await _state(rig, name, reference), rig.orders(row, reference)
    ready()
    begun = anyio.current_time()
    try:
        outcome = await rig.create(row, row.arguments(reference))
        end, sent, why = outcome.outcome, "", "".join(outcome.warnings[-1:])
    except DropshipError as error:
        end, sent, why = error.code, error.sent, error.what
    seconds = anyio.current_time() - begun
    after = await _state(rig, name, reference)
    return Ended(end, sent, why, (state, after), (orders, rig.orders(row, reference)), seconds)


async def _state(rig: Rig, name: str, reference: str) -> str:
    try:
        return await rig.state(row_of(name), reference)
    except DropshipError:
        return "?"


async def order(
    ready: Callable[[], object], folder: str, name: str, reference: str, die_at: str = "", at: float = 0
) -> dict[str, Any]:
    """Order; die at a point of the order's life. `at` is the moment to begin, for calls that begin together."""
    rig = shared_rig(Path(folder), Trace(at=dying(die_at)))
    async with rig.running():
        await anyio.sleep(max(0.0, at - datetime.now(UTC).timestamp()))
        return asdict(await attempt(rig, name, reference, ready))


def dying(point: str) -> Callable[[str], Awaitable[None]]:
    """Ends the process at a point, as a power cut would."""

    async def end(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return end


JOBS: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {"order": order}
