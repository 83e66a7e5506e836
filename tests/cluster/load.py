"""A load of create calls, as impatient agents make them, and what breaks meanwhile. Everything follows from one seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import anyio.to_thread
import httpx2

from cluster.replicas import Site, arguments, result_of
from dropship_mcp.ledger import OrderKey
from dropship_tools.sandbox.faults import Fault, FaultKind, add_fault
from protocol.samples import SAMPLES
from web.sites import REQUESTS

AT_ONCE = 16
PATIENCE = (0.1, 0.4, 1.5, 5.0, 60.0)
"""Seconds after which a client leaves."""

FAULTS: tuple[FaultKind, ...] = ("reset_after", "status_after", "truncated", "reset_before", "latency")
KILLS = 10
SETTLE_SECONDS = 120
TRIES = 3
"""So often an unknown outcome is looked for before it is left to a person."""

Order = tuple[str, str]
"""Provider and reference."""


@dataclass
class Load:
    """Clients of one site, and its operator.

    Attributes:
        seen: how calls ended.
        unknown: orders whose outcome stayed unknown, however often they were looked for.
    """

    site: Site
    http: httpx2.AsyncClient
    random: random.Random
    seen: Counter[str] = field(default_factory=Counter[str])
    unknown: set[Order] = field(default_factory=set[Order])
    _made: int = 0
    _progress: anyio.Condition = field(default_factory=anyio.Condition)

    async def place_all(self, orders: Collection[Order]) -> None:
        """Every order 1 to 5 times, in any sequence, while things break."""
        self._add_faults()
        calls = [order for order in orders for _ in range(self.random.randint(1, 5))]
        self.random.shuffle(calls)
        queue = iter(calls)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._break_things, len(calls))
            for _ in range(AT_ONCE):
                tasks.start_soon(self._work, queue)

    async def settle_all(self, orders: Collection[Order]) -> None:
        """Repeat every call until its answer is final, or only a person can tell."""
        queue = iter(orders)

        async def work() -> None:
            for order in queue:
                await self._settle(order)

        with anyio.fail_after(SETTLE_SECONDS):
            async with anyio.create_task_group() as tasks:
                for _ in range(AT_ONCE):
                    tasks.start_soon(work)

    async def settle_by_hand(self) -> None:
        """What a person does with outcomes that stay unknown: looks at the provider and records what is there."""
        there = self.site.ordered()
        ledger = self.site.ledger()
        for order in self.unknown:
            row = await ledger.get(OrderKey("live", order[0], order[0], order[1]))
            assert row
            assert row.state == "unknown"
            await ledger.settle_by_hand(row, "placed" if order in there else "refused", "", {}, "a person looked")
        await ledger.close()

    async def create(self, order: Order, patience: float = PATIENCE[-1]) -> str:
        """One call: the outcome, or the code of the error, or the HTTP status."""
        provider, reference = order
        return await self._call(SAMPLES[provider].create, arguments(provider, reference), patience)

    def _add_faults(self) -> None:
        """Bad days of the providers, between better ones that are only slow."""
        for kind in FAULTS * 3:
            for provider in SAMPLES:
                add_fault(self.site.store, Fault(provider, "create", "latency", 3, 0.02))
                add_fault(self.site.store, Fault(provider, "create", kind, 1, 0.5 if kind == "latency" else 0))

    async def _work(self, queue: Iterator[Order]) -> None:
        for order in queue:
            self.seen[await self.create(order, self.random.choice(PATIENCE))] += 1
            self._made += 1
            async with self._progress:
                self._progress.notify_all()

    async def _break_things(self, calls: int) -> None:
        """Replicas die and come back, one at a time; half way the database does."""
        step = calls // (KILLS + 2)
        for number in range(1, KILLS + 1):
            await self._reached(number * step)
            replica = self.random.choice(self.site.replicas)
            await anyio.to_thread.run_sync(replica.kill)
            if number == KILLS // 2:
                await anyio.to_thread.run_sync(self.site.database.stop)
                await anyio.to_thread.run_sync(self.site.database.start)
            await self._reached(number * step + step // 3)
            await anyio.to_thread.run_sync(replica.restart)
            self.seen["replica killed"] += 1

    async def _reached(self, made: int) -> None:
        async with self._progress:
            while self._made < made:
                await self._progress.wait()

    async def _settle(self, order: Order) -> None:
        provider, reference = order
        tries = 0
        while True:
            ended = await self.create(order)
            self.seen[f"then {ended}"] += 1
            if ended in ("placed", "already_placed"):
                return
            if ended == "outcome_unknown":
                look = {"provider": provider, "reference": reference}
                found = await self._call("dropship_settle_order", look)
                self.seen[f"settled as {found}"] += 1
                tries += found == "unknown"
                if tries == TRIES:
                    self.unknown.add(order)
                    return
            await anyio.sleep(0.3)  # a real process is polled

    async def _call(self, tool: str, given: dict[str, Any], patience: float = PATIENCE[-1]) -> str:
        request = REQUESTS[self.random.choice(("auto", "legacy"))]("tools/call", {"name": tool, "arguments": given})
        try:
            timeout = httpx2.Timeout(PATIENCE[-1], read=patience)
            response = await self.http.post(self.site.url, **request, timeout=timeout)
        except httpx2.ReadTimeout:
            return "client left"
        except httpx2.HTTPError as error:
            return type(error).__name__
        result = result_of(response)
        if not result:
            return f"HTTP {response.status_code}"
        if result.get("isError"):
            return str(result["content"][0]["text"]).partition(":")[0]
        return str(cast("dict[str, Any]", result["structuredContent"])["outcome"])
