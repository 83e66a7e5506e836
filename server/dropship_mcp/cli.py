"""The command line. Nothing heavy is imported before the command and the settings are known to be good."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from dropship_mcp import __version__

COMMANDS = {
    "serve": "serve MCP on stdin and stdout (what hosts start; the default)",
    "http": "serve MCP over HTTP, for hosts on other machines and for teams",
    "token": "make a bearer token for `dropship-mcp http`, and the line of settings that accepts it",
    "check": "try every account, the ledger and the files that hold keys, and say how to mend what does not work",
    "demo": "place, repeat and read an order with each provider in the sandbox, and show what an agent sees",
    "tools": "list the tools with their cost in tokens",
    "call": "call one tool and print its answer",
    "orders": "list the ledger's orders, show one, or settle one whose outcome is unknown",
    "approve": "agree to an order that waits for a person, or decline it; without a number list them",
    "sandbox": "serve the sandbox of all four providers on a loopback port, reset it, or ask it to fail",
}
"""What each does. They are modules of `dropship_mcp.commands`, with `add_to(parser)` and `run(options) -> int`."""

FOR_ONE_TENANT = ("serve", "check", "tools", "call", "orders", "approve", "sandbox")
"""The commands that use one set of accounts, or one ledger."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. 2 means wrong usage or settings."""
    given = sys.argv[1:] if arguments is None else arguments
    name, options = _parse(given) if given else ("serve", None)  # a host gives no arguments, and waits
    command = importlib.import_module(f"dropship_mcp.commands.{name}")
    from dropship_mcp.settings import SettingsError

    try:
        return int(command.run(options))
    except SettingsError as error:
        for problem in error.problems:
            print(f"dropship-mcp: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `dropship-mcp tools | head`
        sys.stderr.close()
        return 1


def _parse(given: Sequence[str]) -> tuple[str, object]:
    """The command's name and its options."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="dropship-mcp",
        description="MCP server for dropship orders with Dipli, Rewix, Dropday and Duoplane. "
        "Without a command it serves MCP on stdin and stdout.",
        epilog="Settings are environment variables; README.md lists them. Without any, orders go to the sandbox.",
    )
    parser.add_argument("--version", action="version", version=f"dropship-mcp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, about in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        if name in given:  # `--help` loads none of them
            importlib.import_module(f"dropship_mcp.commands.{name}").add_to(command)
            if name in FOR_ONE_TENANT:
                command.add_argument("--tenant", help="whose, where DROPSHIP_CONFIG has tenants (DROPSHIP_TENANT)")
    options = parser.parse_args(given)
    return options.command or "serve", options
