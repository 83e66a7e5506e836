"""`dropship-mcp demo`: the real server as a child process, and what an agent sees of it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from mcp import Client

    from dropship_tools.example import Example

REFERENCE = "DEMO-1001"


@dataclass(frozen=True)
class Step:
    """One call of the demo. `expected` is how its answer has to begin for the demo to have shown the truth."""

    provider: str
    does: str
    tool: str
    expected: tuple[str, ...]
    answer: str
    good: bool


def add_to(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(_: argparse.Namespace) -> int:
    """0 when every step showed what it should, 1 otherwise."""
    import anyio

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dropship-demo-") as folder:
        steps = anyio.run(_play, Path(folder))
    _show(steps, time.monotonic() - began)
    return 0 if all(step.good for step in steps) else 1


async def _play(folder: Path) -> list[Step]:
    """Speak to a server of our own over stdio, in a state folder of its own: nobody's orders are touched."""
    from mcp import Client, StdioServerParameters

    from dropship_tools import PROVIDERS

    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DROPSHIP_")},
        "DROPSHIP_LEDGER": str(folder / "ledger.sqlite3"),
        "DROPSHIP_SANDBOX": str(folder / "sandbox.sqlite3"),
    }
    server = StdioServerParameters(command=sys.executable, args=["-m", "dropship_mcp"], env=environment)
    steps: list[Step] = []
    async with Client(server) as client:
        for provider in PROVIDERS:
            steps += await _order(client, provider.name, provider.example())
    return steps


async def _order(client: Client, provider: str, example: Example) -> list[Step]:
    create, get = f"{provider}_create_order", f"{provider}_get_order"
    reference = {example.reference_field: REFERENCE}
    order = {**example.order, **reference}
    wrong = {**order, **example.mistake}
    if not example.mistake_is_same_order:
        wrong[example.reference_field] = f"{REFERENCE}-B"
    refusals = ("invalid_arguments", "reference_conflict", "provider_refused")
    return [
        await _step(client, provider, "place an order", create, order, ("placed",)),
        await _step(client, provider, "the same call again", create, order, ("already_placed",)),
        await _step(client, provider, "read it", get, reference, ("received", "processing", "awaiting_payment")),
        await _step(client, provider, f"mistake: {example.mistake_in_words}", create, wrong, refusals),
    ]


async def _step(
    client: Client, provider: str, does: str, tool: str, arguments: Mapping[str, Any], expected: tuple[str, ...]
) -> Step:
    result = await client.call_tool(tool, dict(arguments))
    if result.is_error:
        text = str(getattr(result.content[0], "text", ""))
        return Step(provider, does, tool, expected, text, text.startswith(expected))
    answer = cast("dict[str, Any]", result.structured_content)
    outcome = str(answer.get("outcome") or answer.get("status"))
    return Step(provider, does, tool, expected, _in_short(answer), outcome in expected)


def _in_short(answer: Mapping[str, Any]) -> str:
    """The answer's facts in one or two lines."""
    names = ("outcome", "order_id", "status", "provider_status")
    facts = " · ".join(f"{name} {answer[name]}" for name in names if name in answer)
    more = [str(answer["next_step"])] if "next_step" in answer else []
    return "\n".join([facts, *more])


def _show(steps: list[Step], seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Four providers in the sandbox, over a real MCP connection", show_lines=True)
    table.add_column("call", max_width=34)
    table.add_column("what the agent sees", ratio=1)
    for step in steps:
        call = Text.assemble((step.tool, "bold"), "\n", step.does)
        answer = Text(step.answer, style="" if step.good else "red")
        if not step.good:
            answer.append(f"\nexpected: {' or '.join(step.expected)}")
        table.add_row(call, answer)
    console = Console()
    console.print(table)
    bad = sum(not step.good for step in steps)
    console.print(
        f"{len(steps)} calls in {seconds:.1f} s. "
        + (f"{bad} did not show what they should." if bad else "One order each, however often it was asked for.")
    )
