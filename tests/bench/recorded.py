"""Calls and what the sandboxes answer to them, played back by a server that does nothing else.

Run as a module with a recording on stdin, it serves it on a port of this machine, which it prints: the same upstream,
in a process of its own, for every server that is measured.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.transport import SandboxTransport
from protocol.bench import bench
from protocol.samples import DIPLI, DROPDAY, DUOPLANE, REWIX


@dataclass(frozen=True)
class LookUp:
    """A call that reads with one request.

    Attributes:
        few: the provider allows so few requests that our client holds back; measured one by one only.
    """

    tool: str
    arguments: Mapping[str, Any]
    few: bool = False


async def record() -> tuple[list[LookUp], dict[str, str]]:
    """The look-ups, and by path (the provider in front) the JSON that answers them."""
    with tempfile.TemporaryDirectory(prefix="dropship-bench-") as folder:
        return await _record(Path(folder))


async def _record(folder: Path) -> tuple[list[LookUp], dict[str, str]]:
    look_ups: list[LookUp] = []
    bodies: dict[str, str] = {}
    async with bench(folder) as desk:
        for sample in (DIPLI, REWIX, DROPDAY):
            placed = await desk.call(sample.create, sample.arguments())
            look_ups.append(LookUp(sample.get, {sample.their_number: placed["order_id"]}))
        page = {**DIPLI.others["dipli_list_orders"], "page": 1, "pageSize": 10}  # so that all ask alike
        look_ups.append(LookUp("dipli_list_orders", page))
        look_ups.append(LookUp("duoplane_get_product", DUOPLANE.others["duoplane_get_product"], few=True))
        for look_up in look_ups:
            desk.wire.requests.clear()
            await desk.call(look_up.tool, look_up.arguments)
            [request] = desk.wire.requests
            provider = look_up.tool.partition("_")[0]
            response = await SandboxTransport(in_process_app(desk.world, provider)).handle_async_request(request)
            bodies[f"/{provider}{request.url.raw_path.decode()}"] = (await response.aread()).decode()
    return look_ups, bodies


_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)")


class Player(asyncio.Protocol):
    """One connection."""

    def __init__(self, answers: Mapping[bytes, bytes]) -> None:
        self._answers = answers
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._unread += data
        while True:
            head, end, rest = self._unread.partition(b"\r\n\r\n")
            fields = head.lower()
            length = _LENGTH.search(fields)
            size = int(length[1]) if length else 0
            if not end or len(rest) < size:
                return
            self._unread = rest[size:]
            self.play(head.split(b" ", 2)[1])
            if b"\r\nconnection: close" in fields:
                self._transport.close()

    def play(self, path: bytes) -> None:
        """The answer to one request."""
        self._transport.write(self._answers[path])


def http_answer(body: str) -> bytes:
    """A whole answer."""
    content = body.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(content),
        content,
    )


async def play(bodies: Mapping[str, str]) -> None:
    """Serve until killed."""
    answers = {path.encode(): http_answer(body) for path, body in bodies.items()}
    server = await asyncio.get_running_loop().create_server(lambda: Player(answers), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(play(json.load(sys.stdin)))
