"""Telemetry that keeps what it was told in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from dropship_mcp.telemetry.page import PrometheusText
from dropship_mcp.telemetry.telemetry import Telemetry
from dropship_mcp.telemetry_settings import TelemetrySettings

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
"""A host's span, as W3C writes it."""


@dataclass
class Seen:
    """What whoever watches has seen."""

    telemetry: Telemetry
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def spans(self) -> list[ReadableSpan]:
        """Those of tool calls and of requests to providers, in the order in which they ended."""
        ended = self.exporter.get_finished_spans()
        return [span for span in ended if span.kind is SpanKind.CLIENT or span.name.startswith("tools/call")]

    def span(self, name: str) -> ReadableSpan:
        """The one with this name."""
        [found] = [span for span in self.spans() if span.name == name]
        return found

    def points(self) -> Iterator[tuple[str, Any]]:
        """Every data point with its instrument's name."""
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        yield metric.name, point

    def values(self, name: str, *by: str) -> dict[tuple[Any, ...], float]:
        """One instrument's values (of a histogram: how many) by some of its attributes."""
        found: dict[tuple[Any, ...], float] = {}
        for named, point in self.points():
            if named == name:
                value = point.count if hasattr(point, "count") else point.value
                key = tuple(point.attributes.get(attribute) for attribute in by)
                found[key] = found.get(key, 0) + value
        return found


def watching(**settings: bool) -> Seen:
    """Telemetry with the given settings."""
    exporter, reader, page = InMemorySpanExporter(), InMemoryMetricReader(), PrometheusText()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader, page.reader], shutdown_on_exit=False)
    return Seen(Telemetry(TelemetrySettings(**settings), tracers, meters, page=page), exporter, reader)


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    """As a plain dict."""
    return dict(span.attributes or {})


def parent(span: ReadableSpan) -> str:
    """The id of the span that it belongs to, empty for none."""
    return f"{span.parent.span_id:016x}" if span.parent else ""


def own_id(span: ReadableSpan) -> str:
    """Its id."""
    assert span.context
    return f"{span.context.span_id:016x}"


def trace(span: ReadableSpan) -> str:
    """Its trace."""
    assert span.context
    return f"{span.context.trace_id:032x}"
