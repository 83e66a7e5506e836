"""A slow shop: what comes before an order leaves enough of a call's 42 seconds for the order, or ends without one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import anyio
import httpx2
import pytest

from dropship_tools.errors import DropshipError, ProviderUnavailable
from dropship_tools.http import ProviderHttp
from dropship_tools.rewix import placing, reservation
from dropship_tools.rewix.client import LOOK_ATTEMPTS, LOOK_SECONDS, RewixClient
from dropship_tools.rewix.formats import FORMATS
from dropship_tools.rewix.models import GetOrder
from dropship_tools.rewix.tools import get_order, place, plan
from dropship_tools.tool import Placement
from unit.rewix.rewix_placing import booked, held
from unit.rewix.rewix_shop import NOW, SHOP, NoRecords, Shop, arguments, permission
from unit.rewix.skipping_clock import run_skipping

CALL = 42.0
"""Seconds the server gives one order (`dropship_mcp.ordering.Budget.flight`)."""

ALWAYS = range(1, 99)


@dataclass
class SlowShop:
    """A shop that does what it is asked and then does not answer: the first request of a kind, the second…"""

    hangs: Mapping[str, Collection[int]]
    shop: Shop = field(default_factory=Shop)
    times: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    def client(self) -> RewixClient:
        """A client with the limits that are in force in production."""
        http = ProviderHttp("Rewix", SHOP, {}, transport=lambda: httpx2.MockTransport(self._handle))
        return RewixClient(http, FORMATS["json"], now=lambda: NOW)

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        answer = self.shop.handle(request)
        step = self.shop.log[-1]
        self.times.append((step, anyio.current_time()))
        if self.shop.log.count(step) in self.hangs.get(step, ()):
            await anyio.sleep_forever()
        return answer

    def order(self) -> tuple[Placement | DropshipError, float]:
        """Place an order within a call; how it ended, and after how many seconds."""

        async def one() -> tuple[Placement | DropshipError, float]:
            client, start = self.client(), anyio.current_time()
            self.times.append(("start", start))
            try:
                with anyio.fail_after(CALL):
                    ending = await place(client, plan(client, arguments()), permission())
            except DropshipError as error:
                return error, anyio.current_time() - start
            return ending, anyio.current_time() - start

        return run_skipping(one)

    def after(self, step: str) -> float:
        """Seconds until the shop was first asked for this."""
        times = dict(reversed(self.times))
        return times[step] - times["start"]


def test_an_order_is_sent_in_time_although_every_step_before_it_hangs_once() -> None:
    slow = SlowShop({"clientkey": [1], "locked": [1], "lock": [1]})
    ending, seconds = slow.order()
    assert ending == Placement(booked())
    assert slow.after("create") == pytest.approx(3 * LOOK_SECONDS, abs=1)
    assert seconds < CALL
    assert slow.shop.log.count("lock") == slow.shop.log.count("create") == 1


@pytest.mark.parametrize("hangs", [{"clientkey": ALWAYS}, {"locked": ALWAYS}, {"lock": ALWAYS, "locked": range(2, 99)}])
def test_a_shop_that_never_answers_gets_no_order_and_there_is_time_to_say_so(hangs: dict[str, range]) -> None:
    slow = SlowShop(hangs)
    ending, seconds = slow.order()
    assert isinstance(ending, ProviderUnavailable)
    assert ending.sent == "no"
    assert "create" not in slow.shop.log
    assert seconds <= placing.BEFORE + reservation.CLEAN_UP


def test_steps_that_are_each_just_in_time_do_not_add_up_and_what_was_reserved_is_given_back() -> None:
    slow = SlowShop({"clientkey": [1], "locked": [1, 3], "lock": [1]})
    ending, seconds = slow.order()
    assert isinstance(ending, ProviderUnavailable)
    assert (ending.what, ending.sent) == (
        "Rewix was too slow while the order was prepared, so it was not sent",
        "no",
    )
    assert seconds == pytest.approx(placing.BEFORE, abs=1)
    assert slow.shop.log[-2:] == ["locked", "unlock"]
    assert held(slow.shop) == {}


def test_a_look_up_alone_is_tried_twice_and_answers_within_a_hosts_patience() -> None:
    slow = SlowShop({"clientkey": ALWAYS})

    async def look() -> float:
        start = anyio.current_time()
        with pytest.raises(ProviderUnavailable, match="no answer came within 6 s"):
            await get_order(slow.client(), GetOrder(key="WEB-77"), NoRecords())
        return anyio.current_time() - start

    assert run_skipping(look) == pytest.approx(LOOK_ATTEMPTS * LOOK_SECONDS, abs=1)
    assert slow.shop.log == ["clientkey"] * LOOK_ATTEMPTS
