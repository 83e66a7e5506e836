"""A thousand calls at once while the provider takes five seconds for each answer.

Every call is answered, with its own order and nobody else's; an order that had to wait too long was certainly not sent.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from bench.contenders import live
from protocol.samples import DIPLI
from web.sites import modern
from web.webprocess import web_process

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

SECONDS = 5
CALLS = 500
"""Of each kind."""


class SlowDipli:
    """Takes its time, and remembers the orders."""

    def __init__(self) -> None:
        self.orders: Counter[str] = Counter()
        self.connections: set[asyncio.Task[None] | None] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections.add(asyncio.current_task())
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                await anyio.sleep(SECONDS)
                text = json.dumps(self._answer(head.split(" ")[1], body)).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, path: str, body: bytes) -> dict[str, Any]:
        if not body:
            return {"public_id": path.rpartition("/")[2], "shipping_status": "ongoing_shipping"}
        reference = json.loads(body)["alternative_id"]
        self.orders[reference] += 1
        return {"code": 200, "public_id": f"A-{reference}"}


@asynccontextmanager
async def listening(provider: SlowDipli) -> AsyncGenerator[int]:
    """Its port."""
    server = await asyncio.start_server(provider, "127.0.0.1", 0, backlog=1000)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait([task for task in provider.connections if task])  # whose other ends are gone


async def test_a_slow_provider_makes_calls_wait_or_turns_them_away_and_loses_none(tmp_path: Path) -> None:
    provider = SlowDipli()
    endings: Counter[str] = Counter()
    placed: set[str] = set()

    async with listening(provider) as port:
        settings = {**live(port), "DIPLI_URL": f"http://127.0.0.1:{port}", "DROPSHIP_ORDERS": "allow"}
        limits = httpx2.Limits(max_connections=2 * CALLS)
        with web_process(tmp_path, **settings) as server:
            async with httpx2.AsyncClient(timeout=150, limits=limits) as http, anyio.create_task_group() as tasks:

                async def order(number: int) -> None:
                    reference = f"{number:04}"
                    arguments = DIPLI.arguments(alternative_id=reference, buyer=f"Buyer {number}")
                    text = await said(DIPLI.create, arguments)
                    if '"outcome":"placed"' in text:
                        assert f'"order_id":"A-{reference}"' in text
                        placed.add(reference)
                        endings["placed"] += 1
                    else:
                        endings[" ".join(re.findall(r"^provider_unavailable|order sent: no", text, re.MULTILINE))] += 1

                async def look(number: int) -> None:
                    text = await said(DIPLI.get, {DIPLI.their_number: f"A-{number}"})
                    found = f'"order_id":"A-{number}"' in text
                    endings["found" if found else text.partition(":")[0]] += 1

                async def said(tool: str, arguments: dict[str, Any]) -> str:
                    request = modern("tools/call", {"name": tool, "arguments": arguments})
                    answer = await http.post(server.url, **request)
                    data = answer.text.rpartition("data: ")[2]  # a stream of one event, or plain JSON
                    return json.loads(data)["result"]["content"][0]["text"]

                for number in range(CALLS):
                    tasks.start_soon(order, number)
                    tasks.start_soon(look, number)

    assert endings.keys() <= {"placed", "found", "provider_unavailable", "provider_unavailable order sent: no"}
    assert endings.total() == 2 * CALLS
    assert endings["placed"] >= 200
    assert endings["found"] >= 200
    assert provider.orders == Counter(placed)
