"""The one way requests leave for a provider: credentials bound to one host, bounded time and size, no surprises.

* An order is sent once, with a `SendOnce` permission, and never again by this module.
* Reads are tried three times at most when the connection fails or the provider is briefly unavailable.
* Redirects are never followed; credentials never leave for another host.
* An answer is read up to a limit, also when it is compressed; only a look-up may name a larger one.
* URLs (which hold references) and headers (which hold credentials) are never logged above debug.
"""

from __future__ import annotations

import logging
import random
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import anyio

from dropship_tools.errors import NotConfigured, OutcomeUnknown, ProviderUnavailable
from dropship_tools.urls import check_base_url
from dropship_tools.wire import Answer, SendOnce, WireRequest

if TYPE_CHECKING:
    import ssl

    import httpx2

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A create may take longer than a read, and both fit into the 45 s of a whole call."""

    connect: float = 10
    read: float = 15
    order: float = 30
    attempts: int = 3
    pause: float = 0.3
    longest_pause: float = 3


class NoAnswer(Exception):
    """A request brought no usable answer.

    Attributes:
        why: our own words.
        left: whether anything may have reached the provider.
    """

    def __init__(self, why: str, *, left: bool) -> None:
        super().__init__(why)
        self.why = why
        self.left = left


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
                answer = await self._exchange(request, timing.read, limit)
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

    def url(self, request: WireRequest) -> str:
        """The full address of a request. Holds references: not for logs."""
        return self.base_url + request.target()

    def _open(self) -> httpx2.AsyncClient:
        if self._client is None:
            import httpx2

            logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs every URL at INFO
            options: dict[str, Any] = {
                "headers": {"User-Agent": "dropship-mcp", "Accept-Encoding": "gzip"},
                "timeout": httpx2.Timeout(None, connect=self.timing.connect),
                "follow_redirects": False,
                "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=())),  # every request stands for itself
            }
            if self._transport is not None:
                self._client = httpx2.AsyncClient(transport=self._transport(), **options)
            else:
                self._client = httpx2.AsyncClient(verify=_tls_context(), **options)
        return self._client

    async def _exchange(self, request: WireRequest, seconds: float, limit: int = MAX_ANSWER_BYTES) -> Answer:
        import httpx2

        client = self._open()
        headers = {**request.headers, **self._auth}
        try:
            outgoing = client.build_request(
                request.method, self.url(request), headers=headers, content=request.body or None
            )
        except (ValueError, httpx2.InvalidURL) as error:
            raise NoAnswer("the request holds characters that cannot be sent", left=False) from error
        log.debug("%s %s", request.method, self.title)
        try:
            with anyio.fail_after(seconds):
                response = await client.send(outgoing, stream=True)
                try:
                    body = await _read_bounded(response, limit)
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
        if 300 <= response.status_code < 400:
            raise NoAnswer("it answered with a redirect, which is never followed", left=True)
        return Answer(response.status_code, response.headers, body)


def _checked(title: str, auth: Mapping[str, str]) -> dict[str, str]:
    """The headers, if HTTP can carry them. Found out later, the HTTP library would name the value in its error."""
    for value in auth.values():
        if value != value.strip() or not (value.isascii() and value.isprintable()):
            raise NotConfigured(
                f"the credentials for {title} hold characters that HTTP cannot carry",
                fix="Stop and ask the person who runs this server to check the account's credentials.",
            )
    return dict(auth)


async def _read_bounded(response: httpx2.Response, limit: int) -> bytes:
    """The decoded body. Inflates step by step, so that a small compressed body cannot fill the memory."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise NoAnswer("the answer has an encoding that was not asked for", left=True)
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
    body = bytearray()
    empty = True
    async for chunk in response.aiter_raw():
        empty = empty and not chunk
        room = limit - len(body) + 1
        try:
            body += inflate.decompress(chunk, room) if inflate else chunk
        except zlib.error as error:
            raise NoAnswer("the compressed answer is damaged", left=True) from error
        if len(body) > limit:
            raise NoAnswer(f"the answer is larger than {limit // 1024**2} MB", left=True)
    if inflate and not empty and (not inflate.eof or inflate.unused_data):
        raise NoAnswer("the compressed answer is damaged", left=True)
    return bytes(body)
