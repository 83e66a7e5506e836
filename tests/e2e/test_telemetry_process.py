"""The installed server, watched: spans and metrics arrive at a collector, and the log names the same calls."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from e2e.processes import ServerProcess, started
from protocol.samples import DIPLI, PERSONAL, REFERENCE
from unit.telemetry.collectors import collecting

pytestmark = pytest.mark.timeout(60)


def watched(state: Path, collector: str) -> AbstractContextManager[ServerProcess]:
    """A server that tells all it can."""
    return started(
        state,
        "auto",
        DROPSHIP_TELEMETRY="otel",
        DROPSHIP_LOG_LEVEL="info",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector,
    )


def test_a_call_is_seen_in_the_trace_in_the_metrics_and_in_the_log(tmp_path: Path) -> None:
    with collecting() as collector:
        with watched(tmp_path, collector.url) as server:
            server.send(server.call(DIPLI.create, DIPLI.order))
            assert server.answer()["outcome"] == "placed"
            server.close()
            code, errors = server.finish()
        spans = {span.name: span for span in collector.traces().scope_spans[0].spans}
        metrics = {metric.name for metric in collector.metrics().scope_metrics[0].metrics}
    lines = [json.loads(line) for line in errors.splitlines()]
    call = spans[f"tools/call {DIPLI.create}"]

    assert code == 0
    assert spans[f"POST {DIPLI.create_path}"].parent_span_id == call.span_id
    assert {"dropship.orders", "dropship.tool.duration", "dropship.provider.request.duration"} <= metrics
    assert {"dropship.unknown_outcomes", "dropship.approvals.waiting"} <= metrics
    [line] = [line for line in lines if line["message"] == "tool call"]
    assert (line["tool"], line["outcome"], line["trace_id"]) == (DIPLI.create, "placed", call.trace_id.hex())
    assert not any(word in errors for word in (*PERSONAL, REFERENCE))


def test_a_collector_that_is_gone_is_no_reason_to_stay(tmp_path: Path) -> None:
    with watched(tmp_path, "http://127.0.0.1:9") as server:
        server.send(server.call(DIPLI.create, DIPLI.order))
        assert server.answer()["outcome"] == "placed"
        server.close()
        code, errors = server.finish()
    assert code == 0
    assert not any(word in errors for word in (*PERSONAL, REFERENCE))
    assert {json.loads(line)["logger"].partition(".")[0] for line in errors.splitlines()} == {
        "dropship_mcp",
        "opentelemetry",
    }
