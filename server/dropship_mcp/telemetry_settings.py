"""Settings of what can be seen from outside: spans, metrics. Standard library only, like all settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

TELEMETRY_SETTINGS: dict[str, str] = {
    "DROPSHIP_TELEMETRY": "otel: spans and metrics go where the OTEL_* variables say; default off",
    "DROPSHIP_TELEMETRY_REFERENCES": "yes: spans name the order numbers of calls that order; default no",
    "DROPSHIP_TELEMETRY_PROVIDERS": "yes: providers are sent the trace context (traceparent); default no",
    "DROPSHIP_METRICS": "on: `dropship-mcp http` serves metrics for Prometheus at /metrics; default off",
}


class TelemetrySettings(NamedTuple):
    """What can be seen from outside, all of it off by default.

    Attributes:
        exports: spans and metrics are sent where the OTEL_* variables say.
        references: spans name the shop's order numbers.
        providers: providers are sent the trace context.
        page: metrics can be fetched at `/metrics`, over HTTP.
    """

    exports: bool = False
    references: bool = False
    providers: bool = False
    page: bool = False


def read_telemetry(env: Mapping[str, str], problems: list[str]) -> TelemetrySettings:
    """The settings; adds to `problems`."""

    def chosen(name: str, no: str, yes: str) -> bool:
        value = env.get(name, "").strip().lower() or no
        if value not in (no, yes):
            problems.append(f"{name} must be one of: {no}, {yes}")
        return value == yes

    return TelemetrySettings(
        exports=chosen("DROPSHIP_TELEMETRY", "off", "otel"),
        references=chosen("DROPSHIP_TELEMETRY_REFERENCES", "no", "yes"),
        providers=chosen("DROPSHIP_TELEMETRY_PROVIDERS", "no", "yes"),
        page=chosen("DROPSHIP_METRICS", "off", "on"),
    )
