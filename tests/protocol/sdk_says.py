"""What the server says to lines on its pipe when nobody opens the conversation for it: the SDK alone, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import anyio
from mcp.server.stdio import stdio_server

from dropship_mcp.app import build_app
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.settings import Settings


class _Pipe:
    """Both ends: gives the lines, and ends when as many answers were written as there are requests among them."""

    def __init__(self, lines: list[bytes], answers: int) -> None:
        self._lines = iter(lines)
        self._expected = answers
        self._done = anyio.Event()
        self.said: list[str] = []

    def __aiter__(self) -> _Pipe:
        return self

    async def __anext__(self) -> str:
        line = next(self._lines, None)
        if line is not None:
            return line.decode("utf-8", "replace")
        with anyio.fail_after(5):
            await self._done.wait()
        raise StopAsyncIteration

    async def write(self, text: str) -> None:
        self.said.append(text)
        if len(self.said) == self._expected:
            self._done.set()

    async def flush(self) -> None: ...


async def sdk_says(settings: Settings, folder: Path, *lines: bytes, answers: int) -> list[str]:
    """The lines of the server, in the order in which they came."""
    server = build_app(settings, ledger=SqliteLedger(folder / "ledger.sqlite3"))
    pipe = _Pipe(list(lines), answers)
    async with stdio_server(cast("Any", pipe), cast("Any", pipe)) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
    return pipe.said


def line(message: object) -> bytes:
    """A message as it stands on the pipe."""
    return json.dumps(message, ensure_ascii=False).encode() + b"\n"
