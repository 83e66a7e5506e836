"""`dropship-mcp call TOOL '{json}'`: one call through the real server, in this process."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, cast


def add_to(parser: argparse.ArgumentParser) -> None:
    """TOOL and its arguments."""
    parser.add_argument("tool", help="e.g. dropship_status")
    parser.add_argument("arguments", nargs="?", default="{}", help="a JSON object; - reads it from stdin")


def run(options: argparse.Namespace) -> int:
    """0 when the tool answered, 1 when it answered with an error, 2 for wrong usage."""
    from dropship_mcp.settings import read_settings

    settings = read_settings().chosen(options.tenant)
    try:
        arguments: Any = json.loads(sys.stdin.read() if options.arguments == "-" else options.arguments)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        print("dropship-mcp: the arguments must be one JSON object", file=sys.stderr)
        return 2

    import anyio
    from mcp import Client, MCPError

    from dropship_mcp.app import build_app
    from dropship_mcp.logs import set_up

    set_up(settings.log_level)

    async def call() -> int:
        async with Client(build_app(settings)) as client:
            try:
                result = await client.call_tool(options.tool, cast("dict[str, Any]", arguments))
            except MCPError as error:
                print(f"dropship-mcp: {error.error.message}; `dropship-mcp tools` lists them", file=sys.stderr)
                return 2
        if result.is_error:
            print(getattr(result.content[0], "text", ""), file=sys.stderr)
            return 1
        print(json.dumps(result.structured_content, indent=2, ensure_ascii=False))
        return 0

    return anyio.run(call)
