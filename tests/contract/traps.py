"""How the traps of a provider are written down: what an agent calls, step by step, and what can be seen from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.providers import Json
from dropship_tools.sandbox.faults import Fault


@dataclass(frozen=True)
class Elsewhere:
    """What another system of the account sends to the provider: a POST of JSON."""

    path: str
    body: Json


@dataclass(frozen=True)
class Step:
    """One call of a tool and what it must lead to. What is not said is not looked at.

    Attributes:
        tool: the tool's name.
        arguments: what the agent passes.
        answer: facts that a good answer must have, whole values.
        error: the code of the error; empty for a good answer.
        says: passages of the text the agent reads.
        hides: passages that text must not have.
        requests: what the provider was asked for, in order, by its sandbox's names of operations.
        orders: how many orders the provider has afterwards.
        minutes: how much time passes before the call.
        fault: what goes wrong during the call.
        elsewhere: what another system does before the call.
    """

    tool: str
    arguments: Json
    answer: Json = field(default_factory=dict[str, object])
    error: str = ""
    says: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    requests: tuple[str, ...] | None = None
    orders: int | None = None
    minutes: float = 0
    fault: Fault | None = None
    elsewhere: Elsewhere | None = None

    def looks_at_something(self) -> bool:
        """Whether the step could fail because of more than an unexpected error."""
        seen = (self.answer, self.error, self.says, self.hides)
        return any(seen) or self.requests is not None or self.orders is not None


@dataclass(frozen=True)
class Trap:
    """One trap of a provider, on a fresh server and a fresh sandbox.

    Attributes:
        numbers: what it closes, separated by blanks; some are listed more than once.
    """

    numbers: str
    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Sheet:
    """All traps of one provider.

    Attributes:
        numbers: every numbered trap there is; each is in `traps`, in `guide`, or in both.
        guide: words of the provider's guide that answer a trap, by its number.
        fields: the fields of an order in the provider's documentation, as paths. No argument is called otherwise.
    """

    provider: str
    numbers: frozenset[str]
    traps: tuple[Trap, ...]
    guide: Mapping[str, str]
    fields: frozenset[str]


def paths(*names: str, under: str = "") -> frozenset[str]:
    """The paths of fields, several in one text, below another one."""
    return frozenset(under + name for text in names for name in text.split())


def numbered(section: str, last: int) -> frozenset[str]:
    """`section.1` to `section.last`."""
    return frozenset(f"{section}.{number}" for number in range(1, last + 1))
