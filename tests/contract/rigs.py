"""The insides of one server over a sandbox, with a clock that tests move and points at which things go wrong.

A rig is what `build_app` puts together: accounts, ledger, ordering. At each `Point` of an order's life a test may
count, look, hold the order up, raise, or let the process die.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx2
from mcp.server.lowlevel import Server

from contract.providers import Row, row_of
from dropship_mcp.accounts import Accounts, Connection
from dropship_mcp.app import build_app
from dropship_mcp.arguments import accept
from dropship_mcp.catalogue import AccountRecords
from dropship_mcp.ledger import Ledger, OrderKey, SqliteLedger
from dropship_mcp.ledger import Row as LedgerRow
from dropship_mcp.order_looks import OrderLooks, Settled, SettleOrder
from dropship_mcp.ordering import Ordering
from dropship_mcp.placing import Budget, Outcome
from dropship_mcp.policy import Policy
from dropship_mcp.settings import Mode, Settings
from dropship_tools.http import Timing
from dropship_tools.provider import Provider
from dropship_tools.sandbox.service import sandbox_module
from dropship_tools.sandbox.store import SandboxStore
from dropship_tools.sandbox.world import SandboxWorld
from dropship_tools.tool import CreateTool, ReadTool
from unit.sandbox.worlds import Clock

Point = str
"""`claim`, `sending`, `placed`, `refused` and `unknown` before and after the ledger writes them (`before claim`, `after
claim`), and the provider's operations before it gets them and after it has answered (`before create`, `after get`)."""

L = TypeVar("L", bound=Ledger)

WRITES = ("claim", "sending", "placed", "refused", "unknown")


def is_request(point: Point) -> bool:
    """Whether the point is about the provider, not about the ledger."""
    return point.split()[1] not in WRITES


QUICK = Timing(connect=2, read=2, order=2, pause=0, longest_pause=0)
"""Nothing waits for long, and nothing is cut short on a busy machine."""


@dataclass
class Trace:
    """What happened, in order, and what a test makes happen.

    Attributes:
        points: every point that was passed.
        at: called with each point before the order goes on.
    """

    points: list[Point] = field(default_factory=list[Point])
    at: Callable[[Point], Awaitable[None]] | None = None

    async def passes(self, point: Point) -> None:
        """Note the point, and let the test act."""
        self.points.append(point)
        if self.at is not None:
            await self.at(point)

    def sent(self) -> int:
        """How many times an order left for a provider."""
        return self.points.count("before create")

    def requests(self) -> list[Point]:
        """The provider's operations that were asked for."""
        return [p.removeprefix("before ") for p in self.points if p.startswith("before ") and is_request(p)]


