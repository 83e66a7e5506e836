"""The suite's tools that ask something of the client by ending the call with a question (2026-07-28).

Their state is sealed as the server seals its own: with the cipher of the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import mcp_types as types
from mcp.shared.exceptions import MCPError

from conformance.fixture_tools import Answer, Context, FixtureTool, answered, sampling_request, strings
from dropship_mcp.ledger.hashing import ContentHasher

Requests = dict[str, types.InputRequest]

SEAL = ContentHasher(b"a key for the suite, 32 bytes...")


def _form(*names: str, message: str = "Please answer") -> types.ElicitRequest:
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=strings(*names)))


def _ask(requests: Requests, **state: Any) -> types.InputRequiredResult:
    return types.InputRequiredResult(
        input_requests=requests, request_state=SEAL.seal(json.dumps(state)) if state else None
    )


def _state(params: types.CallToolRequestParams) -> Mapping[str, Any]:
    """What was sealed before; empty in the first round."""
    if params.request_state is None:
        return {}
    opened = SEAL.unseal(params.request_state)
    if opened is None:
        raise MCPError(types.INVALID_PARAMS, "Invalid or expired requestState")
    return cast("Mapping[str, Any]", json.loads(opened))


def _content(reply: object) -> Mapping[str, Any]:
    return (reply.content or {}) if isinstance(reply, types.ElicitResult) else {}


async def _elicitation(_: Context, params: types.CallToolRequestParams) -> Answer:
    given = _content((params.input_responses or {}).get("user_name"))
    return answered(f"Hello, {given['name']}!") if "name" in given else _ask({"user_name": _form("name")})


async def _sampling(_: Context, params: types.CallToolRequestParams) -> Answer:
    reply = (params.input_responses or {}).get("capital_question")
    if not isinstance(reply, types.CreateMessageResult):
        return _ask({"capital_question": sampling_request("What is the capital of France?")})
    return answered(f"Model said: {getattr(reply.content, 'text', '')}")


async def _roots(_: Context, params: types.CallToolRequestParams) -> Answer:
    reply = (params.input_responses or {}).get("client_roots")
    if not isinstance(reply, types.ListRootsResult):
        return _ask({"client_roots": types.ListRootsRequest()})
    return answered(f"Client exposed {len(reply.roots)} roots.")


async def _request_state(_: Context, params: types.CallToolRequestParams) -> Answer:
    if _state(params).get("round") == 1 and "confirm" in (params.input_responses or {}):
        return answered("state-ok: confirmation received")
    return _ask({"confirm": _form("ok")}, round=1)


async def _several(_: Context, params: types.CallToolRequestParams) -> Answer:
    requests: Requests = {
        "user_name": _form("name"),
        "greeting": sampling_request("Generate a greeting"),
        "client_roots": types.ListRootsRequest(),
    }
    complete = requests.keys() <= (params.input_responses or {}).keys() and _state(params)
    return answered("All inputs received.") if complete else _ask(requests, round=1)


async def _rounds(_: Context, params: types.CallToolRequestParams) -> Answer:
    state, replies = _state(params), params.input_responses or {}
    if state.get("round") == 1 and "step1" in replies:
        name = _content(replies["step1"]).get("name")
        return _ask({"step2": _form("color", message="Step 2: What is your favorite color?")}, round=2, name=name)
    if state.get("round") == 2 and "step2" in replies:
        return answered(f"{state['name']} likes {_content(replies['step2']).get('color')}.")
    return _ask({"step1": _form("name", message="Step 1: What is your name?")}, round=1)


async def _capabilities(context: Context, _: types.CallToolRequestParams) -> Answer:
    can = context.session.client_capabilities or types.ClientCapabilities()
    requests: Requests = {}
    if can.sampling is not None:
        requests["sample"] = sampling_request("Say hello")
    if can.elicitation is not None:
        requests["ask"] = _form("name")
    return _ask(requests, round=1)


_QUESTIONS = {
    "elicitation": _elicitation,
    "sampling": _sampling,
    "list_roots": _roots,
    "request_state": _request_state,
    "multiple_inputs": _several,
    "multi_round": _rounds,
    "tampered_state": _request_state,
    "capabilities": _capabilities,
}
QUESTIONS: Mapping[str, FixtureTool] = {
    **{
        name: FixtureTool(name, answer)
        for name, answer in ((f"test_input_required_result_{short}", run) for short, run in _QUESTIONS.items())
    },
    "test_streaming_elicitation": FixtureTool("test_streaming_elicitation", _elicitation),
}
