"""The one way requests leave for a provider: credentials bound to one host, bounded time and size, no surprises.

* An order is sent once, with a `SendOnce` permission, and never again by this module.
* Reads are tried three times at most when the connection fails or the provider is briefly unavailable.
* Redirects are never followed; credentials never leave for another host.
* An answer is read up to a limit, also when it is compressed; only a look-up may name a larger one.
* Requests go straight over the network (`straight`) where they can, and through httpx2 otherwise.
* URLs (which hold references) and headers (which hold credentials) are never logged above debug.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.request import getproxies

import anyio

from dropship_tools.body import NoAnswer
from dropship_tools.errors import NotConfigured, OutcomeUnknown, ProviderUnavailable
from dropship_tools.urls import check_base_url
from dropship_tools.wire import Answer, SendOnce, WireRequest

if TYPE_CHECKING:
    import ssl

    import httpx2

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 2 * 1024 * 1024

_IDLE = {"look-ups": 5.0, "changes": 1.0}
"""Seconds for which a connection is kept for the next request. One that the provider closes at the very moment when an
order leaves makes its outcome unknown; so an order takes a new one, unless another has just gone out."""

_PROXIES = frozenset({"http", "https", "all"})


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A create may take longer than a read, and both fit into the 45 s of a whole call."""

    connect: float = 10
    read: float = 15
    order: float = 30
    attempts: int = 3
    pause: float = 0.3
    longest_pause: float = 3


@dataclass(slots=True)
class Exchange:
    """A request and, once it has come, the status of its answer; 0 before."""

    status: int = 0


class Observer(Protocol):
    """Watches the requests of one account. What it is shown holds references and buyers' data: not for logs."""

    def exchange(self, request: WireRequest) -> AbstractContextManager[Exchange]:
        """Lasts from before the request leaves until its answer is read; each attempt has its own."""
        ...

    def headers(self) -> Mapping[str, str]:
        """What goes out with the request that is being watched."""
        ...


