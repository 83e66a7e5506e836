"""A provider on a port of this machine: what comes over its sockets is up to each test."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from dropship_tools.http import ProviderHttp, Timing
from unit.tools.http_fakes import KEY

AT_ONCE = Timing(pause=0)
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: session=s-very-secret\r\n\r\n{}"


@asynccontextmanager
async def provider(
    serve: Serve, scheme: str = "http", timing: Timing = AT_ONCE, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[ProviderHttp]:
    """A client of a server on this machine. `tls`: what the server shows, if it speaks TLS."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    http = ProviderHttp("Shop", f"{scheme}://127.0.0.1:{port}", {"api-key": KEY}, timing=timing)
    try:
        yield http
    finally:
        await http.aclose()
        server.close()
        await server.wait_closed()


async def request_head(reader: asyncio.StreamReader) -> bytes:
    """The first request, up to the end of its headers."""
    return await reader.readuntil(b"\r\n\r\n")
