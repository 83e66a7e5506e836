"""`dropship_find_order` and `dropship_settle_order`: one order number, in the ledger and at the providers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, NoReturn

import anyio
from pydantic import Field

from dropship_mcp.accounts import Accounts, Connection
from dropship_mcp.choosing import told_apart
from dropship_mcp.ledger import Ledger, OrderKey, Row
from dropship_mcp.ledger.sqlite import utc_now
from dropship_mcp.looking import Looking, next_step
from dropship_tools.arguments import Arguments, Reference
from dropship_tools.errors import (
    DropshipError,
    FieldProblem,
    InProgress,
    InvalidArguments,
    LedgerUnavailable,
    NotFound,
)
from dropship_tools.orders import Finding, Result
from dropship_tools.tool import CreateTool

LOOK_SECONDS = 20.0
"""How long one provider may take before the others' verdicts are answered without it."""

Creators = dict[str, CreateTool[Any, Any]]


class FindOrder(Arguments):
    """`dropship_find_order`."""

    reference: Reference = Field(description="your order number")


class SettleOrder(Arguments):
    """`dropship_settle_order`, before it is narrowed to the accounts that there are."""

    provider: str
    reference: Reference = Field(description="your order number")


class Verdict(Result):
    """What is known about the reference at one provider. `as_of` is the time of the fact."""

    provider: str
    account: str
    verdict: Literal["placed", "absent", "unknown", "in_progress", "refused", "not_asked"]
    conclusive: bool
    source: Literal["ledger", "provider"]
    as_of: str
    order_id: str = ""
    status: str = ""
    provider_status: str = ""
    why: str = ""


class FoundOrders(Result):
    """`dropship_find_order`'s answer."""

    reference: str
    mode: Literal["sandbox", "live"]
    verdicts: list[Verdict]
    next_step: str = ""


class Settled(Result):
    """`dropship_settle_order`'s answer."""

    provider: str
    account: str
    mode: Literal["sandbox", "live"]
    reference: str
    outcome: Literal["placed", "refused", "unknown"]
    order_id: str = ""
    status: str = ""
    provider_status: str = ""
    why: str = ""
    next_step: str = ""


