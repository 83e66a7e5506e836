"""A sandbox app as an httpx2 transport: the client code of live traffic, no socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

import anyio
import httpx2

from dropship_tools.sandbox.faults import SandboxReset, SandboxTruncated

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message


class SandboxTransport(httpx2.AsyncBaseTransport):
    """Runs an ASGI app in process and fails the way a network does.

    Unlike `httpx2.ASGITransport` it keeps the client's read timeout (httpx2.ReadTimeout), hands the body over
    in the pieces the app sent, and turns faults into httpx2.ReadError and httpx2.RemoteProtocolError.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request through the app; httpx2.TransportError where the sandbox drops the connection."""
        exchange = _Exchange(await request.aread())
        broken: httpx2.TransportError | None = None
        try:
            with anyio.fail_after(_read_timeout(request)):
                await self._app(_scope(request), exchange.receive, exchange.send)
        except TimeoutError:
            raise httpx2.ReadTimeout("the sandbox did not answer in time", request=request) from None
        except SandboxReset:
            raise httpx2.ReadError("connection reset by the sandbox", request=request) from None
        except SandboxTruncated:
            broken = httpx2.RemoteProtocolError(
                "the sandbox closed the connection in the middle of the body", request=request
            )
        return httpx2.Response(
            exchange.status,
            headers=exchange.headers,
            stream=_Pieces(exchange.pieces, broken),
            request=request,
        )


class _Exchange:
    """The two ASGI callables of one request, and what came through them."""

    def __init__(self, body: bytes) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self._body: bytes | None = body

    async def receive(self) -> Message:
        if self._body is None:
            # The client stays on the line until it gives up, which cancels this.
            await anyio.sleep_forever()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        elif message["type"] == "http.response.body" and message.get("body"):
            self.pieces.append(message["body"])


class _Pieces(httpx2.AsyncByteStream):
    def __init__(self, pieces: list[bytes], broken: httpx2.TransportError | None) -> None:
        self._pieces = pieces
        self._broken = broken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._broken is not None:
            raise self._broken


def _read_timeout(request: httpx2.Request) -> float | None:
    timeouts = cast(dict[str, float | None], request.extensions.get("timeout", {}))
    return timeouts.get("read")


def _scope(request: httpx2.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
        "extensions": {},
    }
