"""The command line. Nothing heavy is imported before the command and the settings are known to be good."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from dropship_mcp import __version__
from dropship_mcp.settings import SettingsError

COMMANDS = ("serve", "demo", "tools", "call", "orders", "sandbox")
"""One module each in `dropship_mcp.commands`, with `add_to(parser)` and `run(options) -> int`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. 2 means wrong usage or settings."""
    given = sys.argv[1:] if arguments is None else arguments
    # a host gives no arguments and waits: it needs no parser and no other command's module
    options = _parser().parse_args(given) if given else argparse.Namespace(command=None)
    command = importlib.import_module(f"dropship_mcp.commands.{options.command or 'serve'}")
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dropship-mcp",
        description="MCP server for dropship orders with Dipli, Rewix, Dropday and Duoplane. "
        "Without a command it serves MCP on stdin and stdout.",
        epilog="Settings are environment variables; README.md lists them. Without any, orders go to the sandbox.",
    )
    parser.add_argument("--version", action="version", version=f"dropship-mcp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"dropship_mcp.commands.{name}")
        module.add_to(commands.add_parser(name, help=module.HELP, description=module.HELP))
    return parser
