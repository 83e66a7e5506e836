"""The life of an order: promise, send once, look, record, answer. The only way a create call reaches a provider.

One order is one `OrderKey`. In this process a key has at most one flight: a task of its own that carries the order
from claim to record and that no caller can cancel. Calls wait for the flight; a call that is cancelled or out of time
leaves it flying. Between processes the ledger decides who flies.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import anyio
import anyio.abc

from dropship_mcp.accounts import Connection
from dropship_mcp.ledger import Content, Ledger, OrderKey, Row
from dropship_mcp.ledger.sqlite import LostOrder, utc_now
from dropship_mcp.logs import log_crash
from dropship_mcp.looking import Looking, next_step
from dropship_tools.arguments import CreateArguments
from dropship_tools.errors import (
    DropshipError,
    InProgress,
    LedgerUnavailable,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
    ReferenceConflict,
)
from dropship_tools.orders import Plan
from dropship_tools.personal import personal_values, without_any
from dropship_tools.tool import CreateTool
from dropship_tools.wire import SendOnce

log = logging.getLogger(__name__)

MEND_FIRST = (
    "A person has to mend the ledger; dropship_status names it. Then make exactly the same call again: it looks for "
    "the order before anything else. Never order under another reference."
)

Report = Callable[[str], Awaitable[None]]
"""Tells a waiting host that the call is alive."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds. Hosts give up after 60; everything is answered within 45.

    Attributes:
        call: a call's answer is out by then, whatever happens.
        flight: placing and looking end by then.
        poll: between looks at a row that another process holds.
        report: between signs of life.
    """

    call: float = 44.0
    flight: float = 42.0
    poll: float = 0.2
    report: float = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a create call ended well."""

    outcome: Literal["placed", "already_placed"]
    order: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass
class _Flight:
    content: Content
    scope: anyio.CancelScope = field(default_factory=lambda: anyio.CancelScope(shield=True))
    done: anyio.Event = field(default_factory=anyio.Event)
    outcome: Outcome | None = None
    error: DropshipError | None = None


@dataclass(frozen=True, slots=True)
class _Unrecorded:
    """An order that was placed while the ledger failed."""

    row: Row
    order_id: str
    facts: Mapping[str, Any]
    warning: str


