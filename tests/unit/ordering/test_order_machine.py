"""Anything in any order: calls, other contents, faults, deaths, look-ups, persons and clocks, in two processes.

Whatever happens, the provider never has two orders under one reference, an answer says nothing that is not true, and
the ledger does not claim what the provider does not have.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.abc import TaskStatus
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.providers import NAMES, Row, row_of
from contract.rigs import WRITES, Rig, Trace, is_request, make_rig, new_world
from dropship_mcp.placing import Budget
from dropship_tools.errors import DropshipError, LedgerUnavailable
from dropship_tools.http import Timing
from dropship_tools.sandbox.faults import FAULT_KINDS, Fault, FaultKind, add_fault, clear_faults
from unit.sandbox.worlds import Clock

REFERENCES = ("R-1", "R-2")
TIMING = Timing(connect=1, read=0.1, order=0.1, attempts=2, pause=0, longest_pause=0)
BUDGET = Budget(call=1.5, flight=1, poll=0.005)

POINTS = tuple(f"{when} {what}" for what in (*WRITES, "create", "any look") for when in ("before", "after"))
MISHAPS = ("death", "the ledger fails", "the connection breaks", "a bug")

NO_ANSWER: dict[str, str] = {}


class Killed(BaseException):
    """The process is dead: nothing of it runs any more."""


class Mishap:
    """Something goes wrong at a point, once; death goes on."""

    def __init__(self, point: str, what: str) -> None:
        self._point = point
        self._what = what
        self.deadly = what == "death"
        self.struck = False

    async def __call__(self, reached: str) -> None:
        """Strike."""
        if self.struck and not self.deadly:
            return
        look = is_request(reached) and not reached.endswith(" create")
        if self.struck or reached == self._point or (look and self._point == f"{reached.split()[0]} any look"):
            self.struck = True
            raise self._error(reached)

    def _error(self, reached: str) -> BaseException:
        if self.deadly:
            return Killed()
        if self._what == "the ledger fails" and not is_request(reached):
            return LedgerUnavailable("the ledger cannot be used", fix="")
        return httpx2.ReadError("broken") if self._what == "the connection breaks" else ZeroDivisionError()


class Process:
    """A server's insides that can die and come back."""

    def __init__(self, folder: Path, machine: OrderLife) -> None:
        self._folder = folder
        self._machine = machine
        self.begin()

    def begin(self) -> None:
        """Start."""
        self.trace = Trace()
        m = self._machine
        self.rig: Rig = make_rig(self._folder, m.world, clock=m.clock, timing=TIMING, budget=BUDGET, trace=self.trace)
        self._life, self._stop = m.portal.start_task(self._live)

    def end(self) -> None:
        """End in order, or find that it is dead."""
        self._machine.portal.call(self._stop.set)
        self._life.result()

    async def _live(self, *, task_status: TaskStatus[anyio.Event]) -> None:
        stop = anyio.Event()
        try:
            async with self.rig.running():
                task_status.started(stop)
                await stop.wait()
        except* Killed:
            pass


