"""Tool calls that are answered without the SDK's streams: only plain ones are, their answers are the SDK's own, long ones
show signs of life, a client that leaves ends its call, and nothing of a call is left to the collector."""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import mcp_types as types
import pytest
from mcp.server.lowlevel import Server
from mcp.server.session import ServerSession
from starlette.types import Message, Receive, Scope, Send

from dropship_mcp.plain_calls import PlainCall
from dropship_mcp.web import plain_calls
from dropship_mcp.web.plain_calls import MESSAGE_KEY, PlainCalls, Reply, is_read_alike, plain_call
from protocol.bench import ERAS, Era
from protocol.samples import Sample
from web.sites import REQUESTS, desk

pytestmark = pytest.mark.anyio

CALL: dict[str, Any] = {"name": "wait", "arguments": {}}


async def nothing() -> Message:
    raise AssertionError("nobody reads on")


async def unsaid(_: Message) -> None:
    raise AssertionError("nothing is to be said")


def scope_of(
    era: Era, message: Mapping[str, Any] | None = None, more: tuple[tuple[str, str], ...] = (), **headers: str
) -> Scope:
    """A call as the gate passes it on, with parts of its message and headers replaced, and more headers."""
    request = REQUESTS[era]("tools/call", CALL)
    given = {"content-type": "application/json", **request["headers"], **headers}
    raw = [(name.encode(), value.encode()) for name, value in (*given.items(), *more) if value]
    return {
        "type": "http",
        "method": "POST",
        "path": "/mcp",
        "headers": raw,
        MESSAGE_KEY: {**request["json"], **(message or {})},
    }


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("request_id", [0, 7, "seven"])
def test_a_call_that_is_as_it_should_be_is_plain(era: Era, request_id: str | int) -> None:
    call = plain_call(scope_of(era, {"id": request_id}), nothing, Reply(unsaid))

    assert call
    assert (call.request_id, call.params["name"]) == (request_id, "wait")


ODD: dict[str, dict[str, Any]] = {
    "not a call": {"message": {"method": "tools/list"}},
    "an id that is none": {"message": {"id": True}},
    "no id": {"message": {"id": None}},
    "another JSON-RPC": {"message": {"jsonrpc": "1.0"}},
    "no parameters": {"message": {"params": None}},
    "progress is asked for": {"message": {"params": {**CALL, "_meta": {"progressToken": 1}}}},
    "meta that is none": {"message": {"params": {**CALL, "_meta": 1}}},
    "no streams accepted": {"accept": "application/json"},
    "no JSON accepted": {"accept": "text/event-stream"},
    "a form": {"content-type": "text/plain"},
    "no version": {"mcp-protocol-version": ""},
    "an unknown version": {"mcp-protocol-version": "1999-01-01"},
    "two versions": {"more": (("mcp-protocol-version", "2025-11-25"),)},
}
ODD_IN_THE_NEWER_ERA: dict[str, dict[str, Any]] = {
    "another tool in the header": {"mcp-name": "other"},
    "another method in the header": {"mcp-method": "tools/list"},
    "two tools in headers": {"more": (("mcp-name", "wait"),)},
    "no envelope": {"message": {"params": CALL}},
}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_anything_else_is_left_to_the_sdk(era: Era, odd: dict[str, Any]) -> None:
    assert plain_call(scope_of(era, **odd), nothing, Reply(unsaid)) is None


@pytest.mark.parametrize("odd", ODD_IN_THE_NEWER_ERA.values(), ids=ODD_IN_THE_NEWER_ERA)
def test_so_is_what_contradicts_its_own_headers(odd: dict[str, Any]) -> None:
    assert plain_call(scope_of("auto", **odd), nothing, Reply(unsaid)) is None


async def test_a_tool_whose_arguments_stand_in_headers_is_left_to_the_sdk(era: Era) -> None:
    mirrored = {"type": "object", "properties": {"shop": {"type": "string", "x-mcp-header": "Shop"}}}
    server: Server[None] = Server("mirror", get_tool_input_schema={"wait": mirrored}.get)
    passed_on: list[Scope] = []

    async def others(scope: Scope, _: Receive, __: Send) -> None:
        passed_on.append(scope)

    scope = scope_of(era)
    await PlainCalls(server, others)(scope, nothing, unsaid)
    assert passed_on == [scope]


@pytest.mark.parametrize("tool", ["", "no_such_tool"])
async def test_the_answer_is_the_sdks(tmp_path: Path, era: Era, sample: Sample, tool: str) -> None:
    call = {"name": tool or sample.get, "arguments": {sample.own_number: "NOBODY-1"}}
    plain = REQUESTS[era]("tools/call", call)
    with_progress = REQUESTS[era]("tools/call", call)
    with_progress["json"]["params"].setdefault("_meta", {})["progressToken"] = "p"

    async with desk(tmp_path, provider=sample.provider) as served, served.http() as http:
        ours, theirs = await http.post("/mcp", **plain), await http.post("/mcp", **with_progress)

    assert ours.status_code == theirs.status_code
    assert ours.headers["content-type"] == "application/json"
    assert ours.json() == json.loads(theirs.text.rpartition("data: ")[2])


