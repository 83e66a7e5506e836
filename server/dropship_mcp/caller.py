"""Who is asking: the identity that the transport has verified, for everything behind it.

Over stdin and stdout there is no caller: whoever started the process may do all that its settings allow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from dropship_mcp.watching import sane_id

READ = "orders:read"
"""Look-ups, lists, prompts and guides. Everything needs it."""

WRITE = "orders:write"
"""Tools that order or change something."""

APPROVE = "orders:approve"
"""Agreeing to orders in a person's name. No agent should hold it, so it is advertised nowhere."""

METRICS = "metrics:read"
"""The metrics, and nothing else. For a machine that watches this one, so it is advertised nowhere."""

SCOPES = (READ, WRITE, APPROVE, METRICS)


@dataclass(frozen=True)
class Caller:
    """A verified identity.

    Attributes:
        subject: who it is; unique for its issuer.
        issuer: who says so; empty for tokens from the settings.
        client: the program that acts for the subject.
        scopes: what it may do, of `SCOPES`.
        claims: the verified claims of its token; never the token itself.
        tenant: whose accounts and ledger it uses; None while there is one for all.
    """

    subject: str
    issuer: str = ""
    client: str = ""
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    tenant: str | None = None

    def log_name(self) -> str:
        """Who it is, for the log: a name of the settings, and of everybody else, or of an e-mail address, a hash."""
        name = "" if self.issuer else sane_id(self.subject)
        return name or hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).hexdigest()[:16]


CALLER: ContextVar[Caller | None] = ContextVar("dropship_caller", default=None)
"""Set for the length of one request."""


def present_caller() -> Caller | None:
    """Who makes the request that is being answered; None over stdin and stdout, and where nobody has to say."""
    return CALLER.get()