class Way(Protocol):
    """How requests get to a provider."""

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, seconds: float, limit: int
    ) -> Answer:
        """Send to an encoded path, with so many seconds at most until the answer is read, and so many bytes of it. A
        look-up may wait as long again for its turn.

        What may change something is sent once. Redirects are not followed and cookies not kept.

        Raises:
            NoAnswer: no usable answer; whether anything may have left.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


_tls: list[ssl.SSLContext] = []


def _tls_context() -> ssl.SSLContext:
    """One context for the process: building it costs more than a hundred requests."""
    if not _tls:
        import httpx2

        _tls.append(httpx2.create_ssl_context())
    return _tls[0]


class ProviderHttp:
    """Sends requests of one account to its one host.

    Args:
        title: the provider's name for messages.
        base_url: scheme, host and optional prefix; checked by `check_base_url`.
        auth: headers that carry the credentials.
        timing: limits in seconds.
        transport: for the sandbox and tests; the network otherwise.
        sleep: how to pause between reads.
        observer: watches every request, if somebody does.

    Raises:
        ValueError: not an address that credentials may be sent to.
        NotConfigured: the credentials cannot stand in a header.
    """

    def __init__(
        self,
        title: str,
        base_url: str,
        auth: Mapping[str, str],
        *,
        timing: Timing | None = None,
        transport: Callable[[], httpx2.AsyncBaseTransport] | None = None,
        sleep: Callable[[float], Awaitable[Any]] = anyio.sleep,
        observer: Observer | None = None,
    ) -> None:
        self.title = title
        self.base_url = check_base_url(base_url)
        self.timing = timing or Timing()
        self._auth = _checked(title, auth)
        self._transport = transport
        self._sleep = sleep
        self._observer = observer
        self._ways: dict[str, Way] = {}

    async def read(
        self, request: WireRequest, *, timing: Timing | None = None, limit: int = MAX_ANSWER_BYTES
    ) -> Answer:
        """Send a request that changes nothing; it may be repeated.

        Args:
            request: what to ask.
            timing: limits for this request in place of the usual ones.
            limit: the largest answer, decompressed, in bytes.

        Raises:
            ProviderUnavailable: no usable answer after all attempts.
        """
        timing = timing or self.timing
        attempt = 0
        while True:
            attempt += 1
            last = attempt >= timing.attempts
            pause: float | None = None
            try:
                answer = await self._watched(request, self._ask(request, timing.read, limit))
            except NoAnswer as failure:
                if last:
                    raise ProviderUnavailable(
                        f"{self.title} gave no usable answer: {failure.why}",
                        fix="Wait a minute and call the same tool again; reading changes nothing.",
                    ) from failure
            else:
                if last or answer.status not in (502, 503, 504):
                    return answer
                pause = answer.retry_after
                if pause is not None and pause > timing.longest_pause:
                    return answer
            await self._sleep(_pause(timing, attempt) if pause is None else pause)

    async def change(self, request: WireRequest, *, timing: Timing | None = None) -> Answer:
        """Send a request that changes something other than an order; never repeated.

        Args:
            request: what to change.
            timing: limits for this request in place of the usual ones; `read` counts.

        Raises:
            ProviderUnavailable: no usable answer; the message says whether the change may have happened.
        """
        try:
            return await self._watched(request, self._ask(request, (timing or self.timing).read))
        except NoAnswer as failure:
            state = "may or may not have happened" if failure.left else "did not happen"
            raise ProviderUnavailable(
                f"{self.title} gave no usable answer: {failure.why}; the change {state}",
                fix="Read the present state before trying again.",
            ) from failure

    async def send_order(self, request: WireRequest, once: SendOnce) -> Answer:
        """Send an order, once.

        Raises:
            ProviderUnavailable: the connection was never made, so no order left.
            OutcomeUnknown: it left, and no usable answer came.
        """
        self._way(request.method)  # what cannot even be opened must not count as sent
        await once.use()
        try:
            answer = await self._watched(request, self._ask(request, self.timing.order))
            once.status = answer.status
            return answer
        except NoAnswer as failure:
            if not failure.left:
                once.nothing_left = True
                raise ProviderUnavailable(
                    f"{self.title} could not be reached: {failure.why}",
                    fix="Nothing was ordered. Wait a minute and make the same call again, with the same reference.",
                ) from failure
            raise OutcomeUnknown(
                f"the order was sent to {self.title}, then {failure.why}",
                fix="Do not order again under another reference.",
            ) from failure

    async def aclose(self) -> None:
        """Close the connections."""
        while self._ways:
            await self._ways.popitem()[1].aclose()

    def url(self, request: WireRequest) -> str:
        """The full address of a request. Holds references: not for logs."""
        return self.base_url + request.target()

    async def _watched(self, request: WireRequest, asked: Awaitable[Answer]) -> Answer:
        if self._observer is None:
            return await asked
        with self._observer.exchange(request) as exchange:
            answer = await asked
            exchange.status = answer.status
            return answer

    async def _ask(self, request: WireRequest, seconds: float, limit: int = MAX_ANSWER_BYTES) -> Answer:
        """Send it, and hear a final answer."""
        way = self._way(request.method)
        log.debug("%s %s", request.method, self.title)
        try:
            target = request.target()
        except ValueError as error:
            raise NoAnswer("the request holds characters that cannot be sent", left=False) from error
        answer = await way.send(request.method, target, self._headers(request), request.body, seconds, limit)
        if 300 <= answer.status < 400:
            raise NoAnswer("it answered with a redirect, which is never followed", left=True)
        return answer

    def _way(self, method: str) -> Way:
        kind = "around" if not self._is_straight else "look-ups" if method == "GET" else "changes"
        if kind not in self._ways:
            self._ways[kind] = self._straight(_IDLE[kind]) if kind in _IDLE else self._around()
        return self._ways[kind]

    @cached_property
    def _is_straight(self) -> bool:
        """False where httpx2 has to find the way: through a transport, through a proxy or past it, or to a host whose
        name is not ASCII.
        """
        return self._transport is None and self.base_url.isascii() and _PROXIES.isdisjoint(getproxies())

    def _straight(self, idle: float) -> Way:
        from dropship_tools.straight import Straight

        return Straight(self.base_url, _tls_context, self.timing.connect, idle)

    def _around(self) -> Way:
        from dropship_tools.around import Around

        transport = self._transport() if self._transport else None
        return Around(self.base_url, _tls_context, self.timing.connect, transport)

    def _headers(self, request: WireRequest) -> dict[str, str]:
        headers = {"User-Agent": "dropship-mcp", "Accept-Encoding": "gzip"}
        if self._observer:
            headers |= self._observer.headers()
        return _Headers({**headers, **request.headers, **self._auth})


_RANDOM = random.SystemRandom()


def _pause(timing: Timing, attempt: int) -> float:
    """Seconds until the next attempt: longer each time, and not the same for all who wait."""
    return min(timing.longest_pause, timing.pause * 2 ** (attempt - 1)) * _RANDOM.uniform(0.5, 1.0)


class _Headers(dict[str, str]):
    """Headers with credentials, which crash reports do not show."""

    def __repr__(self) -> str:
        return "Headers(***)"


def _checked(title: str, auth: Mapping[str, str]) -> dict[str, str]:
    """The headers, if HTTP can carry them. Found out later, the HTTP library would name the value in its error."""
    for value in auth.values():
        if value != value.strip() or not (value.isascii() and value.isprintable()):
            raise NotConfigured(
                f"the credentials for {title} hold characters that HTTP cannot carry",
                fix="Stop and ask the person who runs this server to check the account's credentials.",
            )
    return dict(auth)
