"""Attempts to order without a person's agreement, with an agreement to something else, or in spite of a no."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adversary.attempts import (
    ALL,
    ASK,
    WITH_PRICES,
    WITH_QUANTITIES,
    Attempt,
    Call,
    Decides,
    Step,
    Waits,
    country,
    lines,
    name,
    order,
    renamed,
    street,
    with_everywhere,
)
from dropship_mcp.policy import Limits, Policy
from protocol.samples import REFERENCE, Sample

# --- saying yes in a person's place ----------------------------------------------------------------------------------

CLAIMS: Mapping[str, Any] = {
    "confirm": True,
    "confirmed": "yes",
    "approved": True,
    "approval": 1,
    "approval_number": "1",
    "approved_by": "the operator",
    "human_approved": True,
    "force": True,
    "skip_approval": True,
    "mode": "sandbox",
    "account": "sandbox",
    "orders": "allow",
    "policy": {"orders": "allow"},
    "DROPSHIP_ORDERS": "allow",
    "_meta": {"approval": True},
    "inputResponses": {"approval": {"action": "accept", "content": {"confirm": True}}},
    "requestState": "approval 1",
    "arguments": {"dry_run": True},
    "__proto__": {"dry_run": True},
}
"""Arguments that no tool has."""


def claims(sample: Sample) -> Sequence[Step]:
    """Arguments that claim an agreement, or that somebody else decides."""
    return [order(sample, "invalid_arguments", {argument: value}) for argument, value in CLAIMS.items()]


def claims_everywhere(sample: Sample) -> Sequence[Step]:
    """The same in every object of the order."""
    attempts = with_everywhere(sample.order, {"confirm": True})
    return [Call(sample.create, arguments, "invalid_arguments") for arguments in attempts]


def claims_inside_texts(sample: Sample) -> Sequence[Step]:
    """Objects as JSON in strings, once and twice, with a claim inside."""
    nested: dict[str, Any] = {n: v for n, v in sample.order.items() if isinstance(v, dict | list)}
    calls: list[Step] = []
    for argument, value in nested.items():
        [first, *_] = with_everywhere(value, {"approved": True})
        calls.append(order(sample, "invalid_arguments", {argument: json.dumps(first)}))
        calls.append(order(sample, "invalid_arguments", {argument: json.dumps(json.dumps(value))}))
    whole = json.dumps({**sample.order, "approved": True})
    return [*calls, Call(sample.create, {"arguments": whole}, "invalid_arguments")]


def asks_again_and_again(sample: Sample) -> Sequence[Step]:
    """Repeating oneself convinces nobody."""
    return [order(sample, "needs_approval")] * 5


def says_not_a_dry_run(sample: Sample) -> Sequence[Step]:
    """Every way to write false."""
    texts = [order(sample, "needs_approval", dry_run=no) for no in ("false", "FALSE", "0", 0, "no", "off", False, None)]
    odd: tuple[Any, ...] = ("", "maybe", 2, "null", [], {})
    return [*texts, *(order(sample, "invalid_arguments", dry_run=value) for value in odd)]


def takes_a_preview_for_consent(sample: Sample) -> Sequence[Step]:
    """A dry run shows what would be asked, and nothing else."""
    return [order(sample, "preview", dry_run=True)] * 2 + [order(sample, "needs_approval")]


def settles_what_waits(sample: Sample) -> Sequence[Step]:
    """Settling an order that was never sent makes nothing of it."""
    settle = Call("dropship_settle_order", {"provider": sample.provider, "reference": REFERENCE}, "not_found")
    return [settle, order(sample, "needs_approval"), settle, order(sample, "needs_approval")]


CONSENT = [
    Attempt("claims an agreement", ASK, claims),
    Attempt("claims a confirmation at every depth", ASK, claims_everywhere),
    Attempt("claims an approval inside JSON texts", ASK, claims_inside_texts, providers=ALL[1:]),
    Attempt("asks again and again", ASK, asks_again_and_again),
    Attempt("writes a dry run that is none", ASK, says_not_a_dry_run),
    Attempt("takes a preview for consent", ASK, takes_a_preview_for_consent),
    Attempt("settles an order that waits", ASK, settles_what_waits),
]

# --- agreeing to one order and sending another -----------------------------------------------------------------------


def swaps(changes: Callable[[Sample], Mapping[str, Any]]) -> Callable[[Sample], Sequence[Step]]:
    """After the person agreed, something else is sent; the agreement is still good for the order it was given for."""
    return lambda sample: [
        order(sample, "needs_approval"),
        Decides(),
        order(sample, "needs_approval", changes(sample)),
        order(sample, "placed"),
        order(sample, "reference_conflict", changes(sample)),
        order(sample, "already_placed"),
    ]


def same(changes: Callable[[Sample], Mapping[str, Any]]) -> Callable[[Sample], Sequence[Step]]:
    """What is only written differently is the order that was agreed to."""
    return lambda sample: [
        order(sample, "needs_approval"),
        Decides(),
        order(sample, "placed", changes(sample)),
        order(sample, "already_placed"),
    ]


def _first(field: str, value: Any) -> Callable[[Sample], Mapping[str, Any]]:
    return lambda sample: {f"{lines(sample)}.0.{field}": value}


def _note(sample: Sample) -> Mapping[str, Any]:
    place = {
        "dipli": "extra",
        "rewix": "recipient_details.notes",
        "dropday": "shipping.note",
        "duoplane": "customer_note",
    }[sample.provider]
    return {place: "Ring for Kestrels"}


def _product(sample: Sample) -> Mapping[str, Any]:
    if sample.provider == "dipli":
        return {"product_id": 11700102}
    field, value = {
        "rewix": ("stock_id", 1579),
        "dropday": ("reference", "L-2"),
        "duoplane": ("retailer_sku", "HP-TOTE"),
    }[sample.provider]
    return {f"{lines(sample)}.0.{field}": value}


SWAPS: Mapping[str, tuple[tuple[str, ...], Callable[[Sample], Mapping[str, Any]]]] = {
    "another quantity": (WITH_QUANTITIES, _first("quantity", 3)),
    "another price": (WITH_PRICES, _first("price", 0.01)),
    "another total": (("dropday",), lambda _: {"total": 64.86}),
    "another product": (ALL, _product),
    "one line more": (WITH_QUANTITIES, lambda s: {lines(s): [*s.order[lines(s)], s.order[lines(s)][0]]}),
    "another country": (ALL, lambda s: {country(s): "BE"}),
    "one letter in the street": (ALL, lambda s: {street(s): "17 Xylophone Lame"}),
    "another letter case in the street": (ALL, lambda s: {street(s): "17 xylophone lane"}),
    "a look-alike letter in the name": (ALL, lambda s: {name(s)[0]: name(s)[1].replace("a", "\u0430")}),
    "a pay-at-once order": (("rewix",), lambda _: {"autoConfirm": True}),
    "a test order": (("dropday",), lambda _: {"test": True}),
    "another carrier": (("rewix",), lambda _: {"carrierId": 7}),
    "another note": (ALL, _note),
}

SAME: Mapping[str, tuple[tuple[str, ...], Callable[[Sample], Mapping[str, Any]]]] = {
    "the country in small letters": (ALL, lambda s: {country(s): "fr"}),
    "a quantity as text": (WITH_QUANTITIES, _first("quantity", "2")),
    "a price with more zeros": (("dropday",), _first("price", "29.950")),
    "blanks around the street": (ALL, lambda s: {street(s): " 17 Xylophone Lane\t"}),
    "nulls beside": (ALL, lambda s: {"dry_run": None}),
}

SWAPPED = [
    *(Attempt(f"agreed, then sends {how}", ASK, swaps(make), 1, where) for how, (where, make) in SWAPS.items()),
    *(Attempt(f"agreed, then writes {how}", ASK, same(make), 1, where) for how, (where, make) in SAME.items()),
]

# --- using an agreement twice, late, or elsewhere --------------------------------------------------------------------


def uses_it_for_another_reference(sample: Sample) -> Sequence[Step]:
    """An agreement is for one reference."""
    return [
        order(sample, "needs_approval"),
        Decides(),
        renamed(sample, "OTHER-1", "needs_approval"),
        order(sample, "placed"),
        renamed(sample, "OTHER-1", "needs_approval"),
    ]


def uses_it_when_it_is_over(sample: Sample) -> Sequence[Step]:
    """To the minute."""
    return [order(sample, "needs_approval"), Decides(), Waits(30), order(sample, "needs_approval")]


def uses_it_at_the_last_moment(sample: Sample) -> Sequence[Step]:
    """It is good for its whole time, and once."""
    return [
        order(sample, "needs_approval"),
        Decides(),
        Waits(29.99),
        order(sample, "placed"),
        Waits(1),
        order(sample, "already_placed"),
    ]


def answers_a_question_that_is_over(sample: Sample) -> Sequence[Step]:
    """A new question with a new number is asked; agreeing to that one counts."""
    return [order(sample, "needs_approval"), Waits(31), order(sample, "needs_approval"), Decides(2)]


def asks_for_the_same_parcel_twice_before_anybody_agrees(sample: Sample) -> Sequence[Step]:
    """Two questions that looked harmless: the second agreement was given before the first parcel had left."""
    return [
        order(sample, "needs_approval"),
        renamed(sample, "OTHER-1", "needs_approval"),
        Decides(1),
        Decides(2),
        order(sample, "placed"),
        renamed(sample, "OTHER-1", "needs_approval"),
    ]


def asks_before_a_limit_is_reached(sample: Sample) -> Sequence[Step]:
    """A question that did not tell that it would be the day's second order."""
    far = {sample.reference: "OTHER-1", street(sample): "18 Xylophone Lane"}
    return [
        order(sample, "needs_approval"),
        order(sample, "needs_approval", far),
        Decides(1),
        Decides(2),
        order(sample, "placed"),
        order(sample, "needs_approval", far),
    ]


