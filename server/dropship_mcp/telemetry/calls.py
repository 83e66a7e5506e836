"""A span for every request from a host, within the trace that the host names."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dropship_mcp.telemetry.instruments import Instruments
from dropship_mcp.watching import Call, present_call

METHODS = frozenset(
    {
        *("initialize", "server/discover", "tools/list", "tools/call", "prompts/list", "prompts/get"),
        *("resources/list", "resources/read", "resources/templates/list", "completion/complete"),
    }
)
"""Spans are called after methods, and clients may send any word as one."""


class TracedCalls:
    """Server middleware, inside of `CallLog`.

    Args:
        references: spans name the shop's order numbers.
    """

    def __init__(self, instruments: Instruments, *, references: bool) -> None:
        self._instruments = instruments
        self._references = references

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """One message."""
        if ctx.request_id is None or ctx.method not in METHODS:
            return await call_next(ctx)
        call = present_call()
        attributes = {"mcp.method.name": ctx.method, "mcp.protocol.version": ctx.protocol_version}
        if call.request:
            attributes["jsonrpc.request.id"] = call.request
        began = time.perf_counter()
        with self._instruments.tracer.start_as_current_span(
            ctx.method,
            context=_parent(ctx),
            kind=SpanKind.SERVER,
            attributes=attributes,
            record_exception=False,  # texts of exceptions may quote arguments
            set_status_on_exception=False,
        ) as span:
            if span.get_span_context().is_valid:
                call.trace = format_trace_id(span.get_span_context().trace_id)
            try:
                return await call_next(ctx)
            except MCPError as error:
                call.error = call.error or str(error.error.code)
                raise
            except BaseException as error:
                call.error = call.error or type(error).__name__
                raise
            finally:
                self._end(span, call, time.perf_counter() - began)

    def _end(self, span: Span, call: Call, seconds: float) -> None:
        if call.error:
            span.set_attribute("error.type", call.error)
            span.set_status(Status(StatusCode.ERROR))
        if not call.tool:
            return
        span.update_name(f"tools/call {call.tool}")
        told = {
            "gen_ai.tool.name": call.tool,
            "dropship.mode": call.mode,
            "dropship.provider": call.provider,
            "dropship.account": call.account,
            "dropship.outcome": call.outcome or call.error,
        }
        told = {name: value for name, value in told.items() if value}
        self._instruments.tool_seconds.record(seconds, told)
        span.set_attributes({**told, "gen_ai.operation.name": "execute_tool"})
        if self._references and call.reference:
            span.set_attribute("dropship.reference", call.reference)


def _parent(ctx: ServerRequestContext[Any, Any]) -> Context | None:
    """The host's span: from the request itself, or else from the headers it came with."""
    for source in (ctx.meta, ctx.request.headers if ctx.request is not None else None):
        given: Mapping[str, Any] = source or {}
        carrier = {name: value for name in ("traceparent", "tracestate") if isinstance(value := given.get(name), str)}
        context = TraceContextTextMapPropagator().extract(carrier)
        if get_current_span(context).get_span_context().is_valid:
            return context
    return None
