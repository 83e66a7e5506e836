"""What is turned away before any server sees it: foreign names, foreign pages, other methods, too much, too slow."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from dropship_mcp.http_settings import HttpSettings
from dropship_mcp.web import bodies
from protocol.bench import Era
from web.sites import READER, REQUESTS, TEAM, URL, desk, modern

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "host", ["attacker.example", "127.0.0.1:8001", "127.0.0.1", "", "127.0.0.1:8000.attacker.example"]
)
async def test_a_foreign_host_is_refused(tmp_path: Path, era: Era, host: str) -> None:
    call = REQUESTS[era]("tools/list")
    async with desk(tmp_path) as served, served.http(host=host) as http:
        answer = await http.post(URL, **call)

    assert answer.status_code == 421
    assert answer.json()["error"] == "wrong_host"


async def test_the_first_foreign_host_is_logged_and_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with desk(tmp_path) as served, served.http() as http:
        for host in ("orders.example.com", "other.example.com", "orders.example.com"):
            await http.post(URL, headers={"host": host})

    assert [(record.levelname, record.__dict__["facts"]) for record in caplog.records] == [
        ("WARNING", {"host": "orders.example.com"})
    ]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"])
async def test_on_this_machine_all_its_names_are_known(tmp_path: Path, host: str) -> None:
    async with desk(tmp_path) as served, served.http(host=host) as http:
        assert (await http.post(URL, **modern("tools/list"))).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://attacker.example", "http://127.0.0.1:8001", "null", "http://127.0.0.1:8000.x"]
)
async def test_a_page_of_a_foreign_origin_is_refused(tmp_path: Path, era: Era, origin: str) -> None:
    async with desk(tmp_path) as served, served.http(origin=origin) as http:
        answer = await http.post(URL, **REQUESTS[era]("tools/list"))

    assert answer.status_code == 403
    assert answer.json()["error"] == "wrong_origin"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
async def test_a_page_of_this_machine_may_call_under_all_its_names(tmp_path: Path, origin: str) -> None:
    async with desk(tmp_path) as served, served.http(origin=origin) as http:
        assert (await http.post(URL, **modern("tools/list"))).status_code == 200


async def test_behind_a_proxy_pages_of_this_machine_are_foreign(tmp_path: Path) -> None:
    settings = HttpSettings(public_url="https://orders.example.com/mcp")
    async with desk(tmp_path, settings) as served, served.http(origin="http://localhost:8000") as http:
        assert (await http.post(URL, **modern("tools/list"))).status_code == 403


async def test_a_page_of_a_known_origin_may_ask_and_call(tmp_path: Path) -> None:
    page = "https://app.example.com"
    ask = {"origin": page, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    async with desk(tmp_path, TEAM._replace(origins=(page,))) as served, served.http() as http:
        allowed = await http.options(URL, headers=ask)
        turned_away = await http.post(URL, headers={"origin": page})

    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, page)
    assert turned_away.status_code == 401
    assert turned_away.headers["access-control-expose-headers"] == "WWW-Authenticate"


async def test_behind_a_proxy_the_public_name_is_known(tmp_path: Path) -> None:
    settings = HttpSettings(public_url="https://orders.example.com/mcp")
    async with desk(tmp_path, settings) as served, served.http(host="orders.example.com") as http:
        own_page = await http.post(URL, **modern("tools/list"))
        assert own_page.status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH"])
async def test_nothing_but_post_is_answered(tmp_path: Path, method: str) -> None:
    async with desk(tmp_path) as served, served.http() as http:
        answer = await http.request(method, URL)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/", "/mcp/", "/mcp/x", "/docs", "/.well-known/oauth-protected-resource"])
async def test_other_paths_do_not_exist(tmp_path: Path, path: str) -> None:
    async with desk(tmp_path) as served, served.http() as http:
        assert (await http.post(path)).status_code == 404


async def in_pieces(size: int) -> AsyncGenerator[bytes]:
    for _ in range(size // 1024 + 1):
        yield b" " * 1024


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_refused(tmp_path: Path, era: Era, declared: bool) -> None:
    headers = REQUESTS[era]("tools/list")["headers"]
    content: Any = b" " * 5000 if declared else in_pieces(5000)
    async with desk(tmp_path, HttpSettings(max_body=4096)) as served, served.http() as http:
        answer = await http.post(URL, content=content, headers={**headers, "content-type": "application/json"})

    assert answer.status_code == 413
    assert answer.json() == {"error": "too_large", "error_description": "at most 4096 bytes"}


async def test_a_client_that_does_not_finish_its_request_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.01)
    sent: list[dict[str, Any]] = []

    async def never() -> dict[str, Any]:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/mcp",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8000")],
    }
    async with desk(tmp_path) as served:
        await served.site.app(scope, never, send)

    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["error"] == "too_slow"


async def test_more_requests_at_once_than_allowed_are_put_off(tmp_path: Path) -> None:
    arrived, go_on = anyio.Event(), anyio.Event()
    answers: list[httpx2.Response] = []

    async def slowly() -> AsyncGenerator[bytes]:
        arrived.set()
        await go_on.wait()
        yield b"{}"

    async with desk(tmp_path, HttpSettings(max_calls=1)) as served, served.http() as http:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: http.post(URL, content=slowly()))
            await arrived.wait()
            answers.append(await http.post(URL, **modern("tools/list")))
            go_on.set()
        answers.append(await http.post(URL, **modern("tools/list")))

    assert [(a.status_code, a.headers.get("retry-after")) for a in answers] == [(503, "5"), (200, None)]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"[{}]", b"null", b"1" * 5000, b"[" * 100_000, b'{"id":1}', b"\xff", b'"x"']
)
async def test_bodies_that_are_no_request_are_refused_by_the_protocol(tmp_path: Path, era: Era, body: bytes) -> None:
    headers = {**REQUESTS[era]("tools/list")["headers"], "content-type": "application/json"}
    async with desk(tmp_path, TEAM) as served, served.http(READER) as http:
        answer = await http.post(URL, content=body, headers=headers)

    assert answer.status_code in (400, 202)
    assert (answer.status_code == 202) == (not answer.content)


async def test_a_client_that_leaves_while_sending_costs_nothing(tmp_path: Path) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/mcp",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8000")],
    }
    async with desk(tmp_path) as served:
        await served.site.app(scope, gone, send)


async def test_health_is_told_to_everyone(tmp_path: Path) -> None:
    async with desk(tmp_path, TEAM) as served, served.http(host="10.0.0.7:8000") as http:
        alive, ready = await http.get("/healthz"), await http.get("/readyz")
    async with served.http() as http:
        stopped: httpx2.Response = await http.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"alive": True})
    assert (ready.status_code, ready.json()) == (200, {"ready": True})
    assert (stopped.status_code, stopped.json()) == (503, {"ready": False, "server": False})