class Ordering:
    """Carries orders. `running()` must be entered before the first one."""

    def __init__(self, ledger: Ledger, *, now: Callable[[], datetime] = utc_now, budget: Budget | None = None) -> None:
        self._ledger = ledger
        self._budget = budget or Budget()
        self._looking = Looking(ledger, now)
        self._flights: dict[OrderKey, _Flight] = {}
        self._unrecorded: dict[OrderKey, _Unrecorded] = {}
        self._tasks: anyio.abc.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Orders can be carried. At the end, those under way are finished and recorded."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    with anyio.move_on_after(self._budget.flight):
                        await self.landed()
                    for flight in self._flights.values():
                        flight.scope.cancel()
                    await self.landed()
                    await self.record_late()
                self._tasks = None

    async def landed(self) -> None:
        """Wait until no order is under way."""
        while self._flights:
            await next(iter(self._flights.values())).done.wait()

    async def create(
        self, tool: CreateTool[Any, Any], connection: Connection, arguments: CreateArguments, report: Report
    ) -> tuple[str, Outcome]:
        """Place an order, or say what became of it: the reference and the outcome.

        Raises:
            InvalidArguments, LedgerUnavailable, ReferenceConflict: nothing was sent.
            InProgress: it is being placed; the same call later brings the answer.
            ProviderRefused, ProviderAuth, RateLimited, ProviderUnavailable: no order exists.
            OutcomeUnknown: an order may exist.
        """
        deadline = anyio.current_time() + self._budget.call
        plan = tool.plan(connection.client, arguments)
        key = OrderKey(connection.mode, connection.provider.name, connection.account.name, plan.reference)
        content = await self._ledger.hashes(plan.content, plan.trace)
        flight = self._flights.get(key)
        first = flight is None
        if flight is None:
            if self._tasks is None:
                raise RuntimeError("Ordering.running() was not entered")
            flight = self._flights[key] = _Flight(content)
            self._tasks.start_soon(self._fly, flight, key, tool, connection, plan)
        elif flight.content.fingerprint != content.fingerprint:
            raise _conflict(key, flight.content.changed(content))
        await self._wait(flight, deadline, report)
        if flight.error is not None:
            raise flight.error
        assert flight.outcome is not None
        outcome = flight.outcome if first else Outcome("already_placed", flight.outcome.order)
        return plan.reference, Outcome(outcome.outcome, outcome.order, (*plan.warnings, *outcome.warnings))

    async def _wait(self, flight: _Flight, deadline: float, report: Report) -> None:
        while not flight.done.is_set():
            left = deadline - anyio.current_time()
            if left <= 0:
                raise _in_progress()
            with anyio.move_on_after(min(left, self._budget.report)):
                await flight.done.wait()
            if not flight.done.is_set():
                await report("placing the order")

    async def _fly(
        self, flight: _Flight, key: OrderKey, tool: CreateTool[Any, Any], connection: Connection, plan: Plan
    ) -> None:
        try:
            with flight.scope:  # whoever goes away or is told to stop, an order under way is finished
                flight.outcome = await self._carry(flight.content, key, tool, connection, plan)
        except DropshipError as error:
            flight.error = error
        except Exception as error:  # a bug of ours: the order may or may not have left, and the ledger knows which
            flight.error = OutcomeUnknown(
                f"the server failed while placing the order (error {log_crash(error)})",
                fix=next_step(tool, key),
            )
        finally:
            if flight.outcome is None and flight.error is None:  # the server is shutting down
                flight.error = _in_progress()
            del self._flights[key]
            flight.done.set()

    async def _carry(
        self, content: Content, key: OrderKey, tool: CreateTool[Any, Any], connection: Connection, plan: Plan
    ) -> Outcome:
        deadline = anyio.current_time() + self._budget.flight
        claimed = await self._claim(content, key, tool, connection, deadline)
        if isinstance(claimed, Outcome):
            return claimed
        return await self._send(claimed, tool, connection, plan, deadline)

    async def _claim(
        self, content: Content, key: OrderKey, tool: CreateTool[Any, Any], connection: Connection, deadline: float
    ) -> Row | Outcome:
        """The row, ours to send; or the outcome of an order that exists already."""
        await self.record_late()
        if late := self._unrecorded.get(key):
            if late.row.content.fingerprint != content.fingerprint:
                raise _conflict(key, late.row.content.changed(content))
            return Outcome("already_placed", late.facts, (late.warning,))
        while True:
            claim = await self._ledger.claim(key, content)
            row = claim.row
            if claim.won:
                return row
            if row.content.fingerprint != content.fingerprint:
                raise _conflict(key, row.content.changed(content))
            if row.state == "unknown":
                row = await self._look(tool, connection, row, deadline, repeating=True)
                if row.state == "unknown":
                    raise OutcomeUnknown(
                        f"an earlier call sent this order and its outcome is still unknown: {row.reason}",
                        sent="maybe",
                        fix=next_step(tool, key),
                    )
                continue  # the ledger decides anew: another process may have been quicker
            if row.state == "placed":
                return _recorded(row)
            if row.state in ("claimed", "sending"):
                if anyio.current_time() >= deadline:
                    raise _in_progress()
                await anyio.sleep(self._budget.poll)

    async def _send(
        self, row: Row, tool: CreateTool[Any, Any], connection: Connection, plan: Plan, deadline: float
    ) -> Outcome:
        held = row

        async def before() -> None:
            nonlocal held
            try:
                held = await self._ledger.sending(row)
            except LostOrder as lost:
                raise _in_progress() from lost

        once = SendOnce(before)
        try:
            with anyio.fail_after(max(0.0, deadline - anyio.current_time())):
                placement = await tool.place(connection.client, plan, once)
        except OutcomeUnknown as error:
            return await self._verify(held, tool, connection, error, deadline)
        except DropshipError as error:
            if not _certainly_none(once, error):
                lost = OutcomeUnknown(f"the order was sent, then {error.what}", fix="")
                return await self._verify(held, tool, connection, lost, deadline)
            await self._record_refused(held, error.code)
            raise
        except TimeoutError as error:
            if once.used:
                late = OutcomeUnknown("the order was sent and no answer came in time", fix="")
                return await self._verify(held, tool, connection, late, deadline)
            await self._record_refused(held, "out of time before sending")
            raise ProviderUnavailable(
                f"{connection.provider.title} was too slow, so the order was not sent",
                fix="Make the same call again later, with the same reference.",
            ) from error
        except BaseException as error:  # a bug of ours, or the server is shutting down
            with anyio.CancelScope(shield=True):
                if once.used:
                    await self._record_unknown(held, f"interrupted after sending ({type(error).__name__})")
                else:
                    await self._record_refused(held, f"interrupted before sending ({type(error).__name__})")
            raise
        facts = _without_buyer(placement.order.facts(), plan)
        warnings = await self._record_placed(held, placement.order.order_id, facts)
        return Outcome("already_placed" if placement.existed else "placed", facts, warnings)

    async def _verify(
        self, row: Row, tool: CreateTool[Any, Any], connection: Connection, error: OutcomeUnknown, deadline: float
    ) -> Outcome:
        """The order left and no clear answer came: look for it with the time that is left."""
        row = await self._record_unknown(row, error.what)
        what, fix = error.what, next_step(tool, row.key)
        try:
            row = await self._look(tool, connection, row, deadline, repeating=False)
        except LedgerUnavailable as failure:
            what, fix = f"{error.what}, and {failure.what}", MEND_FIRST
        if row.state == "placed":
            warning = "The provider's own answer was lost; the order was found by looking for it."
            return Outcome("placed", row.answer, (warning,))
        raise OutcomeUnknown(what, fix=fix, provider_said=error.provider_said) from error

    async def _look(
        self, tool: CreateTool[Any, Any], connection: Connection, row: Row, deadline: float, *, repeating: bool
    ) -> Row:
        """The row after looking for its order; unchanged if the time did not suffice."""
        with anyio.move_on_after(max(0.0, deadline - anyio.current_time())):
            row = await self._looking.settle(tool, connection, row, repeating=repeating)
        return row

    async def _record_placed(self, row: Row, order_id: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
        try:
            await self._ledger.placed(row, order_id, facts)
        except LostOrder:
            return ()  # a person or another process settled it meanwhile; what they wrote stands
        except LedgerUnavailable as error:
            warning = (
                f"The order exists, but {error.what}. Write the order id down; it is recorded when that is mended."
            )
            self._unrecorded[row.key] = _Unrecorded(row, order_id, facts, warning)
            return (warning,)
        return ()

    async def record_late(self) -> None:
        """Write down the orders that were placed while the ledger failed, if it can be used again."""
        for key, late in tuple(self._unrecorded.items()):
            try:
                await self._ledger.placed(late.row, late.order_id, late.facts)
            except LedgerUnavailable:
                return
            except LostOrder:
                pass  # it was written after all, and only the ledger's answer was lost
            self._unrecorded.pop(key, None)

    async def _record_refused(self, row: Row, reason: str) -> None:
        """Best effort: if it fails the row stays claimed or sending, which is safe and is settled later."""
        try:
            await self._ledger.refused(row, reason)
        except (LedgerUnavailable, LostOrder) as error:
            log.warning("a refused order could not be recorded: %s", type(error).__name__)

    async def _record_unknown(self, row: Row, reason: str) -> Row:
        """Best effort: if it fails the row stays `sending`, which counts as unknown once this process is gone."""
        try:
            return await self._ledger.unknown(row, reason)
        except (LedgerUnavailable, LostOrder) as error:
            log.warning("an unknown outcome could not be recorded: %s", type(error).__name__)
            return row


def _without_buyer(facts: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """The ledger keeps these facts, and the provider's words among them may quote the buyer."""
    private = tuple(personal_values(plan.content))
    words = {name: facts[name] for name in ("warnings", "provider_status") if name in facts}
    return {**facts, **without_any(words, private)}


def _certainly_none(once: SendOnce, error: DropshipError) -> bool:
    """Whether an error means that no order exists. Errors of look-ups after the order left do not."""
    if not once.used or once.nothing_left or isinstance(error, ProviderRefused | ReferenceConflict):
        return True
    return once.status is not None and 400 <= once.status < 500 and once.status != 408


def _recorded(row: Row) -> Outcome:
    when = row.changed_at.isoformat(timespec="seconds")
    order = {**row.answer, "order_id": row.order_id} if row.order_id else row.answer  # a person's word has it apart
    return Outcome("already_placed", order, (f"Recorded {when}; nothing was sent now and the status may have moved.",))


def _conflict(key: OrderKey, changed: list[str]) -> ReferenceConflict:
    shown = ", ".join(changed[:12]) + (f" and {len(changed) - 12} more" if len(changed) > 12 else "")
    return ReferenceConflict(
        f"reference {key.reference} belongs to another order at {key.provider}; different: {shown}",
        fix=(
            "For the same parcel repeat the first call unchanged. For another parcel use that order's own number. "
            "A sent order cannot be changed."
        ),
    )


def _in_progress() -> InProgress:
    return InProgress(
        "this order is being placed by another call",
        fix="Make the same call again in 30 s, with the same reference; it brings the answer and orders nothing twice.",
        sent="maybe",
    )
