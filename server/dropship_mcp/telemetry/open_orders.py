"""What waits for somebody: unknown outcomes and approvals, read from the ledger now and then.

Gauges are asked from threads that cannot wait for the ledger, so they tell what was read last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import anyio

from dropship_mcp.ledger import Ledger
from dropship_mcp.logs import log_crash
from dropship_tools.errors import LedgerUnavailable

EVERY_SECONDS = 15.0
MOST = 1000
"""So many are counted; more are as bad."""


class OpenOrders:
    """Counts in one ledger.

    Attributes:
        unknown: by mode, provider and account.
        waiting: by mode. Both are empty while the ledger cannot be read: no number is better than an old one.

    Args:
        accounts: providers and accounts that are told even where there is nothing to count.
    """

    def __init__(self, ledger: Ledger, mode: str, accounts: Iterable[tuple[str, str]]) -> None:
        self._ledger = ledger
        self._mode = mode
        self._accounts = tuple(accounts)
        self.unknown: Counter[tuple[str, str, str]] = Counter()
        self.waiting: Counter[str] = Counter()

    async def refresh(self) -> None:
        """Read anew. Raises nothing: no order may suffer from being counted."""
        unknown, waiting = Counter[tuple[str, str, str]](), Counter[str]()
        try:
            rows = await self._ledger.recent(self._mode, state="unknown", limit=MOST)
            approvals = await self._ledger.approvals.recent(self._mode, "waiting", limit=MOST)
        except LedgerUnavailable:
            pass
        except Exception as error:
            log_crash(error)
        else:
            unknown.update({(self._mode, provider, account): 0 for provider, account in self._accounts})
            unknown.update((row.key.mode, row.key.provider, row.key.account) for row in rows)
            waiting[self._mode] = len(approvals)
        self.unknown, self.waiting = unknown, waiting

    async def keep_fresh(self) -> None:
        """Read again and again, until cancelled."""
        while True:
            await self.refresh()
            await anyio.sleep(EVERY_SECONDS)
