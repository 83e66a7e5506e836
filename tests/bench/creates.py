"""Orders over stdio, with and without a ledger, beside what others make of the same operation."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path

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
from e2e.processes import ServerProcess
from protocol.bench import VERSIONS
from protocol.samples import DIPLI

ROUNDS = 5
SINGLES = 60
MANY = 400

WITHOUT = Contender("dropship-mcp, nothing written down", (sys.executable, "-m", "bench.no_ledger"), "legacy")
CONTENDERS = (*PEERS, OURS, OURS_NEWER, WITHOUT)
PLACED = {f"/dipli{DIPLI.create_path}": json.dumps({"code": 200, "msg": "OK", "public_id": "A-100001"})}

Creates = Mapping[Contender, Measured]


def measure(folder: Path) -> Creates:
    """All servers in turns; the first turn does not count."""
    with ExitStack() as opened:
        env = {**live(opened.enter_context(upstream(PLACED))), "DROPSHIP_ORDERS": "allow"}
        servers: dict[Contender, ServerProcess] = {}
        for number, contender in enumerate(CONTENDERS):
            state = folder / f"orders-{number}"  # each has a ledger of its own
            state.mkdir()
            servers[contender] = opened.enter_context(serving(contender, env, state))
        creates = {contender: Measured() for contender in servers}
        numbers = count(1)
        for turn in range(ROUNDS + 1):
            for contender, server in servers.items():
                measured = Measured() if turn == 0 else creates[contender]
                measured.singles.append(one_by_one(server, orders(contender, server, SINGLES, numbers)))
                in_flight(server, orders(contender, server, MANY, numbers), measured)
        return creates


def orders(contender: Contender, server: ServerProcess, many: int, numbers: count[int]) -> Sequence[bytes]:
    """So many calls, each for a parcel of its own: the same one again would need a person."""
    return [
        server.call(
            contender.tool(DIPLI.create), DIPLI.arguments(alternative_id=f"WEB-{number}", buyer=f"Buyer {number}")
        )
        for number in islice(numbers, many)
    ]


def table(creates: Creates) -> list[str]:
    """Markdown."""
    lines = [
        "",
        f"## `{DIPLI.create}` over stdio, the ledger on this machine's disk",
        "",
        f"Medians of {ROUNDS} rounds in turns.",
        "",
        f"| server | protocol | one by one, p50, ms | {FLIGHT} in flight, orders/s | of {PEER.name} "
        "| of those without a ledger | processor time of an order, ms |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for contender, here in creates.items():
        ratios = [median_ratio(here.rates, creates[other].rates) for other in (PEER, WITHOUT)]
        lines.append(
            f"| {contender.name} | {VERSIONS[contender.era]} | {statistics.median(here.singles) * 1000:.2f} "
            f"| {statistics.median(here.rates):.0f} | {ratios[0]:.2f} | {ratios[1]:.2f} "
            f"| {statistics.mean(here.work) * 1000:.2f} |"
        )
    return lines
