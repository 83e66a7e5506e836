"""Everything the server's parts need to be watched."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager

import anyio
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import NoOpTracerProvider, TracerProvider

from dropship_mcp.ledger import Ledger
from dropship_mcp.telemetry.calls import TracedCalls
from dropship_mcp.telemetry.instruments import Instruments
from dropship_mcp.telemetry.open_orders import OpenOrders
from dropship_mcp.telemetry.page import PrometheusText
from dropship_mcp.telemetry.requests import ProviderRequests
from dropship_mcp.telemetry_settings import TelemetrySettings
from dropship_tools.provider import Account, Provider

LAST_LOOK_SECONDS = 1.0


class Telemetry:
    """Spans and metrics of one process.

    Attributes:
        watch: is told of orders and approvals (`watching.Watch`).
        calls: middleware for MCP servers, inside of `CallLog`.

    Args:
        tracers: None where nobody wants spans.
        page: shows the metrics, if they are to be fetched.
        close: sends what was not sent yet.
    """

    def __init__(
        self,
        settings: TelemetrySettings,
        tracers: TracerProvider | None,
        meters: MeterProvider,
        *,
        page: PrometheusText | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.watch = Instruments(tracers or NoOpTracerProvider(), meters)
        self.calls = TracedCalls(self.watch, references=settings.references)
        self.close = close
        self._page = page
        self._propagates = settings.providers

    def observer(self, provider: Provider, account: Account) -> ProviderRequests:
        """Watches the requests of one account."""
        return ProviderRequests(self.watch, provider, account, propagates=self._propagates)

    @asynccontextmanager
    async def reading(self, ledger: Ledger, mode: str, accounts: Iterable[tuple[str, str]]) -> AsyncGenerator[None]:
        """The gauges tell what `ledger` has open; `accounts` are told even with nothing."""
        counted = OpenOrders(ledger, mode, accounts)
        self.watch.count(counted)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(counted.keep_fresh)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()
                with anyio.move_on_after(LAST_LOOK_SECONDS, shield=True):
                    await counted.refresh()  # for what is sent at the end

    async def page(self, accept: str) -> tuple[bytes, str]:
        """The metrics as text, and its content type."""
        if self._page is None:
            raise RuntimeError("telemetry was opened without a page")
        await self.watch.refresh()
        return self._page.render(accept)
