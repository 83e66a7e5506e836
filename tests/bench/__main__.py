"""`make bench`: starts, calls, look-ups, orders, calls over HTTP, searches and tokens, written to RESULTS.md."""

from __future__ import annotations

import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import catalogue_search, creates, reads, web
from bench.spec import OPERATIONS
from bench.starts import (
    OURS,
    SDK,
    commands_table,
    first_list,
    measure_commands,
    measure_starts,
    over_budget,
    serving,
    starts_table,
)
from bench.stopwatch import timed
from dropship_mcp.commands.tools import compact, token_counter
from e2e.processes import ServerProcess
from protocol.bench import ERAS, VERSIONS, Era
from protocol.samples import DIPLI, SAMPLES

CALLS = 200
RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True)
class Call:
    """Seconds of one call over stdio, median; beside it the bare server's echo."""

    era: Era
    what: str
    seconds: float
    echo: float


def main() -> int:
    """0 when everything that has a budget is within it."""
    with tempfile.TemporaryDirectory(prefix="dropship-bench-") as folder:
        state = Path(folder)
        starts, commands = measure_starts(state), measure_commands(state)
        calls = [call for era in ERAS for call in measure_calls(era, state)]
        looked, ordered, stormed = reads.measure(state), creates.measure(state), web.measure(state)
        with serving(OURS, "auto", state) as server:
            tools = first_list(server)
    searches = catalogue_search.measure()
    tables = (
        heading(),
        *(starts_table(starts), commands_table(commands), calls_table(calls)),
        *(reads.tables(looked), creates.table(ordered), web.tables(stormed)),
        *(catalogue_search.tables(searches), same_tokens_table(looked), tokens_table(tools)),
    )
    text = "\n".join(line for table in tables for line in table)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    problems = [
        *over_budget(starts, commands),
        *web.over_budget(stormed),
        *catalogue_search.over_budget(searches),
    ]
    print("\n".join(problems) or "Cold start, calls over HTTP and searches: within budget.")
    return 1 if problems else 0


def measure_calls(era: Era, state: Path) -> list[Call]:
    """A dry run with each provider, and a look-up that the sandbox answers in the same process."""
    with serving(SDK, era, state) as server:
        first_list(server)
        echo = median_call(server, "echo", {"text": "hello"})
    calls: list[Call] = []
    with serving(OURS, era, state) as server:
        first_list(server)
        for sample in SAMPLES.values():
            seconds = median_call(server, sample.create, sample.arguments(dry_run=True))
            calls.append(Call(era, f"{sample.create}, dry_run", seconds, echo))
        server.send(server.call(DIPLI.create, DIPLI.order))
        placed = server.answer()
        # Dipli, because it limits nobody's calls and one request answers a look-up
        seconds = median_call(server, DIPLI.get, {DIPLI.their_number: placed["order_id"]})
        calls.append(Call(era, f"{DIPLI.get}, sandbox included", seconds, echo))
    return calls


def median_call(server: ServerProcess, tool: str, arguments: Mapping[str, Any]) -> float:
    """Seconds, one call after the other."""

    def call() -> None:
        server.send(server.call(tool, dict(arguments)))
        server.answer()

    call()
    return statistics.median(timed(call) for _ in range(CALLS))


def heading() -> list[str]:
    """What was measured with what."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("dropship-mcp", "mcp", "pydantic"))
    return [
        "# Results",
        "",
        f"Written by `make bench`. {platform.python_implementation()} {platform.python_version()}, {versions}.",
        "Times depend on the machine; the ratios are what to compare.",
    ]


def calls_table(calls: Sequence[Call]) -> list[str]:
    """Markdown."""
    return [
        "",
        f"## One call over stdio, medians of {CALLS}",
        "",
        "| protocol | call | ms | an echo of the bare server, ms | ratio |",
        "|---|---|--:|--:|--:|",
        *(
            f"| {VERSIONS[c.era]} | {c.what} | {c.seconds * 1000:.2f} | {c.echo * 1000:.2f} "
            f"| {c.seconds / c.echo:.1f} |"
            for c in calls
        ),
    ]


def same_tokens_table(looked: reads.Reads) -> list[str]:
    """Markdown: the same operations as each server lists them."""
    count = token_counting()
    return [
        "",
        f"## What a model reads: tokens (o200k_base) of the {len(OPERATIONS)} tools that all servers have",
        "",
        "| server | protocol | tokens |",
        "|---|---|--:|",
        *(
            f"| {contender.name} | {VERSIONS[contender.era]} | {sum(count(compact(tool)) for tool in tools)} |"
            for contender, tools in looked.lists.items()
        ),
    ]


def token_counting() -> Callable[[str], int]:
    """How many tokens a text is."""
    count = token_counter()
    if count is None:
        raise RuntimeError("token counts need bpe-openai, which `make bench` installs")
    return count


def tokens_table(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    """Markdown."""
    count = token_counting()
    costs = {
        tool["name"]: [count(compact(part)) for part in (tool, tool["inputSchema"], tool["outputSchema"])]
        for tool in tools
    }
    totals = [sum(column) for column in zip(*costs.values(), strict=True)]
    return [
        "",
        "## Tokens of the whole list",
        "",
        "| tool | all | input | output |",
        "|---|--:|--:|--:|",
        *(f"| {name} | {whole} | {given} | {told} |" for name, (whole, given, told) in costs.items()),
        f"| **{len(costs)} tools** | " + " | ".join(f"**{total}**" for total in totals) + " |",
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
