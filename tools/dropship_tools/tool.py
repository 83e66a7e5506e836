"""What a tool is: a name, words, typed arguments and results, and what it does with a provider's client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from dropship_tools.arguments import Arguments, CreateArguments
from dropship_tools.orders import Certainty, Finding, Placed, Plan, Result, Sought
from dropship_tools.wire import SendOnce

ClientT = TypeVar("ClientT")
ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)
CreateT = TypeVar("CreateT", bound=CreateArguments)


class Records(Protocol):
    """What this machine remembers about an account's orders."""

    async def order_id(self, reference: str) -> str | None:
        """The provider's number of the order with this reference; None if it is not known here."""
        ...


@runtime_checkable
class NamesCarriers(Protocol):
    """A client that can say which carriers an account may wish for."""

    async def carrier_names(self) -> list[str]:
        """The carriers' names. Raises `DropshipError`."""
        ...


@dataclass(frozen=True)
class ReadTool(Generic[ClientT, ArgumentsT]):
    """A tool that changes nothing.

    Attributes:
        run: asks the provider. Raises `DropshipError`.
    """

    name: str
    title: str
    description: str
    arguments: type[ArgumentsT]
    result: type[Result]
    run: Callable[[ClientT, ArgumentsT, Records], Awaitable[Result]]


@dataclass(frozen=True)
class ChangeTool(Generic[ClientT, ArgumentsT]):
    """A tool that changes something at the provider without placing an order (stock held, a product made).

    Attributes:
        run: asks the provider, at most once. Raises `DropshipError`; its text says what may have happened.
        idempotent: calling it twice with the same arguments changes nothing more.
        opt_in: it exists only where the operator names it in `DROPSHIP_EXTRA_TOOLS`.
    """

    name: str
    title: str
    description: str
    arguments: type[ArgumentsT]
    result: type[Result]
    run: Callable[[ClientT, ArgumentsT, Records], Awaitable[Result]]
    idempotent: bool = False
    opt_in: bool = False


@dataclass(frozen=True)
class CreateTool(Generic[ClientT, CreateT]):
    """A tool that places an order. `dropship_mcp.ordering` drives it.

    Attributes:
        plan: arguments to exact requests; pure. Raises `InvalidArguments` for what only the whole order shows.
        place: sends the order with the permission, once, and learns the order id.
            Raises `ReferenceConflict` when the provider holds another order under the reference, and
            `ProviderRefused`, `ProviderAuth`, `RateLimited`, `ProviderUnavailable` only when no order exists,
            `OutcomeUnknown` when one may.
        find: looks for an order that may exist. Raises `DropshipError` when it cannot look. The ledger keeps what it
            finds, warnings included, so they are in our words.
        certainty: what not finding one means.
    """

    name: str
    title: str
    description: str
    arguments: type[CreateT]
    result: type[Placed]
    plan: Callable[[ClientT, CreateT], Plan]
    place: Callable[[ClientT, Plan, SendOnce], Awaitable[Placement]]
    find: Callable[[ClientT, Sought], Awaitable[Finding]]
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Placement:
    """An order exists. `existed` says that it did before this call, by the provider's word."""

    order: Placed
    existed: bool = False


Tool = ReadTool[Any, Any] | ChangeTool[Any, Any] | CreateTool[Any, Any]
