"""The error tree. Raised anywhere, turned into text for a model in one place only (`dropship_mcp.binding`).

DropshipError
  InvalidArguments     the call is malformed; nothing was sent
  NotAllowed           the operator's settings forbid it
  NotConfigured        an account or setting is missing
  NeedsApproval        a person has to agree first
  ReferenceConflict    the reference belongs to another order
  InProgress           the same order is being placed right now
  LedgerUnavailable    nothing can be promised, so nothing is sent
  ProviderRefused      the provider said no, and no order exists
  ProviderAuth         the provider does not accept the credentials
    WrongKindOfKey     it accepts them, but not for this
  RateLimited          the provider asks us to wait
  ProviderUnavailable  no usable answer; no order was sent
    UnexpectedAnswer   an answer, but none this provider gives
  OutcomeUnknown       an order may exist
  NotFound             nothing is known under that id
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Sent = Literal["no", "maybe", "yes"]
"""Did an order leave for the provider because of this call?"""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one argument, in our words and without its value."""

    field: str
    problem: str


class DropshipError(Exception):
    """Base of all errors that a model may read.

    Args:
        what: what happened, in our own words; never provider or buyer text.
        fix: one action, naming real tools and fields.
        sent: whether an order was sent by this call.
        provider_said: the provider's own text; it is sanitised and fenced before anyone sees it.
        fields: problems of single arguments.
        retry_after: seconds to wait, where a wait helps.
    """

    code: ClassVar[str] = "error"
    default_sent: ClassVar[Sent] = "no"

    def __init__(
        self,
        what: str,
        *,
        fix: str,
        sent: Sent | None = None,
        provider_said: str = "",
        fields: Sequence[FieldProblem] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{self.code}: {what}")
        self.what = what
        self.fix = fix
        self.sent: Sent = self.default_sent if sent is None else sent
        self.provider_said = provider_said
        self.fields = tuple(fields)
        self.retry_after = retry_after


class InvalidArguments(DropshipError):
    """The call is malformed. All problems are reported at once; nothing was sent."""

    code = "invalid_arguments"


class NotAllowed(DropshipError):
    """The operator's settings forbid it."""

    code = "not_allowed"


class NotConfigured(DropshipError):
    """An account or a setting is missing."""

    code = "not_configured"


class NeedsApproval(DropshipError):
    """A person has to agree before this order may be sent."""

    code = "needs_approval"


class ReferenceConflict(DropshipError):
    """The reference was used for an order with other content."""

    code = "reference_conflict"


class InProgress(DropshipError):
    """The same order is being placed by another call at this moment."""

    code = "in_progress"


class LedgerUnavailable(DropshipError):
    """The ledger cannot be written, so no order may leave."""

    code = "ledger_unavailable"


class ProviderRefused(DropshipError):
    """The provider refused; no order came of this call."""

    code = "provider_refused"


class ProviderAuth(DropshipError):
    """The provider does not accept the configured credentials."""

    code = "provider_auth"


class WrongKindOfKey(ProviderAuth):
    """The provider accepts the credentials, but they belong to somebody who may not do this."""


class RateLimited(DropshipError):
    """The provider asks us to wait."""

    code = "rate_limited"


class ProviderUnavailable(DropshipError):
    """No usable answer, and no order was sent."""

    code = "provider_unavailable"


class UnexpectedAnswer(ProviderUnavailable):
    """Something answered, but not as this provider does."""


class OutcomeUnknown(DropshipError):
    """An order was sent and nobody can say yet what became of it."""

    code = "outcome_unknown"
    default_sent = "maybe"


class NotFound(DropshipError):
    """Nothing is known under that id."""

    code = "not_found"


ERROR_CODES: tuple[str, ...] = tuple(sorted(error.code for error in DropshipError.__subclasses__()))
