"""Spans and durations of the requests to one provider's account.

Addresses hold order numbers, so a span has the provider's documented route in their place; an address that fits no
route is left out. Bodies, headers and queries are never looked at.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dropship_mcp.telemetry.instruments import Instruments
from dropship_tools.http import Exchange
from dropship_tools.provider import Account, Provider
from dropship_tools.wire import WireRequest


class ProviderRequests:
    """Watches one account's requests (`dropship_tools.http.Observer`).

    Args:
        propagates: the provider is sent the trace context.
    """

    def __init__(self, instruments: Instruments, provider: Provider, account: Account, *, propagates: bool) -> None:
        self._instruments = instruments
        self._routes = [route.split("/") for route in provider.routes]
        self._told = {"dropship.provider": provider.name, "dropship.account": account.name}
        host = urlsplit(account.base_url)
        self._server: dict[str, str | int] = {"server.address": host.hostname or ""}
        if host.port:
            self._server["server.port"] = host.port
        self._propagates = propagates

    def headers(self) -> Mapping[str, str]:
        """The trace context, where providers may have it; nothing else of what callers sent along."""
        carrier: dict[str, str] = {}
        if self._propagates:
            TraceContextTextMapPropagator().inject(carrier)
            carrier.pop("tracestate", None)
        return carrier

    @contextmanager
    def exchange(self, request: WireRequest) -> Generator[Exchange]:
        """One request, until its answer is read."""
        operation = " ".join(filter(None, (request.method, self._route(request.path))))
        named = {"http.request.method": request.method, "url.template": operation.partition(" ")[2]}
        attributes = {**self._told, **self._server, **{name: value for name, value in named.items() if value}}
        exchange, failure, began = Exchange(), "", time.perf_counter()
        with self._instruments.tracer.start_as_current_span(
            operation,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # texts of exceptions may quote what was sent
            set_status_on_exception=False,
        ) as span:
            try:
                yield exchange
            except BaseException as error:
                failure = type(error.__cause__ or error).__name__
                raise
            finally:
                if exchange.status:
                    span.set_attribute("http.response.status_code", exchange.status)
                    failure = str(exchange.status) if exchange.status >= 400 else failure
                if failure:
                    span.set_attribute("error.type", failure)
                    span.set_status(Status(StatusCode.ERROR))
                self._instruments.request_seconds.record(
                    time.perf_counter() - began,
                    {
                        **self._told,
                        "dropship.provider.operation": operation,
                        "dropship.provider.answer": f"{exchange.status // 100}xx" if exchange.status else "none",
                    },
                )

    def _route(self, path: str) -> str:
        """The documented route that a path follows; empty if there is none."""
        segments = path.split("/")
        for route in self._routes:
            if len(route) == len(segments) and all(
                known == given or known.startswith("{") for known, given in zip(route, segments, strict=True)
            ):
                return "/".join(route)
        return ""