class OrderLife(RuleBasedStateMachine):
    """One provider, two processes, two references with two contents each."""

    @initialize(name=st.sampled_from(NAMES))
    def begin(self, name: str) -> None:
        """A new ledger and a new provider."""
        self.row: Row = row_of(name)
        self.stack = ExitStack()
        folder = Path(tempfile.mkdtemp(prefix="order-life-"))
        self.stack.callback(shutil.rmtree, folder)
        self.portal = self.stack.enter_context(start_blocking_portal())
        self.clock, self.theirs = Clock(), Clock()
        self.world = new_world(self.theirs)
        self.processes = [Process(folder, self) for _ in range(2)]

    @rule(
        who=st.integers(0, 1),
        reference=st.sampled_from(REFERENCES),
        street=st.sampled_from(["", "Other Street 1"]),
        mishap=st.none() | st.builds(Mishap, st.sampled_from(POINTS), st.sampled_from(MISHAPS)),
    )
    def order(self, who: int, reference: str, street: str, mishap: Mishap | None) -> None:
        """A create call, and perhaps a mishap in the middle of it."""
        process, before = self.processes[who], self.count(reference)
        process.trace.at = mishap
        arguments = self.row.arguments(reference)
        arguments = self.row.changed(arguments, street) if street else arguments
        try:
            end = self.portal.call(process.rig.create, self.row, arguments).outcome
        except DropshipError as error:
            end = f"sent: {error.sent}"
        process.trace.at = None
        after = self.count(reference)
        if end in ("placed", "already_placed"):
            assert after == 1
        if end == "sent: no":
            assert after == before
        if mishap is not None and mishap.deadly and mishap.struck:
            process.end()
            process.begin()

    @rule(reference=st.sampled_from(REFERENCES))
    def order_in_both(self, reference: str) -> None:
        """The same call in both processes at once."""

        async def both() -> None:
            async def call(rig: Rig) -> None:
                with suppress(DropshipError):
                    await rig.create(self.row, self.row.arguments(reference))

            async with anyio.create_task_group() as tasks:
                for process in self.processes:
                    tasks.start_soon(call, process.rig)

        self.portal.call(both)

    @rule(
        kind=st.sampled_from(FAULT_KINDS),
        operation=st.sampled_from(["create", "*"]),
        status=st.sampled_from([400, 429, 503]),
    )
    def ask_for_a_fault(self, kind: FaultKind, operation: str, status: int) -> None:
        """The provider's next answer goes wrong."""
        value = {"status": status, "status_after": 502, "huge": 3, "latency": 0.02}.get(kind, 0)
        add_fault(self.world.store, Fault(self.row.name, operation, kind, value=value))

    @rule()
    def all_is_well(self) -> None:
        """The provider recovers."""
        clear_faults(self.world.store)

    @rule(who=st.integers(0, 1), reference=st.sampled_from(REFERENCES))
    def settle(self, who: int, reference: str) -> None:
        """`dropship_settle_order`."""
        sent = self.sent()
        try:
            settled = self.portal.call(self.processes[who].rig.settle, self.row, reference)
        except DropshipError:
            return
        finally:
            assert self.sent() == sent
        if settled.outcome != "unknown":
            assert self.count(reference) == (settled.outcome == "placed")

    @rule(who=st.integers(0, 1), reference=st.sampled_from(REFERENCES))
    def a_person_settles(self, who: int, reference: str) -> None:
        """Who looks at the provider, and tells the truth."""
        rig = self.processes[who].rig
        row = self.portal.call(rig.row, self.row, reference)
        if row is not None and row.state == "unknown":
            state = "placed" if self.count(reference) else "refused"
            self.portal.call(rig.ledger.settle_by_hand, row, state, "", NO_ANSWER, "a person looked")

    @rule(minutes=st.sampled_from([-100_000, -10, 1, 20, 100_000]))
    def our_clock_jumps(self, minutes: int) -> None:
        """Backwards or forwards."""
        self.clock.move(minutes=minutes)

    @rule(minutes=st.sampled_from([1, 20, 2000]))
    def time_passes(self, minutes: int) -> None:
        """For everybody."""
        self.clock.move(minutes=minutes)
        self.theirs.move(minutes=minutes)

    @rule(who=st.integers(0, 1))
    def a_process_restarts(self, who: int) -> None:
        """In order."""
        self.processes[who].end()
        self.processes[who].begin()

    @invariant()
    def nobody_gets_two_parcels(self) -> None:
        """The promise of the whole project."""
        self.theirs.move(minutes=1)  # the provider counts requests a minute
        for reference in REFERENCES:
            assert self.count(reference) <= 1

    @invariant()
    def the_ledger_says_nothing_untrue(self) -> None:
        """Placed is there, refused and never sent are not."""
        for reference in REFERENCES:
            state = self.portal.call(self.processes[0].rig.state, self.row, reference)
            if state not in ("unknown", "sending"):
                assert self.count(reference) == (state == "placed"), (reference, state)

    def teardown(self) -> None:
        """End both processes."""
        for process in self.processes:
            process.end()
        self.stack.close()

    def count(self, reference: str) -> int:
        """Orders at the provider."""
        return self.row.orders(self.world, reference)

    def sent(self) -> int:
        """How often an order has left since the processes began."""
        return sum(process.trace.sent() for process in self.processes)


TestOrderLife = pytest.mark.timeout(120)(OrderLife.TestCase)
TestOrderLife.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
