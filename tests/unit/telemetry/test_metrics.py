"""Metrics: what they count after calls that are known, and that calls do not make them more."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import MCPError

from dropship_mcp.ledger import OrderKey
from dropship_mcp.policy import Policy
from dropship_mcp.settings import Settings
from dropship_mcp.telemetry.open_orders import OpenOrders
from protocol.bench import Bench, Instead, bench, is_order
from protocol.persons import NO, YES, Person
from protocol.samples import DIPLI, SAMPLES, Sample
from unit.telemetry.seen import Seen, watching
from unit.tools.http_fakes import reply
from web.houses import bearer, house
from web.test_approvals_page import ASK, decide, sign_in, try_to_order

pytestmark = pytest.mark.anyio

sample_of_each = pytest.mark.parametrize("sample", SAMPLES.values(), ids=list(SAMPLES))


def numbered(sample: Sample, reference: str) -> dict[str, Any]:
    """The sample's order under another number."""
    return sample.arguments(**{sample.reference: reference})


def only_orders(sample: Sample, answer: httpx2.Response | Exception) -> Instead:
    """Orders are answered so; look-ups go through."""
    return lambda request: answer if is_order(sample, request) else None


@sample_of_each
async def test_orders_are_counted_once_by_how_they_ended(tmp_path: Path, sample: Sample) -> None:
    seen = watching()
    async with bench(tmp_path, only=sample, telemetry=seen.telemetry) as server:
        await server.call(sample.create, sample.arguments(dry_run=True))
        await server.fail(sample.create, {sample.reference: "M-0"})
        await server.call(sample.create, numbered(sample, "M-1"))
        await server.call(sample.create, numbered(sample, "M-1"))
        await server.fail(sample.create, {**sample.elsewhere(), sample.reference: "M-1"})
        server.wire.instead = only_orders(sample, reply(401))
        await server.fail(sample.create, numbered(sample, "M-2"))
        server.wire.instead = only_orders(sample, httpx2.ReadError("gone"))
        await server.fail(sample.create, numbered(sample, "M-3"))
        await seen.telemetry.watch.refresh()
        where = ("sandbox", sample.provider, "sandbox")
        known = ("dropship.mode", "dropship.provider", "dropship.account")
        assert seen.values("dropship.orders", *known, "dropship.outcome") == {
            (*where, "placed"): 1,
            (*where, "already_placed"): 1,
            (*where, "reference_conflict"): 1,
            (*where, "provider_auth"): 1,
            (*where, "outcome_unknown"): 1,
        }
        assert seen.values("dropship.unknown_outcomes", *known) == {where: 1}
        assert seen.values("dropship.approvals.waiting", "dropship.mode") == {("sandbox",): 0}
    calls = seen.values("dropship.tool.duration", "gen_ai.tool.name", "dropship.outcome")
    assert calls == {
        (sample.create, "preview"): 1,
        (sample.create, "invalid_arguments"): 1,
        (sample.create, "placed"): 1,
        (sample.create, "already_placed"): 1,
        (sample.create, "reference_conflict"): 1,
        (sample.create, "provider_auth"): 1,
        (sample.create, "outcome_unknown"): 1,
    }


@sample_of_each
async def test_requests_are_timed_by_what_was_asked_and_how_it_was_answered(tmp_path: Path, sample: Sample) -> None:
    seen = watching()
    async with bench(tmp_path, only=sample, telemetry=seen.telemetry) as server:
        placed = await server.call(sample.create, sample.order)
        server.wire.instead = lambda _: reply(503)
        await server.fail(sample.get, {sample.their_number: placed["order_id"]})
        server.wire.instead = lambda _: httpx2.ReadError("gone")
        await server.fail(sample.get, {sample.their_number: placed["order_id"]})
        requests = len(server.wire.requests)
    timed = seen.values("dropship.provider.request.duration", "dropship.provider.operation", "dropship.provider.answer")
    assert sum(timed.values()) == requests
    assert timed[(f"POST {sample.create_path}", "2xx")] == 1
    assert {answer for _, answer in timed} >= {"2xx", "5xx", "none"}


