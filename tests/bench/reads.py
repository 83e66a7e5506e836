"""Look-ups over stdio, one after the other and many in flight, beside what others make of the same operations."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.contenders import (
    FLIGHT,
    OURS,
    OURS_NEWER,
    PEER,
    PEERS,
    Contender,
    Measured,
    in_flight,
    live,
    median_ratio,
    one_by_one,
    serving,
    upstream,
)
from bench.recorded import LookUp, record
from bench.spec import OPERATIONS
from e2e.processes import ServerProcess
from protocol.bench import VERSIONS

ROUNDS = 5
SINGLES = 100
MANY = 600
SETTLING_SECONDS = 0.1
"""Before each burst, so that none is slowed by what the server before it still tidies up."""

FEW = 4
"""Single calls of a round where a provider allows few requests."""

CONTENDERS = (*PEERS, OURS, OURS_NEWER)


@dataclass
class Reads:
    """What was measured, by tool; and the tools of the same operations as each server lists them."""

    measured: dict[str, dict[Contender, Measured]] = field(default_factory=dict[str, dict[Contender, Measured]])
    lists: dict[Contender, list[Mapping[str, Any]]] = field(default_factory=dict[Contender, list[Mapping[str, Any]]])


def measure(state: Path) -> Reads:
    """All servers in turns; the first turn does not count."""
    reads = Reads()
    with ExitStack() as opened:
        look_ups, bodies = asyncio.run(record())
        env = live(opened.enter_context(upstream(bodies)))
        servers = {contender: opened.enter_context(serving(contender, env, state)) for contender in CONTENDERS}
        reads.lists = {contender: same_tools(contender, server) for contender, server in servers.items()}
        for turn in range(ROUNDS + 1):
            for look_up in look_ups:
                found = reads.measured.setdefault(look_up.tool, {contender: Measured() for contender in servers})
                for contender, server in servers.items():
                    measured = Measured() if turn == 0 else found[contender]
                    singles = calls(contender, server, look_up, FEW if look_up.few else SINGLES)
                    measured.singles.append(one_by_one(server, singles))
                    if not look_up.few:
                        time.sleep(SETTLING_SECONDS)
                        in_flight(server, calls(contender, server, look_up, MANY), measured)
    return reads


def calls(contender: Contender, server: ServerProcess, look_up: LookUp, many: int) -> Sequence[bytes]:
    """So many, each with an id of its own."""
    return [server.call(contender.tool(look_up.tool), dict(look_up.arguments)) for _ in range(many)]


def same_tools(contender: Contender, server: ServerProcess) -> list[Mapping[str, Any]]:
    """The tools of the operations that all have."""
    server.send(server.request("tools/list"))
    names = [contender.tool(name) for name in OPERATIONS]
    return [tool for tool in server.read()["result"]["tools"] if tool["name"] in names]


def tables(reads: Reads) -> list[str]:
    """Markdown."""
    return [*_singles(reads.measured), *_many(reads.measured)]


def _singles(measured: Mapping[str, Mapping[Contender, Measured]]) -> list[str]:
    lines = [
        "",
        "## Look-ups over stdio, one after the other",
        "",
        f"Medians of {ROUNDS} rounds in turns.",
        "",
        f"| look-up | server | protocol | p50, ms | of {PEER.name} |",
        "|---|---|---|--:|--:|",
    ]
    for tool, found in measured.items():
        for contender, here in found.items():
            ratio = median_ratio(here.singles, found[PEER].singles)
            milliseconds = statistics.median(here.singles) * 1000
            lines.append(
                f"| {tool} | {contender.name} | {VERSIONS[contender.era]} | {milliseconds:.2f} | {ratio:.2f} |"
            )
    return lines


def _many(measured: Mapping[str, Mapping[Contender, Measured]]) -> list[str]:
    lines = [
        "",
        f"## Look-ups over stdio, {FLIGHT} in flight",
        "",
        f"| look-up | server | protocol | calls/s | of {PEERS[-1].name} | processor time of a call, ms |",
        "|---|---|---|--:|--:|--:|",
    ]
    for tool, found in measured.items():
        for contender, here in found.items():
            if here.rates:
                ratio = median_ratio(here.rates, found[PEERS[-1]].rates)
                rate, work = statistics.median(here.rates), statistics.mean(here.work) * 1000
                lines.append(
                    f"| {tool} | {contender.name} | {VERSIONS[contender.era]} | {rate:.0f} | {ratio:.2f} | {work:.2f} |"
                )
    return lines
