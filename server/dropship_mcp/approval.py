"""Asking a person: what they are shown, how they are asked, and what a model is told meanwhile.

The question is made from the order alone, so it reads the same in a host's dialog, in the terminal and on a page. What
buyers, models and providers wrote stands in it only cleaned, cut and in quotes, each in a line of its own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from dropship_mcp.accounts import Connection
from dropship_mcp.ledger import Approval, Content, Decided, Terms, Withheld
from dropship_mcp.policy import OrderFacts, Policy, Verdict
from dropship_tools.errors import DropshipError, NeedsApproval, NotAllowed
from dropship_tools.orders import Item, Plan, Summary
from dropship_tools.text import clean

MOST_ITEMS = 20
"""So many lines are shown one by one; the rest is counted."""

LINE = 60
"""Longest piece of somebody else's text in a question, in characters."""

LIMITS_ARE_THE_OPERATORS = (
    "Tell the person you work for. Only the operator can change this ([policy] in the settings); another reference, "
    "another account or splitting the order is not a way around it."
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A person's answer that came with a call.

    Attributes:
        state: which question it answers; sealed by us, carried by the host.
        agreed: None when the question was put away undecided.
    """

    state: str
    agreed: bool | None


class Host(Protocol):
    """What can be asked of the host that made a call."""

    def reply(self) -> Reply | None:
        """What a person answered, if an answer came with the call."""
        ...

    def send_back(self, approval: Approval, state: str) -> None:
        """End the call with the question as its result, where the protocol does it so: raises. Otherwise nothing."""
        ...

    async def ask(self, approval: Approval) -> bool | None:
        """Ask now and wait; None where the host cannot ask, or the person dismissed the question."""
        ...


class NoHost:
    """Nobody can be asked here."""

    def reply(self) -> Reply | None:
        """Nothing came."""

    def send_back(self, approval: Approval, state: str) -> None:
        """Not possible."""

    async def ask(self, approval: Approval) -> bool | None:
        """Not possible."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a person decides when the host cannot ask.

    Attributes:
        command: what to run in a terminal; the number is added.
        page: address of the approvals page; empty where none is served.
    """

    command: str = "dropship-mcp approve"
    page: str = ""

    def way(self, number: int) -> str:
        """What to tell the person."""
        return f"open {self.page}/{number}" if self.page else f"run `{self.command} {number}` in a terminal"

    def ways(self) -> str:
        """The same for any number."""
        return f"open {self.page}" if self.page else f"run `{self.command} NUMBER`"


class Unapproved(NeedsApproval):
    """A person has to agree first, and has been or can be asked about `approval`."""

    def __init__(self, approval: Approval, what: str, fix: str) -> None:
        super().__init__(what, fix=fix)
        self.approval = approval


def terms(policy: Policy, connection: Connection, plan: Plan, content: Content) -> Terms:
    """What this order has to meet."""
    return Terms(policy, facts(connection, plan), lambda verdict: question(connection, plan, content, verdict))


def facts(connection: Connection, plan: Plan) -> OrderFacts:
    """What the policy looks at."""
    summary = plan.summary
    return OrderFacts(
        provider=connection.provider.name,
        account=connection.account.name,
        country=summary.country,
        largest_quantity=max(_pieces(summary).values(), default=0),
        total=_least_total(summary),
        pays_at_once=summary.pays_at_once,
        test=summary.test,
    )


def _least_total(summary: Summary) -> Decimal | None:
    """What the order costs at least: a stated total must not hide what its lines add up to."""
    priced = any(item.price is not None for item in summary.items)
    stated = [] if summary.total is None else [summary.total]
    return max([*stated, _lines_total(summary)]) if priced or stated else None


def _lines_total(summary: Summary) -> Decimal:
    """What the lines with a price add up to."""
    return sum((item.price * item.quantity for item in summary.items if item.price is not None), Decimal(0))


def parcel(summary: Summary) -> str:
    """What is sent to whom, so that small changes elsewhere (a note, the spelling, split lines) hide no repetition."""
    recipient = unicodedata.normalize("NFKD", clean(summary.recipient, LINE * 5)).casefold()
    letters = "".join(filter(str.isalnum, recipient))
    return repr((letters, summary.country.upper(), sorted(_pieces(summary).items())))


def _pieces(summary: Summary) -> Mapping[str, int]:
    """Of each product, however many lines they are split over."""
    pieces: dict[str, int] = {}
    for item in summary.items:
        pieces[item.id] = pieces.get(item.id, 0) + item.quantity
    return pieces


def question(connection: Connection, plan: Plan, content: Content, verdict: Verdict) -> str:
    """What a person agrees to. The same order always gives the same text, but for the reasons."""
    return "\n".join(_lines(connection, plan, content, verdict))


def _lines(connection: Connection, plan: Plan, content: Content, verdict: Verdict) -> Iterator[str]:
    summary = plan.summary
    live = connection.mode == "live"
    yield "Place this order? " + ("It costs real money and cannot be taken back." if live else "(sandbox: no money)")
    yield f"Provider: {connection.provider.title}, account {connection.account.name}, {connection.mode.upper()}"
    yield f"Reference: {_quoted(plan.reference)}"
    yield f"Items: {_counted(summary.items)}"
    items = sorted(summary.items, key=_weight, reverse=True)  # what costs most cannot hide behind many lines
    yield from map(_item, items[:MOST_ITEMS])
    if more := items[MOST_ITEMS:]:
        yield f"- and more: {_counted(more)}"
    yield f"Total: {total(summary)}"
    lines = _lines_total(summary)
    if summary.total is not None and lines > summary.total:
        yield f"WARNING: the lines alone add up to {lines}."
    if summary.pays_at_once:
        yield "Paid from the account's credit at once."
    if summary.test is not None:
        yield "A test order: nothing is delivered." if summary.test else "A real order, no test."
    yield f"Recipient: {_quoted(summary.recipient)}, {_quoted(summary.place)}, country {_quoted(summary.country)}"
    if rules := _special(verdict):
        yield f"Asked because: {clean(rules, LINE * 5)}"
    yield f"Fingerprint: {content.fingerprint[:4]}-{content.fingerprint[4:8]}"


def _weight(item: Item) -> tuple[Decimal, int]:
    """What a line costs, or how many pieces it has where no price is known."""
    return (item.price or Decimal(0)) * item.quantity, item.quantity


def _counted(items: Sequence[Item]) -> str:
    pieces = sum(item.quantity for item in items)
    return f"{len(items)} line{'s' * (len(items) != 1)}, {pieces} piece{'s' * (pieces != 1)}"


def _item(item: Item) -> str:
    price = f", {item.price} each" if item.price is not None else ""
    name = f" {_quoted(item.name)}" if item.name else ""
    return f"- {item.quantity} x {_quoted(item.id)}{name}{price}"


def total(summary: Summary) -> str:
    """The order's money in words."""
    if summary.total is None:
        return "price set by the provider"
    return f"{summary.total} {summary.currency or '(currency not stated)'}"


def _quoted(text: str) -> str:
    """Somebody else's text: it cannot end its quotes, and letters that only look like others are spelled out."""
    shown = clean(text, LINE).replace('"', "'")
    exact = shown.encode("ascii", "backslashreplace").decode()[: LINE * 2]
    looks = "" if shown.isascii() else f' (exactly: "{exact}")'
    return f'"{shown}"{looks}'


# --- what a model is told ----------------------------------------------------------------------------------------


def refusal(withheld: Withheld, desk: Desk) -> DropshipError:
    """A withheld order as an error. Nothing was sent."""
    approval, verdict = withheld.approval, withheld.verdict
    if verdict.decision == "deny":
        return NotAllowed(f"the operator's policy forbids this order: {verdict.text()}", fix=LIMITS_ARE_THE_OPERATORS)
    if approval is None:
        return NotAllowed(
            "too many orders wait for a person's approval already",
            fix=f"Ask a person to decide some of them first ({desk.ways()}), or wait until they expire.",
        )
    if approval.state == "declined":
        when = f" at {_clock(approval.decided_at)}" if approval.decided_at else ""
        again = "" if desk.page else f" Only they can have it asked again: `{desk.command} {approval.number}`."
        return NotAllowed(
            f"a person declined this order{when} (approval {approval.number}); it is not asked again within an hour",
            fix=f"Ask the person what they want instead.{again} Do not order the same under another reference.",
        )
    return Unapproved(
        approval,
        f"a person has to approve this order first; it is approval number {approval.number}, "
        f"waiting until {_clock(approval.expires_at)}" + (f" ({why})" if (why := _special(verdict)) else ""),
        f"Ask the person to {desk.way(approval.number)}. Then make exactly the same call again.",
    )


def being_asked(error: Unapproved) -> Unapproved:
    """The same, while the host shows the question."""
    return Unapproved(
        error.approval,
        f"{error.what}; the person is being asked at this moment",
        "Wait for the person's answer, then make exactly the same call again.",
    )


def too_late(decided: Decided) -> DropshipError:
    """The person's answer came after the question was settled in another way."""
    state = decided.state or "forgotten"
    return NeedsApproval(
        f"the question to the person is {state} already, so this answer does not count",
        fix="Make exactly the same call again; a person is asked anew if need be.",
    )


def _special(verdict: Verdict) -> str:
    """The rules that ask about this order and not about every one."""
    return "; ".join(reason.text() for reason in verdict.reasons if reason.rule != "orders")


def _clock(when: datetime) -> str:
    return f"{when:%H:%M} UTC"
