"""The MCP server: settings in, one server for both protocol eras out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server

from dropship_mcp import __version__
from dropship_mcp.accounts import Accounts
from dropship_mcp.approval import Desk
from dropship_mcp.binding import ToolBinding
from dropship_mcp.catalogue import offers
from dropship_mcp.guidance import Guidance
from dropship_mcp.ledger import Ledger, make_ledger
from dropship_mcp.ordering import Ordering
from dropship_mcp.ready import LIST_TTL_MS, NAME, TITLE, instructions, ready_list
from dropship_mcp.settings import Settings


def build_app(
    settings: Settings,
    *,
    accounts: Accounts | None = None,
    ledger: Ledger | None = None,
    ordering: Ordering | None = None,
    approvals_page: str = "",
) -> Server[None]:
    """The server for `settings`. The other parts are for tests that bring their own.

    `approvals_page` is the address where people decide on orders, if one is served.
    """
    ledger = ledger or make_ledger(settings.ledger_place())
    accounts = accounts or Accounts(settings, bucket=ledger.bucket)
    ordering = ordering or Ordering(ledger, settings.policy, desk=Desk(settings.approve_command(), approvals_page))
    guidance = Guidance(accounts)
    binding = ToolBinding(partial(offers, settings, accounts, ledger, ordering), ready_list(settings), approvals_page)

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncGenerator[None]:
        try:
            async with ordering.running():
                yield
        finally:
            await accounts.close()
            await ledger.close()

    lists = ("tools/list", "server/discover", "prompts/list", "resources/list", "resources/read")
    hint = CacheHint(ttl_ms=LIST_TTL_MS, scope="private")
    return Server(
        NAME,
        version=__version__,
        title=TITLE,
        instructions=instructions(settings),
        lifespan=lifespan,
        on_list_tools=binding.list_tools,
        on_call_tool=binding.call_tool,
        get_tool_input_schema=binding.input_schema,
        on_list_resources=guidance.list_resources,
        on_read_resource=guidance.read_resource,
        on_list_prompts=guidance.list_prompts,
        on_get_prompt=guidance.get_prompt,
        on_completion=guidance.complete,
        cache_hints=dict.fromkeys(lists, hint),
    )
