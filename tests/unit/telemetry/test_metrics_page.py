"""`/metrics`: text that Prometheus reads, and who may see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dropship_mcp.http_settings import HttpSettings
from protocol.samples import DIPLI
from unit.telemetry.seen import watching
from web.sites import APPROVER, SCRAPER, TEAM, WRITER, desk, modern

pytestmark = pytest.mark.anyio

LABELS = {"dropship_mode": "sandbox", "dropship_provider": "dipli", "dropship_account": "sandbox"}


async def test_the_page_is_text_that_prometheus_reads(tmp_path: Path) -> None:
    async with desk(tmp_path, provider="dipli", telemetry=watching().telemetry) as site:
        async with site.client() as client:
            await client.call_tool(DIPLI.create, DIPLI.order)
        async with site.http() as http:
            answer = await http.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    samples = {sample.name: sample for family in families.values() for sample in family.samples}

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert {name for name in families if name != "target"} == {
        "dropship_orders",
        "dropship_unknown_outcomes",
        "dropship_approvals_waiting",
        "dropship_tool_duration_seconds",
        "dropship_provider_request_duration_seconds",
        "target_info",
    }
    placed = samples["dropship_orders_total"]
    assert (placed.labels, placed.value) == ({**LABELS, "dropship_outcome": "placed"}, 1)
    unknown = samples["dropship_unknown_outcomes"]
    assert (unknown.labels, unknown.value) == (LABELS, 0)


async def test_the_page_speaks_the_newer_format_with_those_who_ask_for_it(tmp_path: Path) -> None:
    async with desk(tmp_path, provider="dipli", telemetry=watching().telemetry) as site, site.http() as http:
        answer = await http.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("\n# EOF\n")


async def test_without_telemetry_there_is_no_page(tmp_path: Path) -> None:
    async with desk(tmp_path, provider="dipli") as site, site.http() as http:
        assert (await http.get("/metrics")).status_code == 404


@pytest.mark.parametrize(
    ("settings", "bearer", "headers", "status"),
    [
        (HttpSettings(), "", {}, 200),
        (HttpSettings(), "", {"host": "shop.example"}, 421),
        (HttpSettings(), "", {"origin": "https://shop.example"}, 403),
        (TEAM, "", {}, 200),
        (TEAM, "", {"host": "localhost:9"}, 200),
        (HttpSettings(public_url="https://shop.example/mcp", auth=TEAM.auth), "", {"host": "shop.example"}, 401),
        (HttpSettings(public_url="https://shop.example/mcp", auth=TEAM.auth), SCRAPER, {"host": "shop.example"}, 200),
        (HttpSettings(host="10.0.0.7", auth=TEAM.auth), "", {"host": "10.0.0.7:8000"}, 401),
        (HttpSettings(host="10.0.0.7", auth=TEAM.auth), "", {"host": "127.0.0.1:8000"}, 421),
        (HttpSettings(host="10.0.0.7", auth=TEAM.auth), WRITER, {"host": "10.0.0.7:8000"}, 403),
        (HttpSettings(host="10.0.0.7", auth=TEAM.auth), APPROVER, {"host": "10.0.0.7:8000"}, 403),
        (HttpSettings(host="10.0.0.7", auth=TEAM.auth), SCRAPER, {"host": "10.0.0.7:8000"}, 200),
        (HttpSettings(host="10.0.0.7", unprotected=True), "", {"host": "10.0.0.7:8000"}, 200),
    ],
)
async def test_who_may_see_the_page(
    tmp_path: Path, settings: HttpSettings, bearer: str, headers: dict[str, str], status: int
) -> None:
    telemetry = watching().telemetry
    async with desk(tmp_path, settings, provider="dipli", telemetry=telemetry) as site, site.http(bearer) as http:
        answer = await http.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("dropship_approvals_waiting" in answer.text) == (status == 200)
    if status == 403 and bearer:
        assert 'scope="metrics:read"' in answer.headers["www-authenticate"]


async def test_who_may_see_the_metrics_may_see_nothing_else(tmp_path: Path) -> None:
    async with desk(tmp_path, TEAM, provider="dipli") as site, site.http(SCRAPER) as http:
        assert (await http.post("/mcp", **modern("tools/list"))).status_code == 403
