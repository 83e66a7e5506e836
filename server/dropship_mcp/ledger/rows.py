"""The words of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

State = Literal["claimed", "sending", "placed", "refused", "unknown"]
"""claimed: promised, nothing has left. sending: the order may have left. placed: it exists. refused: it certainly does
not exist and may be sent again. unknown: it may exist; only looking or a person decides."""


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
    """

    fingerprint: str
    fields: Mapping[str, str]
    trace: str = ""

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


@dataclass(frozen=True, slots=True)
class Change:
    """One step in an order's life."""

    at: datetime
    attempt: int
    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Who may send: `won` says that the caller holds the row now; otherwise the row is somebody else's or settled."""

    row: Row
    won: bool
