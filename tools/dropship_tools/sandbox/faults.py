"""Faults on request: what a network and a provider do to a client on a bad day.

A fault is kept in the sandbox's store, so one process (a test, `curl`, a person) asks for it and another one
runs into it. Each matching request uses up one of its `times`, atomically across processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import anyio

from dropship_tools.sandbox.store import SandboxStore
from dropship_tools.sandbox.world import SandboxWorld

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FaultKind = Literal[
    "latency",
    "status",
    "status_after",
    "reset_before",
    "reset_after",
    "hang_after",
    "malformed",
    "truncated",
    "huge",
    "wrong_type",
    "redirect",
]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

FAULTS = "_faults"
FAULT = "fault"
# The server on a real socket puts these into scope["extensions"]; in process they are absent.
ABORT = "dropship.abort"
CLOSE = "dropship.close"

LARGEST_VALUE = 3600
MEGABYTE = 1_000_000
CHUNK = b" " * 65_536
HTML_HEADERS = [(b"content-type", b"text/html; charset=utf-8")]
JSON_HEADERS = [(b"content-type", b"application/json")]
WRONG_TYPES = (b'["unexpected"]', b'"unexpected"', b"42", b"null")


class SandboxReset(Exception):
    """The peer reset the connection before a byte of the answer; `SandboxTransport` makes it a ReadError."""


class SandboxTruncated(Exception):
    """The peer closed in the middle of the body; `SandboxTransport` makes it a RemoteProtocolError."""


@dataclass(frozen=True)
class Fault:
    """One thing that shall go wrong.

    `provider` and `operation` ("create", "get", "list", ...) choose the requests, "*" stands for any.

    | kind | what the client sees | order stored? | value |
    |---|---|---|---|
    | latency | the real answer, later | yes | seconds |
    | status | that HTTP status, HTML when 500 or above | no | status, 500 if 0 |
    | status_after | the same, from a gateway that lost patience | yes | status, 504 if 0 |
    | reset_before | connection reset | no | |
    | reset_after | connection reset before a byte of the answer | yes | |
    | hang_after | no answer until the client gives up | yes | |
    | malformed | the real status, a body that is neither JSON nor XML | yes | |
    | truncated | half of the real body, then the end of the connection | yes | |
    | huge | the real body followed by 10 MB of blanks, streamed | yes | megabytes, 10 if 0 |
    | wrong_type | the real status, valid JSON of another type | yes | 0 list, 1 string, 2 number, 3 null |
    | redirect | 302 to another host | no | |
    """

    provider: str
    operation: str
    kind: FaultKind
    times: int = 1
    value: float = 0

    @classmethod
    def from_json(cls, data: object) -> Fault:
        """A fault from decoded JSON; ValueError names every problem at once."""
        if not isinstance(data, Mapping):
            raise ValueError("a fault is a JSON object")
        fields = dict(cast(Mapping[str, Any], data))
        problems = [f"unknown field {name!r}" for name in fields if name not in cls.__dataclass_fields__]
        provider, operation, kind = fields.get("provider"), fields.get("operation", "*"), fields.get("kind")
        times, value = fields.get("times", 1), fields.get("value", 0)
        if not isinstance(provider, str) or not provider:
            problems.append("provider: a provider's name, or *")
        if not isinstance(operation, str) or not operation:
            problems.append("operation: create, get, list or another operation's name, or *")
        if kind not in FAULT_KINDS:
            problems.append(f"kind: one of {', '.join(FAULT_KINDS)}")
        if not isinstance(times, int) or isinstance(times, bool) or times < 1:
            problems.append("times: a whole number, at least 1")
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LARGEST_VALUE:
            problems.append(f"value: a number from 0 to {LARGEST_VALUE}")
        elif kind in ("status", "status_after") and value not in (0, *range(400, 600)):
            problems.append("value: an HTTP status from 400 to 599")
        if problems:
            raise ValueError("; ".join(problems))
        return cls(
            provider=cast(str, provider),
            operation=cast(str, operation),
            kind=cast(FaultKind, kind),
            times=cast(int, times),
            value=cast(float, value),
        )


def add_fault(store: SandboxStore, fault: Fault) -> None:
    """Let the next `fault.times` matching requests go wrong. Several faults are used up oldest first."""
    store.add(FAULTS, FAULT, asdict(fault))


def pending_faults(store: SandboxStore) -> list[Fault]:
    """The faults that are not used up, oldest first, with the times that are left."""
    return [Fault(**document.body) for document in store.all(FAULTS, FAULT)]


def clear_faults(store: SandboxStore) -> int:
    """Drop every pending fault; answers how many there were."""
    with store.transaction():
        documents = store.all(FAULTS, FAULT)
        for document in documents:
            store.delete(FAULTS, FAULT, document.id)
    return len(documents)


def take_fault(store: SandboxStore, provider: str, operation: str) -> Fault | None:
    """Use up one of the oldest matching fault, or None when nothing shall go wrong."""
    # Looking first spares every ordinary request the write lock.
    if store.count(FAULTS, FAULT) == 0:
        return None
    with store.transaction():
        for document in store.all(FAULTS, FAULT):
            fault = Fault(**document.body)
            if fault.provider in ("*", provider) and fault.operation in ("*", operation):
                if fault.times > 1:
                    store.put(FAULTS, FAULT, document.id, {**document.body, "times": fault.times - 1})
                else:
                    store.delete(FAULTS, FAULT, document.id)
                return fault
    return None


def apply_faults(app: ASGIApp, provider: str, operation: Callable[[str, str], str], world: SandboxWorld) -> ASGIApp:
    """The app of one provider with faults in front of it; `operation(method, path)` names a request."""

    async def with_faults(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        fault = take_fault(world.store, provider, operation(scope["method"], scope["path"]))
        if fault is None:
            await app(scope, receive, send)
            return
        await _Exchange(app, scope, receive, send).go_wrong(fault)

    return with_faults


class _Exchange:
    """One request on its way to something going wrong."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.app = app
        self.scope = scope
        self.receive = receive
        self.send = send

    async def go_wrong(self, fault: Fault) -> None:
        match fault.kind:
            case "latency":
                # The order is stored first: a client that gave up meanwhile has ordered all the same.
                status, headers, body = await self._real_answer()
                await anyio.sleep(fault.value)
                await self._answer(status, headers, body)
            case "status":
                await self._read_request()
                await self._answer_status(int(fault.value) or 500)
            case "status_after":
                await self._real_answer()
                await self._answer_status(int(fault.value) or 504)
            case "redirect":
                await self._read_request()
                elsewhere = f"https://elsewhere.invalid{self.scope['path']}".encode()
                await self._answer(302, [(b"location", elsewhere), *HTML_HEADERS], b"<p>Moved</p>")
            case "reset_before":
                # Read to the end first: the client fails while reading the answer, never while writing.
                await self._read_request()
                await self._drop(ABORT, SandboxReset)
            case "reset_after":
                await self._real_answer()
                await self._drop(ABORT, SandboxReset)
            case "hang_after":
                await self._real_answer()
                await self._until_disconnected()
            case "malformed":
                status, headers, _ = await self._real_answer()
                await self._answer(status, headers, b'<!-- {"result": [} ]]>')
            case "wrong_type":
                status, _, _ = await self._real_answer()
                await self._answer(status, JSON_HEADERS, WRONG_TYPES[int(fault.value) % len(WRONG_TYPES)])
            case "truncated":
                status, headers, body = await self._real_answer()
                await self._start(status, headers, length=len(body) or 1)
                await self.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                await self._drop(CLOSE, SandboxTruncated)
            case "huge":
                status, headers, body = await self._real_answer()
                size = len(body) + int((fault.value or 10) * MEGABYTE)
                await self._start(status, headers, length=size)
                # Blanks after the end are legal in JSON and in XML: a client without a limit reads all of it.
                for chunk in (body, *[CHUNK] * ((size - len(body)) // len(CHUNK))):
                    await self.send({"type": "http.response.body", "body": chunk, "more_body": True})
                rest = CHUNK[: (size - len(body)) % len(CHUNK)]
                await self.send({"type": "http.response.body", "body": rest, "more_body": False})

    async def _real_answer(self) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Let the app do its work and keep what it would have said."""
        started: list[Message] = []
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self.app(self.scope, self.receive, keep)
        headers = [(bytes(name), bytes(value)) for name, value in started[0].get("headers", [])]
        return started[0]["status"], headers, b"".join(parts)

    async def _answer_status(self, status: int) -> None:
        if status >= 500:
            page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>gateway</body></html>"
            await self._answer(status, HTML_HEADERS, page.encode())
        else:
            headers = [*JSON_HEADERS, (b"retry-after", b"1")] if status == 429 else JSON_HEADERS
            await self._answer(status, headers, b'{"message":"fault asked for in the sandbox"}')

    async def _answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        await self._start(status, headers, length=len(body))
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]], length: int) -> None:
        kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
        kept.append((b"content-length", str(length).encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": kept})

    async def _drop(self, how: str, otherwise: type[Exception]) -> None:
        drop = cast(Callable[[], None] | None, self.scope.get("extensions", {}).get(how))
        if drop is None:
            raise otherwise
        drop()
        # Returning at once would make the server complain about an unfinished answer and try to send a 500.
        await self._until_disconnected()

    async def _read_request(self) -> None:
        while (await self.receive()).get("more_body", False):
            pass

    async def _until_disconnected(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
