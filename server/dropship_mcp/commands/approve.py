"""`dropship-mcp approve`: a person agrees to an order, or declines it.

Agreeing needs a terminal with somebody in front of it: a program that pipes a "y" is not a person. Declining does not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from dropship_mcp.ledger import Approval, Ledger
    from dropship_mcp.settings import Settings

T = TypeVar("T")


def add_to(parser: argparse.ArgumentParser) -> None:
    """NUMBER, or nothing to list what waits."""
    parser.add_argument("number", nargs="?", type=_number, help="which order; errors and `dropship_status` name it")
    parser.add_argument("--all", action="store_true", help="list what was decided lately, too")
    parser.add_argument("--decline", action="store_true", help="say no without being asked")


def run(options: argparse.Namespace) -> int:
    """0 when it was decided or listed, 1 when it cannot be, 2 for wrong usage."""
    from dropship_mcp.settings import read_settings

    settings = read_settings().chosen(options.tenant)
    if options.number is None and options.decline:
        print("dropship-mcp: --decline needs a number", file=sys.stderr)
        return 2

    from dropship_tools.errors import DropshipError

    try:
        if options.number is None:
            return _list(settings, everything=options.all)
        return _decide(settings, options.number, decline=options.decline)
    except DropshipError as error:
        print(f"dropship-mcp: {error.what}", file=sys.stderr)
        return 1


def _with_ledger(settings: Settings, work: Callable[[Ledger], Awaitable[T]]) -> T:
    import anyio

    from dropship_mcp.ledger import make_ledger

    async def act() -> T:
        ledger = make_ledger(settings.ledger_place(), scope=settings.tenant)
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    return anyio.run(act)


def _number(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**63:
        raise ValueError
    return number


def _list(settings: Settings, *, everything: bool) -> int:
    state = None if everything else "waiting"
    found = _with_ledger(settings, lambda ledger: ledger.approvals.recent(state=state))
    for approval in found:
        print(f"{approval.number}  {_where(approval)}  {_stands(approval)}")
    if not found:
        print("No order waits for approval.")
    return 0


def _stands(approval: Approval) -> str:
    if approval.state == "waiting":
        return f"waits until {approval.expires_at.astimezone():%H:%M}"
    when = approval.decided_at or approval.expires_at
    return " ".join(filter(None, (approval.state, f"{when.astimezone():%Y-%m-%d %H:%M}", approval.how)))


def _decide(settings: Settings, number: int, *, decline: bool) -> int:
    from dropship_mcp.ledger import Decided

    approval = _with_ledger(settings, lambda ledger: ledger.approvals.get(number))
    if approval and approval.state == "declined" and not decline:
        return _take_back(settings, approval)
    if problem := _why_not(approval):
        print(f"dropship-mcp: approval {number} {problem}", file=sys.stderr)
        return 1
    assert approval is not None
    print(approval.question)
    agreed = False
    if not decline:
        if not _somebody_is_there():
            return 2
        said = _asked("Approve this order?")
        if said is None:
            print("\nNothing was decided; the order still waits.")
            return 1
        agreed = said
    good_for = settings.policy.approval
    try:
        _with_ledger(
            settings,
            lambda ledger: ledger.approvals.decide(number, agreed=agreed, how="on the command line", good_for=good_for),
        )
    except Decided as decided:
        print(f"dropship-mcp: approval {number} is {decided.state} meanwhile", file=sys.stderr)
        return 1
    minutes = round(good_for.total_seconds() / 60)
    print(f"Approved, for {minutes} minutes and one order. The agent can repeat its call." if agreed else "Declined.")
    return 0


def _take_back(settings: Settings, approval: Approval) -> int:
    """A no that was a mistake: the person is asked anew when the agent repeats its call."""
    print(f"Approval {approval.number}, {_where(approval)}, was {_stands(approval)}.")
    if not _somebody_is_there():
        return 2
    if not _asked("May it be asked again?"):
        print("\nThe no stands.")
        return 1
    _with_ledger(settings, lambda ledger: ledger.approvals.reopen(approval.number))
    print("It may be asked again. The agent can repeat its call.")
    return 0


def _somebody_is_there() -> bool:
    there = sys.stdin.isatty() and sys.stdout.isatty()
    if not there:
        print("dropship-mcp: only a person at a terminal can approve an order", file=sys.stderr)
    return there


def _asked(question: str) -> bool | None:
    """What the person at the terminal says; None at the end of the input."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return None


def _why_not(approval: Approval | None) -> str:
    """Why nobody can decide on it; empty if somebody can."""
    if approval is None:
        return "does not exist in this ledger (DROPSHIP_LEDGER)"
    if approval.state != "waiting":
        return f"is {approval.state} already"
    return "" if approval.question else "cannot be read, so nobody can agree to it"


def _where(approval: Approval) -> str:
    key = approval.key
    return f"{key.mode} {key.provider}/{key.account} {key.reference}"
