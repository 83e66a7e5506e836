"""What was begun is finished, whoever stops waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import anyio

T = TypeVar("T")


async def finished(work: Awaitable[T]) -> T:
    """What `work` comes to. If the caller is cancelled meanwhile, it hears of that once the work is done.

    A shield of anyio's is not enough: it holds cancelled scopes off, and `Task.cancel` goes through it.
    """
    running = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):
        while not running.done():
            try:
                await asyncio.wait((running,))
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        if not running.cancelled():
            running.exception()  # nobody else asks for it
        raise cancelled
    return running.result()
