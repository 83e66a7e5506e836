"""Cold start: from spawning a process to its handshake, its tool list and the answer to its first call.

All servers start in turns, so that whatever else the machine does hits all of them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import HERE, NODE, PEERS, for_peers
from e2e.processes import COMMAND, ServerProcess, environment, started
from protocol.bench import ERAS, VERSIONS, Era

STARTS = 9
BUDGET = 0.4
"""How much of a TypeScript server's time ours may take until a host has its tools."""

COMMAND_BUDGET = 2.5
"""How many times as long as Python alone a command may take that needs neither the SDK nor a provider."""

FIRST_CALL_BUDGET = 1.1
"""How much longer than without the opening the first call may take to be answered."""


BARE_PYTHON = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"jsonrpc": "2.0", "id": json.loads(line).get("id"), "result": {"tools": []}}), flush=True)
"""
BARE_SDK = (
    f"import gc, sys; gc.disable(); sys.path.append({str(HERE.parent)!r}); from bench.bare_server import main; main()"
)
WITHOUT_OPENING = (
    "import sys; from dropship_mcp.commands import serve; serve._opening = lambda _: None; sys.exit(serve.run(None))"
)

OURS, TYPESCRIPT, SDK, PYTHON = "dropship-mcp", "TypeScript SDK", "Python SDK", "Python alone"
FROM_OPENAPI = {peer.name: peer for peer in PEERS if "by hand" not in peer.name}
"""Measured as most hosts speak to them; they cannot be called without their provider."""

SDK_FIRST = "dropship-mcp, nothing before the SDK"
ECHO = ("echo", {"text": "hello"})
STATUS: tuple[str, dict[str, Any]] = ("dropship_status", {})

SERVERS: Mapping[str, tuple[Sequence[str], tuple[str, dict[str, Any]] | None]] = {
    PYTHON: ((sys.executable, "-c", BARE_PYTHON), None),
    TYPESCRIPT: ((NODE, str(HERE / "peers/bare.mjs")), ECHO),
    **{name: (peer.command, None) for name, peer in FROM_OPENAPI.items()},
    SDK: ((sys.executable, "-c", BARE_SDK), ECHO),
    SDK_FIRST: ((sys.executable, "-c", WITHOUT_OPENING), STATUS),
    OURS: ((COMMAND,), STATUS),
}
"""What is started, and the first call there is."""

COMMANDS: Mapping[str, tuple[Sequence[str], dict[str, str]]] = {
    PYTHON: ((sys.executable, "-c", BARE_PYTHON), {}),
    "dropship-mcp --version": ((COMMAND, "--version"), {}),
    "dropship-mcp --help": ((COMMAND, "--help"), {}),
    "dropship-mcp, wrong settings": ((COMMAND,), {"DROPSHIP_MODE": "production"}),
}
"""Commands with their settings."""


@dataclass(frozen=True)
class Start:
    """Seconds since the process was spawned, medians, the first call's one by one; the memory it holds then, in MiB."""

    era: Era
    server: str
    hello: float
    tools: float
    call: float
    memory: float
    calls: tuple[float, ...]


def serving(server: str, era: Era, state: Path) -> AbstractContextManager[ServerProcess]:
    """One of the servers."""
    settings = for_peers("http://127.0.0.1:9") if server in FROM_OPENAPI else {}
    return started(state, era, SERVERS[server][0], None, **settings)


def first_list(server: ServerProcess) -> list[dict[str, Any]]:
    """What every host does first, in either era."""
    say_hello(server)
    server.send(server.request("tools/list"))
    return server.read()["result"]["tools"]


def say_hello(server: ServerProcess) -> None:
    """The handshake, or what stands for it."""
    server.send(server.hello() or server.request("server/discover"))
    server.read()


def measure_starts(state: Path) -> list[Start]:
    """The first turn writes byte-code and does not count."""
    taken: dict[tuple[Era, str], list[tuple[float, ...]]] = {
        (era, server): [] for era in ERAS for server in SERVERS if era == "legacy" or server not in FROM_OPENAPI
    }
    for turn in range(STARTS + 1):
        for (era, server), times in taken.items():
            measured = measure_start(server, era, state)
            if turn:
                times.append(measured)
    return [started_so(era, server, times) for (era, server), times in taken.items()]


