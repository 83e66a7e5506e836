"""A line in the log for every tool call, and the ids that tie all other lines to their request."""

from __future__ import annotations

import logging
import time
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from dropship_mcp.caller import present_caller
from dropship_mcp.watching import CALL, Call, sane_id

log = logging.getLogger(__name__)


class CallLog:
    """Server middleware. Logs who was called and how it ended, at level info; never arguments or answers."""

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """One message."""
        if ctx.request_id is None:
            return await call_next(ctx)
        call = Call(request=sane_id(ctx.request_id))
        if outer := CALL.get():  # over HTTP the request was known before
            call.id, call.http = outer.id, outer.http
        before = CALL.set(call)
        began = time.perf_counter()
        try:
            return await call_next(ctx)
        finally:
            if call.tool and log.isEnabledFor(logging.INFO):
                log.info("tool call", extra={"facts": _facts(call, time.perf_counter() - began)})
            CALL.reset(before)


def _facts(call: Call, seconds: float) -> dict[str, Any]:
    caller = present_caller()
    who = {"tenant": caller.tenant, "caller": caller.log_name()} if caller else {}
    facts = {"tool": call.tool, "account": call.account, "outcome": call.outcome, "error": call.error, **who}
    return {**{name: value for name, value in facts.items() if value}, "ms": round(seconds * 1000, 1)}
