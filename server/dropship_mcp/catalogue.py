"""The tools this server offers, as the settings in force allow, ready to be listed and called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel

from dropship_mcp import answers, own_tools
from dropship_mcp.accounts import Accounts, Connection
from dropship_mcp.ledger import Ledger, OrderKey
from dropship_mcp.ordering import Ordering, Report
from dropship_mcp.schema import Schema, portable_schema
from dropship_mcp.settings import Settings
from dropship_tools.arguments import Arguments, CreateArguments
from dropship_tools.orders import OrderResult
from dropship_tools.tool import ChangeTool, CreateTool, ReadTool, Tool

Effect = Literal["reads", "settles", "changes", "orders"]

Run = Callable[[Any, Report], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Offer:
    """One tool as a host sees it, and what it does.

    Attributes:
        arguments: the model that accepts them.
        run: does it.
        effect: what it may change: nothing, what the ledger says, something at the provider, or a new order.
        idempotent: a second call with the same arguments changes nothing more.
        asks: it asks providers, and does not answer from what this machine knows.
        connection: the account it speaks for; None for the common tools.
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
    connection: Connection | None = None

    @property
    def writes(self) -> bool:
        """It can place orders."""
        return self.effect == "orders"

    def secrets(self) -> Iterable[str]:
        """The credentials in clear."""
        if self.connection is None:
            return ()
        account = self.connection.account
        return [account.value(c.name) for c in self.connection.provider.credentials if c.secret]


class OrderOutline(BaseModel):
    """What answers about an order have in common (`dropship_tools.orders.OrderResult`)."""

    order_id: str = ""
    status: str = ""
    provider_status: str = ""
    warnings: list[str] = []
    next_step: str = ""


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


def offers(settings: Settings, accounts: Accounts, ledger: Ledger, ordering: Ordering) -> tuple[Offer, ...]:
    """All tools, in a fixed order: each provider's, then the common ones."""
    found: list[Offer] = []
    creators: dict[str, CreateTool[Any, Any]] = {}
    for connection in accounts.connections():
        for tool in connection.provider.tools():
            if isinstance(tool, CreateTool):
                creators[connection.provider.name] = tool
            if not isinstance(tool, ReadTool) and not settings.ordering:
                continue
            if isinstance(tool, ChangeTool) and tool.opt_in and tool.name not in settings.extra_tools:
                continue
            found.append(_offer(tool, connection, ledger, ordering))
    return (*found, *_own(settings, accounts, ledger, creators))


def _offer(tool: Tool, connection: Connection, ledger: Ledger, ordering: Ordering) -> Offer:
    if isinstance(tool, CreateTool):
        run: Run = partial(_create, tool, connection, ordering)
    else:
        run = partial(_call, tool, connection, AccountRecords(ledger, connection))
    return Offer(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        arguments=tool.arguments,
        input_schema=_input_schema(tool),
        output_schema=_output_schema(tool),
        run=run,
        effect=_EFFECTS[type(tool)],
        idempotent=tool.idempotent if isinstance(tool, ChangeTool) else True,
        connection=connection,
    )


_EFFECTS: dict[type[Tool], Effect] = {ReadTool: "reads", ChangeTool: "changes", CreateTool: "orders"}


def _output_schema(tool: Tool) -> Schema:
    if isinstance(tool, CreateTool):
        return answers.outline(answers.CreateEnvelope, OrderOutline)
    if issubclass(tool.result, OrderResult):
        return answers.outline(answers.Envelope, OrderOutline)
    return answers.outline(answers.Envelope, tool.result)


def _input_schema(tool: Tool) -> Schema:
    schema = portable_schema(tool.arguments)
    properties = schema["properties"]
    if "dry_run" in properties:  # inherited, so it would come first; what the provider needs matters more
        properties["dry_run"] = properties.pop("dry_run")
    return schema


async def _create(
    tool: CreateTool[Any, Any], connection: Connection, ordering: Ordering, arguments: CreateArguments, report: Report
) -> dict[str, Any]:
    if arguments.dry_run:
        return answers.preview(connection, tool.plan(connection.client, arguments))
    reference, outcome = await ordering.create(tool, connection, arguments, report)
    return answers.created(connection, reference, outcome)


async def _call(
    tool: ReadTool[Any, Any] | ChangeTool[Any, Any],
    connection: Connection,
    records: AccountRecords,
    arguments: Arguments,
    _: Report,
) -> dict[str, Any]:
    result = await tool.run(connection.client, arguments, records)
    return {**answers.envelope(connection), **result.facts()}


def _own(
    settings: Settings, accounts: Accounts, ledger: Ledger, creators: dict[str, CreateTool[Any, Any]]
) -> Iterable[Offer]:
    for tool in own_tools.build(settings, accounts, ledger, creators):
        yield Offer(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            arguments=tool.arguments,
            input_schema=portable_schema(tool.arguments),
            output_schema=answers.outline(tool.result),
            run=partial(_run_own, tool),
            effect="settles" if tool.settles else "reads",
            asks=tool.asks,
        )


async def _run_own(tool: own_tools.OwnTool, arguments: Arguments, report: Report) -> dict[str, Any]:
    return (await tool.run(arguments)).facts()
