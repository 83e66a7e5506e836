"""What a single request may have in place of the usual limits: more room for its answer, less time."""

from __future__ import annotations

import gzip
from dataclasses import replace

import anyio
import httpx2
import pytest

from dropship_tools.errors import ProviderUnavailable
from dropship_tools.http import MAX_ANSWER_BYTES, ProviderHttp, Timing
from unit.tools.http_fakes import HOST, LOOK, ORDER, Chunks, FakeProvider, reply

pytestmark = pytest.mark.anyio

MEGABYTE = 1024**2


async def test_a_look_up_may_allow_a_larger_answer() -> None:
    packed = gzip.compress(b"x" * 3 * MEGABYTE)
    provider = FakeProvider(reply(200, packed, content_encoding="gzip"))
    answer = await provider.http().read(LOOK, limit=3 * MEGABYTE)
    assert len(answer.body) == 3 * MEGABYTE > MAX_ANSWER_BYTES


async def test_a_larger_limit_is_a_limit_all_the_same() -> None:
    body = Chunks(*[b"x" * MEGABYTE] * 4, hangs=True)
    http = FakeProvider(reply(200, body)).http(timing=Timing(attempts=1))
    with pytest.raises(ProviderUnavailable, match="the answer is larger than 3 MB"):
        await http.read(LOOK, limit=3 * MEGABYTE)
    assert body.closed


async def test_a_larger_limit_holds_for_its_own_request_only() -> None:
    http = FakeProvider(reply(200, b"x" * 3 * MEGABYTE)).http(timing=Timing(attempts=1))
    await http.read(LOOK, limit=3 * MEGABYTE)
    with pytest.raises(ProviderUnavailable, match="the answer is larger than 2 MB"):
        await http.read(LOOK)


async def test_a_look_up_may_be_tried_less_often() -> None:
    provider = FakeProvider(reply(503))
    http = provider.http()
    assert (await http.read(LOOK, timing=replace(http.timing, attempts=1))).status == 503
    assert (len(provider.requests), provider.pauses) == (1, [])


async def test_a_look_up_and_a_change_may_have_less_time() -> None:
    async def silent(request: httpx2.Request) -> httpx2.Response:
        await anyio.sleep_forever()
        raise AssertionError

    http = ProviderHttp("Shop", HOST, {}, transport=lambda: httpx2.MockTransport(silent))
    short = Timing(read=0.01, attempts=1)
    with pytest.raises(ProviderUnavailable, match=r"no answer came within 0\.01 s"):
        await http.read(LOOK, timing=short)
    with pytest.raises(ProviderUnavailable, match=r"no answer came within 0\.01 s; the change may or may not"):
        await http.change(ORDER, timing=short)
