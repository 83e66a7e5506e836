"""One request as the log, spans and metrics see it.

Everything here may be shown to whoever watches the server: names, codes and ids, nothing of a buyer, a provider's words
or a credential. Only `Call.reference` stays hidden until the operator asks for it. Standard library only.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

_SANE = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def sane_id(given: object) -> str:
    """An id that a client made up, if it looks like one; empty otherwise."""
    text = "" if given is None else str(given)
    return text if _SANE.fullmatch(text) else ""


_PROCESS = secrets.token_hex(4)
_NUMBERS = count(1)


@dataclass(slots=True)
class Call:
    """One request from a host. Whoever learns something about it writes it down here.

    Attributes:
        id: made here, so that no two are alike.
        request: the host's own id of the request.
        http: `X-Request-Id`, where a proxy gave one.
        trace: the trace it belongs to.
        tool: set once the tool is known to exist.
        outcome: how it ended well.
        error: the code it ended with.
        reference: the shop's order number, of calls that order.
    """

    id: str = field(default_factory=lambda: f"{_PROCESS}-{next(_NUMBERS):x}")
    request: str = ""
    http: str = ""
    trace: str = ""
    tool: str = ""
    provider: str = ""
    account: str = ""
    mode: str = ""
    outcome: str = ""
    error: str = ""
    reference: str = ""

    def ids(self) -> dict[str, str]:
        """What ties a line of the log to the request."""
        named = {"call_id": self.id, "request_id": self.request, "http_request_id": self.http, "trace_id": self.trace}
        return {name: value for name, value in named.items() if value}


CALL: ContextVar[Call | None] = ContextVar("dropship_call", default=None)
"""Set for the length of one request, and for the order that it began."""


def present_call() -> Call:
    """The request that is being answered. Outside of one, something that nobody sees."""
    return CALL.get() or Call()


class Watch(Protocol):
    """Is told of what outlives a single request."""

    def order_ended(self, mode: str, provider: str, account: str, outcome: str) -> None:
        """An attempt to place an order is over: how it ended well, or the code it ended with."""
        ...

    def approval_decided(self, mode: str, provider: str, *, agreed: bool) -> None:
        """A person was asked through this server and answered."""
        ...


class NobodyWatches:
    """Nobody is told."""

    def order_ended(self, mode: str, provider: str, account: str, outcome: str) -> None:
        """Nothing."""

    def approval_decided(self, mode: str, provider: str, *, agreed: bool) -> None:
        """Nothing."""
