"""Names are looked up once for all who ask, and a name that cannot be found stops no other host."""

from __future__ import annotations

import socket
import threading
from typing import Any

import anyio
import pytest

from dropship_tools import addresses
from dropship_tools.errors import ProviderUnavailable
from dropship_tools.http import ProviderHttp, Timing
from unit.tools.http_fakes import LOOK, ORDER, permission
from unit.tools.loopback import OK, provider, request_head

pytestmark = pytest.mark.anyio


class Names:
    """In place of the system's look-up: `slow.example` is unknown, which takes until it is told so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.known: dict[str, list[str]] = {}
        self.tell = threading.Event()
        self._really = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: str, port: int, *, flags: int = 0, **rest: Any) -> Any:
        if flags & socket.AI_NUMERICHOST or host not in ("slow.example", *self.known):
            return self._really(host, port, flags=flags, **rest)
        self.asked.append(host)
        if host == "slow.example":
            self.tell.wait(5)
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return [found for address in self.known[host] for found in self._really(address, port, **rest)]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


async def serve(reader: Any, writer: Any) -> None:
    """One answer."""
    await request_head(reader)
    writer.write(OK)


async def silent(reader: Any, writer: Any) -> None:
    """Until the other side has gone."""
    await reader.read()


async def test_an_order_leaves_while_the_name_of_another_provider_is_looked_up(names: Names) -> None:
    lost = ProviderHttp("Lost", "https://slow.example", {}, timing=Timing(attempts=1))
    refused: list[str] = []

    async def look() -> None:
        with pytest.raises(ProviderUnavailable) as raised:
            await lost.read(LOOK)
        refused.append(raised.value.what)

    async with provider(serve) as http, anyio.create_task_group() as tasks:
        for _ in range(60):
            tasks.start_soon(look)
        while not names.asked:
            await anyio.lowlevel.checkpoint()
        assert (await http.send_order(ORDER, permission())).status == 200
        names.tell.set()
    await lost.aclose()

    assert names.asked == ["slow.example"]
    assert refused == ["Lost gave no usable answer: the connection could not be made"] * 60


async def test_a_name_that_is_looked_up_for_too_long_means_that_nothing_was_sent(names: Names) -> None:
    http, once = ProviderHttp("Lost", "https://slow.example", {}, timing=Timing(connect=0.05)), permission()

    with pytest.raises(ProviderUnavailable, match="the connection could not be made"):
        await http.send_order(ORDER, once)
    names.tell.set()
    await http.aclose()

    assert once.nothing_left


async def test_what_was_found_is_used_for_some_seconds(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    names.known["shop.example"] = ["127.0.0.1"]
    now = 100.0
    monkeypatch.setattr(addresses, "monotonic", lambda: now)

    async with provider(silent) as http:
        found = addresses.Addresses("shop.example", int(http.base_url.rpartition(":")[2]))
        for _ in range(3):
            (await found.connect()).close()
        assert names.asked == ["shop.example"]
        now += addresses.KEPT_SECONDS
        (await found.connect()).close()

    assert names.asked == ["shop.example"] * 2


async def test_the_next_address_of_a_host_is_tried_when_one_refuses(names: Names) -> None:
    names.known["shop.example"] = ["::1", "127.0.0.1"]  # the server listens at the second one

    async with provider(silent) as http:
        found = addresses.Addresses("shop.example", int(http.base_url.rpartition(":")[2]))
        reached = await found.connect()
        assert reached.getpeername()[0] == "127.0.0.1"
        reached.close()
