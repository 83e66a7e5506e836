"""The log of calls: one line each, with the ids that tie it to everything else, and nothing of what was said."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from dirty_equals import IsFloat, IsStr

from dropship_mcp.caller import Caller
from dropship_mcp.http_settings import HttpSettings
from dropship_mcp.logs import set_up
from dropship_mcp.watching import CALL, Call, sane_id
from protocol.bench import Bench, Era, bench
from protocol.samples import DIPLI, PERSONAL, REFERENCE, Sample
from web import sites

pytestmark = pytest.mark.anyio


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged about calls."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line for line in lines if line["message"] == "tool call"]


def call_line(**facts: Any) -> dict[str, Any]:
    """A whole line."""
    return {
        "time": IsStr(regex=r".*\+00:00"),
        "level": "info",
        "logger": "dropship_mcp.call_log",
        "message": "tool call",
        "ms": IsFloat(ge=0),
        "call_id": IsStr(regex="[0-9a-f]{8}-[0-9a-f]+"),
        "request_id": IsStr(regex="[0-9]+"),
        **facts,
    }


async def test_every_call_is_one_line_with_its_account_its_end_and_its_time(
    desk: Bench, sample: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("info")
    await desk.call(sample.create, sample.order)
    await desk.fail(sample.create, sample.elsewhere())
    await desk.fail(sample.create, {})
    await desk.call("dropship_status")
    lines = told(capsys)
    assert lines == [
        call_line(tool=sample.create, account="sandbox", outcome="placed"),
        call_line(tool=sample.create, account="sandbox", error="reference_conflict"),
        call_line(tool=sample.create, error="invalid_arguments"),
        call_line(tool="dropship_status", outcome="done"),
    ]
    assert len({line["call_id"] for line in lines}) == len({line["request_id"] for line in lines}) == 4
    assert not any(word in json.dumps(lines) for word in (*PERSONAL, REFERENCE))


async def test_calls_are_not_logged_unless_somebody_wants_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("warning")
    async with bench(tmp_path, only=DIPLI) as server:
        await server.call(DIPLI.create, DIPLI.order)
    assert capsys.readouterr().err == ""


async def test_other_lines_of_a_call_carry_its_ids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up("info")
    async with bench(tmp_path, only=DIPLI) as server:

        def broken(*_: Any) -> None:
            raise RuntimeError("Zenobia Quastel")

        monkeypatch.setattr(server.ledger, "sending", broken)
        await server.fail(DIPLI.create, DIPLI.order)
    crash, call = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert crash["message"].startswith("unexpected error ")
    assert (call["message"], call["error"]) == ("tool call", "outcome_unknown")
    assert {crash[name] == call[name] for name in ("call_id", "request_id")} == {True}
    assert "Zenobia" not in json.dumps(crash)


@pytest.mark.parametrize(("given", "kept"), [("req-7.a:b_C", "req-7.a:b_C"), ("zenobia@quastel.example", None)])
async def test_over_http_the_id_of_a_proxy_is_kept_if_it_is_one(
    tmp_path: Path, given: str, kept: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("info")
    request = sites.REQUESTS["auto"]("tools/call", {"name": DIPLI.get, "arguments": {"public_id": "A-1"}})
    request["headers"]["x-request-id"] = given
    async with sites.desk(tmp_path, provider="dipli") as site, site.http() as http:
        assert (await http.post("/mcp", **request)).status_code == 200
    [line] = told(capsys)
    assert line.get("http_request_id") == kept


async def test_a_refusal_before_mcp_carries_the_id_of_the_proxy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("info")
    request_id = {"x-request-id": "req-8"}
    async with sites.desk(tmp_path, sites.COMPANY) as site, site.http("no.good.token", **request_id) as http:
        refused = await http.post("/mcp", **sites.modern("tools/list"))
    [line] = map(json.loads, capsys.readouterr().err.splitlines())
    assert refused.status_code == 401
    assert line == {
        "time": IsStr,
        "level": "info",
        "logger": "dropship_mcp.web.entrance",
        "message": "a token was refused: it is not a JSON Web Token",
        "call_id": IsStr(regex="[0-9a-f]{8}-[0-9a-f]+"),
        "http_request_id": "req-8",
    }


@pytest.mark.parametrize(
    ("settings", "bearer", "named"),
    [
        (sites.TEAM, sites.WRITER, "writer"),
        (sites.COMPANY, sites.token(sub="zenobia@quastel.example"), "5c467ec9448159c7"),
    ],
)
async def test_over_http_the_caller_is_named_without_telling_who_it_is(
    tmp_path: Path, era: Era, settings: HttpSettings, bearer: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("info")
    call = sites.REQUESTS[era]("tools/call", {"name": "dropship_status", "arguments": {}})
    async with sites.desk(tmp_path, settings) as site, site.http(bearer) as http:
        assert (await http.post("/mcp", **call)).status_code == 200
    assert told(capsys) == [call_line(tool="dropship_status", outcome="done", caller=named)]


def test_a_name_that_is_an_address_is_not_told() -> None:
    people = [Caller("zenobia@quastel.example"), Caller("zenobia@quastel.example", issuer=sites.ISSUER), Caller("ann")]
    assert [person.log_name() for person in people] == [IsStr(regex="[0-9a-f]{16}"), IsStr(regex="[0-9a-f]{16}"), "ann"]
    assert len({person.log_name() for person in people}) == 3


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 65, "zenobia@quastel.example", "a\nb", "\u202e", ["a"]])
def test_an_id_that_is_none_is_left_out(given: object) -> None:
    assert sane_id(given) == ""
    assert Call(id="1", request=sane_id(given)).ids() == {"call_id": "1"}


def test_a_message_of_a_library_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info")
    logging.getLogger("mcp.server").warning("dropped %r", "x" * 10_000)
    assert len(json.loads(capsys.readouterr().err)["message"]) == 2000


def test_outside_of_a_call_lines_have_no_ids(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info")
    assert CALL.get() is None
    logging.getLogger("dropship_mcp").info("told")
    assert not re.search("_id", capsys.readouterr().err)
