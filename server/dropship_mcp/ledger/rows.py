"""The words of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from dropship_mcp.policy import OrderFacts, Policy, Verdict

State = Literal["claimed", "sending", "placed", "refused", "unknown"]
"""claimed: promised, nothing has left. sending: the order may have left. placed: it exists. refused: it certainly does
not exist and may be sent again. unknown: it may exist; only looking or a person decides."""

ABANDONED = "the process that sent it ended before an answer was recorded"
"""Why an order is `unknown` that was being sent by a process which is dead now."""


@dataclass(frozen=True, slots=True)
class OrderKey:
    """What makes an order one order: the same reference at another provider or account is another one."""

    mode: str
    provider: str
    account: str
    reference: str


@dataclass(frozen=True, slots=True)
class Content:
    """An order's content as keyed hashes: nothing of a buyer can be read from it.

    Attributes:
        fingerprint: is this the same order or another one?
        fields: a short hash for each leaf, to name what changed.
        trace: how to recognise the order in a provider's list; empty where it can be looked up by reference.
        parcel: what is sent to whom, whatever else differs: would this be the same parcel once more?
    """

    fingerprint: str
    fields: Mapping[str, str]
    trace: str = ""
    parcel: str = ""

    def changed(self, other: Content) -> list[str]:
        """Names of the fields that differ, sorted."""
        names = self.fields.keys() | other.fields.keys()
        return sorted(name for name in names if self.fields.get(name) != other.fields.get(name))


@dataclass(frozen=True, slots=True)
class Row:
    """One order in the ledger.

    Attributes:
        attempt: counts claims; a refused order may be claimed again.
        owner: the process that holds it while it is claimed or being sent.
        order_id: the provider's number; empty until known.
        answer: what the provider told, without personal data; empty until placed.
        reason: why the order is in this state, in our words.
        since: when the present attempt was claimed.
        sent_at: when the order may have left, if it did.
        changed_at: when the state last changed.
    """

    id: int
    key: OrderKey
    state: State
    attempt: int
    owner: str
    content: Content
    order_id: str
    answer: Mapping[str, Any]
    reason: str
    since: datetime
    sent_at: datetime | None
    changed_at: datetime

    def abandoned(self) -> Row:
        """As others should see a row that a dead process was sending."""
        return replace(self, state="unknown", reason=ABANDONED)


@dataclass(frozen=True, slots=True)
class Change:
    """One step in an order's life."""

    at: datetime
    attempt: int
    state: State
    reason: str


ApprovalState = Literal["waiting", "approved", "declined", "used", "expired"]
"""waiting for a person; approved and not yet used; declined; used for the order it was given for; expired unused."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's agreement to one order: asked for, given or not, and used at most once.

    Attributes:
        number: what a person calls it.
        fingerprint: the content it is for; any other content needs another one.
        question: what the person is shown; empty once it is decided, because it names the buyer.
        reason: which rules asked for it.
        how: how it was decided, in our words; empty while it waits.
        expires_at: until then it can be decided, and once given, used.
    """

    number: int
    key: OrderKey
    fingerprint: str
    state: ApprovalState
    question: str
    reason: str
    how: str
    asked_at: datetime
    decided_at: datetime | None
    expires_at: datetime

    def covers(self, verdict: Verdict) -> bool:
        """Whether the person was told of every rule that asks now."""
        told = {reason.partition(" is ")[0] for reason in self.reason.split("; ")}
        return told.issuperset(reason.rule for reason in verdict.reasons)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order has to meet to be promised.

    Attributes:
        policy: the operator's rules.
        facts: what the rules look at.
        question: what a person is asked, if a person has to be; made from the verdict.
    """

    policy: Policy
    facts: OrderFacts
    question: Callable[[Verdict], str]


class Withheld(Exception):
    """An order that was not promised; nothing was written about it but, maybe, the question to a person.

    Attributes:
        verdict: what the policy said.
        approval: the question that waits for a person, or was declined; None when the policy denies.
    """

    def __init__(self, verdict: Verdict, approval: Approval | None = None) -> None:
        super().__init__(verdict.decision)
        self.verdict = verdict
        self.approval = approval


class Decided(Exception):
    """The approval does not wait for a person any more, or there is none. Its state says what became of it."""

    def __init__(self, state: ApprovalState | None) -> None:
        super().__init__(state)
        self.state = state


class LostOrder(Exception):
    """The row is not in the state this process left it in: another process took it for dead, or a person settled it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who may send: `won` says that the caller holds the row now; otherwise the row is somebody else's or settled."""

    row: Row
    won: bool
