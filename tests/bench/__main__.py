"""`make bench`: cold start, calls and tokens, measured here and now and written to RESULTS.md."""

from __future__ import annotations

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.pipes import ERAS, Era, Pipe, environment, served
from dropship_mcp.commands.tools import compact, token_counter
from dropship_tools import PROVIDERS

STARTS = 15
CALLS = 200
BUDGET = 1.2
"""How much longer than a bare server of the SDK ours may take to its first tool list."""

RESULTS = Path(__file__).with_name("RESULTS.md")
OURS = (sys.executable, "-m", "dropship_mcp")
BARE = (sys.executable, "-c", "import gc; gc.disable(); from bench.bare_server import main; main()")
READ = PROVIDERS[0]
"""Whose get call is measured: Dipli limits nobody's calls and one request answers it."""


@dataclass(frozen=True)
class Comparison:
    """Seconds to the first tool list, medians."""

    era: Era
    bare: float
    ours: float

    @property
    def ratio(self) -> float:
        """What the budget is about."""
        return self.ours / self.bare


def main() -> int:
    """0 when the start is within budget."""
    with tempfile.TemporaryDirectory(prefix="dropship-bench-") as folder:
        env = environment(Path(folder))
        starts = [_starts(era, env) for era in ERAS]
        calls = {era: _calls(era, env) for era in ERAS}
        with served(OURS, "modern", env) as pipe:
            pipe.open()
            tools = pipe.tools()
    text = "\n".join([*_heading(), *_starts_table(starts), *_calls_table(calls), *_tokens_table(tools)])
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    worst = max(start.ratio for start in starts)
    print(f"Cold start: {worst:.2f} times a bare server; the budget is {BUDGET}.")
    return 0 if worst <= BUDGET else 1


def _starts(era: Era, env: Mapping[str, str]) -> Comparison:
    """Both servers in turns, so that whatever else the machine does hits both. The first turn writes byte-code."""
    seconds: dict[Sequence[str], list[float]] = {BARE: [], OURS: []}
    for turn in range(STARTS + 1):
        for command, taken in seconds.items():
            began = time.perf_counter()
            with served(command, era, env) as pipe:
                pipe.open()
                pipe.tools()
                if turn:
                    taken.append(time.perf_counter() - began)
    return Comparison(era, statistics.median(seconds[BARE]), statistics.median(seconds[OURS]))


def _calls(era: Era, env: Mapping[str, str]) -> list[tuple[str, float]]:
    """Seconds of one call, medians; the bare server's echo first."""
    with served(BARE, era, env) as pipe:
        pipe.open()
        found = [("echo, bare server", _median(lambda: pipe.call("echo", {"text": "hello"})))]
    with served(OURS, era, env) as pipe:
        pipe.open()
        for provider in PROVIDERS:
            example = provider.example()
            order = {**example.order, example.reference_field: "BENCH-1", "dry_run": True}
            found.append(
                (f"{provider.name}_create_order, dry_run", _repeated(pipe, f"{provider.name}_create_order", order))
            )
        example = READ.example()
        reference = {example.reference_field: f"BENCH-{era}"}
        pipe.call(f"{READ.name}_create_order", {**example.order, **reference})
        found.append((f"{READ.name}_get_order, sandbox included", _repeated(pipe, f"{READ.name}_get_order", reference)))
    return found


def _repeated(pipe: Pipe, tool: str, arguments: Mapping[str, Any]) -> float:
    return _median(lambda: pipe.call(tool, arguments))


def _median(call: Callable[[], object]) -> float:
    call()
    taken: list[float] = []
    for _ in range(CALLS):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _heading() -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in ("dropship-mcp", "mcp", "pydantic"))
    return [
        "# Results",
        "",
        f"Written by `make bench`. {platform.python_implementation()} {platform.python_version()}, {versions}.",
        "Times depend on the machine; the ratios are what to compare.",
    ]


def _starts_table(starts: Sequence[Comparison]) -> list[str]:
    rows = [f"| {s.era} | {_ms(s.bare)} | {_ms(s.ours)} | {s.ratio:.2f} |" for s in starts]
    return [
        "",
        f"## Cold start: spawn to answered tool list, medians of {STARTS} runs in turns",
        "",
        "| era | bare server, ms | dropship-mcp, ms | ratio |",
        "|---|--:|--:|--:|",
        *rows,
        "",
        f"The budget is a ratio of {BUDGET}.",
    ]


def _calls_table(calls: Mapping[Era, Sequence[tuple[str, float]]]) -> list[str]:
    rows: list[str] = []
    for era, found in calls.items():
        echo = found[0][1]
        rows += [f"| {era} | {name} | {_ms(taken)} | {taken / echo:.1f} |" for name, taken in found]
    return [
        "",
        f"## One call over stdio, medians of {CALLS}",
        "",
        "| era | call | ms | times echo |",
        "|---|---|--:|--:|",
        *rows,
    ]


def _tokens_table(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    count = token_counter()
    if count is None:
        raise RuntimeError("token counts need bpe-openai, which `make bench` installs")
    costs = [
        (tool["name"], *(count(compact(part)) for part in (tool, tool["inputSchema"], tool["outputSchema"])))
        for tool in tools
    ]
    rows = [f"| {name} | {whole} | {given} | {told} |" for name, whole, given, told in costs]
    totals = [sum(column) for column in zip(*(cost[1:] for cost in costs), strict=True)]
    return [
        "",
        "## What a model reads: tokens (o200k_base) of the tool list",
        "",
        "| tool | all | input | output |",
        "|---|--:|--:|--:|",
        *rows,
        f"| **{len(costs)} tools** | " + " | ".join(f"**{total}**" for total in totals) + " |",
        "",
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}" if seconds > 0.02 else f"{seconds * 1000:.2f}"


if __name__ == "__main__":
    sys.exit(main())
