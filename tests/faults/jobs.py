"""What the children do: order, die in the middle of it, order with a full disk or without permissions."""

from __future__ import annotations

import os
import resource
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio

from contract.providers import NAMES, row_of
from contract.rigs import Rig, Trace, make_rig, new_world
from dropship_mcp.placing import Budget
from dropship_mcp.policy import Limits, Policy
from dropship_tools.errors import DropshipError
from unit.ledger.ledgers import Ledgers
from unit.sandbox.worlds import Clock

for _name in ("httpx2", "iso3166", "filelock", "anyio._backends._asyncio", "dropship_mcp.ledger.owner"):
    import_module(_name)
for _provider in NAMES:
    for _part in ("tools", "client", "sandbox"):
        import_module(f"dropship_tools.{_provider}.{_part}")

NOBODY = 65534


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


def shared_rig(folder: Path, trace: Trace, ledger: Sequence[str] = (), policy: Policy | None = None) -> Rig:
    """A server's insides over a sandbox and a ledger that are files, or over a ledger by the `Ledgers.words` of it."""
    clock = Clock(datetime.now(UTC))
    world = new_world(clock, folder / "sandbox.sqlite3")
    kept = Ledgers.of(*ledger).make(clock) if ledger else None
    return make_rig(folder, world, clock=clock, trace=trace, budget=Budget(poll=0.02), policy=policy, ledger=kept)


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
    folder: str,
    name: str,
    reference: str,
    die_at: str = "",
    at: float = 0,
    ready: Callable[[], object] = lambda: None,
    ledger: Sequence[str] = (),
) -> dict[str, Any]:
    """Order; die at a point of the order's life.

    Args:
        at: the moment to begin, for calls that begin together.
        ready: called right before the call.
        ledger: see `shared_rig`.
    """
    rig = shared_rig(Path(folder), Trace(at=dying(die_at)), ledger)
    async with rig.running():
        await anyio.sleep(max(0.0, at - datetime.now(UTC).timestamp()))
        return asdict(await attempt(rig, name, reference, ready))


async def many(folder: str, name: str, references: Sequence[str], cap: int, ledger: Sequence[str]) -> dict[str, int]:
    """Order many things at the same moment, under a limit of orders a day; how the calls ended."""
    rig = shared_rig(Path(folder), Trace(), ledger, Policy(deny=Limits(orders_per_day=cap)))
    ends = list[str]()

    async def one(reference: str) -> None:
        ends.append((await attempt(rig, name, reference)).end)

    async with rig.running(), anyio.create_task_group() as tasks:
        for reference in references:
            tasks.start_soon(one, reference)
    return Counter(ends)


def dying(point: str) -> Callable[[str], Awaitable[None]]:
    """Ends the process at a point, as a power cut would."""

    async def end(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return end


async def full_disk(folder: str, name: str) -> list[Any]:
    """Order while no file can grow, look an order up by the provider's number, and order again when there is room."""
    rig = make_rig(Path(folder))
    async with rig.running():
        known = await attempt(rig, name, "R-0")
        row = await rig.row(row_of(name), "R-0")
        with full():
            troubled = await attempt(rig, name, "R-1")
            read = await rig.read(row_of(name), row.order_id if row else "")
        return [asdict(known), asdict(troubled), read["order_id"], asdict(await attempt(rig, name, "R-1"))]


async def disk_fills_midway(folder: str, name: str) -> list[Any]:
    """Order while the disk fills up after the order has left, repeat the call, and again when there is room."""
    room = ExitStack()

    async def fill(point: str) -> None:
        if point == "after create":
            room.enter_context(full())

    rig = make_rig(Path(folder), trace=Trace(at=fill))
    async with rig.running():
        with room:
            first, second = await attempt(rig, name, "R-1"), await attempt(rig, name, "R-1")
        return [asdict(first), asdict(second), asdict(await attempt(rig, name, "R-1")), rig.trace.sent()]


@contextmanager
def full() -> Generator[None]:
    """No file of this process may grow, as on a full disk."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


async def read_only(folder: str, name: str, what: str) -> list[Any]:
    """Order, as somebody who is not root, on a ledger whose file or folder may not be written; then on a mended one."""
    world = new_world(Clock())
    rig = make_rig(Path(folder), world)
    async with rig.running():
        known = await attempt(rig, name, "R-0")
        row = await rig.row(row_of(name), "R-0")
    mend = forbid_writing(Path(folder), what)
    rig = make_rig(Path(folder), world)
    async with rig.running():
        troubled = await attempt(rig, name, "R-1")
        read = await rig.read(row_of(name), row.order_id if row else "")
        mend()
        return [asdict(known), asdict(troubled), read["order_id"], asdict(await attempt(rig, name, "R-1"))]


def forbid_writing(folder: Path, what: str) -> Callable[[], None]:
    """To everybody but root, and this process is not root afterwards; how to allow it again."""
    if os.getuid() == 0:
        for path in (*folder.rglob("*"), folder):
            os.chown(path, NOBODY, NOBODY)
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    if what == "folder":
        folder.chmod(0o500)
        return lambda: folder.chmod(0o700)
    ledger = folder / "ledger.sqlite3"
    ledger.chmod(0o400)
    return lambda: ledger.chmod(0o600)


JOBS: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {
    "order": order,
    "many": many,
    "full disk": full_disk,
    "disk fills midway": disk_fills_midway,
    "read-only": read_only,
}