async def test_half_a_character_is_left_to_the_sdk(tmp_path: Path, era: Era) -> None:
    request = REQUESTS[era]("tools/call", {"name": "dropship_status", "arguments": {"\ud800": 1}})
    body = json.dumps({**request["json"], "id": "\udfff"})

    async with desk(tmp_path) as served, served.http() as http:
        headers = {**request["headers"], "content-type": "application/json"}
        answer = (await http.post("/mcp", content=body, headers=headers)).json()

    assert answer["id"] == ("\udfff" if era == "auto" else None)
    assert ("result" in answer) is (era == "auto")


class Waiting:
    """A server whose only tool waits, behind `PlainCalls`, and one client of it."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.go_on = anyio.Event()
        self.ended = anyio.Event()
        self.left = anyio.Event()
        server: Server[None] = Server("waiting", on_call_tool=self._call)
        self._app = PlainCalls(server, self._others)

    async def ask(self, era: Era) -> None:
        """One call."""
        await self._app(scope_of(era), self._receive, self._send)

    async def _call(self, _: object, __: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            await self.go_on.wait()
        finally:
            self.ended.set()
        return types.CallToolResult(content=[])

    async def _others(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("it is plain")

    async def _receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        if len(self.sent) == 3:  # the head and two signs of life
            self.go_on.set()


async def test_a_long_call_shows_signs_of_life_and_then_its_answer(era: Era, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_calls, "QUICK_SECONDS", 0.01)
    monkeypatch.setattr(plain_calls, "SIGN_SECONDS", 0.01)
    waiting = Waiting()

    await waiting.ask(era)

    start, *signs, end = waiting.sent
    assert (start["status"], dict(start["headers"])[b"content-type"]) == (200, b"text/event-stream")
    assert {sign["body"] for sign in signs} == {b": still working\r\n\r\n"}
    event, _, data = end["body"].partition(b"\r\n")
    assert (event, json.loads(data.removeprefix(b"data: "))["id"]) == (b"event: message", 1)
    assert not end.get("more_body")


async def test_what_is_told_before_the_answer_goes_before_it(era: Era) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    reply = Reply(send)
    call = plain_call(scope_of(era), nothing, reply)
    assert call
    await call.notify("notifications/message", {"data": "x"})
    await reply.end(200, b"{}")

    told = b'event: message\r\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}}\r\n\r\n'
    assert [message["type"] for message in sent] == ["http.response.start"] + ["http.response.body"] * 2
    assert [(message["body"], message["more_body"]) for message in sent[1:]] == [
        (told, True),
        (b"event: message\r\ndata: {}\r\n\r\n", False),
    ]


async def test_a_client_that_leaves_ends_its_call(era: Era, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_calls, "QUICK_SECONDS", 0.01)
    waiting = Waiting()
    waiting.left.set()

    await waiting.ask(era)
    await waiting.ended.wait()

    assert waiting.sent == []
    assert not waiting.go_on.is_set()


async def test_nothing_of_a_call_is_left_to_the_collector(era: Era) -> None:
    waiting = Waiting()
    waiting.go_on.set()
    gc.collect()
    gc.disable()
    try:
        await waiting.ask(era)
        assert not [left for left in gc.get_objects() if isinstance(left, (PlainCall, ServerSession))]
    finally:
        gc.enable()
    assert waiting.sent[0]["status"] == 200


@pytest.mark.parametrize(
    ("body", "alike"),
    [
        ('{"id": 1, "name": "höst \\u00e9 \\ud8ff"}'.encode(), False),
        ('{"id": 1, "name": "höst \\u00e9 \\uD7FF"}'.encode(), True),
        ('\ufeff{"id": 1}'.encode(), False),
        ('{"id": 1}'.encode("utf-16"), False),
        ('{"id": 1}'.encode("utf-32"), False),
        (b'{"id": "\xed\xa0\x80"}', False),
        (b'{"id": ' + b"[" * 100 + b"]" * 100 + b"}", False),
        (b'{"id": ' + b"[" * 99 + b"]" * 99 + b"}", True),
    ],
)
def test_a_body_that_programs_may_read_differently_is_left_to_the_sdk(body: bytes, alike: bool) -> None:
    assert is_read_alike(body) is alike


def test_a_message_that_is_an_answer_as_well_is_left_to_the_sdk() -> None:
    assert plain_call(scope_of("legacy", {"error": {}}), nothing, Reply(unsaid)) is None


async def test_a_sign_of_life_that_could_not_be_given_leaves_the_answer_whole() -> None:
    sent: list[Message] = []
    blocked = True

    async def send(message: Message) -> None:
        if blocked:
            await anyio.sleep_forever()
        sent.append(message)

    reply = Reply(send)
    with anyio.move_on_after(0.01):
        await reply.say(b": still working")
    blocked = False
    await reply.end(200, b"{}")
    assert [(message["type"], message.get("status"), message.get("body")) for message in sent] == [
        ("http.response.start", 200, None),
        ("http.response.body", None, b"{}"),
    ]


async def test_two_who_speak_at_once_begin_one_stream() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        sent.append(message)

    reply = Reply(send)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reply.say, b": still working")
        tasks.start_soon(reply.tell, {"method": "notifications/message"})
    assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * 2]
