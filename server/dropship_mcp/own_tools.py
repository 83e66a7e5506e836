"""The tools that belong to no provider: what is set up, where an order is, and settling an unknown outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import anyio
from pydantic import Field, create_model

from dropship_mcp.accounts import Accounts, Connection
from dropship_mcp.ledger import Ledger, OrderKey, Row
from dropship_mcp.ledger.sqlite import utc_now
from dropship_mcp.looking import Looking, next_step
from dropship_mcp.settings import Settings
from dropship_tools import PROVIDERS, Provider
from dropship_tools.arguments import Arguments, Reference
from dropship_tools.errors import DropshipError, InProgress, LedgerUnavailable, NotFound
from dropship_tools.orders import Finding, Result
from dropship_tools.tool import CreateTool

LOOK_SECONDS = 20.0
"""How long one provider may take before the others' verdicts are answered without it."""

Creators = dict[str, CreateTool[Any, Any]]


@dataclass(frozen=True)
class OwnTool:
    """A tool of this server's own.

    Attributes:
        settles: it may change what the ledger says, never what a provider has.
        asks: it asks providers.
    """

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    result: type[Result]
    run: Callable[[Any], Awaitable[Result]]
    settles: bool = False
    asks: bool = True


def build(settings: Settings, accounts: Accounts, ledger: Ledger, creators: Creators) -> list[OwnTool]:
    """The common tools. Looking and settling need a provider with an account."""
    status = OwnTool(
        name="dropship_status",
        title="What is set up",
        description=(
            "Mode (sandbox or live), accounts, orders whose outcome is unknown, and what is switched off with how a "
            "person switches it on. Asks no provider."
        ),
        arguments=NoArguments,
        result=StatusReport,
        run=_Status(settings, accounts, ledger),
        asks=False,
    )
    if not creators:
        return [status]
    order = OrderLooks(accounts, ledger, creators)
    return [
        status,
        OwnTool(
            name="dropship_find_order",
            title="Find an order everywhere",
            description=(
                "Looks for one of your order numbers in the ledger and at every provider at once. An absence counts "
                "only where conclusive is true."
            ),
            arguments=FindOrder,
            result=FoundOrders,
            run=order.find,
        ),
        OwnTool(
            name="dropship_settle_order",
            title="Settle an unknown outcome",
            description=(
                "For outcome_unknown: looks whether the order exists and records it as placed or refused. Only looks, "
                "never orders. Refused: the same create call may be made again."
            ),
            arguments=_settle_arguments(tuple(creators)),
            result=Settled,
            run=order.settle,
            settles=True,
        ),
    ]


class NoArguments(Arguments):
    """Takes nothing."""


class FindOrder(Arguments):
    """`dropship_find_order`."""

    reference: Reference = Field(description="your order number")


class SettleOrder(Arguments):
    """`dropship_settle_order`; the provider's type is narrowed to those with an account."""

    provider: str
    reference: Reference = Field(description="your order number")


def _settle_arguments(providers: tuple[str, ...]) -> type[SettleOrder]:
    """Only providers that have an account can be named."""
    one_of: Any = cast("Any", Literal)[providers]
    return create_model("SettleOrderOf", __base__=SettleOrder, provider=(one_of, ...))


# --- status ------------------------------------------------------------------------------------------------------


class AccountState(Result):
    """One provider: ready, or what a person has to set."""

    provider: str
    account: str = ""
    state: Literal["ready", "not configured", "switched off"]
    host: str = ""
    set: list[str] = Field(default_factory=list[str])


class OpenOrder(Result):
    """An order whose outcome is unknown."""

    provider: str
    account: str
    reference: str
    since: str


class StatusReport(Result):
    """What this server can do now."""

    mode: Literal["sandbox", "live"]
    ordering: Literal["allowed", "off"]
    accounts: list[AccountState]
    unknown_outcomes: list[OpenOrder] = Field(default_factory=list[OpenOrder])
    ledger: str
    ledger_problem: str = ""
    next_step: str = ""


