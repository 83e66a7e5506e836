"""`make bench`: cold start, calls and tokens, measured here and now and written to RESULTS.md."""

from __future__ import annotations

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from dropship_mcp.commands.tools import compact, token_counter
from e2e.processes import COMMAND, ServerProcess, started
from protocol.bench import ERAS, VERSIONS, Era
from protocol.samples import DIPLI, SAMPLES

STARTS = 15
CALLS = 200
BUDGET = 1.2
"""How much longer than a bare server of the SDK ours may take to its first tool list."""

RESULTS = Path(__file__).with_name("RESULTS.md")
TESTS = str(RESULTS.parents[1])

Server = Literal["bare server", "dropship-mcp"]
COMMANDS: Mapping[Server, Sequence[str]] = {
    "bare server": (
        sys.executable,
        "-c",
        f"import gc, sys; gc.disable(); sys.path.append({TESTS!r}); from bench.bare_server import main; main()",
    ),
    "dropship-mcp": (COMMAND,),
}


@dataclass(frozen=True)
class Starts:
    """Seconds from spawn to the first tool list, medians."""

    era: Era
    bare: float
    ours: float

    @property
    def ratio(self) -> float:
        """What the budget is about."""
        return self.ours / self.bare


@dataclass(frozen=True)
class Call:
    """Seconds of one call over stdio, median; beside it the bare server's echo."""

    era: Era
    what: str
    seconds: float
    echo: float


def main() -> int:
    """0 when the start is within budget."""
    with tempfile.TemporaryDirectory(prefix="dropship-bench-") as folder:
        state = Path(folder)
        starts = [measure_starts(era, state) for era in ERAS]
        calls = [call for era in ERAS for call in measure_calls(era, state)]
        with serving("dropship-mcp", "auto", state) as server:
            tools = first_list(server)
    text = "\n".join([*heading(), *starts_table(starts), *calls_table(calls), *tokens_table(tools)])
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    worst = max(start.ratio for start in starts)
    print(f"Cold start: {worst:.2f} times a bare server; the budget is {BUDGET}.")
    return 0 if worst <= BUDGET else 1


def measure_starts(era: Era, state: Path) -> Starts:
    """Both servers in turns, so that whatever else the machine does hits both. The first turn writes byte-code."""
    taken: dict[Server, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(STARTS + 1):
        for name, seconds in taken.items():
            began = time.perf_counter()
            with serving(name, era, state) as server:
                first_list(server)
                if turn:
                    seconds.append(time.perf_counter() - began)
    return Starts(era, statistics.median(taken["bare server"]), statistics.median(taken["dropship-mcp"]))


def measure_calls(era: Era, state: Path) -> list[Call]:
    """A dry run with each provider, and a look-up that the sandbox answers in the same process."""
    with serving("bare server", era, state) as server:
        first_list(server)
        echo = median_call(server, "echo", {"text": "hello"})
    calls: list[Call] = []
    with serving("dropship-mcp", era, state) as server:
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


def serving(name: Server, era: Era, state: Path) -> AbstractContextManager[ServerProcess]:
    """One of the two servers."""
    return started(state, era, COMMANDS[name])


def first_list(server: ServerProcess) -> list[dict[str, Any]]:
    """What every host does first, in either era."""
    if hello := server.hello() or server.request("server/discover"):
        server.send(hello)
        server.read()
    server.send(server.request("tools/list"))
    return server.read()["result"]["tools"]


def median_call(server: ServerProcess, tool: str, arguments: Mapping[str, Any]) -> float:
    """Seconds, one call after the other."""

    def call() -> None:
        server.send(server.call(tool, dict(arguments)))
        server.answer()

    call()
    return statistics.median(timed(call) for _ in range(CALLS))


def timed(work: Callable[[], None]) -> float:
    """Seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def heading() -> list[str]:
    """What was measured with what."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("dropship-mcp", "mcp", "pydantic"))
    return [
        "# Results",
        "",
        f"Written by `make bench`. {platform.python_implementation()} {platform.python_version()}, {versions}.",
        "Times depend on the machine; the ratios are what to compare.",
    ]


def starts_table(starts: Sequence[Starts]) -> list[str]:
    """Markdown."""
    return [
        "",
        f"## Cold start: spawn to answered tool list, medians of {STARTS} starts in turns",
        "",
        "| protocol | bare server, ms | dropship-mcp, ms | ratio |",
        "|---|--:|--:|--:|",
        *(f"| {VERSIONS[s.era]} | {s.bare * 1000:.0f} | {s.ours * 1000:.0f} | {s.ratio:.2f} |" for s in starts),
        "",
        f"The budget is a ratio of {BUDGET}.",
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


def tokens_table(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    """Markdown."""
    count = token_counter()
    if count is None:
        raise RuntimeError("token counts need bpe-openai, which `make bench` installs")
    costs = {
        tool["name"]: [count(compact(part)) for part in (tool, tool["inputSchema"], tool["outputSchema"])]
        for tool in tools
    }
    totals = [sum(column) for column in zip(*costs.values(), strict=True)]
    return [
        "",
        "## What a model reads: tokens (o200k_base) of the tool list",
        "",
        "| tool | all | input | output |",
        "|---|--:|--:|--:|",
        *(f"| {name} | {whole} | {given} | {told} |" for name, (whole, given, told) in costs.items()),
        f"| **{len(costs)} tools** | " + " | ".join(f"**{total}**" for total in totals) + " |",
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
