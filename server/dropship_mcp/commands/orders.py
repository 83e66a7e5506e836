"""`dropship-mcp orders`: what was ordered, and settling by a person what no look-up could."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropship_mcp.ledger import Ledger, Row
    from dropship_mcp.settings import Settings

COLUMNS = ("when", "mode", "provider", "account", "reference", "order_id", "state", "reason")


def add_to(parser: argparse.ArgumentParser) -> None:
    """Listing is the default."""
    parser.add_argument("--all", action="store_true", help="sandbox and live orders; default: the mode in force")
    parser.add_argument("--provider", default="", help="only this provider")
    parser.add_argument("--state", default="", choices=("claimed", "sending", "placed", "refused", "unknown"))
    parser.add_argument("--limit", type=int, default=100, help="newest so many (default 100)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON array")
    form.add_argument("--csv", action="store_true", help="CSV with a heading")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    show = actions.add_parser("show", help="one order with every step of its life")
    show.add_argument("reference")
    settle = actions.add_parser("settle", help="record what a person found out about an order")
    settle.add_argument("reference")
    settle.add_argument("--as", dest="state_after", required=True, choices=("placed", "refused"))
    settle.add_argument("--order-id", default="", help="the provider's number; needed for placed")
    for action in (show, settle):
        action.add_argument("--provider", dest="only_provider", default="", help="where the reference was used")
        action.add_argument("--account", dest="only_account", default="")


def run(options: argparse.Namespace) -> int:
    """0, or 1 when nothing matches or the ledger cannot be used."""
    from dropship_mcp.settings import read_settings

    settings = read_settings().chosen(options.tenant)
    import anyio

    from dropship_mcp.ledger import LostOrder, make_ledger
    from dropship_tools.errors import DropshipError

    actions: dict[str | None, Callable[[argparse.Namespace, Settings, Ledger], Coroutine[Any, Any, int]]] = {
        None: _list,
        "show": _show,
        "settle": _settle,
    }

    async def act() -> int:
        ledger = make_ledger(settings.ledger_place(), scope=settings.tenant)
        try:
            return await actions[options.action](options, settings, ledger)
        finally:
            await ledger.close()

    try:
        return anyio.run(act)
    except DropshipError as error:
        print(f"dropship-mcp: {error.what}", file=sys.stderr)
        return 1
    except LostOrder:
        print("dropship-mcp: the order has just been settled by somebody else; look again", file=sys.stderr)
        return 1


async def _list(options: argparse.Namespace, settings: Settings, ledger: Ledger) -> int:
    mode = None if options.all else settings.mode
    rows = await ledger.recent(mode, options.provider, options.state, options.limit)
    lines = [_cells(row) for row in rows]
    if options.json:
        print(json.dumps([dict(zip(COLUMNS, line, strict=True)) for line in lines], indent=2))
    elif options.csv:
        writer = csv.writer(sys.stdout)
        writer.writerows([COLUMNS, *([_spreadsheet_safe(cell) for cell in line] for line in lines)])
    else:
        _print_table(f"{'All' if mode is None else mode.capitalize()} orders", COLUMNS, lines)
    return 0


async def _show(options: argparse.Namespace, settings: Settings, ledger: Ledger) -> int:
    rows = await _matching(options, settings, ledger)
    for row in rows:
        heading = " · ".join(filter(None, (row.key.provider, row.key.account, row.key.reference, row.order_id)))
        steps = await ledger.changes(row)
        lines = [(_time(s.at), str(s.attempt), s.state, s.reason) for s in steps]
        if steps[-1].state != row.state:  # of a process that has ended, which could not write that down
            lines.append(("", str(row.attempt), row.state, row.reason))
        _print_table(heading, ("when", "attempt", "state", "reason"), lines)
    return 0 if rows else _nothing(options)


async def _settle(options: argparse.Namespace, settings: Settings, ledger: Ledger) -> int:
    rows = await _matching(options, settings, ledger)
    if not rows:
        return _nothing(options)
    if len(rows) > 1:
        names = ", ".join(f"{row.key.provider}/{row.key.account}" for row in rows)
        print(
            f"dropship-mcp: several orders have this reference ({names}); add --provider or --account", file=sys.stderr
        )
        return 1
    row = rows[0]
    if row.state != "unknown":
        print(f"dropship-mcp: this order is {row.state}; only an unknown outcome is settled by hand", file=sys.stderr)
        return 1
    if (options.state_after == "placed") != bool(options.order_id):
        print("dropship-mcp: --as placed needs --order-id, --as refused takes none", file=sys.stderr)
        return 2
    reason = "settled by a person on the command line"
    if options.state_after == "placed":
        facts = {"reference": row.key.reference, "status": "unknown", "provider_status": "settled by a person"}
        await ledger.settle_by_hand(row, "placed", options.order_id, facts, reason)
    else:
        await ledger.settle_by_hand(row, "refused", "", {}, reason)
    print(f"{row.key.provider} {row.key.reference} is recorded as {options.state_after}.")
    return 0


async def _matching(options: argparse.Namespace, settings: Settings, ledger: Ledger) -> list[Row]:
    return [
        row
        for row in await ledger.by_reference(settings.mode, options.reference)
        if options.only_provider in ("", row.key.provider) and options.only_account in ("", row.key.account)
    ]


def _nothing(options: argparse.Namespace) -> int:
    print(f"dropship-mcp: the ledger knows no order {options.reference} in this mode", file=sys.stderr)
    return 1


def _cells(row: Row) -> tuple[str, ...]:
    key = row.key
    return (
        *(_time(row.changed_at), key.mode, key.provider, key.account, key.reference),
        *(row.order_id, row.state, row.reason),
    )


def _time(value: Any) -> str:
    return value.astimezone().isoformat(sep=" ", timespec="seconds")


def _spreadsheet_safe(cell: str) -> str:
    """A cell that starts like a formula must not become one."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _print_table(title: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """A table, or where the terminal is too narrow for it a line for each row, with the last cell below it.

    Without rows only the heading, for people and pipes alike.
    """
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title)
    for column in columns:  # what a person has to copy is never cut
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    console = Console()
    room = console.options.update(width=10 * console.width)
    if lines and console.measure(table, options=room).maximum <= console.width:
        console.print(table)
        return
    console.print(Text(f"{title} ({', '.join(columns)})", style="italic"))
    for *facts, words in lines:
        console.print(Text("  ".join(filter(None, facts))), soft_wrap=True)  # what has to be copied stays in one piece
        if words:
            console.print(Padding(Text(words), (0, 0, 0, 4), expand=False))
