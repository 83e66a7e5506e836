"""Looking for orders: what became of one whose outcome is unknown, and what all providers say about a reference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from dropship_mcp.accounts import Connection
from dropship_mcp.ledger import Ledger, LostOrder, Row
from dropship_tools.errors import DropshipError
from dropship_tools.orders import Certainty, Finding, Sought
from dropship_tools.tool import CreateTool

CLOCK_SLACK = timedelta(days=1)
"""Providers' dates have no stated time zone, and clocks differ."""


def next_step(tool: CreateTool[Any, Any], connection: Connection, reference: str) -> str:
    """What to do about an unknown outcome, by what the provider can tell."""
    provider, name = connection.provider.name, connection.account.name
    named = f", account {name}" if connection.several else ""
    settle = f"dropship_settle_order (provider {provider}{named}, reference {reference})"
    if tool.certainty.dedupes:
        return f"Make exactly the same call again: {provider} turns a repeated reference away. Or call {settle}."
    if tool.certainty.conclusive:
        minutes = int(tool.certainty.after.total_seconds() // 60)
        return (
            f"Call {settle}; if it finds nothing, again after {minutes} minutes. Never order under another reference."
        )
    account = "" if name in (provider, "sandbox") else f" --account {name}"
    return (
        f"Call {settle}. If it finds nothing, a person must look at {provider} and run: "
        f"dropship-mcp orders settle {reference} --provider {provider}{account} --as refused, "
        "or --as placed --order-id NUMBER. Never order under another reference."
    )


class Looking:
    """Asks providers about orders and settles what they say."""

    def __init__(self, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._now = now

    async def find(
        self, tool: CreateTool[Any, Any], connection: Connection, reference: str, row: Row | None
    ) -> Finding:
        """What the provider says about an order. `row` is what the ledger has, if anything.

        Raises:
            DropshipError: it could not be asked.
        """
        if row is None:
            return await tool.find(connection.client, Sought(reference))
        since = (row.sent_at or row.since) - CLOCK_SLACK
        oldest = since - 2 * CLOCK_SLACK  # providers filter by whole days, so they may list what is that much older
        others = await self._ledger.order_ids(row.key, oldest)
        sought = Sought(
            reference=reference,
            order_id=row.order_id,
            since=since,
            is_trace=await self._ledger.trace_test(row),
            is_other=others.__contains__,
        )
        finding = await tool.find(connection.client, sought)
        if finding.order is not None and finding.by_looks:
            found = finding.order.order_id
            if await self._ledger.is_anothers(row, found, oldest):
                return Finding(
                    why=f"The order {found} looks like it, and like one of another reference: a person must choose."
                )
        return finding

    async def settle(self, tool: CreateTool[Any, Any], connection: Connection, row: Row, *, repeating: bool) -> Row:
        """Look for an order whose outcome is unknown; the row afterwards: placed, refused, or still unknown with why.

        `repeating`: the same order is about to be sent again, so a provider that turns repeats away may be sent it as
        soon as it does not show the order.
        """
        try:
            finding = await self.find(tool, connection, row.key.reference, row)
        except DropshipError as error:
            return await self._unknown(row, f"it could not be looked for: {error.code}, {error.what}")
        try:
            if finding.order is not None:
                facts = finding.order.facts()  # in our words, as `CreateTool.find` promises: none quotes the buyer
                return await self._ledger.placed(row, finding.order.order_id, facts, "found by looking")
            if finding.absent and self._proves(tool.certainty, row, repeating=repeating):
                return await self._ledger.refused(row, f"looked for it: {finding.why}")
        except LostOrder:
            return await self._ledger.get(row.key) or row
        why = finding.why
        if finding.absent and tool.certainty.conclusive:
            why += f" It may still turn up within {int(tool.certainty.after.total_seconds() // 60)} minutes of sending."
        return await self._unknown(row, why)

    def _proves(self, certainty: Certainty, row: Row, *, repeating: bool) -> bool:
        """Whether not finding an order means that there is none."""
        if repeating and certainty.dedupes:
            return True
        waited = self._now() - (row.sent_at or row.since)
        return certainty.conclusive and waited >= certainty.after

    async def _unknown(self, row: Row, reason: str) -> Row:
        try:
            return await self._ledger.unknown(row, reason)
        except LostOrder:
            return await self._ledger.get(row.key) or row
