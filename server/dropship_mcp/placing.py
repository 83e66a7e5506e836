"""Placing one order, once: claim it, send it, look for it, write down what became of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import anyio

from dropship_mcp import approval
from dropship_mcp.accounts import Connection
from dropship_mcp.approval import Desk
from dropship_mcp.ledger import Content, Ledger, LostOrder, OrderKey, Row, Terms, Withheld
from dropship_mcp.looking import Looking, next_step
from dropship_mcp.policy import Verdict
from dropship_tools.errors import (
    DropshipError,
    InProgress,
    LedgerUnavailable,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
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


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be sent, what the policy says of it now, and what a person would be asked (empty: nobody is).

    `known` says that the reference stands in the ledger already: as this order, or as another one.
    """

    plan: Plan
    verdict: Verdict
    question: str
    known: Literal["", "this", "another"] = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One order to be placed: what, where, and on which terms."""

    tool: CreateTool[Any, Any]
    connection: Connection
    plan: Plan
    key: OrderKey
    content: Content
    terms: Terms


@dataclass(frozen=True, slots=True)
class _Unrecorded:
    """An order that was placed while the ledger failed."""

    row: Row
    order_id: str
    facts: Mapping[str, Any]
    warning: str


class Placing:
    """Places orders.

    Args:
        ledger: where they are promised.
        desk: where a person decides on orders, for errors.
        now, budget: clocks.
    """

    def __init__(self, ledger: Ledger, desk: Desk, now: Callable[[], datetime], budget: Budget) -> None:
        self._ledger = ledger
        self._desk = desk
        self._budget = budget
        self._looking = Looking(ledger, now)
        self._unrecorded: dict[OrderKey, _Unrecorded] = {}

    async def place(self, job: Job) -> Outcome:
        """From the promise to the record.

        Raises:
            DropshipError: as `Ordering.create`.
        """
        deadline = anyio.current_time() + self._budget.flight
        claimed = await self._claim(job, deadline)
        return claimed if isinstance(claimed, Outcome) else await self._send(claimed, job, deadline)

    async def _claim(self, job: Job, deadline: float) -> Row | Outcome:
        """The row, ours to send; or the outcome of an order that exists already."""
        await self.record_late()
        key, content = job.key, job.content
        if late := self._unrecorded.get(key):
            if late.row.content.fingerprint != content.fingerprint:
                raise conflict(key, late.row.content.changed(content))
            return Outcome("already_placed", late.facts, (late.warning,))
        while True:
            try:
                claim = await self._ledger.claim(key, content, job.terms)
            except Withheld as withheld:
                raise approval.refusal(withheld, self._desk) from withheld
            row = claim.row
            if claim.won:
                return row
            if row.content.fingerprint != content.fingerprint:
                raise conflict(key, row.content.changed(content))
            if row.state == "unknown":
                row = await self._look(job, row, deadline, repeating=True)
                if row.state == "unknown":
                    raise OutcomeUnknown(
                        f"an earlier call sent this order and its outcome is still unknown: {row.reason}",
                        sent="maybe",
                        fix=next_step(job.tool, job.connection, key.reference),
                    )
                continue  # the ledger decides anew: another process may have been quicker
            if row.state == "placed":
                return _recorded(row)
            if row.state in ("claimed", "sending"):
                if anyio.current_time() >= deadline:
                    raise in_progress()
                await anyio.sleep(self._budget.poll)

    async def _send(self, row: Row, job: Job, deadline: float) -> Outcome:
        held = row

        async def before() -> None:
            nonlocal held
            try:
                held = await self._ledger.sending(row)
            except LostOrder as lost:
                raise in_progress() from lost

        once = SendOnce(before)
        try:
            with anyio.fail_after(max(0.0, deadline - anyio.current_time())):
                placement = await job.tool.place(job.connection.client, job.plan, once)
        except OutcomeUnknown as error:
            return await self._verify(held, job, error, deadline)
        except DropshipError as error:
            if not _certainly_none(once, error):
                lost = OutcomeUnknown(f"the order was sent, then {error.what}", fix="")
                return await self._verify(held, job, lost, deadline)
            await self._record_refused(held, error.code)
            if not once.used and isinstance(error, ProviderUnavailable | RateLimited):  # its fix is that of a look-up
                error.fix = "Make the same call again later, with the same reference. No order was sent."
            raise
        except TimeoutError as error:
            if once.used:
                late = OutcomeUnknown("the order was sent and no answer came in time", fix="")
                return await self._verify(held, job, late, deadline)
            await self._record_refused(held, "out of time before sending")
            raise ProviderUnavailable(
                f"{job.connection.provider.title} was too slow, so the order was not sent",
                fix="Make the same call again later, with the same reference.",
            ) from error
        except BaseException as error:  # a bug of ours, or the server is shutting down
            with anyio.CancelScope(shield=True):
                if once.used:
                    await self._record_unknown(held, f"interrupted after sending ({type(error).__name__})")
                else:
                    await self._record_refused(held, f"interrupted before sending ({type(error).__name__})")
            raise
        facts = _without_buyer(placement.order.facts(), job.plan)
        warnings = await self._record_placed(held, placement.order.order_id, facts)
        return Outcome("already_placed" if placement.existed else "placed", facts, warnings)

    async def _verify(self, row: Row, job: Job, error: OutcomeUnknown, deadline: float) -> Outcome:
        """The order left and no clear answer came: look for it with the time that is left."""
        row = await self._record_unknown(row, error.what)
        what, fix = error.what, next_step(job.tool, job.connection, row.key.reference)
        try:
            row = await self._look(job, row, deadline, repeating=False)
        except LedgerUnavailable as failure:
            what, fix = f"{error.what}, and {failure.what}", MEND_FIRST
        if row.state == "placed":
            warning = "The provider's own answer was lost; the order was found by looking for it."
            return Outcome("placed", row.answer, (warning,))
        raise OutcomeUnknown(what, fix=fix, provider_said=error.provider_said) from error

    async def _look(self, job: Job, row: Row, deadline: float, *, repeating: bool) -> Row:
        """The row after looking for its order; unchanged if the time did not suffice."""
        with anyio.move_on_after(max(0.0, deadline - anyio.current_time())):
            row = await self._looking.settle(job.tool, job.connection, row, repeating=repeating)
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


def conflict(key: OrderKey, changed: list[str]) -> ReferenceConflict:
    """The reference was used for an order with other content."""
    shown = ", ".join(changed[:12]) + (f" and {len(changed) - 12} more" if len(changed) > 12 else "")
    return ReferenceConflict(
        f"reference {key.reference} belongs to another order at {key.provider}; different: {shown}",
        fix=(
            "For the same parcel repeat the first call unchanged. For another parcel use that order's own number. "
            "A sent order cannot be changed."
        ),
    )


def in_progress(what: str = "this order is being placed by another call") -> InProgress:
    """Another call or process places it."""
    return InProgress(
        what,
        fix="Make the same call again in 30 s, with the same reference; it brings the answer and orders nothing twice.",
        sent="maybe",
    )
