"""Hosts on this machine that answer anything but what a provider answers, and accounts that are led to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from dropship_mcp.accounts import Accounts
from dropship_mcp.checking import TIMING, Check, check_everything
from dropship_mcp.settings import read_settings
from dropship_tools import PROVIDERS
from dropship_tools.http import Timing

Answer = Callable[[bytes], bytes | None]
"""From the head of a request to the bytes that go back; None: nothing ever does."""

KEYS = {"api_key": "hush-KEY-4711", "password": "hush-PASS-4712", "account_id": "1001"}


def page(status: str, body: str = "<h1>nginx</h1>", *headers: str) -> bytes:
    """An answer in HTML."""
    head = [f"HTTP/1.1 {status}", "Content-Type: text/html", f"Content-Length: {len(body.encode())}", *headers]
    return "\r\n".join([*head, "", body]).encode()


@asynccontextmanager
async def host(answer: Answer) -> AsyncGenerator[int]:
    """The port of a host that answers so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back = answer(await reader.read(65536))
            if back is None:
                await reader.read()  # until the client gives up
            else:
                writer.write(back)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def account(name: str, url: str) -> dict[str, str]:
    """The environment of a live account at this address."""
    provider = next(provider for provider in PROVIDERS if provider.name == name)
    keys = {c.env: KEYS[c.name] for c in provider.credentials if c.required}
    return {"DROPSHIP_MODE": "live", provider.url_env: url, **keys}


async def checked(env: dict[str, str], folder: Path, timing: Timing = TIMING) -> list[Check]:
    """What is found out about everything."""
    env = {**env, "DROPSHIP_LEDGER": str(folder / "ledger.sqlite3")}
    settings = read_settings(env)
    return await check_everything(settings, env, Accounts(settings, timing=timing))


async def account_checked(name: str, url: str, folder: Path, timing: Timing = TIMING) -> Check:
    """What is found out about one account at this address."""
    return (await checked(account(name, url), folder, timing))[0]