def started_so(era: Era, server: str, times: Sequence[tuple[float, ...]]) -> Start:
    """The medians of what was measured."""
    hello, tools, call, memory = (statistics.median(column) for column in zip(*times, strict=True))
    return Start(era, server, hello, tools, call, memory, calls=tuple(call for _, _, call, _ in times))


def measure_start(server: str, era: Era, state: Path) -> tuple[float, ...]:
    """Seconds to the three answers, and MiB."""
    began = time.perf_counter()
    times: list[float] = []
    with serving(server, era, state) as process:
        say_hello(process)
        times.append(time.perf_counter() - began)
        process.send(process.request("tools/list"))
        process.read()
        times.append(time.perf_counter() - began)
        if call := SERVERS[server][1]:
            process.send(process.call(*call))
            assert "result" in process.read()
            times.append(time.perf_counter() - began)
        memory = resident(process.process.pid)
    return (*times, *(0.0 for _ in range(3 - len(times))), memory)


def measure_commands(state: Path) -> dict[str, float]:
    """Seconds of commands that need neither the SDK nor a provider, and of Python answering one line; medians."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(STARTS + 1):
        for name, times in taken.items():
            command, settings = COMMANDS[name]
            began = time.perf_counter()
            subprocess.run(command, env=environment(state, **settings), input=b"{}\n", capture_output=True, check=False)
            if turn:
                times.append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in taken.items()}


def commands_table(commands: Mapping[str, float]) -> list[str]:
    """Markdown."""
    rows = [f"| {name} | {s * 1000:.0f} | {s / commands[PYTHON]:.1f} |" for name, s in commands.items()]
    return [
        "",
        f"Commands that need neither the SDK nor a provider; their budget is {COMMAND_BUDGET} times Python alone.",
        "",
        "| command | ms | of Python alone |",
        "|---|--:|--:|",
        *rows,
    ]


def resident(number: int) -> float:
    """MiB of memory a process holds."""
    status = Path(f"/proc/{number}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def starts_table(starts: Sequence[Start]) -> list[str]:
    """Markdown."""
    rows: list[str] = []
    for start in starts:
        peer = next((s.tools for s in starts if (s.era, s.server) == (start.era, TYPESCRIPT)), None)
        rows.append(
            f"| {VERSIONS[start.era]} | {start.server} | {start.hello * 1000:.0f} | {start.tools * 1000:.0f} "
            f"| {f'{start.tools / peer:.2f}' if peer else '-'} | {f'{start.call * 1000:.0f}' if start.call else '-'} "
            f"| {start.memory:.0f} |"
        )
    return [
        "",
        f"## Cold start: medians of {STARTS} starts in turns",
        "",
        "Milliseconds from spawning the process to the answers; memory after the first call, or without one after the",
        "list.",
        "",
        f"| protocol | server | handshake | tool list | of {TYPESCRIPT} | first call | MiB |",
        "|---|---|--:|--:|--:|--:|--:|",
        *rows,
        "",
        f"Budgets: the tool list within {BUDGET} of a server of the {TYPESCRIPT}. The first call, turn by turn, within",
        f"{FIRST_CALL_BUDGET} of the time without the answers given before the SDK; it was "
        + " and ".join(f"{first_call_ratio(starts, era):.2f} ({VERSIONS[era]})" for era in ERAS)
        + ".",
    ]


def first_call_ratio(starts: Sequence[Start], era: Era) -> float:
    """How much later the first call was answered because something was answered before: the median of all turns."""
    of = {start.server: start.calls for start in starts if start.era == era}
    return statistics.median(ours / other for ours, other in zip(of[OURS], of[SDK_FIRST], strict=True))


def over_budget(starts: Sequence[Start], commands: Mapping[str, float]) -> list[str]:
    """What took too long."""
    found = [
        f"{name}: {ratio:.1f} times Python alone, budget {COMMAND_BUDGET}"
        for name, seconds in commands.items()
        if (ratio := seconds / commands[PYTHON]) > COMMAND_BUDGET
    ]
    for era in ERAS:
        of = {start.server: start for start in starts if start.era == era}
        if TYPESCRIPT in of and (ratio := of[OURS].tools / of[TYPESCRIPT].tools) > BUDGET:
            found.append(f"{VERSIONS[era]}: tool list {ratio:.2f} of a TypeScript server, budget {BUDGET}")
        if (ratio := first_call_ratio(starts, era)) > FIRST_CALL_BUDGET:
            found.append(f"{VERSIONS[era]}: first call {ratio:.2f} of the time without, budget {FIRST_CALL_BUDGET}")
    return found
