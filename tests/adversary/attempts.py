"""What a row of the adversarial suite is, and the pieces rows are made of.

A row is a model that tries to get around approval, limits or safety: the operator's rules, the calls one after the
other with how each must end, and how many orders the provider has afterwards.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from dropship_mcp.policy import Policy
from protocol.samples import SAMPLES, Sample

Json = dict[str, Any]

ALL = tuple(SAMPLES)
WITH_PRICES = ("dropday", "duoplane")
WITH_QUANTITIES = ("rewix", "dropday", "duoplane")

ASK = Policy(orders="ask")
NO_TWINS = Policy(same_parcel="deny")
ALLOW = Policy()


@dataclass(frozen=True)
class Call:
    """A call of the model and how it must end: an outcome, `ok`, or the code of an error."""

    tool: str
    arguments: Json
    ends: str


@dataclass(frozen=True)
class Decides:
    """A person decides on a question that waits."""

    number: int = 1
    agreed: bool = True


@dataclass(frozen=True)
class Waits:
    """Time goes by, backwards if negative."""

    minutes: float


Step = Call | Decides | Waits


@dataclass(frozen=True)
class Attempt:
    """One way around, tried.

    Attributes:
        steps: what happens, for each provider's order.
        stored: how many orders the provider has in the end; the ledger has as many placed ones.
        providers: where it can be tried.
    """

    name: str
    policy: Policy
    steps: Callable[[Sample], Sequence[Step]]
    stored: int = 0
    providers: tuple[str, ...] = ALL


# --- calls ---------------------------------------------------------------------------------------------------------


def order(sample: Sample, ends: str, changes: Mapping[str, Any] | None = None, **more: Any) -> Call:
    """The sample's order with changes; `changes` has places like `products.0.quantity`."""
    return Call(sample.create, changed(sample, {**(changes or {}), **more}), ends)


def renamed(sample: Sample, reference: Any, ends: str) -> Call:
    """The sample's order under another reference."""
    return order(sample, ends, {sample.reference: reference})


def changed(sample: Sample, changes: Mapping[str, Any]) -> Json:
    """The sample's arguments with other values at these places."""
    arguments = copy.deepcopy(sample.order)
    for place, value in changes.items():
        *path, last = (int(step) if step.isdigit() else step for step in place.split("."))
        holder: Any = arguments
        for step in path:
            holder = holder.setdefault(step, {}) if isinstance(step, str) else holder[step]
        holder[last] = value
    return arguments


def lines(sample: Sample) -> str:
    """What the provider calls the lines of an order."""
    return {"rewix": "item_list", "dropday": "products", "duoplane": "order_items"}[sample.provider]


def country(sample: Sample) -> str:
    """Where the country stands."""
    return {
        "dipli": "country",
        "rewix": "recipient_details.address.countrycode",
        "dropday": "shipping_address.country",
        "duoplane": "shipping_address.country_iso2",
    }[sample.provider]


def street(sample: Sample) -> str:
    """Where the street stands."""
    return {
        "dipli": "street",
        "rewix": "recipient_details.address.street_name",
        "dropday": "shipping_address.address1",
        "duoplane": "shipping_address.address_1",
    }[sample.provider]


def city(sample: Sample) -> str:
    """Where the recipient's city stands."""
    return country(sample).rpartition(".")[0] + "." * (sample.provider != "dipli") + "city"


def name(sample: Sample) -> tuple[str, Any]:
    """Where the recipient's (first) name stands, and what it is."""
    place = {
        "dipli": "buyer",
        "rewix": "recipient_details.recipient",
        "dropday": "shipping_address.first_name",
        "duoplane": "shipping_address.first_name",
    }[sample.provider]
    return place, at(sample.order, place)


def at(value: Any, place: str) -> Any:
    """What stands at a place."""
    for step in place.split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    return value


def split(sample: Sample) -> list[Json]:
    """The order's first line as lines of one piece."""
    first = cast("list[Json]", sample.order[lines(sample)])[0]
    return [{**first, "quantity": 1} for _ in range(first["quantity"])]


def with_everywhere(value: Any, extra: Mapping[str, Any]) -> Iterator[Any]:
    """`value` once for each object in it, with `extra` in that object."""
    if isinstance(value, dict):
        whole = cast("Json", value)
        yield {**whole, **extra}
        for key, child in whole.items():
            yield from ({**whole, key: other} for other in with_everywhere(child, extra))
    elif isinstance(value, list):
        items = cast("list[Any]", value)
        for index, child in enumerate(items):
            yield from ([*items[:index], other, *items[index + 1 :]] for other in with_everywhere(child, extra))
