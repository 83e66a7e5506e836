"""The same calls to a server that accepts them in the POST and answers on a stream beside, one for each session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import httpx2

from bench.web_load import (
    CLIENTS,
    PATIENCE_SECONDS,
    SESSION,
    Call,
    Crowd,
    Ended,
    Speech,
    answered_id,
    heard,
    speech,
    told,
)
from e2e.processes import CLIENT
from protocol.bench import VERSIONS

ACCEPTED = "HTTP 202"

_OPENING = "GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
_PING = {"jsonrpc": "2.0", "id": "{id}", "method": "ping"}


class Stream(asyncio.Protocol):
    """What one client hears.

    Attributes:
        strays: answers with an id that none of the client's calls waited for.
    """

    def __init__(self) -> None:
        self.strays = 0
        self._unread = b""
        self._waiting: dict[int | None, Call] = {}
        self._answered: asyncio.Queue[str] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where the stream is asked for, and what is to be closed."""
        self.transport = cast("asyncio.Transport", transport)

    def wait_for(self, call: Call, answered: asyncio.Queue[str]) -> None:
        """`answered` hears how it ends: as for every client, with the first answer that has its id."""
        self._waiting[call.id], self._answered = call, answered

    def data_received(self, data: bytes) -> None:
        """Whole events only."""
        *events, self._unread = (self._unread + data).split(b"\n\n")
        for event in events:
            call = self._waiting.pop(answered_id(event), None)
            if call:
                self._answered.put_nowait(told(call, event))
            else:
                self.strays += 1


class Streams:
    """A session and a stream for each client, and connections for calls, all kept between bursts."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._posts = Crowd(port)
        self._streams: list[Stream] = []
        self._sessions: list[str] = []

    async def gather(self, many: int) -> None:
        """All sessions, and so many open connections."""
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self._port}") as http:
            while len(self._streams) < CLIENTS:
                await self._greet(http)
        await self._posts.gather(many)

    async def burst(self, asked: Sequence[Call], said: Speech, patience: float = PATIENCE_SECONDS) -> Ended:
        """All calls at the same moment, until the last has ended or patience has."""
        answered: asyncio.Queue[str] = asyncio.Queue()
        strays = self._strays()
        for call in asked:
            self._streams[call.client].wait_for(call, answered)
        posted = await self._posts.burst(asked, replace(said, sessions=self._sessions))
        began = time.perf_counter()
        accepted = posted.how.pop(ACCEPTED, 0)
        how = await heard(answered, accepted, patience - posted.seconds)
        seconds = posted.seconds + time.perf_counter() - began
        return Ended(posted.how + how, seconds, self._strays() - strays)

    def leave(self) -> None:
        """Close everything."""
        self._posts.leave()
        for stream in self._streams:
            stream.transport.close()

    def _strays(self) -> int:
        return sum(stream.strays for stream in self._streams)

    async def _greet(self, http: httpx2.AsyncClient) -> None:
        """One more session and its stream, open when a ping is answered there.

        Nothing else tells, and on a connection of its own the ping could be read before the stream is asked for.
        """
        hello = {"protocolVersion": VERSIONS["legacy"], "capabilities": {}, "clientInfo": CLIENT}
        greeted = await http.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello})
        session = greeted.headers[SESSION]
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await http.post("/mcp", json=ready, headers={SESSION: session})
        ping, ponged = Call(len(self._streams), 1, ""), asyncio.Queue[str]()
        _, stream = await asyncio.get_running_loop().create_connection(Stream, "127.0.0.1", self._port)
        stream.wait_for(ping, ponged)
        stream.transport.write(f"{_OPENING}{SESSION}: {session}\r\n\r\n".encode())
        stream.transport.write(speech(self._port, {SESSION: session}, _PING).request(ping))
        assert await heard(ponged, 1, PATIENCE_SECONDS) == {"found": 1}
        self._streams.append(stream)
        self._sessions.append(session)
