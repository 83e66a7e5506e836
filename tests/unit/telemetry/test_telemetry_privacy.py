"""Providers that repeat everything they were sent: nothing of it, no reference and no credential, is in what is seen."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from opentelemetry.trace import SpanKind

from protocol.bench import bench, is_order
from protocol.samples import PERSONAL, REFERENCE, SAMPLES, Sample
from protocol.test_marker_sweep import everything, found, secrets
from protocol.weather import BRIEF
from unit.telemetry.seen import watching
from unit.tools.http_fakes import reply

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=list(SAMPLES))
async def test_spans_and_metrics_hold_nothing_of_buyers_orders_and_credentials(tmp_path: Path, sample: Sample) -> None:
    seen = watching()
    async with bench(tmp_path, only=sample, timing=BRIEF, telemetry=seen.telemetry) as server:
        placed = await server.call(sample.create, sample.order)
        await server.call(sample.get, {sample.own_number: REFERENCE})
        await server.call(sample.get, {sample.their_number: placed["order_id"]})
        await server.call("dropship_find_order", {"reference": REFERENCE})
        await server.fail(sample.create, sample.elsewhere())
        for number, status in enumerate((400, 422, 500)):

            def quoting(request: httpx2.Request, status: int = status) -> httpx2.Response | None:
                return reply(status, everything(request).encode()) if is_order(sample, request) else None

            server.wire.instead = quoting
            await server.result(sample.create, sample.arguments(**{sample.reference: f"{REFERENCE}-{number}"}))
        server.wire.instead = lambda request: httpx2.ReadError(everything(request))
        await server.fail(sample.create, sample.arguments(**{sample.reference: f"{REFERENCE}-9"}))
        await seen.telemetry.watch.refresh()
        text, _ = await seen.telemetry.page("")
    spans = [span.to_json() for span in seen.exporter.get_finished_spans()]
    points = [f"{name} {dict(point.attributes)}" for name, point in seen.points()]
    private = [*PERSONAL, *secrets(sample), REFERENCE, str(placed["order_id"])]

    assert sum(1 for span in seen.spans() if span.kind is SpanKind.CLIENT) > 5
    assert found("\n".join([*spans, *points]), [word for word in private if not word.isdigit()]) == []
    told = [str(value) for span in seen.exporter.get_finished_spans() for value in (span.attributes or {}).values()]
    assert set(told) & set(private) == set()
    assert found(text.decode(), [word for word in private if not word.isdigit()]) == []
