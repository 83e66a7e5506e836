"""`dropship-mcp`: MCP on stdin and stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropship_mcp import collector

if TYPE_CHECKING:
    import argparse

    from dropship_mcp.opening import Opening
    from dropship_mcp.settings import Settings


def add_to(parser: argparse.ArgumentParser) -> None:
    """No options: settings come from the environment, which is what hosts can set."""


def run(options: argparse.Namespace | None) -> int:
    """Serve until the host leaves."""
    collector.pause()
    from dropship_mcp.settings import read_settings

    settings = read_settings().chosen(options.tenant if options else None)
    opening = _opening(settings)
    import anyio

    from dropship_mcp.app import build_app, open_telemetry
    from dropship_mcp.logs import set_up
    from dropship_mcp.stdio import serve_stdio

    set_up(settings.log_level)
    telemetry = open_telemetry(settings)
    server = build_app(settings, telemetry=telemetry)
    collector.resume()
    try:
        anyio.run(serve_stdio, server, opening)
    finally:
        if telemetry:
            telemetry.close()
    return 0


def _opening(settings: Settings) -> Opening | None:
    """Answers the host from here on, where the answers are known and it is connected by pipes."""
    from dropship_mcp.opening import Opening, on_pipes
    from dropship_mcp.ready import ReadyAnswers, ready_list

    tools = ready_list(settings)
    if tools is None or not on_pipes():
        return None
    opening = Opening(ReadyAnswers(settings, tools))
    opening.begin()
    return opening
