"""A provider that answers as told, and the HTTP client that speaks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import anyio
import httpx2

from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.wire import SendOnce, WireRequest

HOST = "https://shop.example"
KEY = "k-very-secret"
ORDER = WireRequest("POST", "/orders", headers={"Content-Type": "application/json"}, body=b'{"id":"REF-1"}')
LOOK = WireRequest("GET", "/orders/REF-1", (("email", "ann@example.org"),))


class Chunks(httpx2.AsyncByteStream):
    """A body that arrives piece by piece and then ends, or hangs, or breaks off."""

    def __init__(self, *chunks: bytes, hangs: bool = False, breaks: Exception | None = None) -> None:
        self._chunks = chunks
        self._hangs = hangs
        self._breaks = breaks
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        if self._hangs:
            await anyio.sleep_forever()
        if self._breaks is not None:
            raise self._breaks

    async def aclose(self) -> None:
        """Remember that the body was let go."""
        self.closed = True


def reply(status: int = 200, body: bytes | Chunks = b"{}", **headers: str) -> httpx2.Response:
    """An answer whose body is unread, as from the network. `retry_after` becomes `retry-after`."""
    stream = body if isinstance(body, Chunks) else Chunks(body)
    return httpx2.Response(status, stream=stream, headers={k.replace("_", "-"): v for k, v in headers.items()})


class FakeProvider:
    """Gives one answer after the other; the last one is repeated. Exceptions are raised."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.pauses: list[float] = []

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """The next answer."""
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=answer.stream)

    def http(self, *, timing: Timing | None = None, auth: Mapping[str, str] | None = None) -> ProviderHttp:
        """A client of this provider; pauses are only written down."""

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        return ProviderHttp(
            "Shop",
            HOST,
            {"api-key": KEY} if auth is None else auth,
            timing=timing,
            transport=lambda: httpx2.MockTransport(self),
            sleep=sleep,
        )


def permission() -> SendOnce:
    """A permission to send one order."""

    async def nothing() -> None: ...

    return SendOnce(nothing)
