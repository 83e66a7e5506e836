"""The SDK behind telemetry: what the OTEL_* variables choose, what is refused, and that the end does not hang."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator

import pytest

from dropship_mcp.app import open_telemetry
from dropship_mcp.settings import Settings, SettingsError
from dropship_mcp.telemetry_settings import TelemetrySettings, read_telemetry
from unit.telemetry.collectors import Collector, collecting

EXPORTS = Settings(telemetry=TelemetrySettings(exports=True))
PAGE = Settings(telemetry=TelemetrySettings(page=True))


@pytest.fixture
def collector() -> Generator[Collector]:
    """A collector on this machine."""
    with collecting() as server:
        yield server


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine that runs the tests."""
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)


def test_spans_and_metrics_arrive_at_the_collector_that_is_named(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "orders-eu")
    telemetry = open_telemetry(EXPORTS)
    assert telemetry
    with telemetry.watch.tracer.start_as_current_span("tools/call dipli_create_order"):
        telemetry.watch.order_ended("live", "dipli", "dipli", "placed")
    telemetry.close()
    traces, metrics = collector.traces(), collector.metrics()
    names = [{pair.key: pair.value.string_value for pair in found.resource.attributes} for found in (traces, metrics)]
    assert {name["service.name"] for name in names} == {"orders-eu"}
    assert len({name["service.instance.id"] for name in names}) == 1
    assert [span.name for span in traces.scope_spans[0].spans] == ["tools/call dipli_create_order"]
    assert [metric.name for metric in metrics.scope_metrics[0].metrics] == ["dropship.orders"]


@pytest.mark.timeout(20)
def test_a_collector_that_is_gone_does_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
    monkeypatch.setattr("dropship_mcp.telemetry.export.LEAVING_SECONDS", 0.01)
    before = set(threading.enumerate())
    telemetry = open_telemetry(EXPORTS)
    assert telemetry
    telemetry.watch.order_ended("live", "dipli", "dipli", "placed")
    telemetry.close()
    still_trying = set(threading.enumerate()) - before
    assert still_trying
    for thread in still_trying:  # or they would go on beside other tests
        thread.join()


async def _page(settings: Settings) -> str:
    telemetry = open_telemetry(settings, page=True)
    assert telemetry
    try:
        telemetry.watch.order_ended("live", "dipli", "dipli", "placed")
        return (await telemetry.page(""))[0].decode()
    finally:
        telemetry.close()


@pytest.mark.anyio
async def test_the_page_alone_needs_no_collector_and_tells_who_it_is() -> None:
    text = await _page(PAGE)
    assert 'service_name="dropship-mcp"' in text
    assert 'dropship_orders_total{dropship_account="dipli"' in text


@pytest.mark.anyio
async def test_the_page_works_beside_exporters_and_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    settings = Settings(telemetry=TelemetrySettings(exports=True, page=True))
    assert "dropship_orders_total" in await _page(settings)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("OTEL_TRACES_EXPORTER", "jaeger", "OTEL_TRACES_EXPORTER must be one of: otlp, console, none"),
        ("OTEL_METRICS_EXPORTER", "statsd", "OTEL_METRICS_EXPORTER must be one of: otlp, console, none"),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, which is what is installed",
        ),
    ],
)
def test_an_exporter_that_there_is_not_is_refused(
    name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        open_telemetry(EXPORTS)
    assert refused.value.problems == [problem]


@pytest.mark.parametrize("settings", [EXPORTS, PAGE], ids=["exports", "page"])
def test_without_the_extra_a_person_is_told_how_to_get_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dropship_mcp.telemetry.export", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError) as refused:
        open_telemetry(settings, page=True)
    assert refused.value.problems == [
        "DROPSHIP_TELEMETRY and DROPSHIP_METRICS need OpenTelemetry: pip install 'dropship-mcp[otel]'"
    ]


def test_nothing_is_opened_that_nobody_asked_for() -> None:
    assert open_telemetry(Settings(), page=True) is None
    assert open_telemetry(PAGE) is None  # over stdin and stdout nobody can fetch it


def test_settings_are_read_and_mistakes_are_told() -> None:
    problems: list[str] = []
    chosen = {
        "DROPSHIP_TELEMETRY": "OTEL",
        "DROPSHIP_TELEMETRY_REFERENCES": "yes",
        "DROPSHIP_TELEMETRY_PROVIDERS": " no ",
        "DROPSHIP_METRICS": "on",
    }
    assert read_telemetry(chosen, problems) == TelemetrySettings(exports=True, references=True, page=True)
    assert read_telemetry({}, problems) == TelemetrySettings()
    assert problems == []
    read_telemetry(dict.fromkeys(chosen, "maybe"), problems)
    assert problems == [
        "DROPSHIP_TELEMETRY must be one of: off, otel",
        "DROPSHIP_TELEMETRY_REFERENCES must be one of: no, yes",
        "DROPSHIP_TELEMETRY_PROVIDERS must be one of: no, yes",
        "DROPSHIP_METRICS must be one of: off, on",
    ]
