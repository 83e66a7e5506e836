"""The tools this server offers, as the settings in force allow, ready to be listed and called."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import anyio
from pydantic import Field, create_model

from dropship_mcp import answers, own_tools
from dropship_mcp.accounts import Accounts, Connection
from dropship_mcp.approval import Host
from dropship_mcp.choosing import about_account
from dropship_mcp.ledger import Ledger, OrderKey
from dropship_mcp.ordering import Ordering
from dropship_mcp.policy import Policy
from dropship_mcp.report import Report
from dropship_mcp.schema import Schema, portable_schema
from dropship_mcp.settings import Settings, SettingsError
from dropship_mcp.watching import present_call
from dropship_tools import PROVIDERS
from dropship_tools.arguments import Arguments, CreateArguments
from dropship_tools.errors import NotAllowed, ProviderUnavailable
from dropship_tools.tool import ChangeTool, CreateTool, ReadTool, Tool

CALL_SECONDS = 42.0
"""Longest a call may take that does not order. Hosts give up after 60 s, and some reads need several requests."""

Effect = Literal["reads", "settles", "changes", "orders"]

Run = Callable[[Any, Report, Host], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Offer:
    """One tool as a host sees it, and what it does.

    Attributes:
        arguments: the model that accepts them.
        run: does it.
        effect: what it may change: nothing, what the ledger says, something at the provider, or a new order.
        idempotent: a second call with the same arguments changes nothing more.
        asks: it asks providers, and does not answer from what this machine knows.
        connections: the accounts it can speak for; none for the common tools.
    """

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    input_schema: Schema
    output_schema: Schema
    run: Run
    effect: Effect = "reads"
    idempotent: bool = True
    asks: bool = True
    connections: tuple[Connection, ...] = ()

    @property
    def writes(self) -> bool:
        """It can place orders."""
        return self.effect == "orders"

    def secrets(self) -> Iterable[str]:
        """The credentials in clear, and as they travel."""
        return itertools.chain.from_iterable(connection.secrets() for connection in self.connections)


class AccountRecords:
    """What the ledger knows about one account's orders (`dropship_tools.tool.Records`)."""

    def __init__(self, ledger: Ledger, connection: Connection) -> None:
        self._ledger = ledger
        self._connection = connection

    async def order_id(self, reference: str) -> str | None:
        """The provider's number of the order with this reference."""
        c = self._connection
        row = await self._ledger.get(OrderKey(c.mode, c.provider.name, c.account.name, reference))
        return (row.order_id or None) if row else None


class Choice:
    """Which account a call is for. With one account there is nothing to choose and no argument for it."""

    def __init__(self, tool: Tool, connections: tuple[Connection, ...]) -> None:
        self._tool = tool
        self._connections = {connection.account.name: connection for connection in connections}

    def arguments(self) -> type[Arguments]:
        """The tool's arguments, with `account` where there are several."""
        if len(self._connections) == 1:
            return self._tool.arguments
        one_of: Any = cast("Any", Literal)[tuple(self._connections)]
        account = Field(description=about_account(connection.account for connection in self._connections.values()))
        return create_model(self._tool.arguments.__name__, __base__=self._tool.arguments, account=(one_of, account))

    def of(self, arguments: Arguments) -> tuple[Connection, Arguments]:
        """The account's connection, and the arguments as the provider knows them."""
        several = len(self._connections) > 1
        name = cast("Any", arguments).account if several else next(iter(self._connections))
        connection = self._connections[name]
        call = present_call()
        call.provider, call.account, call.mode = connection.provider.name, name, connection.mode
        if not several:
            return connection, arguments
        plain = {name: getattr(arguments, name) for name in self._tool.arguments.model_fields}
        return connection, self._tool.arguments.model_construct(_fields_set=arguments.model_fields_set, **plain)


def offers(settings: Settings, accounts: Accounts, ledger: Ledger, ordering: Ordering) -> tuple[Offer, ...]:
    """All tools, in a fixed order: each provider's, then the common ones.

    Raises:
        SettingsError: `DROPSHIP_EXTRA_TOOLS` names a tool that is not off by default.
    """
    _check_extra_tools(settings)
    found: list[Offer] = []
    creators: dict[str, CreateTool[Any, Any]] = {}
    for provider in accounts.providers():
        for tool in provider.tools():
            if isinstance(tool, CreateTool):
                creators[provider.name] = tool
            if isinstance(tool, ChangeTool) and tool.opt_in and tool.name not in settings.extra_tools:
                continue
            if isinstance(tool, ReadTool) or settings.ordering:
                found.append(_offer(tool, accounts.of(provider), ledger, ordering))
    return (*found, *_own(settings, accounts, ledger, ordering, creators))


