"""What is measured, and how it is called. Knows the OpenTelemetry API and no SDK.

Every attribute is one of few: tools, configured accounts, outcomes and codes, providers' routes. So the number of time
series does not grow with the number of calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import TracerProvider

from dropship_mcp import __version__
from dropship_mcp.telemetry.open_orders import OpenOrders

SCOPE = "dropship-mcp"

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Buckets. A call may take 45 s, one request 30 s."""


class Instruments:
    """The tracer and the instruments; also whoever is told that an order ended (`watching.Watch`)."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        self.tracer = tracers.get_tracer(SCOPE, __version__)
        meter = meters.get_meter(SCOPE, __version__)
        self._ledgers: list[OpenOrders] = []
        self._orders = meter.create_counter(
            "dropship.orders", "{order}", "Attempts to place an order, by how they ended."
        )
        self._decisions = meter.create_counter(
            "dropship.approvals", "{decision}", "Orders that a person decided on when this server asked."
        )
        self.tool_seconds = meter.create_histogram(
            "dropship.tool.duration", "s", "Tool calls.", explicit_bucket_boundaries_advisory=SECONDS
        )
        self.request_seconds = meter.create_histogram(
            "dropship.provider.request.duration",
            "s",
            "Requests to providers, each attempt by itself.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        meter.create_observable_gauge(
            "dropship.unknown_outcomes", [self._unknown], "{order}", "Orders in the ledger whose outcome is unknown."
        )
        meter.create_observable_gauge(
            "dropship.approvals.waiting", [self._waiting], "{order}", "Orders that wait for a person's approval."
        )

    def order_ended(self, mode: str, provider: str, account: str, outcome: str) -> None:
        """An attempt to place an order is over."""
        told = {"dropship.mode": mode, "dropship.provider": provider, "dropship.account": account}
        self._orders.add(1, {**told, "dropship.outcome": outcome})

    def approval_decided(self, mode: str, provider: str, *, agreed: bool) -> None:
        """A person was asked through this server and answered."""
        decision = "approved" if agreed else "declined"
        self._decisions.add(
            1, {"dropship.mode": mode, "dropship.provider": provider, "dropship.approval.decision": decision}
        )

    def count(self, ledger: OpenOrders) -> None:
        """From here on the gauges include what `ledger` has open."""
        self._ledgers.append(ledger)

    async def refresh(self) -> None:
        """Read what the ledgers have open, now."""
        for ledger in self._ledgers:
            await ledger.refresh()

    def _unknown(self, _: CallbackOptions) -> Iterable[Observation]:
        total = Counter[tuple[str, str, str]]()
        for ledger in tuple(self._ledgers):
            total.update(ledger.unknown)
        return [
            Observation(count, {"dropship.mode": mode, "dropship.provider": provider, "dropship.account": account})
            for (mode, provider, account), count in total.items()
        ]

    def _waiting(self, _: CallbackOptions) -> Iterable[Observation]:
        total = Counter[str]()
        for ledger in tuple(self._ledgers):
            total.update(ledger.waiting)
        return [Observation(count, {"dropship.mode": mode}) for mode, count in total.items()]
