"""Whether orders can be recorded: what `/readyz` says of the ledgers."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress

import anyio

from dropship_mcp.ledger import Ledger
from dropship_tools.errors import LedgerUnavailable

DEADLINE_SECONDS = 3.0
"""So long all ledgers together have to answer."""

KEPT_SECONDS = 1.0
"""So long an answer counts: everybody may ask."""


class Readiness:
    """Tries to write to all ledgers at once, without leaving anything.

    Args:
        ledgers: one for each tenant.
        clock: seconds.
        deadline: seconds.
    """

    def __init__(
        self,
        ledgers: Collection[Ledger],
        clock: Callable[[], float] = time.monotonic,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        self._ledgers = ledgers
        self._clock = clock
        self._deadline = deadline
        self._asking = anyio.Lock()
        self._found = (False, -KEPT_SECONDS)

    async def __call__(self) -> bool:
        """Whether every ledger can be written."""
        async with self._asking:
            found, since = self._found
            if self._clock() - since >= KEPT_SECONDS:
                found = await self._ask()
                self._found = (found, self._clock())
            return found

    async def _ask(self) -> bool:
        writable: list[Ledger] = []

        async def ask(ledger: Ledger) -> None:
            with suppress(LedgerUnavailable):
                await ledger.check()
                writable.append(ledger)

        with anyio.move_on_after(self._deadline):
            async with anyio.create_task_group() as tasks:
                for ledger in self._ledgers:
                    tasks.start_soon(ask, ledger)
        return len(writable) == len(self._ledgers)