def _check_extra_tools(settings: Settings) -> None:
    """All providers count, served or not: a tool may be named for an account that comes later."""
    if not settings.extra_tools:
        return
    tools = [tool for provider in PROVIDERS for tool in provider.tools()]
    optional = sorted(tool.name for tool in tools if isinstance(tool, ChangeTool) and tool.opt_in)
    if strange := [name for name in settings.extra_tools if name not in optional]:
        raise SettingsError(
            [f"DROPSHIP_EXTRA_TOOLS: {', '.join(strange)} cannot be switched on; there are: {', '.join(optional)}"]
        )


def _offer(tool: Tool, connections: tuple[Connection, ...], ledger: Ledger, ordering: Ordering) -> Offer:
    choice = Choice(tool, connections)
    arguments = choice.arguments()
    if isinstance(tool, CreateTool):
        run: Run = partial(_create, tool, choice, ordering)
    else:
        run = partial(_call, tool, choice, ledger, ordering.policy)
    return Offer(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        arguments=arguments,
        input_schema=_input_schema(arguments),
        output_schema=_output_schema(tool),
        run=run,
        effect=_EFFECTS[type(tool)],
        idempotent=tool.idempotent if isinstance(tool, ChangeTool) else True,
        connections=connections,
    )


_EFFECTS: dict[type[Tool], Effect] = {ReadTool: "reads", ChangeTool: "changes", CreateTool: "orders"}


def _output_schema(tool: Tool) -> Schema:
    if isinstance(tool, CreateTool):
        return answers.outline(answers.CreateEnvelope)  # a preview has neither an order id nor a status
    return answers.outline(answers.Envelope, tool.result)


def _input_schema(arguments: type[Arguments]) -> Schema:
    schema = portable_schema(arguments)
    properties = schema["properties"]
    if "dry_run" in properties:  # inherited, so it would come first; what the provider needs matters more
        properties["dry_run"] = properties.pop("dry_run")
    return schema


async def _create(
    tool: CreateTool[Any, Any], choice: Choice, ordering: Ordering, given: CreateArguments, report: Report, host: Host
) -> dict[str, Any]:
    connection, arguments = choice.of(given)
    order = cast("CreateArguments", arguments)
    if given.dry_run:
        return answers.preview(connection, await ordering.preview(tool, connection, order))
    reference, outcome = await ordering.create(tool, connection, order, report, host)
    return answers.created(connection, reference, outcome)


async def _call(
    tool: ReadTool[Any, Any] | ChangeTool[Any, Any],
    choice: Choice,
    ledger: Ledger,
    policy: Policy,
    given: Arguments,
    _: Report,
    __: Host,
) -> dict[str, Any]:
    connection, arguments = choice.of(given)
    if isinstance(tool, ChangeTool):
        _check_change(policy, connection)
    with anyio.move_on_after(CALL_SECONDS):
        result = await tool.run(connection.client, arguments, AccountRecords(ledger, connection))
        return {**answers.envelope(connection), **result.facts()}
    raise ProviderUnavailable(
        f"{connection.provider.title} was too slow: no whole answer within {CALL_SECONDS:g} s",
        fix="Call again later"
        + ("; reading changes nothing." if isinstance(tool, ReadTool) else ", after reading the present state."),
    )


def _check_change(policy: Policy, connection: Connection) -> None:
    """What the policy denies altogether is not changed either; asking and counting are for orders."""
    provider, account = connection.provider.name, connection.account.name
    for rule, decisions, name in (("providers", policy.providers, provider), ("accounts", policy.accounts, account)):
        if decisions.get(name) == "deny":
            raise NotAllowed(
                f"the operator's policy forbids this: {rule}.{name} is deny", fix="Tell the person you work for."
            )


def _own(
    settings: Settings,
    accounts: Accounts,
    ledger: Ledger,
    ordering: Ordering,
    creators: dict[str, CreateTool[Any, Any]],
) -> Iterable[Offer]:
    for tool in own_tools.build(settings, accounts, ledger, ordering.desk, creators):
        yield Offer(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            arguments=tool.arguments,
            input_schema=portable_schema(tool.arguments),
            output_schema=answers.outline(tool.result),
            run=partial(_run_own, tool, ordering),
            effect="settles" if tool.settles else "reads",
            asks=tool.asks,
        )


async def _run_own(
    tool: own_tools.OwnTool, ordering: Ordering, arguments: Arguments, _: Report, __: Host
) -> dict[str, Any]:
    await ordering.record_late()  # what these tools tell comes from the ledger
    return (await tool.run(arguments)).facts()
