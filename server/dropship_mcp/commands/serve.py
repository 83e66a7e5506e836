"""`dropship-mcp`: MCP on stdin and stdout."""

from __future__ import annotations

import argparse
import gc

HELP = "serve MCP on stdin and stdout (what hosts start; the default)"


def add_to(parser: argparse.ArgumentParser) -> None:
    """No options: settings come from the environment, which is what hosts can set."""


def run(_: argparse.Namespace) -> int:
    """Serve until the host leaves."""
    from dropship_mcp.logs import set_up
    from dropship_mcp.settings import read_settings

    settings = read_settings()
    gc.disable()  # it finds nothing in the heavy imports and costs a quarter of the start
    import anyio

    from dropship_mcp.app import build_app
    from dropship_mcp.stdio import serve_stdio

    set_up(settings.log_level)
    server = build_app(settings)
    gc.freeze()  # what is loaded stays, so it need not look at it again
    gc.enable()
    anyio.run(serve_stdio, server)
    return 0
