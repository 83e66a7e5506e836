"""Putting an order's question to a person through the host, while calls come and go."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio
import anyio.abc

from dropship_mcp import approval
from dropship_mcp.approval import Host, Unapproved
from dropship_mcp.ledger import Approval, Decided, Ledger
from dropship_mcp.logs import log_crash
from dropship_mcp.report import Report
from dropship_mcp.watching import Watch
from dropship_tools.errors import DropshipError

log = logging.getLogger(__name__)


@dataclass
class _Question:
    """A question that a host shows at this moment."""

    approval: Approval
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    done: anyio.Event = field(default_factory=anyio.Event)


class Asking:
    """One question is shown once, whoever waits for its answer."""

    def __init__(
        self, ledger: Ledger, good_for: timedelta, now: Callable[[], datetime], report_every: float, watch: Watch
    ) -> None:
        self._ledger = ledger
        self._good_for = good_for
        self._now = now
        self._report_every = report_every
        self._watch = watch
        self._open: dict[int, _Question] = {}

    def withdraw(self) -> None:
        """Stop waiting for people; the questions stay in the ledger."""
        for question in self._open.values():
            question.scope.cancel()

    async def ask(
        self,
        tasks: anyio.abc.TaskGroup,
        host: Host,
        error: Unapproved,
        deadline: float,
        report: Report,
    ) -> None:
        """Come back when a person agreed; raise in every other case.

        A question that waits for its answer outlives the call: hosts give up sooner than people do.
        """
        question = error.approval
        state = await self._ledger.approvals.sealed(question)
        reply = host.reply()
        if reply and await self._ledger.approvals.is_sealed(reply.state, question):
            if reply.agreed is None:
                raise error
            return await self._decide(question, agreed=reply.agreed, how="asked by the host")
        host.send_back(question, state)
        shown = self._open.get(question.number)
        if shown is None:
            shown = self._open[question.number] = _Question(question)
            tasks.start_soon(self._show, host, shown)
        while not shown.done.is_set():
            left = deadline - anyio.current_time()
            if left <= 0:
                raise approval.being_asked(error)
            with anyio.move_on_after(min(left, self._report_every)):
                await shown.done.wait()
            if not shown.done.is_set():
                await report("waiting for a person's approval")
        present = await self._ledger.approvals.get(question.number)
        if present is None or present.state == "waiting":
            raise error

    async def _show(self, host: Host, shown: _Question) -> None:
        question = shown.approval
        try:
            shown.scope.deadline = anyio.current_time() + (question.expires_at - self._now()).total_seconds()
            with shown.scope:
                said = await host.ask(question)
                if said is not None:
                    await self._decide(question, agreed=said, how="asked by the host")
        except DropshipError as error:  # the call that waits sees what the ledger says
            log.warning("a person's answer could not be recorded: %s", error.code)
        except Exception as error:
            log_crash(error)
        finally:
            del self._open[question.number]
            shown.done.set()

    async def _decide(self, question: Approval, *, agreed: bool, how: str) -> None:
        try:
            await self._ledger.approvals.decide(question.number, agreed=agreed, how=how, good_for=self._good_for)
        except Decided as decided:
            if decided.state not in ("approved", "declined", "used"):  # otherwise the claim tells what holds now
                raise approval.too_late(decided) from decided
        else:
            self._watch.approval_decided(question.key.mode, question.key.provider, agreed=agreed)
