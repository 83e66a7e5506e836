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
    parser.add_argument("number", nargs="?", type=int, help="which order; errors and `dropship_status` name it")
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
            return _list(settings)
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


def _list(settings: Settings) -> int:
    waiting = _with_ledger(settings, lambda ledger: ledger.approvals.recent(state="waiting"))
    for approval in waiting:
        print(f"{approval.number}  {_where(approval)}  waits until {approval.expires_at.astimezone():%H:%M}")
    if not waiting:
        print("No order waits for approval.")
    return 0


def _decide(settings: Settings, number: int, *, decline: bool) -> int:
    from dropship_mcp.ledger import Decided

    approval = _with_ledger(settings, lambda ledger: ledger.approvals.get(number))
    if problem := _why_not(approval):
        print(f"dropship-mcp: approval {number} {problem}", file=sys.stderr)
        return 1
    assert approval is not None
    print(approval.question)
    agreed = False
    if not decline:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            print("dropship-mcp: only a person at a terminal can approve an order", file=sys.stderr)
            return 2
        try:
            agreed = input("Approve this order? [y/N] ").strip().lower() in ("y", "yes")
        except EOFError:
            print("\nNothing was decided; the order still waits.")
            return 1
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
