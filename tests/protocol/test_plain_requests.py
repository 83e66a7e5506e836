"""What opens a conversation is answered before the SDK is loaded only where the SDK would have said the same.

Hosts' own openings are answered. Whatever is changed in one at random, it is either left to the SDK or answered as the
SDK answers it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import example, given, settings

from dropship_mcp.plain_requests import HANDSHAKE, LONGEST_LINE, MODERN, plain_message, version_asked
from dropship_mcp.ready import ReadyAnswers, ready_list
from dropship_mcp.settings import Settings
from protocol.openings import CAPABILITIES, CLIENTS, KEY, THE_LEAST, changed, hello, modern
from protocol.sdk_says import line, sdk_says

Json = dict[str, Any]

SERVED = Settings(providers=("dipli",))

OPENINGS = [
    opening
    for client in CLIENTS.values()
    for capabilities in CAPABILITIES.values()
    for opening in (
        hello(client, capabilities),
        modern("server/discover", client, capabilities),
        modern("tools/list", client, capabilities),
    )
]
WITHOUT_CLIENT = modern("tools/list", {}, {})
del WITHOUT_CLIENT["params"]["_meta"][f"{KEY}clientInfo"]


def answered(sent: bytes) -> str | None:
    """The answer to a line that opens a conversation; None if it is left to the SDK."""
    message = plain_message(sent)
    version = version_asked(message, None) if message else None
    if message is None or version is None:
        return None
    number = json.dumps(message["id"], ensure_ascii=False)
    result = ReadyAnswers(SERVED, ready_list(SERVED) or [])(message["method"], version)
    return f'{{"jsonrpc":"2.0","id":{number},"result":{result}}}\n'


@pytest.mark.parametrize("opening", [*OPENINGS, WITHOUT_CLIENT])
def test_the_openings_of_hosts_are_answered(opening: Json) -> None:
    assert answered(line(opening))


@pytest.mark.parametrize("version", HANDSHAKE)
def test_after_the_handshake_the_list_is_answered_in_the_version_agreed(version: str) -> None:
    meta: list[Json] = [{}, {"params": {}}, {"params": {"_meta": {}}}, {"params": {"_meta": {"progressToken": "p"}}}]
    for params in meta:
        message = plain_message(line({"jsonrpc": "2.0", "id": 3, "method": "tools/list", **params}))
        assert message is not None
        assert version_asked(message, version) == version


NOT_FOR_US: dict[str, tuple[Json, str | None]] = {
    "a version nobody knows": (hello(THE_LEAST, {}, "2031-01-01"), None),
    "a second handshake": (hello(THE_LEAST, {}), "2025-11-25"),
    "a handshake after a modern request": (hello(THE_LEAST, {}), MODERN),
    "a modern request after the handshake": (OPENINGS[2], "2025-11-25"),
    "a list before the handshake": ({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, None),
    "a list without envelope": ({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, MODERN),
    "the second page": ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": "x"}}, "2025-11-25"),
    "a notification": ({"jsonrpc": "2.0", "method": "tools/list"}, "2025-11-25"),
    "a ping": ({"jsonrpc": "2.0", "id": 1, "method": "ping"}, "2025-11-25"),
    "a discovery in the older era": ({"jsonrpc": "2.0", "id": 1, "method": "server/discover"}, "2025-11-25"),
}


@pytest.mark.parametrize(("message", "spoken"), NOT_FOR_US.values(), ids=list(NOT_FOR_US))
def test_what_depends_on_more_is_left_to_the_sdk(message: Json, spoken: str | None) -> None:
    plain = plain_message(line(message))

    assert plain is not None
    assert plain == message
    assert version_asked(plain, spoken) is None


START = b'{"jsonrpc": "2.0", "method": "x", "id": '
NOT_PLAIN = {
    "no JSON": b"hello",
    "a list": b"[" + START + b"1}]",
    "another JSON-RPC": b'{"jsonrpc": "1.0", "id": 1, "method": "x"}',
    "an answer": b'{"jsonrpc": "2.0", "id": 1, "result": {}}',
    "an id that is null": START + b"null}",
    "an id that is true": START + b"true}",
    "an id that is a fraction": START + b"1.0}",
    "an id beyond what JavaScript can count": START + b"9007199254740993}",
    "parameters that are null": START + b'1, "params": null}',
    "parameters in a list": START + b'1, "params": []}',
    "something more": START + b'1, "more": 1}',
    "an escape": START + b'"\\u00e9"}',
    "no UTF-8": START + b'"\xff"}',
    "a byte order mark": b"\xef\xbb\xbf" + START + b"1}",
    "UTF-16": (START + b"1}").decode().encode("utf-16"),
    "no number": START + b'1, "params": {"x": NaN}}',
    "a deep one": START + b'1, "params": {"x": ' + b"[" * 300 + b"]" * 300 + b"}}",
    "a long one": START + b'1, "params": {"x": "' + b"x" * LONGEST_LINE + b'"}}',
}


@pytest.mark.parametrize("sent", NOT_PLAIN.values(), ids=list(NOT_PLAIN))
def test_what_programs_may_read_differently_is_left_to_the_sdk(sent: bytes) -> None:
    assert plain_message(sent + b"\n") is None


@pytest.mark.timeout(60)
@settings(max_examples=300)
@example(OPENINGS[0])
@example({**OPENINGS[0], "id": 'a"\\/\n'})
@given(changed([*OPENINGS, WITHOUT_CLIENT]))
def test_what_is_answered_at_once_the_sdk_answers_alike(opening: Json) -> None:
    answer = answered(line(opening))

    if answer is not None:
        assert anyio.run(lambda: sdk_says(SERVED, Path("/nowhere"), line(opening), answers=1)) == [answer]
