"""Calls that are answered past the SDK's streams are answered as the SDK's streams would have answered them.

Whatever is changed in a call at random, it is either left to the SDK or answered letter by letter alike. What depends
on more than one message is left to the SDK; a call that is cancelled gets no answer.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pytest
from hypothesis import example, given, settings
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import JSONRPCNotification, jsonrpc_message_adapter

from dropship_mcp.app import build_app
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.opening import Heard
from dropship_mcp.pipe_calls import PipeCalls
from dropship_mcp.plain_requests import MODERN
from dropship_mcp.settings import Settings
from protocol.openings import CAPABILITIES, KEY, THE_LEAST, Json, changed, hello, modern
from protocol.samples import DIPLI, DROPDAY, SAMPLES
from protocol.sdk_says import line, sdk_says

pytestmark = pytest.mark.anyio

NOWHERE = Path("/nowhere")
SERVED = Settings(sandbox=":memory:")
OPENINGS = {
    "2025-11-25": hello(THE_LEAST, {}),
    MODERN: {**modern("server/discover", THE_LEAST, {}), "id": 0},
}
VERSIONS = list(OPENINGS)
TRACE = f"00-{'1' * 32}-{'2' * 16}-01"


ENVELOPE: Json = {
    f"{KEY}protocolVersion": MODERN,
    f"{KEY}clientCapabilities": {},
    f"{KEY}clientInfo": THE_LEAST,
}


def call(
    version: str, tool: str, arguments: Json | None = None, number: str | int = 7, meta: Json | None = None
) -> Json:
    """A call as a host makes it."""
    params: Json = {"name": tool} if arguments is None else {"name": tool, "arguments": arguments}
    params["_meta"] = {**(ENVELOPE if version == MODERN else {}), **(meta or {})}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


class Pipe:
    """Takes calls and keeps what was said."""

    def __init__(self, server: Server[None], version: str, opening: Json | None = None) -> None:
        self.said: list[str] = []
        heard = Heard(line(opening or OPENINGS[version]), "answered", version)
        self.calls = PipeCalls(server, heard, self._say)
        self._news = anyio.Event()

    async def _say(self, written: bytes) -> None:
        self.said.append(written.decode())
        self._news.set()

    async def answers(self, count: int) -> list[str]:
        """So many lines."""
        while len(self.said) < count:
            self._news = anyio.Event()
            await self._news.wait()
        return self.said


def server_at(folder: Path, served: Settings = SERVED) -> Server[None]:
    return build_app(served, ledger=SqliteLedger(folder / "ledger.sqlite3"))


CALLS: dict[str, Callable[[str], Json]] = {
    **{
        f"{sample.create}, dry_run": lambda version, sample=sample: call(
            version, sample.create, sample.arguments(dry_run=True)
        )
        for sample in SAMPLES.values()
    },
    "wrong arguments": lambda version: call(version, DIPLI.create, {"alternative_id": "1", "buyer": 5}),
    "no arguments": lambda version: call(version, DIPLI.get),
    "a number that is not an order's": lambda version: call(version, DROPDAY.get, {"reference": 'a "strange"\n one'}),
    "a tool that does not exist": lambda version: call(version, "buy_everything", {}),
    "something of the host's own": lambda version: call(version, DIPLI.get, {}, meta={"host.example/use": {"id": [1]}}),
    "a trace": lambda version: call(version, DIPLI.get, {}, meta={"traceparent": TRACE}),
    "a number as text": lambda version: call(version, DIPLI.get, {}, 'a "b\\/\n'),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", CALLS.values(), ids=list(CALLS))
async def test_a_plain_call_is_answered_as_the_sdk_answers_it(
    tmp_path: Path, make: Callable[[str], Json], version: str
) -> None:
    sent = line(make(version))
    pipe = Pipe(server_at(tmp_path), version)

    assert pipe.calls.take(sent)

    said = await sdk_says(SERVED, tmp_path / "sdk", line(OPENINGS[version]), sent, answers=2)
    assert await pipe.answers(1) == said[1:]


RANDOM = [CALLS[what](version) for version in VERSIONS for what in ("a trace", "a tool that does not exist")]


@pytest.mark.timeout(60)
@settings(max_examples=200)
@example(RANDOM[0])
@example(RANDOM[2])
@given(changed(RANDOM))
def test_whatever_is_changed_in_a_call_it_is_left_to_the_sdk_or_answered_alike(message: Json) -> None:
    async def compare(version: str) -> None:
        pipe = Pipe(server_at(NOWHERE), version)
        if pipe.calls.take(line(message)):
            opening = line(OPENINGS[version])
            assert await pipe.answers(1) == (await sdk_says(SERVED, NOWHERE, opening, line(message), answers=2))[1:]

    for version in VERSIONS:
        anyio.run(compare, version)


def with_params(message: Json, **more: Any) -> Json:
    message = copy.deepcopy(message)
    message["params"] |= more
    return message


NOT_TAKEN: dict[str, tuple[str, Json]] = {
    "an answer to a question": (MODERN, with_params(call(MODERN, DIPLI.get, {}), inputResponses={})),
    "what belongs to a question": (MODERN, with_params(call(MODERN, DIPLI.get, {}), requestState="x")),
    "a task": ("2025-11-25", with_params(call("2025-11-25", DIPLI.get, {}), task={"ttl": 5})),
    "a call of the newer era in the older one": ("2025-11-25", call(MODERN, DIPLI.get, {})),
    "a call without envelope in the newer era": (MODERN, call("2025-11-25", DIPLI.get, {})),
    "arguments that are no object": ("2025-11-25", with_params(call("2025-11-25", DIPLI.get), arguments=[])),
    "a level for the log": (MODERN, call(MODERN, DIPLI.get, {}, meta={f"{KEY}logLevel": "debug"})),
    "a notification": ("2025-11-25", {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": DIPLI.get}}),
    "a list": ("2025-11-25", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
}


@pytest.mark.parametrize(("version", "message"), NOT_TAKEN.values(), ids=list(NOT_TAKEN))
async def test_what_is_more_than_a_call_is_left_to_the_sdk(tmp_path: Path, version: str, message: Json) -> None:
    assert not Pipe(server_at(tmp_path), version).calls.take(line(message))


async def test_a_host_of_the_older_era_that_can_be_asked_is_left_to_the_sdk(tmp_path: Path) -> None:
    sent = line(call("2025-11-25", DIPLI.get, {}))
    asked = hello(THE_LEAST, CAPABILITIES["all there are"])
    assert not Pipe(server_at(tmp_path), "2025-11-25", asked).calls.take(sent)


async def test_a_conversation_that_was_opened_with_the_sdk_goes_on_with_it(tmp_path: Path) -> None:
    sent = line(call("2025-11-25", DIPLI.get, {}))
    assert not Pipe(server_at(tmp_path), "", OPENINGS["2025-11-25"]).calls.take(sent)


Context = ServerRequestContext[Any, Any]


def serving(handler: Callable[[Context], Awaitable[types.CallToolResult]]) -> Server[None]:
    """A server whose only tool is `handler`."""

    async def call_tool(context: Context, _: types.CallToolRequestParams) -> types.CallToolResult:
        return await handler(context)

    @asynccontextmanager
    async def lifespan(_: Server[None]) -> AsyncGenerator[None]:
        yield

    return Server[None]("one", version="1", lifespan=lifespan, on_call_tool=call_tool)


def cancelled(number: str | int) -> JSONRPCNotification:
    """Nobody waits for this call any more."""
    params = {"requestId": number, "reason": "bored"}
    return JSONRPCNotification(jsonrpc="2.0", method="notifications/cancelled", params=params)


DONE = types.CallToolResult(content=[types.TextContent(type="text", text="done")])


async def test_a_call_that_is_cancelled_gets_no_answer_and_the_others_do(tmp_path: Path) -> None:
    began, go_on = anyio.Event(), anyio.Event()
    ended: list[str] = []

    async def wait(context: Context) -> types.CallToolResult:
        if context.request_id == 2:
            began.set()
        try:
            await go_on.wait()
        finally:
            ended.append(str(context.request_id))
        return DONE

    pipe = Pipe(serving(wait), "2025-11-25")
    for number in (1, "2x", 2):
        assert pipe.calls.take(line(call("2025-11-25", "any", {}, number)))
    assert not pipe.calls.take(line(call("2025-11-25", "any", {}, "2"))), "2 is under way, and `2` is the same"
    await began.wait()
    assert pipe.calls.concerns(cancelled("2"))
    while not ended:
        await anyio.lowlevel.checkpoint()
    go_on.set()
    said = await pipe.answers(2)

    assert ended == ["2", "1", "2x"]
    assert [json.loads(answer)["id"] for answer in said] == [1, "2x"]
    assert pipe.calls.take(line(call("2025-11-25", "any", {}, 2))), "its number may be used again"
    assert json.loads((await pipe.answers(3))[2])["id"] == 2


async def test_the_end_of_a_call_that_nobody_knows_is_left_to_the_sdk(tmp_path: Path) -> None:
    calls = Pipe(server_at(tmp_path), "2025-11-25").calls
    assert not calls.concerns(cancelled(7))
    assert not calls.concerns(JSONRPCNotification(jsonrpc="2.0", method="notifications/cancelled"))


async def test_a_cancelled_call_finishes_what_is_shielded_and_is_not_answered(tmp_path: Path) -> None:
    began, go_on = anyio.Event(), anyio.Event()
    ended: list[str] = []

    async def wait(context: Context) -> types.CallToolResult:
        if context.request_id == 1:
            with anyio.CancelScope(shield=True):
                began.set()
                await go_on.wait()
            ended.append("recorded")
        return DONE

    pipe = Pipe(serving(wait), MODERN)
    pipe.calls.take(line(call(MODERN, "any", {}, 1)))
    await began.wait()
    assert pipe.calls.concerns(cancelled(1))
    await anyio.wait_all_tasks_blocked()
    assert ended == []
    go_on.set()
    pipe.calls.take(line(call(MODERN, "any", {}, 2)))

    assert [json.loads(answer)["id"] for answer in await pipe.answers(1)] == [2]
    assert ended == ["recorded"]


async def test_after_a_second_handshake_calls_go_to_the_sdk(tmp_path: Path) -> None:
    pipe = Pipe(server_at(tmp_path), "2025-11-25")
    again = jsonrpc_message_adapter.validate_python(OPENINGS["2025-11-25"])
    taken: list[bool] = []
    for _ in range(2):
        assert not pipe.calls.concerns(again)
        taken.append(pipe.calls.take(line(call("2025-11-25", "buy_everything", {}))))
        await pipe.answers(1)
    assert taken == [True, False]


async def test_when_nobody_waits_any_more_all_calls_end(tmp_path: Path) -> None:
    async def wait(_: Context) -> types.CallToolResult:
        await anyio.sleep_forever()
        return DONE

    pipe = Pipe(serving(wait), MODERN)
    for number in range(3):
        assert pipe.calls.take(line(call(MODERN, "any", {}, number)))
    await anyio.lowlevel.checkpoint()
    with anyio.fail_after(5):
        await pipe.calls.stop()
    closed = {"code": -32000, "message": "Connection closed"}
    assert [json.loads(answer) for answer in pipe.said] == [
        {"jsonrpc": "2.0", "id": number, "error": closed} for number in range(3)
    ]


async def test_an_error_of_the_protocol_and_a_bug_are_told_as_the_sdk_tells_them(tmp_path: Path) -> None:
    async def refuse(context: Context) -> types.CallToolResult:
        if context.request_id == 1:
            raise MCPError(code=-32602, message="no", data={"why": "because"})
        raise RuntimeError("secret")

    pipe = Pipe(serving(refuse), MODERN)
    for number in (1, 2):
        pipe.calls.take(line(call(MODERN, "any", {}, number)))
    errors = [json.loads(answer)["error"] for answer in await pipe.answers(2)]
    assert errors == [
        {"code": -32602, "message": "no", "data": {"why": "because"}},
        {"code": -32603, "message": "Internal server error"},
    ]


@pytest.mark.parametrize("version", VERSIONS)
async def test_signs_of_life_reach_those_who_asked_for_them(tmp_path: Path, version: str) -> None:
    async def report(context: Context) -> types.CallToolResult:
        await context.session.report_progress(1, message="so far")
        await context.session.report_progress(2, total=4)
        return DONE

    pipe = Pipe(serving(report), version)
    assert pipe.calls.take(line(call(version, "any", {}, 1)))
    [answer] = await pipe.answers(1)
    assert pipe.calls.take(line(call(version, "any", {}, 2, {"progressToken": "p"})))
    said = await pipe.answers(4)

    assert [json.loads(told) for told in said[1:3]] == [
        {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p", **facts}}
        for facts in ({"progress": 1, "message": "so far"}, {"progress": 2, "total": 4})
    ]
    assert json.loads(said[3]) == {**json.loads(answer), "id": 2}
