"""The MCP server: settings in, one server for both protocol eras out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server

from dropship_mcp import __version__
from dropship_mcp.accounts import Accounts
from dropship_mcp.approval import Desk
from dropship_mcp.binding import ToolBinding
from dropship_mcp.call_log import CallLog
from dropship_mcp.catalogue import offers
from dropship_mcp.guidance import Guidance
from dropship_mcp.leaving import Leaving
from dropship_mcp.ledger import Ledger, make_ledger
from dropship_mcp.ordering import Ordering
from dropship_mcp.ready import LIST_TTL_MS, NAME, TITLE, instructions, ready_list, why_off
from dropship_mcp.settings import Settings, SettingsError

if TYPE_CHECKING:
    from dropship_mcp.telemetry.telemetry import Telemetry


SDK_SPANS = "OpenTelemetryMiddleware"
"""What the SDK calls the middleware that makes spans; it is not exported."""


def build_app(
    settings: Settings,
    *,
    accounts: Accounts | None = None,
    ledger: Ledger | None = None,
    ordering: Ordering | None = None,
    approvals_page: str = "",
    telemetry: Telemetry | None = None,
    leaving: Leaving | None = None,
) -> Server[None]:
    """The server for `settings`. The other parts are for tests that bring their own.

    `approvals_page` is the address where people decide on orders, if one is served. `leaving` cuts calls off.
    """
    ledger = ledger or make_ledger(settings.ledger_place(), scope=settings.tenant)
    observe = telemetry.observer if telemetry else None
    accounts = accounts or Accounts(settings, bucket=ledger.bucket, turn=ledger.turn, observe=observe)
    desk = Desk(settings.approve_command(), approvals_page)
    watch = telemetry.watch if telemetry else None
    ordering = ordering or Ordering(ledger, settings.policy, desk=desk, watch=watch)
    guidance = Guidance(accounts, ordering=settings.ordering)
    binding = ToolBinding(
        partial(offers, settings, accounts, ledger, ordering),
        ready_list(settings),
        approvals_page,
        partial(why_off, settings),
        leaving,
    )

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncGenerator[None]:
        counted = telemetry.reading(ledger, settings.mode, _served(accounts)) if telemetry else nullcontext()
        try:
            async with counted, ordering.running():
                yield
        finally:
            await accounts.close()
            await ledger.close()

    resources = ("resources/list", "resources/templates/list", "resources/read")
    hint = CacheHint(ttl_ms=LIST_TTL_MS, scope="private")
    server = Server[None](
        NAME,
        version=__version__,
        title=TITLE,
        instructions=instructions(settings),
        lifespan=lifespan,
        on_list_tools=binding.list_tools,
        on_call_tool=cast("Any", binding.call_tool),  # it may answer in JSON, of which the SDK's types know nothing
        get_tool_input_schema=binding.input_schema,
        on_list_resources=guidance.list_resources,
        on_list_resource_templates=guidance.list_templates,
        on_read_resource=guidance.read_resource,
        on_list_prompts=guidance.list_prompts,
        on_get_prompt=guidance.get_prompt,
        on_completion=guidance.complete,
        cache_hints=dict.fromkeys(("tools/list", "server/discover", "prompts/list", *resources), hint),
    )
    # the SDK's own spans cost time even when nobody listens, and quote what clients send
    others = [known for known in server.middleware if type(known).__name__ != SDK_SPANS]
    server.middleware[:] = [CallLog(), *([telemetry.calls] if telemetry else []), *others]
    return server


def open_telemetry(settings: Settings, *, page: bool = False) -> Telemetry | None:
    """What the operator wants to see from outside; None if nothing. `page`: metrics can be fetched here.

    Raises:
        SettingsError: it is not installed, or set up wrongly.
    """
    page = page and settings.telemetry.page
    if not (settings.telemetry.exports or page):
        return None
    try:
        from dropship_mcp.telemetry.export import export_telemetry
    except ModuleNotFoundError as error:
        missing = "DROPSHIP_TELEMETRY and DROPSHIP_METRICS need OpenTelemetry: pip install 'dropship-mcp[otel]'"
        raise SettingsError([missing]) from error
    return export_telemetry(settings.telemetry, page=page)


def _served(accounts: Accounts) -> list[tuple[str, str]]:
    """Providers and accounts, whether they were used or not."""
    return [(c.provider.name, c.account.name) for c in accounts.connections()]