async def asked(tmp_path: Path, person: Person | None, seen: Seen) -> Bench:
    """An order that a person has to agree to; the server afterwards."""
    settings = Settings(providers=("dipli",), orders="ask", policy=Policy(orders="ask"))
    async with bench(tmp_path, settings=settings, person=person, telemetry=seen.telemetry) as server:
        await server.result(DIPLI.create, DIPLI.order)
        await seen.telemetry.watch.refresh()
        waiting = seen.values("dropship.approvals.waiting", "dropship.mode")
        assert waiting == {("sandbox",): 0 if person else 1}
    return server


@pytest.mark.parametrize(
    ("answer", "decision", "ended"), [(YES, "approved", "placed"), (NO, "declined", "not_allowed")]
)
async def test_what_a_person_decides_is_counted(tmp_path: Path, answer: Any, decision: str, ended: str) -> None:
    seen = watching()
    await asked(tmp_path, Person(answer), seen)
    assert seen.values("dropship.approvals", "dropship.provider", "dropship.approval.decision") == {
        ("dipli", decision): 1
    }
    assert seen.values("dropship.orders", "dropship.outcome") == {(ended,): 1}


async def test_what_a_person_decides_on_the_page_is_counted_once(tmp_path: Path) -> None:
    seen = watching()
    async with house(tmp_path, ASK, watch=seen.telemetry.watch) as served, served.http() as http:
        await try_to_order(served)
        await sign_in(http, bearer("acme-staff"))
        for _ in range(2):
            await decide(http, "decline")
    assert seen.values("dropship.approvals", "dropship.provider", "dropship.approval.decision") == {
        ("dropday", "declined"): 1
    }


async def test_what_waits_for_a_person_is_counted(tmp_path: Path) -> None:
    seen = watching()
    await asked(tmp_path, None, seen)
    assert seen.values("dropship.approvals") == {}
    assert seen.values("dropship.orders") == {}


async def test_a_ledger_that_cannot_be_read_tells_no_number_instead_of_an_old_one(tmp_path: Path) -> None:
    seen = watching()
    async with bench(tmp_path, only=DIPLI, telemetry=seen.telemetry) as server:
        await server.call(DIPLI.create, DIPLI.order)
        counted = OpenOrders(server.ledger, "sandbox", [("dipli", "sandbox")])
        await counted.refresh()
        assert (counted.unknown, counted.waiting) == ({("sandbox", "dipli", "sandbox"): 0}, {"sandbox": 0})
        with sqlite3.connect(tmp_path / "ledger.sqlite3") as other:
            other.execute("DROP TABLE approvals")
        other.close()
        await counted.refresh()
        assert (counted.unknown, counted.waiting) == ({}, {})


async def broken(*_: Any, **__: Any) -> None:
    """A mistake of ours."""
    raise ZeroDivisionError


async def test_a_mistake_in_counting_is_logged_and_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen = watching()
    async with bench(tmp_path, only=DIPLI, telemetry=seen.telemetry) as server:
        monkeypatch.setattr(server.ledger, "recent", broken)
        await seen.telemetry.watch.refresh()
        await server.call(DIPLI.create, DIPLI.order)
    assert "ZeroDivisionError" in caplog.text
    assert seen.values("dropship.unknown_outcomes") == {}


async def test_what_is_open_at_the_end_is_told_at_the_end(tmp_path: Path) -> None:
    seen = watching()
    async with bench(tmp_path, only=DIPLI, telemetry=seen.telemetry) as server:
        server.wire.instead = only_orders(DIPLI, httpx2.ReadError("gone"))
        await server.fail(DIPLI.create, DIPLI.order)
    assert seen.values("dropship.unknown_outcomes", "dropship.provider") == {("dipli",): 1}


async def test_a_thousand_calls_make_no_more_series_than_ten(tmp_path: Path) -> None:
    seen = watching(references=True)

    async def calls(server: Bench, numbers: range) -> int:
        for n in numbers:
            await server.result(DIPLI.get, {"public_id": f"A-{n}"})
            await server.result(DIPLI.create, {"alternative_id": f"WEB-{n}", f"zenobia_{n}": n})
            with pytest.raises(MCPError):
                await server.result(f"tool_{n}")
        await server.result(DIPLI.create, numbered(DIPLI, f"N-{numbers.start}"))
        return sum(1 for _ in seen.points())

    async with bench(tmp_path, only=DIPLI, telemetry=seen.telemetry) as server:
        few = await calls(server, range(10))
        assert await calls(server, range(10, 350)) == few
        key = OrderKey("sandbox", "dipli", "sandbox", "N-0")
        assert await server.ledger.get(key) is not None
