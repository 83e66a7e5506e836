"""All dealings with the SDK's tool model: offers become tools, calls become results, errors become text.

Nothing raised by a tool reaches the SDK, because on older connections it sends the exception's text to the client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from dropship_mcp import answers
from dropship_mcp.arguments import accept
from dropship_mcp.catalogue import Offer
from dropship_mcp.elicitation import Asked, HostDialog
from dropship_mcp.leaving import Leaving
from dropship_mcp.logs import log_crash
from dropship_mcp.placing import in_progress
from dropship_mcp.report import Report
from dropship_mcp.watching import present_call
from dropship_tools.arguments import Arguments
from dropship_tools.errors import DropshipError, NotAllowed, OutcomeUnknown, ProviderUnavailable
from dropship_tools.personal import personal_values

Context = ServerRequestContext[Any, Any]


class ToolBinding:
    """Answers `tools/list` and `tools/call` for a fixed set of offers.

    Args:
        offers: makes them, which loads the providers' code.
        ready: how they are listed, where that is known without making them; they are made at the first call then.
        page: address of the approvals page, if one is served.
        why_off: why a tool that exists is not among them; None for one that does not exist.
        leaving: cuts calls off, which are answered then; None where nobody is.
    """

    def __init__(
        self,
        offers: Callable[[], Sequence[Offer]],
        ready: Sequence[Mapping[str, Any]] | None = None,
        page: str = "",
        why_off: Callable[[str], str | None] = lambda _: None,
        leaving: Leaving | None = None,
    ) -> None:
        self._make_offers = offers
        self._why_off = why_off
        self._page = page
        self._leaving = leaving
        # built once: listing validates every tool
        self._tools = [types.Tool.model_validate(tool) for tool in ready or map(as_listed, self._offers.values())]
        self._schemas = {tool.name: tool.input_schema for tool in self._tools}

    @cached_property
    def _offers(self) -> Mapping[str, Offer]:
        return {offer.name: offer for offer in self._make_offers()}

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The schema of one tool; keeps the SDK from listing all tools for every call."""
        return self._schemas.get(name)

    async def list_tools(self, _: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """All tools, in a fixed order."""
        return types.ListToolsResult(tools=self._tools)

    async def call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult | dict[str, Any]:
        """Accept, run, answer. What went well comes as it stands on the wire, which spares the SDK two models."""
        if params.name not in self._schemas:
            if why := self._why_off(params.name):
                off = NotAllowed(f"{params.name} is switched off: {why}", fix="Tell the person you work for.")
                return _text(answers.error_text(off, ordering=False), is_error=True)
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown tool: {params.name[:64]}")
        call = present_call()
        call.tool = params.name
        try:
            offer = self._offers[params.name]
        except Exception as error:
            call.error = "not_configured"
            what = f"the server failed to load its tools (error {log_crash(error)} in its log); nothing was sent"
            return _text(f"not_configured: {what}\nfix: Tell the person who runs this server.", is_error=True)
        arguments: Arguments | None = None
        try:
            arguments = accept(offer.arguments, params.arguments, offer.name)
            with self._leaving.work() if self._leaving else nullcontext() as work:
                answer = await offer.run(arguments, _report_to(context), HostDialog(context, params, self._page))
            if work and work.cancelled_caught:
                raise _cut_off(offer)
            call.outcome = answer.get("outcome", "done")
        except Asked as asked:
            call.outcome = "asked"
            return asked.result
        except DropshipError as error:
            call.error = error.code
            private = [*offer.secrets(), *personal_values(arguments.model_dump() if arguments else {})]
            return _text(answers.error_text(error, ordering=offer.writes, private=private), is_error=True)
        except anyio.get_cancelled_exc_class():
            call.error = "cancelled"
            raise
        except Exception as error:
            masked = _masked(error, offer)
            call.error = masked.code
            return _text(answers.error_text(masked, ordering=offer.writes), is_error=True)
        content = [{"type": "text", "text": answers.as_text(answer)}]
        return {"resultType": "complete", "content": content, "structuredContent": answer, "isError": False}


def _masked(error: Exception, offer: Offer) -> DropshipError:
    """A bug of ours, told without its text. The ledger knows whether an order left."""
    what = f"the server failed (error {log_crash(error)} in its log)"
    if offer.writes:
        return OutcomeUnknown(what, fix="Make the same call again with the same reference: nothing is ordered twice.")
    if offer.effect == "changes":
        return ProviderUnavailable(what, fix="It may have happened: read the present state before trying again.")
    return ProviderUnavailable(what, fix="Tell the person who runs this server; calling again may work.")


def _cut_off(offer: Offer) -> DropshipError:
    """The server stops and can wait no longer. An order that is being placed is finished and recorded all the same."""
    if offer.writes:
        return in_progress("the server is being stopped while it places this order, which it finishes")
    happened = "It may have happened: read the present state before trying again." if offer.effect == "changes" else ""
    return ProviderUnavailable("the server is being stopped", fix=happened or "Make the same call again in 30 s.")


def _text(text: str, *, is_error: bool) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=is_error)


def _report_to(context: Context) -> Report:
    """Signs of life for hosts that asked for progress."""
    steps = 0

    async def report(message: str) -> None:
        nonlocal steps
        steps += 1
        await context.session.report_progress(steps, message=message)

    return report


def as_listed(offer: Offer) -> dict[str, Any]:
    """A tool as it stands on the wire."""
    tool = types.Tool(
        name=offer.name,
        title=offer.title,
        description=offer.description,
        input_schema=offer.input_schema,
        output_schema=offer.output_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=offer.effect == "reads",
            destructive_hint=offer.effect in ("orders", "changes"),
            idempotent_hint=offer.idempotent,
            open_world_hint=offer.asks,
        ),
    )
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)
