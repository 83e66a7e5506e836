"""The one way requests leave for a provider: credentials bound to one host, bounded time and size, no surprises.

* An order is sent once, with a `SendOnce` permission, and never again by this module.
* Reads are tried three times at most when the connection fails or the provider is briefly unavailable.
* Redirects are never followed; credentials never leave for another host.
* An answer is read up to a limit, also when it is compressed; only a look-up may name a larger one.
* Look-ups go straight over the network (`looks`) where they can, everything else through httpx2.
* URLs (which hold references) and headers (which hold credentials) are never logged above debug.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import anyio

from dropship_tools.body import NoAnswer, read_body
from dropship_tools.errors import NotConfigured, OutcomeUnknown, ProviderUnavailable
from dropship_tools.urls import check_base_url
from dropship_tools.wire import Answer, SendOnce, WireRequest

if TYPE_CHECKING:
    import ssl

    import httpx2

    from dropship_tools.looks import LookUps

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 2 * 1024 * 1024

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
    ) -> None:
        self.title = title
        self.base_url = check_base_url(base_url)
        self.timing = timing or Timing()
        self._auth = _checked(title, auth)
        self._transport = transport
        self._sleep = sleep
        self._client: httpx2.AsyncClient | None = None
        self._looks: LookUps | None = None

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
            pause = min(timing.longest_pause, timing.pause * 2 ** (attempt - 1))
            pause *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
            try:
                answer = await self._look(request, timing.read, limit)
            except NoAnswer as failure:
                if last:
                    raise ProviderUnavailable(
                        f"{self.title} gave no usable answer: {failure.why}",
                        fix="Wait a minute and call the same tool again; reading changes nothing.",
                    ) from failure
            else:
                pause = pause if answer.retry_after is None else answer.retry_after
                if last or answer.status not in (502, 503, 504) or pause > timing.longest_pause:
                    return answer
            await self._sleep(pause)

    async def change(self, request: WireRequest, *, timing: Timing | None = None) -> Answer:
        """Send a request that changes something other than an order; never repeated.

        Args:
            request: what to change.
            timing: limits for this request in place of the usual ones; `read` counts.

        Raises:
            ProviderUnavailable: no usable answer; the message says whether the change may have happened.
        """
        try:
            return await self._exchange(request, (timing or self.timing).read)
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
        self._open()  # what cannot even be opened must not count as sent
        await once.use()
        try:
            answer = await self._exchange(request, self.timing.order)
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
        if self._client is not None:
            await self._client.aclose()
            self._client = None
        if self._looks is not None:
            await self._looks.aclose()
            self._looks = None

    def url(self, request: WireRequest) -> str:
        """The full address of a request. Holds references: not for logs."""
        return self.base_url + request.target()

    def _open(self) -> httpx2.AsyncClient:
        if self._client is None:
            import httpx2

            logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs every URL at INFO
            options: dict[str, Any] = {
                "timeout": httpx2.Timeout(None, connect=self.timing.connect),
                "follow_redirects": False,
                "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=())),  # every request stands for itself
            }
            if self._transport is not None:
                self._client = httpx2.AsyncClient(transport=self._transport(), **options)
            else:
                self._client = httpx2.AsyncClient(verify=_tls_context(), **options)
        return self._client

    async def _look(self, request: WireRequest, seconds: float, limit: int) -> Answer:
        """Straight over the network, unless a transport or a proxy stands in the way."""
        looks = self._open_looks() if request.method == "GET" else None
        if looks is None:
            return await self._exchange(request, seconds, limit)
        log.debug("%s %s", request.method, self.title)
        return _final(await looks.get(self.url(request), self._headers(request), seconds, limit))

    def _open_looks(self) -> LookUps | None:
        """None where httpx2 has to find the way: through a proxy or past it, or to a host whose name is not ASCII."""
        if self._looks is None and self._transport is None and self.base_url.isascii():
            if not _PROXIES.isdisjoint(getproxies()):
                return None
            from dropship_tools.looks import LookUps

            self._looks = LookUps(_tls_context(), self.timing.connect)
        return self._looks

    async def _exchange(self, request: WireRequest, seconds: float, limit: int = MAX_ANSWER_BYTES) -> Answer:
        import httpx2

        client = self._open()
        try:
            outgoing = client.build_request(
                request.method, self.url(request), headers=self._headers(request), content=request.body or None
            )
        except (ValueError, httpx2.InvalidURL) as error:
            raise NoAnswer("the request holds characters that cannot be sent", left=False) from error
        log.debug("%s %s", request.method, self.title)
        try:
            with anyio.fail_after(seconds):
                response = await client.send(outgoing, stream=True)
                try:
                    body = await read_body(response.aiter_raw(), response.headers.get("content-encoding", ""), limit)
                finally:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                        await response.aclose()
        except (
            httpx2.ConnectError,
            httpx2.ConnectTimeout,
            httpx2.PoolTimeout,
            httpx2.UnsupportedProtocol,
        ) as error:
            raise NoAnswer("the connection could not be made", left=False) from error
        except httpx2.ProxyError as error:
            raise NoAnswer("the proxy refused the connection", left=False) from error
        except TimeoutError as error:
            raise NoAnswer(f"no answer came within {seconds:g} s", left=True) from error
        except httpx2.TimeoutException as error:
            raise NoAnswer("the connection timed out", left=True) from error
        except (httpx2.HTTPError, OSError) as error:
            raise NoAnswer("the connection broke off", left=True) from error
        return _final(Answer(response.status_code, response.headers, body))

    def _headers(self, request: WireRequest) -> dict[str, str]:
        return {"User-Agent": "dropship-mcp", "Accept-Encoding": "gzip", **request.headers, **self._auth}


def _final(answer: Answer) -> Answer:
    """The answer, if it is no redirect."""
    if 300 <= answer.status < 400:
        raise NoAnswer("it answered with a redirect, which is never followed", left=True)
    return answer


def _checked(title: str, auth: Mapping[str, str]) -> dict[str, str]:
    """The headers, if HTTP can carry them. Found out later, the HTTP library would name the value in its error."""
    for value in auth.values():
        if value != value.strip() or not (value.isascii() and value.isprintable()):
            raise NotConfigured(
                f"the credentials for {title} hold characters that HTTP cannot carry",
                fix="Stop and ask the person who runs this server to check the account's credentials.",
            )
    return dict(auth)
