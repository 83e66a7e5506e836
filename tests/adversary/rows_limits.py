"""Attempts to get past the operator's limits: other names, other places, split orders, odd numbers, other clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adversary.attempts import (
    ALLOW,
    NO_TWINS,
    WITH_PRICES,
    WITH_QUANTITIES,
    Attempt,
    Call,
    Step,
    Waits,
    country,
    lines,
    name,
    order,
    renamed,
    split,
    street,
)
from dropship_mcp.policy import Limits, Policy
from protocol.samples import REFERENCE, Sample

# --- another name for the same order ---------------------------------------------------------------------------------

NO_REFERENCE: Mapping[str, Any] = {
    "a line break": "WEB-1001\nTotal: 0.01",
    "a blank inside": "WEB 1001",
    "a zero-width blank": "WEB-1001\u200b-2",
    "a look-alike letter": "W\u0415B-1001",
    "full-width letters": "\uff37\uff25\uff22-1001",
    "a composed letter": "WE\u0301B-1001",
    "a right-to-left override": "WEB-\u202e1001",
    "a slash": "WEB/1001",
    "dot segments": "../../admin",
    "a dot first": ".WEB-1001",
    "an encoded slash": "WEB%2F1001",
    "a query": "WEB-1001?test=1",
    "a NUL": "WEB\x001001",
    "an escape sequence": "WEB\x1b[2J",
    "mark-up": "<b>WEB</b>",
    "a quote": "WEB'; DROP TABLE orders; --",
    "nothing": "",
    "blanks only": "   ",
    "65 characters": "W" * 65,
    "100,000 characters": "W" * 100_000,
    "a list": ["WEB-1001"],
    "an object": {"id": "WEB-1001"},
    "a truth value": True,
    "a float": 1001.5,
}
"""What is no order number. It would travel in URLs, logs and tables."""

OTHER_NAMES = ("web-1001", "WEB-01001", "WEB-1001.", "WEB_1001", "1001", "W" * 64)
"""Order numbers that are others, for a parcel that is the same."""


def names_it_so(sample: Sample) -> Sequence[Step]:
    """A reference that cannot be one."""
    return [renamed(sample, reference, "invalid_arguments") for reference in NO_REFERENCE.values()]


def same_parcel_under_other_names(sample: Sample) -> Sequence[Step]:
    """Only the first leaves."""
    return [order(sample, "placed"), *(renamed(sample, other, "not_allowed") for other in OTHER_NAMES)]


def same_parcel_spelled_differently(sample: Sample) -> Sequence[Step]:
    """Case, blanks, accents, full-width letters, another note or street number format change nothing."""
    place, written = name(sample)
    spelled = (
        written.upper(),
        f" {written}  ",
        written.replace("Zenobia", "Z\u00e9nob\u00eda"),
        written.replace("Zenobia", "Ze\u0301nobia"),
        written.replace("Z", "\uff3a"),
        written.replace("Zenobia", "Zenobia."),
    )
    return [
        order(sample, "placed"),
        *(order(sample, "not_allowed", {sample.reference: f"R-{n}", place: text}) for n, text in enumerate(spelled)),
    ]


def same_parcel_in_other_lines(sample: Sample) -> Sequence[Step]:
    """The same pieces on more lines, and in another order, are the same parcel."""
    given = sample.order[lines(sample)]
    return [
        order(sample, "placed"),
        order(sample, "not_allowed", {sample.reference: "R-2", lines(sample): [*split(sample), *given[1:]]}),
        order(sample, "not_allowed", {sample.reference: "R-3", lines(sample): [*given[1:], *split(sample)]}),
    ]


def surrounded_by_blanks(sample: Sample) -> Sequence[Step]:
    """The same number."""
    return [
        order(sample, "placed"),
        *(renamed(sample, f"{b}{REFERENCE}{b}", "already_placed") for b in (" ", "\n", "\t")),
    ]


def waits_out_the_memory(sample: Sample) -> Sequence[Step]:
    """The same reference is remembered for good; a parcel for a day."""
    return [
        order(sample, "placed"),
        Waits(23.9 * 60),
        renamed(sample, "R-2", "not_allowed"),
        Waits(-48 * 60),
        renamed(sample, "R-2", "not_allowed"),
        Waits(60 * 24 * 90),
        order(sample, "already_placed"),
    ]


NAMES = [
    Attempt("names it with what is no reference", ALLOW, names_it_so),
    Attempt("orders the same parcel under other names", NO_TWINS, same_parcel_under_other_names, 1),
    Attempt("spells the recipient differently", NO_TWINS, same_parcel_spelled_differently, 1),
    Attempt("splits the lines of the same parcel", NO_TWINS, same_parcel_in_other_lines, 1, WITH_QUANTITIES),
    Attempt("puts blanks around the reference", ALLOW, surrounded_by_blanks, 1),
    Attempt("waits and sets the clock back", NO_TWINS, waits_out_the_memory, 1),
]

# --- numbers and places ----------------------------------------------------------------------------------------------

TWO_A_LINE = Policy(deny=Limits(quantity_per_line=2))
ODD_QUANTITIES = ("1e3", "1E0", -1, 0, "-2", 10**30, "9" * 40, 2.5, True, "2 pieces", "\u0662", "0x2", [2], 100_001)
ODD_AMOUNTS = ("NaN", "Infinity", "-0.01", -1, "1e9", 1e300, 10**30, "1,50", "0.001", "\u0661", True, "EUR 1", "")
FRANCE_NOT = Policy(deny=Limits(countries=frozenset({"NL", "BE"})))
ODD_COUNTRIES = (
    *("\uff2e\uff2c", "N\u200bL", "NL\u200f", "N L", "XX", "NLD", "Netherlands", "", "N", "\u039dL", "ZZ", "n1"),
    *(["NL"], {"code": "NL"}, True),
)


def splits_a_line(sample: Sample) -> Sequence[Step]:
    """More pieces of one product than a line may have."""
    first = sample.order[lines(sample)][0]
    return [
        order(sample, "not_allowed", {lines(sample): [{**first, "quantity": 3}]}),
        order(sample, "not_allowed", {lines(sample): [{**first, "quantity": 1}] * 3}),
        order(sample, "not_allowed", {lines(sample): [{**first, "quantity": 2}] * 100}),
    ]


def splits_an_order(sample: Sample) -> Sequence[Step]:
    """Into more orders than a day may have."""
    calls: list[Step] = [
        order(sample, ends, {sample.reference: f"R-{n}", street(sample): f"{n} Quiet Street"})
        for n, ends in enumerate(["placed", "placed", "not_allowed", "not_allowed"])
    ]
    return [*calls, Waits(-60 * 48), calls[2], Waits(60 * 48 + 60 * 23), calls[2]]


def splits_a_total(sample: Sample) -> Sequence[Step]:
    """Orders that are small one by one."""
    return [
        order(sample, ends, {sample.reference: f"R-{n}", street(sample): f"{n} Quiet Street"})
        for n, ends in enumerate(["placed", "not_allowed", "not_allowed"])
    ]


def states_a_low_total(sample: Sample) -> Sequence[Step]:
    """The lines count."""
    return [order(sample, "not_allowed", total=total) for total in (0, "0.00", 0.01, -0.0)]


def leaves_prices_out(sample: Sample) -> Sequence[Step]:
    """What has a price still counts when another line has none."""
    dear = {"name": "Camping Lantern", "quantity": 1, "price": 500, "retailer_sku": "HP-LANTERN"}
    free = {"name": "Linen Throw, Sand", "quantity": 2, "retailer_sku": "HP-THROW-SAND"}
    return [order(sample, "not_allowed", order_items=[dear, free])]


def odd_quantities(sample: Sample) -> Sequence[Step]:
    """Numbers that are none, or that no line can have."""
    return [order(sample, "invalid_arguments", {f"{lines(sample)}.0.quantity": odd}) for odd in ODD_QUANTITIES]


def odd_amounts(sample: Sample) -> Sequence[Step]:
    """Money that is none."""
    places = [f"{lines(sample)}.0.price", *(["total", "shipping_cost"] if sample.provider == "dropday" else [])]
    return [order(sample, "invalid_arguments", {place: odd}) for place in places for odd in ODD_AMOUNTS]


def odd_countries(sample: Sample) -> Sequence[Step]:
    """Not one of them is the Netherlands."""
    return [order(sample, "invalid_arguments", {country(sample): odd}) for odd in ODD_COUNTRIES]


def forbidden_countries(sample: Sample) -> Sequence[Step]:
    """However they are written."""
    return [order(sample, "not_allowed", {country(sample): text}) for text in ("FR", "fr", "fR", " FR ", "us", "GB")]


def absurd_amounts(sample: Sample) -> Sequence[Step]:
    """Orders whose totals no number in a database can hold must not spoil the count for the orders after them."""
    absurd = {**sample.order[lines(sample)][0], "quantity": 100_000, "price": 999_999_999.99}
    more: dict[str, Any] = {"retailer_sku": "HP-LANTERN"} if sample.provider == "duoplane" else {}
    calls: list[Step] = [
        order(sample, "placed", {sample.reference: f"R-{n}", lines(sample): [{**absurd, **more}] * (1 if n else 20)})
        for n in range(12)
    ]
    return [*calls, order(sample, "placed"), renamed(sample, "R-99", "not_allowed")]


def orders_other_parcels_of_a_full_day(sample: Sample) -> Sequence[Step]:
    """A dry run of a denied order shows it, and takes no place."""
    return [
        order(sample, "preview", dry_run=True),
        order(sample, "not_allowed"),
        Call("dropship_find_order", {"reference": REFERENCE}, "ok"),
        Call("dropship_settle_order", {"provider": sample.provider, "reference": REFERENCE}, "not_found"),
        order(sample, "not_allowed"),
    ]


LIMITS = [
    Attempt("splits a line", TWO_A_LINE, splits_a_line, 0, WITH_QUANTITIES),
    Attempt("splits an order", Policy(deny=Limits(orders_per_day=2)), splits_an_order, 2),
    Attempt("splits a total", Policy(deny=Limits(total_per_day=Decimal(110))), splits_a_total, 1, WITH_PRICES),
    Attempt(
        "states a low total", Policy(deny=Limits(total_per_order=Decimal(50))), states_a_low_total, 0, ("dropday",)
    ),
    Attempt("leaves prices out", Policy(deny=Limits(total_per_order=Decimal(50))), leaves_prices_out, 0, ("duoplane",)),
    Attempt("writes odd quantities", TWO_A_LINE, odd_quantities, 0, WITH_QUANTITIES),
    Attempt("writes odd amounts", ALLOW, odd_amounts, 0, WITH_PRICES),
    Attempt("writes odd countries", FRANCE_NOT, odd_countries),
    Attempt("writes forbidden countries differently", FRANCE_NOT, forbidden_countries),
    Attempt("orders for absurd amounts", Policy(deny=Limits(orders_per_day=13)), absurd_amounts, 13, WITH_PRICES),
    Attempt("previews what is denied", Policy(orders="deny"), orders_other_parcels_of_a_full_day),
]
