"""The life of an order: promise, send once, look, record, answer. The only way a create call reaches a provider.

One order is one `OrderKey`. In this process a key has at most one flight: a task of its own that carries the order
from claim to record and that no caller can cancel. Calls wait for the flight; a call that is cancelled or out of time
leaves it flying. Between processes the ledger decides who flies.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio
import anyio.abc

from dropship_mcp import approval
from dropship_mcp.accounts import Connection
from dropship_mcp.approval import Desk, Host, NoHost, Unapproved
from dropship_mcp.asking import Asking
from dropship_mcp.ledger import Ledger, OrderKey, utc_now
from dropship_mcp.logs import log_crash
from dropship_mcp.looking import next_step
from dropship_mcp.placing import Budget, Job, Outcome, Placing, Preview, conflict, in_progress
from dropship_mcp.policy import Before, Policy, judge
from dropship_mcp.report import Report
from dropship_mcp.watching import NobodyWatches, Watch, present_call
from dropship_tools.arguments import CreateArguments
from dropship_tools.errors import DropshipError, OutcomeUnknown
from dropship_tools.orders import Plan
from dropship_tools.tool import CreateTool


@dataclass
class _Flight:
    job: Job
    scope: anyio.CancelScope = field(default_factory=lambda: anyio.CancelScope(shield=True))
    done: anyio.Event = field(default_factory=anyio.Event)
    outcome: Outcome | None = None
    error: DropshipError | None = None

    def ended(self) -> str:
        """How it ended well, or the code it ended with; empty where it goes on once a person has agreed."""
        if self.outcome is not None:
            return self.outcome.outcome
        return "" if self.error is None or isinstance(self.error, Unapproved) else self.error.code


class Ordering:
    """Carries orders. `running()` must be entered before the first one.

    Args:
        ledger: where they are promised.
        policy: the rules for every order.
        desk: where a person decides on orders, for errors.
        watch: is told how orders end.
    """

    def __init__(
        self,
        ledger: Ledger,
        policy: Policy | None = None,
        *,
        desk: Desk | None = None,
        now: Callable[[], datetime] = utc_now,
        budget: Budget | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._ledger = ledger
        self.policy = policy or Policy()
        self._budget = budget or Budget()
        self._watch = watch or NobodyWatches()
        self._asking = Asking(ledger, self.policy.approval, now, self._budget.report, self._watch)
        self.desk = desk or Desk()
        self._placing = Placing(ledger, self.desk, now, self._budget)
        self._flights: dict[OrderKey, _Flight] = {}
        self._tasks: anyio.abc.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Orders can be carried. At the end, those under way are finished and recorded."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._asking.withdraw()
                with anyio.CancelScope(shield=True):
                    with anyio.move_on_after(self._budget.flight):
                        await self.landed()
                    for flight in self._flights.values():
                        flight.scope.cancel()
                    await self.landed()
                    await self._placing.record_late()
                self._tasks = None

    async def landed(self) -> None:
        """Wait until no order is under way."""
        while self._flights:
            await next(iter(self._flights.values())).done.wait()

    async def record_late(self) -> None:
        """Write down the orders that were placed while the ledger failed, if it can be used again."""
        await self._placing.record_late()

    async def preview(self, tool: CreateTool[Any, Any], connection: Connection, arguments: CreateArguments) -> Preview:
        """How it would go. Records nothing."""
        plan = tool.plan(connection.client, arguments)
        row = await self._ledger.peek(_key(connection, plan))
        verdict = judge(self.policy, approval.facts(connection, plan), Before())
        if row is None and verdict.decision != "ask" and not self.policy.counts():  # nothing depends on the ledger
            return Preview(plan, verdict, "")
        job = await self._job(tool, connection, plan)
        if row is not None and row.state != "refused":
            same = row.content.fingerprint == job.content.fingerprint
            return Preview(plan, verdict, "", "this" if same else "another")
        verdict = judge(self.policy, job.terms.facts, await self._ledger.before(job.key, job.content, self.policy))
        return Preview(plan, verdict, job.terms.question(verdict) if verdict.decision == "ask" else "")

    async def create(
        self,
        tool: CreateTool[Any, Any],
        connection: Connection,
        arguments: CreateArguments,
        report: Report,
        host: Host | None = None,
    ) -> tuple[str, Outcome]:
        """Place an order, or say what became of it: the reference and the outcome.

        Raises:
            InvalidArguments, LedgerUnavailable, ReferenceConflict, NotAllowed, NeedsApproval: nothing was sent.
            InProgress: it is being placed; the same call later brings the answer.
            ProviderRefused, ProviderAuth, RateLimited, ProviderUnavailable: no order exists.
            OutcomeUnknown: an order may exist.
        """
        job = await self._job(tool, connection, tool.plan(connection.client, arguments))
        while True:
            deadline = anyio.current_time() + self._budget.call  # waiting for a person is not counted
            try:
                return job.plan.reference, await self._join(job, deadline, report)
            except Unapproved as error:
                await self._asking.ask(self._running(), host or NoHost(), error, deadline, report)

    async def _job(self, tool: CreateTool[Any, Any], connection: Connection, plan: Plan) -> Job:
        key = OrderKey(connection.mode, connection.provider.name, connection.account.name, plan.reference)
        present_call().reference = plan.reference
        parcel = approval.parcel(plan.summary)
        content = await self._ledger.hashes(plan.content, plan.trace, parcel=parcel)
        terms = approval.terms(self.policy, connection, plan, content)
        return Job(tool, connection, plan, key, content, terms)

    async def _join(self, job: Job, deadline: float, report: Report) -> Outcome:
        """Take part in the order's flight; start it if there is none."""
        flight = self._flights.get(job.key)
        first = flight is None
        if flight is None:
            flight = self._flights[job.key] = _Flight(job)
            self._running().start_soon(self._fly, flight)
        elif flight.job.content.fingerprint != job.content.fingerprint:
            raise conflict(job.key, flight.job.content.changed(job.content))
        await self._wait(flight, deadline, report)
        if flight.error is not None:
            raise flight.error
        assert flight.outcome is not None
        outcome = flight.outcome if first else Outcome("already_placed", flight.outcome.order)
        return Outcome(outcome.outcome, outcome.order, (*job.plan.warnings, *outcome.warnings))

    def _running(self) -> anyio.abc.TaskGroup:
        if self._tasks is None:
            raise RuntimeError("Ordering.running() was not entered")
        return self._tasks

    async def _wait(self, flight: _Flight, deadline: float, report: Report) -> None:
        while not flight.done.is_set():
            left = deadline - anyio.current_time()
            if left <= 0:
                raise in_progress()
            with anyio.move_on_after(min(left, self._budget.report)):
                await flight.done.wait()
            if not flight.done.is_set():
                await report("placing the order")

    async def _fly(self, flight: _Flight) -> None:
        job = flight.job
        try:
            with flight.scope:  # whoever goes away or is told to stop, an order under way is finished
                flight.outcome = await self._placing.place(job)
        except DropshipError as error:
            flight.error = error
        except Exception as error:  # a bug of ours: the order may or may not have left, and the ledger knows which
            flight.error = OutcomeUnknown(
                f"the server failed while placing the order (error {log_crash(error)})",
                fix=next_step(job.tool, job.connection, job.key.reference),
            )
        finally:
            if flight.outcome is None and flight.error is None:  # the server is shutting down
                flight.error = in_progress()
            del self._flights[job.key]
            flight.done.set()
            if ended := flight.ended():
                self._watch.order_ended(job.key.mode, job.key.provider, job.key.account, ended)


def _key(connection: Connection, plan: Plan) -> OrderKey:
    return OrderKey(connection.mode, connection.provider.name, connection.account.name, plan.reference)
