"""How requests leave: once for orders, again for look-ups, and with which error when no usable answer comes."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
import httpx2
import pytest

from dropship_tools.errors import LedgerUnavailable, NotConfigured, OutcomeUnknown, ProviderUnavailable, Sent
from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.wire import SendOnce, WireRequest
from unit.tools.http_fakes import HOST, KEY, LOOK, ORDER, Chunks, FakeProvider, permission, reply

pytestmark = pytest.mark.anyio

NEVER_CONNECTED = [
    httpx2.ConnectError("refused"),
    httpx2.ConnectTimeout("slow"),
    httpx2.PoolTimeout("busy"),
    httpx2.ProxyError("403 Forbidden"),
    httpx2.UnsupportedProtocol("gopher"),
]
LOST = [
    httpx2.ReadError("reset"),
    httpx2.ReadTimeout("slow"),
    httpx2.WriteError("reset"),
    httpx2.WriteTimeout("slow"),
    httpx2.CloseError("reset"),
    httpx2.RemoteProtocolError("disconnected"),
    httpx2.LocalProtocolError("odd"),
    ConnectionResetError("reset"),
    TimeoutError("slow"),
]


@dataclass(frozen=True)
class Ending:
    """How a call ended."""

    error: type[Exception]
    sent: Sent
    what: str
    requests: int
    nothing_left: bool


async def ending_of(provider: FakeProvider, http: ProviderHttp | None = None) -> Ending:
    """Send an order that does not go well."""
    once = permission()
    with pytest.raises((ProviderUnavailable, OutcomeUnknown)) as raised:
        await (http or provider.http()).send_order(ORDER, once)
    assert once.used
    return Ending(raised.type, raised.value.sent, raised.value.what, len(provider.requests), once.nothing_left)


# --- orders -----------------------------------------------------------------------------------------------------


async def test_a_request_leaves_with_its_own_headers_the_credentials_and_nothing_surprising() -> None:
    provider = FakeProvider(reply())

    await provider.http().send_order(ORDER, permission())

    (request,) = provider.requests
    assert (request.method, str(request.url), request.content) == ("POST", f"{HOST}/orders", ORDER.body)
    assert dict(request.headers) == {
        "host": "shop.example",
        "accept": "*/*",
        "accept-encoding": "gzip",
        "connection": "keep-alive",
        "user-agent": "dropship-mcp",
        "content-type": "application/json",
        "content-length": str(len(ORDER.body)),
        "api-key": KEY,
    }


async def test_an_answer_to_an_order_is_handed_over_whole() -> None:
    provider, once = FakeProvider(reply(422, Chunks(b'{"a"', b":1}"), x_id="7")), permission()

    answer = await provider.http().send_order(ORDER, once)

    assert (answer.status, answer.body, answer.headers["x-id"]) == (422, b'{"a":1}', "7")
    assert (once.used, once.nothing_left, once.status) == (True, False, 422)


@pytest.mark.parametrize("status", [200, 408, 429, 500, 502, 503, 504])
async def test_an_order_is_sent_once_whatever_the_provider_answers(status: int) -> None:
    provider = FakeProvider(reply(status, retry_after="0"))

    answer = await provider.http().send_order(ORDER, permission())

    assert (answer.status, len(provider.requests), provider.pauses) == (status, 1, [])


@pytest.mark.parametrize("failure", NEVER_CONNECTED, ids=lambda f: type(f).__name__)
async def test_an_order_that_never_reached_the_provider_was_not_sent(failure: Exception) -> None:
    ending = await ending_of(FakeProvider(failure))

    proxy = isinstance(failure, httpx2.ProxyError)
    why = "the proxy refused the connection" if proxy else "the connection could not be made"
    assert ending == Ending(ProviderUnavailable, "no", f"Shop could not be reached: {why}", 1, True)


@pytest.mark.parametrize("failure", LOST, ids=lambda f: type(f).__name__)
async def test_an_order_whose_answer_was_lost_may_exist_and_is_not_sent_again(failure: Exception) -> None:
    ending = await ending_of(FakeProvider(failure))

    assert (ending.error, ending.sent, ending.requests, ending.nothing_left) == (OutcomeUnknown, "maybe", 1, False)


async def test_an_order_whose_answer_breaks_off_half_way_may_exist() -> None:
    body = Chunks(b'{"order_', breaks=httpx2.ReadError("reset"))

    ending = await ending_of(FakeProvider(reply(200, body)))

    what = "the order was sent to Shop, then the connection broke off"
    assert ending == Ending(OutcomeUnknown, "maybe", what, 1, False)
    assert body.closed


async def test_an_order_that_is_not_answered_in_time_may_exist() -> None:
    async def silent(request: httpx2.Request) -> httpx2.Response:
        await anyio.sleep_forever()
        raise AssertionError

    timing = Timing(order=0.01)
    http = ProviderHttp("Shop", HOST, {}, timing=timing, transport=lambda: httpx2.MockTransport(silent))

    ending = await ending_of(FakeProvider(), http)

    what = "the order was sent to Shop, then no answer came within 0.01 s"
    assert ending == Ending(OutcomeUnknown, "maybe", what, 0, False)


async def test_an_answer_that_never_ends_is_cut_off_in_time_and_let_go() -> None:
    body = Chunks(b"{", hangs=True)

    ending = await ending_of(provider := FakeProvider(reply(200, body)), provider.http(timing=Timing(order=0.01)))

    assert (ending.error, ending.requests, body.closed) == (OutcomeUnknown, 1, True)


async def test_an_order_leaves_only_after_it_was_recorded() -> None:
    seen: list[int] = []
    provider = FakeProvider(reply())

    async def record() -> None:
        seen.append(len(provider.requests))

    await provider.http().send_order(ORDER, SendOnce(record))

    assert (seen, len(provider.requests)) == ([0], 1)


async def test_an_order_that_cannot_be_recorded_does_not_leave() -> None:
    provider = FakeProvider(reply())

    async def fail() -> None:
        raise LedgerUnavailable("disk full", fix="free some space")

    once = SendOnce(fail)
    with pytest.raises(LedgerUnavailable):
        await provider.http().send_order(ORDER, once)
    with pytest.raises(RuntimeError, match="an order is sent once"):
        await provider.http().send_order(ORDER, once)

    assert (provider.requests, once.used) == ([], False)


async def test_one_permission_sends_one_order_even_when_two_tasks_hold_it() -> None:
    provider, refused = FakeProvider(reply()), list[RuntimeError]()
    http, once = provider.http(), SendOnce(lambda: anyio.lowlevel.checkpoint())

    async def send() -> None:
        try:
            await http.send_order(ORDER, once)
        except RuntimeError as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        tasks.start_soon(send)

    assert (len(provider.requests), len(refused)) == (1, 1)


# --- look-ups and changes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [*NEVER_CONNECTED, *LOST], ids=lambda f: type(f).__name__)
async def test_a_look_up_is_tried_again_when_no_answer_comes(failure: Exception) -> None:
    provider = FakeProvider(failure, failure, reply(200, b"found"))

    answer = await provider.http().read(LOOK)

    assert (answer.body, len(provider.requests)) == (b"found", 3)


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_look_up_is_tried_again_when_the_provider_is_briefly_unavailable(status: int) -> None:
    provider = FakeProvider(reply(status), reply(200, b"found"))

    answer = await provider.http().read(LOOK)

    assert (answer.body, len(provider.requests)) == (b"found", 2)


@pytest.mark.parametrize("status", [200, 404, 422, 429, 500])
async def test_any_other_answer_to_a_look_up_stands(status: int) -> None:
    provider = FakeProvider(reply(status))

    answer = await provider.http().read(LOOK)

    assert (answer.status, len(provider.requests), provider.pauses) == (status, 1, [])


async def test_a_look_up_ends_after_three_attempts_with_growing_pauses() -> None:
    provider = FakeProvider(httpx2.ConnectError("refused"))

    with pytest.raises(ProviderUnavailable) as raised:
        await provider.http().read(LOOK)

    assert (raised.value.sent, raised.value.what, len(provider.requests)) == (
        "no",
        "Shop gave no usable answer: the connection could not be made",
        3,
    )
    first, second = provider.pauses
    assert 0.15 <= first <= 0.3 <= second <= 0.6


async def test_the_last_answer_of_an_unavailable_provider_is_handed_over() -> None:
    provider = FakeProvider(reply(502), reply(502), reply(503, b"down"))

    answer = await provider.http().read(LOOK)

    assert (answer.status, answer.body, len(provider.requests)) == (503, b"down", 3)


async def test_a_look_up_waits_as_long_as_the_provider_asks() -> None:
    provider = FakeProvider(reply(503, retry_after="2"), reply(503, retry_after="0"), reply())

    await provider.http().read(LOOK)

    assert provider.pauses == [2, 0]


@pytest.mark.parametrize("after", ["4", "3600", "9" * 400])
async def test_a_look_up_does_not_wait_longer_than_a_call_may_take(after: str) -> None:
    provider = FakeProvider(reply(503, retry_after=after))

    answer = await provider.http().read(LOOK)

    assert (answer.status, len(provider.requests), provider.pauses) == (503, 1, [])


@pytest.mark.parametrize("after", ["", "soon", "-1", "1.5", "\u00b2", "Fri, 31 Dec 2027 23:59:59 GMT"])
async def test_an_odd_retry_after_is_ignored(after: str) -> None:
    odd = httpx2.Response(503, stream=Chunks(), headers=[(b"retry-after", after.encode("latin-1"))])
    provider = FakeProvider(odd, reply())

    await provider.http().read(LOOK)

    (pause,) = provider.pauses
    assert 0.15 <= pause <= 0.3


async def test_a_slow_look_up_is_cut_off_and_tried_again() -> None:
    provider = FakeProvider(reply(200, Chunks(b"{", hangs=True)), reply(200, b"found"))

    answer = await provider.http(timing=Timing(read=0.01)).read(LOOK)

    assert (answer.body, len(provider.requests)) == (b"found", 2)


async def test_a_request_may_have_times_of_its_own() -> None:
    hanging = FakeProvider(reply(200, Chunks(b"{", hangs=True)))
    own = Timing(read=0.01, attempts=2, pause=0)

    with pytest.raises(ProviderUnavailable, match=r"no answer came within 0\.01 s"):
        await hanging.http().read(LOOK, timing=own)
    with pytest.raises(ProviderUnavailable, match=r"no answer came within 0\.01 s"):
        await hanging.http().change(ORDER, timing=own)

    assert (len(hanging.requests), hanging.pauses) == (3, [0])


@pytest.mark.parametrize("status", [200, 429, 503])
async def test_a_change_is_never_repeated(status: int) -> None:
    provider = FakeProvider(reply(status, retry_after="0"))

    answer = await provider.http().change(ORDER)

    assert (answer.status, len(provider.requests), provider.pauses) == (status, 1, [])


@pytest.mark.parametrize(
    ("failure", "state"),
    [(httpx2.ConnectError("refused"), "did not happen"), (httpx2.ReadError("reset"), "may or may not have happened")],
)
async def test_a_change_without_an_answer_says_whether_it_may_have_happened(failure: Exception, state: str) -> None:
    provider = FakeProvider(failure)

    with pytest.raises(ProviderUnavailable, match=f"the change {state}") as raised:
        await provider.http().change(ORDER)

    assert (raised.value.sent, len(provider.requests)) == ("no", 1)


# --- the client -------------------------------------------------------------------------------------------------


async def test_answers_leave_no_cookies_behind() -> None:
    provider = FakeProvider(reply(200, set_cookie="session=1; Path=/"))
    http = provider.http()

    await http.read(LOOK)
    await http.read(LOOK)

    assert "cookie" not in provider.requests[1].headers


async def test_a_closed_client_opens_again_when_it_is_needed() -> None:
    provider = FakeProvider(reply())
    http = provider.http()

    await http.aclose()
    await http.read(LOOK)
    await http.aclose()
    await http.read(LOOK)
    await http.aclose()

    assert len(provider.requests) == 2


@pytest.mark.parametrize("value", ["se\ncret", "secret\r\n", " secret", "s\u00e9cret", "se\x00cret"])
def test_credentials_that_cannot_stand_in_a_header_are_refused_without_being_shown(value: str) -> None:
    with pytest.raises(NotConfigured) as raised:
        FakeProvider(reply()).http(auth={"api-key": value})

    assert "cret" not in f"{raised.value!r} {raised.value.what} {raised.value.fix}"
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    "request_",
    [
        WireRequest("POST", "/orders", headers={"X-Name": "Zo\u00eb"}),
        WireRequest("POST", "/orders", (("name", "\ud800"),)),
        WireRequest("POST", "/orders\n"),
        WireRequest("POST", "/" + "a" * 70_000),
    ],
    ids=["header", "surrogate", "newline", "length"],
)
async def test_a_request_that_cannot_be_written_is_not_sent(request_: WireRequest) -> None:
    provider, once = FakeProvider(reply()), permission()

    with pytest.raises(ProviderUnavailable) as raised:
        await provider.http().send_order(request_, once)

    assert (raised.value.sent, provider.requests, once.nothing_left) == ("no", [], True)


def test_the_default_times_fit_into_one_call() -> None:
    timing = Timing()

    assert timing.connect < timing.read < timing.order
    assert timing.order + timing.read <= 45
