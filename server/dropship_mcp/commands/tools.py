"""`dropship-mcp tools`: what a host would list, and what it costs a model to read it."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

HELP = "list the tools with their cost in tokens"


def add_to(parser: argparse.ArgumentParser) -> None:
    """Table or JSON."""
    parser.add_argument("--json", action="store_true", help="print the tool list exactly as a host receives it")


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    from dropship_mcp.settings import read_settings

    settings = read_settings()
    import anyio
    from mcp import Client

    from dropship_mcp.app import build_app

    async def wire_tools() -> list[dict[str, Any]]:
        async with Client(build_app(settings)) as client:
            listed = await client.list_tools()
        return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools]

    tools = anyio.run(wire_tools)
    if options.json:
        print(json.dumps(tools, indent=2, ensure_ascii=False))
        return 0
    count = token_counter()
    if count is None:
        print("Token counts need a tokenizer: pip install 'dropship-mcp[tokens]'. Showing bytes.", file=sys.stderr)
    _print_table(tools, count)
    return 0


def token_counter() -> Callable[[str], int] | None:
    """Counts tokens as o200k_base does; None when the optional tokenizer is not installed."""
    try:
        tokenizer: Any = importlib.import_module("bpe_openai")  # optional, and without type stubs
    except ImportError:
        return None
    encode = tokenizer.get_encoding("o200k_base").encode_ordinary
    return lambda text: len(encode(text))


def compact(value: Any) -> str:
    """As a host puts it into a prompt: JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _print_table(tools: list[dict[str, Any]], count: Callable[[str], int] | None) -> None:
    from rich.console import Console
    from rich.table import Table

    measure = count or _bytes
    table = Table("tool", "does", "effect", title="Tools of this server")
    for heading in ("all", "input", "output"):
        table.add_column(f"{heading}, {'tokens' if count else 'bytes'}", justify="right")
    totals = [0, 0, 0]
    for tool in tools:
        costs = [measure(compact(part)) for part in (tool, tool["inputSchema"], tool.get("outputSchema", {}))]
        totals = [total + cost for total, cost in zip(totals, costs, strict=True)]
        effect = "reads" if tool["annotations"]["readOnlyHint"] else "ORDERS" if _destroys(tool) else "settles"
        table.add_row(tool["name"], tool["title"], effect, *map(str, costs))
    table.add_section()
    table.add_row(f"{len(tools)} tools", "", "", *map(str, totals))
    Console().print(table)


def _bytes(text: str) -> int:
    return len(text.encode())


def _destroys(tool: dict[str, Any]) -> bool:
    return bool(tool["annotations"].get("destructiveHint"))
