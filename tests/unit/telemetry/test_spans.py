"""Spans: one for each tool call within the host's trace, with the requests to the provider below it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from mcp.server.lowlevel import Server
from mcp_types import RequestParamsMeta
from opentelemetry.trace import SpanKind, StatusCode

from dropship_mcp.app import SDK_SPANS, build_app
from dropship_mcp.settings import Settings
from protocol.bench import ERAS, EXTRA, VERSIONS, Era, bench, is_order
from protocol.samples import DIPLI, DUOPLANE, REFERENCE, SAMPLES, Sample
from unit.telemetry.seen import PARENT, TRACE, TRACEPARENT, attributes, own_id, parent, trace, watching
from unit.tools.http_fakes import reply
from web.sites import REQUESTS, desk

pytestmark = pytest.mark.anyio


def carrying(traceparent: Any, **more: str) -> RequestParamsMeta:
    """What a host sends along with a request."""
    return cast("RequestParamsMeta", {"traceparent": traceparent, **more})


sample_of_each = pytest.mark.parametrize("sample", SAMPLES.values(), ids=list(SAMPLES))
both_eras = pytest.mark.parametrize("era", ERAS)


@both_eras
@sample_of_each
async def test_a_call_has_a_span_with_the_requests_to_its_provider_below_it(
    tmp_path: Path, sample: Sample, era: Era
) -> None:
    seen = watching()
    async with bench(tmp_path, era, only=sample, telemetry=seen.telemetry) as server:
        await server.call(sample.create, sample.order)
    call = seen.span(f"tools/call {sample.create}")
    told = dict(attributes(call))
    requests = [span for span in seen.spans() if span.kind is SpanKind.CLIENT]

    assert told.pop("jsonrpc.request.id")
    assert told == {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": VERSIONS[era],
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": sample.create,
        "dropship.mode": "sandbox",
        "dropship.provider": sample.provider,
        "dropship.account": "sandbox",
        "dropship.outcome": "placed",
    }
    assert (call.kind, call.status.status_code) == (SpanKind.SERVER, StatusCode.UNSET)
    assert {(parent(span), trace(span)) for span in requests} == {(own_id(call), trace(call))}
    assert len(requests) == len(server.wire.requests)


@sample_of_each
async def test_a_request_is_told_by_its_documented_route(tmp_path: Path, sample: Sample) -> None:
    seen = watching()
    async with bench(tmp_path, only=sample, telemetry=seen.telemetry) as server:
        await server.call(sample.create, sample.order)
        host = server.accounts.of(server.accounts.providers()[0])[0].account.base_url.partition("://")[2]
    told = dict(attributes(seen.span(f"POST {sample.create_path}")))
    assert told.pop("http.response.status_code") in (200, 201)
    assert told == {
        "http.request.method": "POST",
        "url.template": sample.create_path,
        "server.address": host,
        "dropship.provider": sample.provider,
        "dropship.account": "sandbox",
    }


@sample_of_each
async def test_every_request_of_every_tool_follows_a_route(tmp_path: Path, sample: Sample) -> None:
    seen = watching()
    settings = Settings(providers=(sample.provider,), extra_tools=tuple(n for n in EXTRA if sample.provider in n))
    async with bench(tmp_path, settings=settings, telemetry=seen.telemetry) as server:
        placed = await server.call(sample.create, sample.order)
        await server.call(sample.get, {sample.own_number: REFERENCE})
        await server.call(sample.get, {sample.their_number: placed["order_id"]})
        await server.call("dropship_find_order", {"reference": REFERENCE})
        for tool, arguments in sample.others.items():
            await server.call(tool, arguments)
    requests = [span for span in seen.spans() if span.kind is SpanKind.CLIENT]
    assert len(requests) == len(server.wire.requests) > 3
    assert [span.name for span in requests if "url.template" not in attributes(span)] == []


@both_eras
async def test_the_trace_that_a_host_names_in_the_request_goes_on(tmp_path: Path, era: Era) -> None:
    seen = watching()
    async with bench(tmp_path, era, only=DIPLI, telemetry=seen.telemetry) as server:
        await server.client.call_tool(DIPLI.create, DIPLI.order, meta=carrying(TRACEPARENT))
    assert {trace(span) for span in seen.spans()} == {TRACE}
    assert parent(seen.span(f"tools/call {DIPLI.create}")) == PARENT


@both_eras
async def test_over_http_a_header_names_the_trace_unless_the_request_does(tmp_path: Path, era: Era) -> None:
    seen = watching()
    request = REQUESTS[era]("tools/call", {"name": DIPLI.get, "arguments": {"public_id": "A-1"}})
    request["headers"]["traceparent"] = TRACEPARENT
    async with desk(tmp_path, provider="dipli", telemetry=seen.telemetry) as site, site.http() as http:
        assert (await http.post("/mcp", **request)).status_code == 200
        request["json"]["params"].setdefault("_meta", {})["traceparent"] = TRACEPARENT.replace(TRACE, TRACE[::-1])
        assert (await http.post("/mcp", **request)).status_code == 200
    calls = [span for span in seen.spans() if span.kind is SpanKind.SERVER]
    assert [(trace(span), parent(span)) for span in calls] == [(TRACE, PARENT), (TRACE[::-1], PARENT)]


@pytest.mark.parametrize("given", ["", "nonsense", "00-0-0-00", 7, ["00"], None], ids=repr)
async def test_a_trace_that_is_none_is_not_followed(tmp_path: Path, given: Any) -> None:
    seen = watching()
    async with bench(tmp_path, only=DIPLI, telemetry=seen.telemetry) as server:
        await server.client.call_tool(DIPLI.get, {"public_id": "A-1"}, meta=carrying(given))
    assert parent(seen.span(f"tools/call {DIPLI.get}")) == ""


@sample_of_each
async def test_a_call_that_fails_has_the_code_as_its_error(tmp_path: Path, sample: Sample) -> None:
    seen = watching()
    async with bench(tmp_path, only=sample, telemetry=seen.telemetry) as server:
        server.wire.instead = lambda request: reply(401) if is_order(sample, request) else None
        await server.fail(sample.create, sample.order)
    call, request = seen.span(f"tools/call {sample.create}"), seen.span(f"POST {sample.create_path}")
    assert (attributes(call)["error.type"], attributes(call)["dropship.outcome"]) == ("provider_auth", "provider_auth")
    assert attributes(request)["error.type"] == "401"
    assert {span.status.status_code for span in (call, request)} == {StatusCode.ERROR}


async def test_a_request_without_an_answer_has_the_kind_of_failure_as_its_error(tmp_path: Path) -> None:
    seen = watching()
    async with bench(tmp_path, only=DIPLI, telemetry=seen.telemetry) as server:
        server.wire.instead = lambda _: httpx2.ReadError("Zenobia Quastel hung up")
        await server.fail(DIPLI.create, DIPLI.order)
    order = attributes(seen.span(f"POST {DIPLI.create_path}"))
    assert order["error.type"] == "ReadError"
    assert "http.response.status_code" not in order
    assert attributes(seen.span(f"tools/call {DIPLI.create}"))["error.type"] == "outcome_unknown"


async def test_words_of_a_client_that_name_nothing_here_are_in_no_span(tmp_path: Path) -> None:
    seen = watching()
    async with desk(tmp_path, provider="dipli", telemetry=seen.telemetry) as site, site.http() as http:
        for method, params in (("tools/call", {"name": "zenobia"}), ("quastel/call", {})):
            await http.post("/mcp", **REQUESTS["auto"](method, params, request_id=1))
        strange = REQUESTS["auto"]("tools/list", {})
        strange["json"]["id"] = "to zenobia@quastel.example"
        await http.post("/mcp", **strange)
    [unknown, listed] = seen.exporter.get_finished_spans()
    assert unknown.name == "tools/call"
    assert attributes(unknown)["error.type"] == "-32602"
    assert (listed.name, "jsonrpc.request.id" in attributes(listed)) == ("tools/list", False)
    assert not any(word in span.to_json().lower() for span in (unknown, listed) for word in ("zenobia", "quastel"))


async def test_order_numbers_are_told_only_where_the_operator_asks_for_them(tmp_path: Path) -> None:
    for number, wanted in enumerate((False, True)):
        seen = watching(references=wanted)
        async with bench(tmp_path / str(number), only=DUOPLANE, telemetry=seen.telemetry) as server:
            await server.call(DUOPLANE.create, DUOPLANE.order)
        told = attributes(seen.span(f"tools/call {DUOPLANE.create}")).get("dropship.reference")
        assert told == (REFERENCE if wanted else None)


@sample_of_each
async def test_providers_are_sent_the_trace_only_where_the_operator_asks_for_it(tmp_path: Path, sample: Sample) -> None:
    for number, wanted in enumerate((False, True)):
        seen = watching(providers=wanted)
        (tmp_path / str(number)).mkdir()
        async with bench(tmp_path / str(number), only=sample, telemetry=seen.telemetry) as server:
            meta = carrying(TRACEPARENT, tracestate="shop=zenobia", baggage="buyer=zenobia")
            await server.client.call_tool(sample.create, sample.order, meta=meta)
        sent = [request.headers.get("traceparent") for request in server.wire.requests]
        spans = [span for span in seen.spans() if span.kind is SpanKind.CLIENT]
        assert sent == ([f"00-{TRACE}-{own_id(span)}-01" for span in spans] if wanted else [None] * len(spans))
        assert not any({"tracestate", "baggage"} & set(request.headers) for request in server.wire.requests)


def test_the_spans_of_the_sdk_are_switched_off(tmp_path: Path) -> None:
    assert [type(known).__name__ for known in Server[Any]("bare").middleware] == [SDK_SPANS]
    app = build_app(Settings(ledger=tmp_path / "ledger.sqlite3"))
    assert [type(known).__name__ for known in app.middleware] == ["CallLog"]
