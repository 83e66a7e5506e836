"""The OpenTelemetry SDK, set up from the standard OTEL_* variables; needs the extra `otel`.

Nothing global is set: what else runs in the process keeps its own telemetry. The end is ours as well, because the SDK's
own exit handlers may wait long for a collector that is gone.
"""

from __future__ import annotations

import os
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import TypeVar

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    ConsoleMetricExporter,
    MetricExporter,
    MetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

from dropship_mcp import __version__
from dropship_mcp.settings import SettingsError
from dropship_mcp.telemetry.page import PrometheusText
from dropship_mcp.telemetry.telemetry import Telemetry
from dropship_mcp.telemetry_settings import TelemetrySettings

ExporterT = TypeVar("ExporterT")

LEAVING_SECONDS = 2.0
"""So long the last spans and metrics may take at the end."""

# the console is stderr: stdout belongs to MCP
SPAN_EXPORTERS: Mapping[str, Callable[[], SpanExporter | None]] = {
    "otlp": OTLPSpanExporter,
    "console": lambda: ConsoleSpanExporter(out=sys.stderr),
    "none": lambda: None,
}
METRIC_EXPORTERS: Mapping[str, Callable[[], MetricExporter | None]] = {
    "otlp": OTLPMetricExporter,
    "console": lambda: ConsoleMetricExporter(out=sys.stderr),
    "none": lambda: None,
}


def export_telemetry(settings: TelemetrySettings, *, page: bool) -> Telemetry:
    """Telemetry as `settings` and the OTEL_* variables want it.

    Args:
        page: metrics are to be fetched, too.

    Raises:
        SettingsError: an exporter or a protocol that there is not.
    """
    spans, metrics = None, None
    if settings.exports:
        _check_protocol()
        spans = _exporter("OTEL_TRACES_EXPORTER", SPAN_EXPORTERS)
        metrics = _exporter("OTEL_METRICS_EXPORTER", METRIC_EXPORTERS)
    resource = Resource(
        {"service.name": "dropship-mcp", "service.version": __version__, "service.instance.id": str(uuid.uuid4())}
    ).merge(OTELResourceDetector().detect())
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    if spans:
        tracers.add_span_processor(BatchSpanProcessor(spans))
    shown = PrometheusText() if page else None
    readers: list[MetricReader] = [PeriodicExportingMetricReader(metrics)] if metrics else []
    if shown:
        readers.append(shown.reader)
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)

    def close() -> None:
        leaving = threading.Thread(target=lambda: (tracers.shutdown(), meters.shutdown()), daemon=True)
        leaving.start()
        leaving.join(LEAVING_SECONDS)

    return Telemetry(settings, tracers if spans else None, meters, page=shown, close=close)


def _exporter(variable: str, exporters: Mapping[str, Callable[[], ExporterT]]) -> ExporterT:
    name = os.environ.get(variable, "").strip().lower() or "otlp"
    if name not in exporters:
        raise SettingsError([f"{variable} must be one of: {', '.join(exporters)}"])
    return exporters[name]()


def _check_protocol() -> None:
    for signal in ("", "TRACES_", "METRICS_"):
        name = f"OTEL_EXPORTER_OTLP_{signal}PROTOCOL"
        if os.environ.get(name, "").strip() not in ("", "http/protobuf"):
            raise SettingsError([f"{name} must be http/protobuf, which is what is installed"])
