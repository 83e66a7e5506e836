"""dropship-mcp with a ledger that keeps nothing on a disk: what the real one costs is the difference.

It remembers orders in memory, so that the rest of the server does the same work; it is no use for anything else.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import Any, cast

from dropship_mcp import app
from dropship_mcp.commands import serve
from dropship_mcp.ledger import Claim, Content, Ledger, OrderKey, Row, Terms, utc_now
from dropship_mcp.ledger.hashing import ContentHasher
from dropship_tools.provider import Held


class NoLedger:
    """As much of a ledger as an order needs that goes well."""

    place = "nowhere"

    def __init__(self) -> None:
        self._hasher = ContentHasher(b"0" * 32)
        self._rows: dict[OrderKey, Row] = {}

    async def close(self) -> None:
        """Nothing is open."""

    def bucket(self, name: str) -> None:
        """There is none."""

    def turn(self, name: str) -> AbstractAsyncContextManager[Held]:
        """Nobody else is there."""
        return nullcontext(lambda: True)

    async def hashes(self, content: Mapping[str, Any], trace: str = "", **rest: str) -> Content:
        """Keyed hashes of an order's content."""
        return self._hasher.content(content, trace, **rest)

    async def claim(self, key: OrderKey, content: Content, terms: Terms | None = None) -> Claim:
        """Everybody wins, once."""
        assert key not in self._rows
        now = utc_now()
        row = Row(len(self._rows), key, "claimed", 1, "", content, "", {}, "", now, None, now)
        self._rows[key] = row
        return Claim(row, won=True)

    async def sending(self, row: Row) -> Row:
        """It leaves."""
        return self._changed(replace(row, state="sending"))

    async def placed(self, row: Row, order_id: str, answer: Mapping[str, Any]) -> Row:
        """It exists."""
        return self._changed(replace(row, state="placed", order_id=order_id, answer=answer))

    def _changed(self, row: Row) -> Row:
        self._rows[row.key] = row
        return row


def no_ledger(*_: object, **__: object) -> Ledger:
    """In place of the real one."""
    return cast("Ledger", NoLedger())


if __name__ == "__main__":
    app.make_ledger = no_ledger
    sys.exit(serve.run(None))