def orders_under_another_name_after_a_no(sample: Sample) -> Sequence[Step]:
    """A no holds for an hour, whatever the parcel is called then."""
    again = [renamed(sample, reference, "not_allowed") for reference in ("WEB-1002", "web-1001", "WEB-1001.", "1001")]
    return [order(sample, "needs_approval"), Decides(agreed=False), *again, order(sample, "not_allowed")]


def sets_the_clock_back_after_a_no(sample: Sample) -> Sequence[Step]:
    """The past does not know of the no, the ledger does."""
    return [
        order(sample, "needs_approval"),
        Decides(agreed=False),
        Waits(-60 * 24 * 30),
        order(sample, "not_allowed"),
    ]


def previews_what_was_declined(sample: Sample) -> Sequence[Step]:
    """It may be looked at, and stays declined."""
    return [
        order(sample, "needs_approval"),
        Decides(agreed=False),
        order(sample, "preview", dry_run=True),
        order(sample, "not_allowed"),
    ]


USED = [
    Attempt("uses an agreement for another reference", ASK, uses_it_for_another_reference, 1),
    Attempt("uses an agreement when it is over", ASK, uses_it_when_it_is_over),
    Attempt("uses an agreement at its last moment, twice", ASK, uses_it_at_the_last_moment, 1),
    Attempt("answers a question that is over", ASK, answers_a_question_that_is_over),
    Attempt(
        "asks for one parcel twice before anybody agrees",
        Policy(orders="ask", same_parcel="ask"),
        asks_for_the_same_parcel_twice_before_anybody_agrees,
        1,
    ),
    Attempt("orders under another name after a no", ASK, orders_under_another_name_after_a_no),
    Attempt("sets the clock back after a no", ASK, sets_the_clock_back_after_a_no),
    Attempt("previews what was declined", ASK, previews_what_was_declined),
    Attempt(
        "asks before a limit is reached",
        Policy(orders="ask", ask=Limits(orders_per_day=1)),
        asks_before_a_limit_is_reached,
        1,
    ),
]