class _Status:
    def __init__(self, settings: Settings, accounts: Accounts, ledger: Ledger) -> None:
        self._settings = settings
        self._accounts = accounts
        self._ledger = ledger

    async def __call__(self, _: NoArguments) -> StatusReport:
        settings = self._settings
        problem, unknown = "", list[Row]()
        try:
            unknown = await self._ledger.recent(settings.mode, state="unknown", limit=10)
        except LedgerUnavailable as error:
            problem = error.what
        return StatusReport(
            mode=settings.mode,
            ordering="allowed" if settings.ordering else "off",
            accounts=[state for provider in PROVIDERS for state in self._states(provider)],
            unknown_outcomes=[
                OpenOrder(
                    provider=row.key.provider,
                    account=row.key.account,
                    reference=row.key.reference,
                    since=_time(row.since),
                )
                for row in unknown
            ],
            ledger=str(self._ledger.path),
            ledger_problem=problem,
            next_step=self._advice(problem, unknown),
        )

    def _states(self, provider: Provider) -> Iterator[AccountState]:
        if provider.name not in self._settings.providers:
            yield AccountState(provider=provider.name, state="switched off", set=["DROPSHIP_PROVIDERS"])
        elif missing := self._settings.missing.get(provider.name):
            yield AccountState(provider=provider.name, state="not configured", set=list(missing))
        else:
            for connection in self._accounts.of(provider):
                account = connection.account
                yield AccountState(provider=provider.name, account=account.name, state="ready", host=account.base_url)

    def _advice(self, problem: str, unknown: list[Row]) -> str:
        if problem:
            return "No order can be sent until a person mends the ledger."
        if unknown:
            return "Settle the unknown outcomes with dropship_settle_order before ordering anything again."
        if not self._settings.ordering:
            return "Ordering is switched off. A person switches it on with DROPSHIP_ORDERS=allow."
        if self._settings.mode == "sandbox":
            return "Orders go to the sandbox and cost nothing. A person goes live with DROPSHIP_MODE=live."
        if not self._accounts.providers():
            return "No provider is configured. A person sets the variables listed for at least one of them."
        return ""


# --- finding and settling ----------------------------------------------------------------------------------------


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
    """`dropship_find_order` and `dropship_settle_order`."""

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
        there = sorted({v.provider for v in found if v.verdict == "placed"})
        unsure = [v.provider for v in found if not v.conclusive and v.verdict != "placed"]
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
                **where, verdict="in_progress", conclusive=False, source="ledger", as_of=_time(row.changed_at)
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
                as_of=_time(self._now()),
                order_id=finding.order.order_id,
                status=finding.order.status,
                provider_status=finding.order.provider_status,
                why=finding.why,
            )
        if row is not None and row.state in ("placed", "refused", "unknown"):
            return self._from_ledger(row, why or (finding.why if finding else "the provider did not answer in time"))
        return self._from_silence(where, self._creators[key.provider], finding, why)

    def _from_ledger(self, row: Row, why: str) -> Verdict:
        return Verdict(
            provider=row.key.provider,
            account=row.key.account,
            verdict="placed" if row.state == "placed" else "refused" if row.state == "refused" else "unknown",
            conclusive=row.state == "placed",
            source="ledger",
            as_of=_time(row.changed_at),
            order_id=row.order_id,
            status=str(row.answer.get("status", "")),
            provider_status=str(row.answer.get("provider_status", "")),
            why=f"{row.reason} {why}".strip(),
        )

    def _from_silence(
        self, where: dict[str, str], tool: CreateTool[Any, Any], finding: Finding | None, why: str
    ) -> Verdict:
        asked = finding is not None
        conclusive = asked and finding.absent and tool.certainty.conclusive
        return Verdict(
            provider=where["provider"],
            account=where["account"],
            verdict="absent" if asked else "not_asked",
            conclusive=conclusive,
            source="provider",
            as_of=_time(self._now()),
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
                "unknown": next_step(tool, key),
            }[outcome],
        )

    async def _sent(self, arguments: SettleOrder) -> tuple[Connection, Row]:
        """The order in the ledger, and the account it was sent from."""
        connections = [c for c in self._accounts.connections() if c.provider.name == arguments.provider]
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
        return next((pair for pair in found if pair[1].state == "unknown"), found[0])


def _time(value: datetime) -> str:
    return value.isoformat(timespec="seconds").replace("+00:00", "Z")
