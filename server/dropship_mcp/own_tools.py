"""The tools that belong to no provider: what is set up, where an order is, and settling an unknown outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from pydantic import Field, create_model

from dropship_mcp.accounts import Accounts
from dropship_mcp.approval import Desk
from dropship_mcp.choosing import about_settling
from dropship_mcp.ledger import Approval, Ledger, Row
from dropship_mcp.order_looks import Creators, FindOrder, FoundOrders, OrderLooks, Settled, SettleOrder, time_text
from dropship_mcp.settings import Settings
from dropship_tools import PROVIDERS, Provider
from dropship_tools.arguments import Arguments
from dropship_tools.errors import LedgerUnavailable
from dropship_tools.orders import Result


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


def build(settings: Settings, accounts: Accounts, ledger: Ledger, desk: Desk, creators: Creators) -> list[OwnTool]:
    """The common tools. Looking and settling need a provider with an account."""
    status = OwnTool(
        name="dropship_status",
        title="What is set up",
        description=(
            "Mode (sandbox or live), accounts, limits, approvals that wait, orders whose outcome is unknown, and what "
            "is switched off with how a person switches it on. Asks no provider."
        ),
        arguments=NoArguments,
        result=StatusReport,
        run=_Status(settings, accounts, ledger, desk),
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
            arguments=_settle_arguments(tuple(creators), accounts),
            result=Settled,
            run=order.settle,
            settles=True,
        ),
    ]


class NoArguments(Arguments):
    """Takes nothing."""


def _settle_arguments(providers: tuple[str, ...], accounts: Accounts) -> type[SettleOrder]:
    """Only providers that have an account can be named, and an account only where some provider has several."""
    literal = cast("Any", Literal)
    fields: dict[str, Any] = {"provider": (literal[providers], ...)}
    known = [connection.account for connection in accounts.connections() if connection.account.provider in providers]
    if about := about_settling(known):
        names = tuple(account.name for account in known)
        fields["account"] = (literal[names], Field(default="", description=about))
    return create_model("SettleOrderOf", __base__=SettleOrder, **fields)


# --- status ------------------------------------------------------------------------------------------------------


class AccountState(Result):
    """One provider: ready, or what a person has to set."""

    provider: str
    account: str = ""
    state: Literal["ready", "not configured", "switched off"]
    host: str = ""
    set: list[str] = Field(default_factory=list)


class OpenOrder(Result):
    """An order whose outcome is unknown."""

    provider: str
    account: str
    reference: str
    since: str


class WaitingApproval(Result):
    """An order that a person has not decided on yet."""

    number: int
    provider: str
    account: str
    reference: str
    until: str


class StatusReport(Result):
    """What this server can do now."""

    mode: Literal["sandbox", "live"]
    ordering: Literal["off", "ask", "allow"]
    limits: list[str] = Field(default_factory=list)
    switched_off: list[str] = Field(default_factory=list)
    approvals_waiting: list[WaitingApproval] = Field(default_factory=list[WaitingApproval])
    accounts: list[AccountState]
    unknown_outcomes: list[OpenOrder] = Field(default_factory=list[OpenOrder])
    ledger: str
    ledger_problem: str = ""
    next_step: str = ""


class _Status:
    def __init__(self, settings: Settings, accounts: Accounts, ledger: Ledger, desk: Desk) -> None:
        self._settings = settings
        self._accounts = accounts
        self._ledger = ledger
        self._desk = desk

    async def __call__(self, _: NoArguments) -> StatusReport:
        settings = self._settings
        problem, unknown, waiting = "", list[Row](), list[Approval]()
        try:
            unknown = await self._ledger.recent(settings.mode, state="unknown", limit=10)
            waiting = await self._ledger.approvals.recent(settings.mode, "waiting", limit=10)
        except LedgerUnavailable as error:
            problem = error.what
        return StatusReport(
            mode=settings.mode,
            ordering=settings.orders,
            limits=settings.policy.shown(),
            switched_off=list(self._switched_off()),
            approvals_waiting=[
                WaitingApproval(
                    number=approval.number,
                    provider=approval.key.provider,
                    account=approval.key.account,
                    reference=approval.key.reference,
                    until=time_text(approval.expires_at),
                )
                for approval in waiting
            ],
            accounts=[state for provider in PROVIDERS for state in self._states(provider)],
            unknown_outcomes=[
                OpenOrder(
                    provider=row.key.provider,
                    account=row.key.account,
                    reference=row.key.reference,
                    since=time_text(row.since),
                )
                for row in unknown
            ],
            ledger=self._ledger.place,
            ledger_problem=problem,
            next_step=self._advice(problem, unknown, waiting),
        )

    def _switched_off(self) -> Iterator[str]:
        if not self._settings.ordering:
            how = f"a person sets {self._settings.orders_label()}=ask or allow"
            yield f"the tools that order or change something; {how}"

    def _states(self, provider: Provider) -> Iterator[AccountState]:
        if provider.name not in self._settings.providers:
            label = self._settings.providers_label(provider.name)
            yield AccountState(provider=provider.name, state="switched off", set=[label])
        elif missing := self._settings.missing.get(provider.name):
            yield AccountState(provider=provider.name, state="not configured", set=list(missing))
        else:
            for connection in self._accounts.of(provider):
                account = connection.account
                yield AccountState(provider=provider.name, account=account.name, state="ready", host=account.base_url)

    def _advice(self, problem: str, unknown: list[Row], waiting: list[Approval]) -> str:
        if problem:
            return "No order can be sent until a person mends the ledger."
        if unknown:
            return "Settle the unknown outcomes with dropship_settle_order before ordering anything again."
        if not self._settings.ordering:
            label = self._settings.orders_label()
            return f"Ordering is switched off. A person switches it on with {label}=ask or allow."
        if waiting:
            return f"Ask a person to decide on the waiting orders ({self._desk.ways()}); then repeat the same call."
        if self._settings.mode == "sandbox":
            return "Orders go to the sandbox and cost nothing. A person goes live with DROPSHIP_MODE=live."
        if not self._accounts.providers():
            return "No provider is configured. A person sets what is listed for at least one of them."
        return ""
