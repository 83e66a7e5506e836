"""Many calls at once over HTTP, by clients that know nothing of each other.

Prepared bytes over bare sockets, so that the machine's time goes to the server that is measured. Every call asks for an
order of its own, and every answer is read: whose it is, and whether it is the order.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import cast

CLIENTS = 50
CROSSED = "crossed"
"""How a call ended that was answered with another client's order or request id."""

UNANSWERED = "no answer"
PATIENCE_SECONDS = 60
"""So long hosts wait."""

SESSION = "Mcp-Session-Id"

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_NUMBER = re.compile(rb"A-[0-9]{6}")
_ID = re.compile(rb'"jsonrpc": ?"2.0", ?"id": ?([0-9]+)')
_REFUSED = re.compile(rb'"text": ?"(\w+)')


@dataclass(frozen=True)
class Call:
    """One request for an order.

    Attributes:
        client: 0 to `CLIENTS` - 1.
        id: of the request.
        number: the order's; no other call has it.
    """

    client: int
    id: int
    number: str


@dataclass(frozen=True)
class Speech:
    """How calls are put.

    Attributes:
        head: without length and session.
        body: with `{id}` and `{number}` in it.
        sessions: of the clients, where a server keeps any.
    """

    head: str
    body: str
    sessions: Sequence[str] = ()

    def request(self, call: Call) -> bytes:
        """As it goes over the wire."""
        body = self.body.replace("{id}", str(call.id)).replace("{number}", call.number)
        session = f"{SESSION}: {self.sessions[call.client]}\r\n" if self.sessions else ""
        return f"{self.head}{session}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def speech(port: int, headers: Mapping[str, str], message: Mapping[str, object]) -> Speech:
    """`message` has `{id}` for the request id and `{number}` for the order."""
    given = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json", **headers}
    head = "POST /mcp HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return Speech(head, json.dumps(message).replace('"{id}"', "{id}"))


def calls(many: int, numbers: Iterator[int]) -> list[Call]:
    """The clients share them; each counts its own request ids from 1."""
    return [Call(n % CLIENTS, n // CLIENTS + 1, f"A-{next(numbers)}") for n in range(many)]


def told_apart(asked: Sequence[Call]) -> list[Call]:
    """The same calls, with ids that no other has."""
    return [replace(call, id=int(call.number.removeprefix("A-"))) for call in asked]


@dataclass
class Ended:
    """How calls ended, and how long that took.

    Attributes:
        how: `found`, `CROSSED`, or what was answered instead.
        strays: answers that reached a client that waited for none with that id.
    """

    how: Counter[str] = field(default_factory=Counter[str])
    seconds: float = 0.0
    strays: int = 0


class Line(asyncio.Protocol):
    """A connection, for one call at a time."""

    def __init__(self) -> None:
        self._unread = b""
        self._call: Call | None = None
        self._answered: asyncio.Queue[str] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where requests go."""
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, call: Call, request: bytes, answered: asyncio.Queue[str]) -> None:
        """`answered` hears how it ends."""
        self._call, self._answered = call, answered
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Whole answers only."""
        self._unread += data
        head, end, body = self._unread.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and (len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")):
            self._unread = b""
            self._end(head, body)

    def connection_lost(self, exc: Exception | None) -> None:
        """A call that is under way is lost."""
        if self._call:
            self._answered.put_nowait("connection lost")

    def _end(self, head: bytes, body: bytes) -> None:
        assert self._call, (head, body)
        call, self._call = self._call, None
        status = head[9:12].decode()
        self._answered.put_nowait(told(call, body) if status == "200" else f"HTTP {status}")


def told(call: Call, answer: bytes) -> str:
    """How a call ended."""
    if answered_id(answer) != call.id or not set(_NUMBER.findall(answer)) <= {call.number.encode()}:
        return CROSSED
    if call.number.encode() in answer and b'"isError":true' not in answer:
        return "found"
    refused = _REFUSED.search(answer)
    return refused[1].decode() if refused else "error"


def answered_id(answer: bytes) -> int | None:
    """The request that it answers."""
    found = _ID.search(answer)
    return int(found[1]) if found else None


async def heard(answered: asyncio.Queue[str], many: int, seconds: float) -> Counter[str]:
    """How so many calls ended within the time."""
    how: Counter[str] = Counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while how.total() < many:
                how[await answered.get()] += 1
    how[UNANSWERED] = many - how.total()
    return +how


class Crowd:
    """Connections that are kept between one burst of calls and the next."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lines: list[Line] = []

    async def gather(self, many: int) -> None:
        """So many open connections."""
        loop = asyncio.get_running_loop()
        self._lines = [line for line in self._lines if not line.transport.is_closing()]
        while len(self._lines) < many:
            wave = min(500, many - len(self._lines))
            opened = await asyncio.gather(*(loop.create_connection(Line, "127.0.0.1", self._port) for _ in range(wave)))
            self._lines += [line for _, line in opened]

    async def burst(self, asked: Sequence[Call], said: Speech) -> Ended:
        """All calls at the same moment, one a connection, until the last has ended or hosts have given up."""
        await self.gather(len(asked))
        requests = [said.request(call) for call in asked]
        answered: asyncio.Queue[str] = asyncio.Queue()
        began = time.perf_counter()
        for line, call, request in zip(self._lines, asked, requests, strict=False):
            line.ask(call, request, answered)
        return Ended(await heard(answered, len(asked), PATIENCE_SECONDS), time.perf_counter() - began)

    def leave(self) -> None:
        """Close all connections."""
        for line in self._lines:
            line.transport.close()