def traced(ledger: L, trace: Trace) -> L:
    """The ledger, passing points around everything it writes about an order."""

    def between(step: str, write: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def written(*args: Any, **options: Any) -> Any:
            await trace.passes(f"before {step}")
            result = await write(*args, **options)
            await trace.passes(f"after {step}")
            return result

        return written

    for step in WRITES:
        setattr(ledger, step, between(step, getattr(ledger, step)))
    return ledger


class TracedTransport(httpx2.AsyncBaseTransport):
    """Passes a point before a provider gets a request and after it has answered."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, provider: str, trace: Trace) -> None:
        self._inner = inner
        self._operation = sandbox_module(provider).operation
        self._trace = trace

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Between two points."""
        operation = self._operation(request.method, request.url.path)
        await self._trace.passes(f"before {operation}")
        response = await self._inner.handle_async_request(request)
        await self._trace.passes(f"after {operation}")
        return response


class TracedAccounts(Accounts):
    """The sandbox's accounts, with clients that do not pause and transports that pass points."""

    def __init__(self, settings: Settings, world: SandboxWorld, timing: Timing, trace: Trace, turn: Any) -> None:
        super().__init__(settings, timing=timing, world=world, turn=turn)
        self._trace = trace
        self._quick: dict[str, tuple[Connection, ...]] = {}

    def of(self, provider: Provider) -> tuple[Connection, ...]:
        """The provider's connections, with quick clients."""
        if provider.name not in self._quick:
            client = row_of(provider.name).client
            self._quick[provider.name] = tuple(
                dataclasses.replace(c, client=client(c.account, c.http)) for c in super().of(provider)
            )
        return self._quick[provider.name]

    def _sandbox(self, provider: Provider) -> httpx2.AsyncBaseTransport:
        return TracedTransport(super()._sandbox(provider), provider.name, self._trace)


async def silent(_: str) -> None:
    """A host that asked for no progress."""


@dataclass
class Rig:
    """One server's insides."""

    accounts: TracedAccounts
    ledger: SqliteLedger
    ordering: Ordering
    world: SandboxWorld
    clock: Clock
    trace: Trace

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """As the server's lifespan has it."""
        try:
            async with self.ordering.running():
                yield
        finally:
            await self.accounts.close()
            await self.ledger.close()

    def server(self) -> Server[None]:
        """The MCP server around these insides; it runs and closes them."""
        settings = Settings(ledger=self.ledger.path)
        return build_app(settings, accounts=self.accounts, ledger=self.ledger, ordering=self.ordering)

    async def create(
        self,
        row: Row,
        arguments: Mapping[str, Any],
        *,
        mode: Mode = "sandbox",
        account: str = "sandbox",
        tool: CreateTool[Any, Any] | None = None,
    ) -> Outcome:
        """The create tool of a provider, or another one; raises `DropshipError`.

        `mode` and `account` only change what the ledger is told.
        """
        tool = tool or row.create_tool()
        connection = self.accounts.of(row.provider)[0]
        named = connection.account._replace(name=account)
        connection = dataclasses.replace(connection, mode=mode, account=named)
        _, outcome = await self.ordering.create(tool, connection, accept(tool.arguments, arguments, row.create), silent)
        return outcome

    async def read(self, row: Row, order_id: str) -> Mapping[str, Any]:
        """The tool that looks one order up, by the provider's own number."""
        tool = next(tool for tool in row.provider.tools() if isinstance(tool, ReadTool) and tool.name == row.get)
        connection = self.accounts.of(row.provider)[0]
        arguments = accept(tool.arguments, {row.order_id: order_id}, row.get)
        return (await tool.run(connection.client, arguments, AccountRecords(self.ledger, connection))).facts()

    async def settle(self, row: Row, reference: str) -> Settled:
        """`dropship_settle_order`."""
        looks = OrderLooks(self.accounts, self.ledger, {row.name: row.create_tool()}, self.clock)
        return await looks.settle(SettleOrder(provider=row.name, reference=reference))

    async def row(self, row: Row, reference: str) -> LedgerRow | None:
        """What the ledger says of an order."""
        return await self.ledger.get(OrderKey("sandbox", row.name, "sandbox", reference))

    async def state(self, row: Row, reference: str) -> str:
        """The order's state in the ledger; empty if it knows nothing of it."""
        found = await self.row(row, reference)
        return found.state if found else ""

    def orders(self, row: Row, reference: str) -> int:
        """How many such orders the provider has."""
        return row.orders(self.world, reference)


def new_world(clock: Clock, path: Path | None = None) -> SandboxWorld:
    """A sandbox without orders; in memory, or in a file that processes share."""
    return SandboxWorld(SandboxStore(path, clock), clock)


def make_rig(
    folder: Path,
    world: SandboxWorld | None = None,
    *,
    clock: Clock | None = None,
    timing: Timing = QUICK,
    budget: Budget | None = None,
    busy_seconds: float = 2.0,
    trace: Trace | None = None,
    policy: Policy | None = None,
    ledger: Ledger | None = None,
) -> Rig:
    """A server's insides over `folder/ledger.sqlite3`, not running yet. Several are several processes to the ledger.

    `ledger` is one of another kind; only tests about files ask a rig for its ledger's path.
    """
    clock = clock or Clock()
    world = world or new_world(clock)
    trace = trace or Trace()
    path = folder / "ledger.sqlite3"
    kept = ledger or SqliteLedger(path, now=clock, busy_seconds=busy_seconds)
    accounts = TracedAccounts(Settings(ledger=path), world, timing, trace, kept.turn)
    ledger = cast("SqliteLedger", traced(kept, trace))
    return Rig(accounts, ledger, Ordering(ledger, policy, now=clock, budget=budget), world, clock, trace)


@asynccontextmanager
async def open_rig(folder: Path, world: SandboxWorld | None = None, **options: Any) -> AsyncGenerator[Rig]:
    """A server's insides, running; `options` are those of `make_rig`."""
    rig = make_rig(folder, world, **options)
    async with rig.running():
        yield rig