class OrderLooks:
    """Runs both."""

    def __init__(
        self, accounts: Accounts, ledger: Ledger, creators: Creators, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._accounts = accounts
        self._ledger = ledger
        self._creators = creators
        self._now = now
        self._looking = Looking(ledger, now)

    async def find(self, arguments: FindOrder) -> FoundOrders:
        """Ask the ledger and all providers at once."""
        connections = [c for c in self._accounts.connections() if c.provider.name in self._creators]
        verdicts: dict[int, Verdict] = {}

        async def ask(place: int, connection: Connection) -> None:
            verdicts[place] = await self._verdict(connection, arguments.reference)

        async with anyio.create_task_group() as tasks:
            for place, connection in enumerate(connections):
                tasks.start_soon(ask, place, connection)
        found = [verdicts[place] for place in sorted(verdicts)]
        names = [f"{c.provider.name} (account {c.account.name})" if c.several else c.provider.name for c in connections]
        there = [name for name, v in zip(names, found, strict=True) if v.verdict == "placed"]
        unsure = [name for name, v in zip(names, found, strict=True) if not (v.conclusive or v.verdict == "placed")]
        return FoundOrders(
            reference=arguments.reference,
            mode=self._accounts.mode,
            verdicts=found,
            next_step=" ".join(
                [
                    *([f"It exists at: {', '.join(there)}."] if there else []),
                    *([f"Not proven absent at: {', '.join(unsure)}."] if unsure else []),
                ]
            ),
        )

    async def _verdict(self, connection: Connection, reference: str) -> Verdict:
        key = OrderKey(connection.mode, connection.provider.name, connection.account.name, reference)
        where = {"provider": key.provider, "account": key.account}
        row, problem = None, ""
        try:
            row = await self._ledger.get(key)
        except LedgerUnavailable as error:
            problem = error.what
        if row is not None and row.state in ("claimed", "sending"):
            return Verdict(
                **where, verdict="in_progress", conclusive=False, source="ledger", as_of=time_text(row.changed_at)
            )
        finding, why = None, problem
        with anyio.move_on_after(LOOK_SECONDS):
            try:
                finding = await self._looking.find(self._creators[key.provider], connection, reference, row)
            except DropshipError as error:
                why = f"{error.code}: {error.what}"
        if finding is not None and finding.order is not None:
            return Verdict(
                **where,
                verdict="placed",
                conclusive=True,
                source="provider",
                as_of=time_text(self._now()),
                order_id=finding.order.order_id,
                status=finding.order.status,
                provider_status=finding.order.provider_status,
                why=finding.why,
            )
        tool = self._creators[key.provider]
        proven = finding is not None and finding.absent and tool.certainty.conclusive
        if row is not None and row.state in ("placed", "refused", "unknown"):
            why = why or (finding.why if finding else "the provider did not answer in time")
            return self._from_ledger(row, why, absent=proven)
        return self._from_silence(where, finding, why, absent=proven)

    def _from_ledger(self, row: Row, why: str, *, absent: bool) -> Verdict:
        """A refused order is certainly none where the provider, asked now, says the same for certain."""
        return Verdict(
            provider=row.key.provider,
            account=row.key.account,
            verdict="placed" if row.state == "placed" else "refused" if row.state == "refused" else "unknown",
            conclusive=row.state == "placed" or (row.state == "refused" and absent),
            source="ledger",
            as_of=time_text(row.changed_at),
            order_id=row.order_id,
            status=str(row.answer.get("status", "")),
            provider_status=str(row.answer.get("provider_status", "")),
            why=_two_sources(row.reason, why),
        )

    def _from_silence(self, where: dict[str, str], finding: Finding | None, why: str, *, absent: bool) -> Verdict:
        asked = finding is not None
        return Verdict(
            provider=where["provider"],
            account=where["account"],
            verdict="absent" if asked else "not_asked",
            conclusive=absent,
            source="provider",
            as_of=time_text(self._now()),
            why=(finding.why if finding else why or "the provider did not answer in time"),
        )

    async def settle(self, arguments: SettleOrder) -> Settled:
        """Look, and record what was found."""
        tool = self._creators[arguments.provider]
        connection, row = await self._sent(arguments)
        key = row.key
        if row.state in ("claimed", "sending"):
            raise InProgress("this order is being placed at this moment", fix="Call again in 30 s.")
        if row.state == "unknown":
            with anyio.move_on_after(LOOK_SECONDS * 2):
                row = await self._looking.settle(tool, connection, row, repeating=False)
        outcome = row.state if row.state in ("placed", "refused") else "unknown"
        return Settled(
            provider=key.provider,
            account=key.account,
            mode=connection.mode,
            reference=key.reference,
            outcome=outcome,
            order_id=row.order_id,
            status=str(row.answer.get("status", "")),
            provider_status=str(row.answer.get("provider_status", "")),
            why=row.reason,
            next_step={
                "placed": "",
                "refused": "No order exists. The create call may be made again with the same reference.",
                "unknown": next_step(tool, connection, key.reference),
            }[outcome],
        )

    async def _sent(self, arguments: SettleOrder) -> tuple[Connection, Row]:
        """The order in the ledger, and the account it was sent from."""
        connections = [c for c in self._accounts.connections() if c.provider.name == arguments.provider]
        if account := str(getattr(arguments, "account", "")):
            connections = [c for c in connections if c.account.name == account] or _no_account_of(connections)
        found: list[tuple[Connection, Row]] = []
        for connection in connections:
            key = OrderKey(connection.mode, connection.provider.name, connection.account.name, arguments.reference)
            if row := await self._ledger.get(key):
                found.append((connection, row))
        if not found:
            raise NotFound(
                f"the ledger knows no order {arguments.reference} at {arguments.provider}; nothing was sent from here",
                fix="dropship_find_order asks all providers about a reference.",
            )
        # the same reference at two shops is two orders; the one that needs settling is meant
        meant = [pair for pair in found if pair[1].state == "unknown"] or found
        if len(meant) > 1:
            raise InvalidArguments(
                f"{arguments.provider} has several orders with the reference {arguments.reference}",
                fix="Name the account.",
                fields=[FieldProblem("account", f"one of: {told_apart(c.account for c, _ in meant)}")],
            )
        return meant[0]


def _no_account_of(connections: list[Connection]) -> NoReturn:
    problem = f"is not an account of this provider; it has: {told_apart(c.account for c in connections)}"
    raise InvalidArguments(
        "provider and account do not go together", fix="Correct one.", fields=[FieldProblem("account", problem)]
    )


def _two_sources(recorded: str, seen: str) -> str:
    """What the ledger and what the provider says, so that nobody takes the one for the other."""
    if recorded and seen:
        return f"The ledger says: {recorded.rstrip('.')}. The provider, asked now: {seen}"
    return recorded or seen


def time_text(value: datetime) -> str:
    """To the second, in UTC."""
    return value.isoformat(timespec="seconds").replace("+00:00", "Z")
