"""What is done with answers nobody asked for: redirects, floods, bombs and strange encodings."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import httpx2
import pytest

from dropship_tools.errors import OutcomeUnknown, ProviderUnavailable
from dropship_tools.http import MAX_ANSWER_BYTES
from unit.tools.http_fakes import HOST, LOOK, ORDER, Chunks, FakeProvider, permission, reply

pytestmark = pytest.mark.anyio

MEGABYTE = 1024**2


async def refusal(answer: httpx2.Response) -> str:
    """Why an answer to an order is not usable."""
    provider = FakeProvider(answer)
    with pytest.raises(OutcomeUnknown) as raised:
        await provider.http().send_order(ORDER, permission())
    assert (raised.value.sent, len(provider.requests)) == ("maybe", 1)
    return raised.value.what.removeprefix("the order was sent to Shop, then ")


async def body_of(answer: httpx2.Response) -> bytes:
    """What is read of an answer."""
    return (await FakeProvider(answer).http().send_order(ORDER, permission())).body


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["https://thief.example/orders", "/login", f"{HOST}/elsewhere", ""])
async def test_redirects_are_never_followed_and_credentials_stay_with_the_host(status: int, location: str) -> None:
    provider = FakeProvider(reply(status, location=location))
    http = provider.http()

    with pytest.raises(OutcomeUnknown, match="a redirect, which is never followed"):
        await http.send_order(ORDER, permission())
    with pytest.raises(ProviderUnavailable, match="a redirect, which is never followed"):
        await http.read(LOOK)

    assert {request.url.host for request in provider.requests} == {"shop.example"}
    assert {request.url.path for request in provider.requests} == {"/orders", "/orders/REF-1"}


async def test_an_answer_of_exactly_the_limit_is_read() -> None:
    chunks = [b"x" * MEGABYTE] * (MAX_ANSWER_BYTES // MEGABYTE)

    assert len(await body_of(reply(200, Chunks(*chunks)))) == MAX_ANSWER_BYTES


async def test_a_compressed_answer_of_exactly_the_limit_is_read() -> None:
    packed = gzip.compress(b"x" * MAX_ANSWER_BYTES)

    assert len(await body_of(reply(200, packed, content_encoding="gzip"))) == MAX_ANSWER_BYTES


async def test_an_answer_without_end_is_cut_off_at_the_limit() -> None:
    body = Chunks(*[b"x" * MEGABYTE] * 3, hangs=True)

    assert await refusal(reply(200, body)) == "the answer is larger than 2 MB"
    assert body.closed


@pytest.mark.parametrize("pieces", [1, 100])
async def test_a_bomb_is_not_inflated_beyond_the_limit(pieces: int) -> None:
    bomb = gzip.compress(b"\0" * 64 * MEGABYTE)
    size = -(-len(bomb) // pieces)
    body = Chunks(*(bomb[at : at + size] for at in range(0, len(bomb), size)))

    tracemalloc.start()
    try:
        assert await refusal(reply(200, body, content_encoding="gzip")) == "the answer is larger than 2 MB"
        assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
    finally:
        tracemalloc.stop()


async def test_only_a_look_up_may_read_a_larger_answer() -> None:
    larger = b"x" * (MAX_ANSWER_BYTES + 1)
    provider = FakeProvider(reply(200, larger), reply(200, gzip.compress(larger), content_encoding="gzip"))
    http = provider.http()

    assert (await http.read(LOOK, limit=len(larger))).body == larger
    assert (await http.read(LOOK, limit=len(larger))).body == larger
    with pytest.raises(ProviderUnavailable, match="the answer is larger than 2 MB"):
        await FakeProvider(reply(200, larger)).http().change(ORDER)


@pytest.mark.parametrize("name", ["gzip", "GZIP", " gzip "])
async def test_compressed_answers_are_inflated_piece_by_piece(name: str) -> None:
    packed = gzip.compress(b'{"id": 7}')
    body = Chunks(b"", *(packed[at : at + 1] for at in range(len(packed))))

    assert await body_of(reply(200, body, content_encoding=name)) == b'{"id": 7}'


@pytest.mark.parametrize("headers", [{}, {"content_encoding": "identity"}, {"content_encoding": ""}])
async def test_plain_answers_are_read_as_they_are(headers: dict[str, str]) -> None:
    assert await body_of(reply(200, b"\xff\x1f\x8b", **headers)) == b"\xff\x1f\x8b"


@pytest.mark.parametrize("name", ["br", "deflate", "zstd", "gzip, gzip", "x", "gzip\u00e9"])
async def test_encodings_nobody_asked_for_are_not_read(name: str) -> None:
    answer = httpx2.Response(200, stream=Chunks(b"{}"), headers=[(b"content-encoding", name.encode("latin-1"))])

    assert await refusal(answer) == "the answer has an encoding that was not asked for"


@pytest.mark.parametrize(
    "body",
    [
        b"not gzip at all",
        gzip.compress(b"{}" * 99)[:-9],
        gzip.compress(b"{}")[:-1],
        gzip.compress(b"{}") + b"trailing",
        gzip.compress(b"{}") + gzip.compress(b"{}"),
        zlib.compress(b"{}"),
    ],
    ids=["plain", "cut", "cut-by-one", "trailing", "twice", "zlib"],
)
async def test_damaged_compressed_answers_are_not_half_read(body: bytes) -> None:
    assert await refusal(reply(200, body, content_encoding="gzip")) == "the compressed answer is damaged"


@pytest.mark.parametrize("chunks", [(), (b"",)])
async def test_an_empty_answer_may_call_itself_compressed(chunks: tuple[bytes, ...]) -> None:
    assert await body_of(reply(204, Chunks(*chunks), content_encoding="gzip")) == b""
