"""The vocabulary all providers share: what an order is called, where it stands, what a create call plans and finds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from dropship_tools.text import Said
from dropship_tools.wire import WireRequest

Status = Literal[
    "received",
    "awaiting_payment",
    "processing",
    "ready_to_ship",
    "shipped",
    "delivered",
    "problem",
    "cancelled",
    "refused",
    "unknown",
]
"""Where an order stands, in one vocabulary for all providers. The provider's own word is always shown beside it."""

STATUSES: tuple[str, ...] = get_args(Status)


class Result(BaseModel):
    """Base of everything a tool answers. Defaults are left out of the answer, so absent facts cost no tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # built at the first answer

    def facts(self) -> dict[str, Any]:
        """Plain JSON without nulls and defaults."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


class OrderResult(Result):
    """One order.

    `status` is neutral, `provider_status` the provider's own word. Money in subclasses is a decimal string in main
    units with its currency beside it.
    """

    reference: Said = ""
    order_id: Said = ""
    status: Status
    provider_status: Said = ""
    warnings: list[str] = Field(default_factory=list)
    next_step: str = ""


class Placed(OrderResult):
    """What a provider told about an order that exists. Kept in the ledger, so it holds no personal data."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order, for people and policies."""

    id: str
    quantity: int
    name: str = ""
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """An order in our words: what a person needs to see before agreeing.

    `total` is None where the provider sets the price; `currency` is empty where the order states none. `pays_at_once`
    says that placing it spends the account's credit; `test` that nothing is delivered, None where there are no test
    orders. `place` is postcode and city, so that a parcel that goes astray is noticed.
    """

    recipient: str
    country: str
    items: tuple[Item, ...]
    total: Decimal | None = None
    currency: str = ""
    pays_at_once: bool = False
    test: bool | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything known about an order before it leaves.

    Attributes:
        reference: the caller's own order number.
        content: the order itself, normalised: what makes it this order and not another one. Values that change
            from call to call without changing the parcel (`date`) stay out.
        requests: the exact requests, credentials left out; the order itself is the last.
        summary: in our words.
        trace: how to recognise the order where it cannot be looked up by reference; empty otherwise. Only a keyed
            hash of it is kept.
        warnings: worth saying, not worth refusing.
        payload: the provider's own form of the order, handed back to it for sending.
    """

    reference: str
    content: Mapping[str, Any]
    requests: tuple[WireRequest, ...]
    summary: Summary
    trace: str = ""
    warnings: tuple[str, ...] = ()
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Sought:
    """What is known of an order that is looked for.

    Attributes:
        reference: the caller's own order number.
        order_id: the provider's number; empty if it was never learned.
        since: when it was promised, or None if this ledger knows nothing of it.
        is_trace: whether a `Plan.trace` belongs to this order.
        is_other: whether an order id belongs to another order in the ledger.
    """

    reference: str
    order_id: str = ""
    since: datetime | None = None
    is_trace: Callable[[str], bool] = field(default=lambda _: False)
    is_other: Callable[[str], bool] = field(default=lambda _: False)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a provider says about an order.

    Attributes:
        order: None when it was not found.
        absent: whether not finding it proves that it does not exist.
        why: in our words.
        by_looks: it was not found by a number but by what it looks like, and another order may look the same.
    """

    order: Placed | None = None
    absent: bool = False
    why: str = ""
    by_looks: bool = False


@dataclass(frozen=True, slots=True)
class Certainty:
    """When a provider's silence means that there is no order.

    Attributes:
        conclusive: the provider can be asked for one exact reference, and says no reliably.
        after: how long after sending an order may still turn up.
        dedupes: the provider itself turns a second order with the same reference away, so that sending again is safe
            as soon as the order is not found.
    """

    conclusive: bool
    after: timedelta = timedelta(0)
    dedupes: bool = False


def decimal_text(cents: int) -> str:
    """Cents as a decimal string in main units: 19900 is `199.00`."""
    units, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{units}.{rest:02d}"


class ShipTo(Result):
    """Where a parcel goes, as the provider holds it."""

    name: Said = ""
    company: Said = ""
    street: Said = ""
    postcode: Said = ""
    city: Said = ""
    state: Said = ""
    country: Said = ""
