"""`make bench-peers`: orders over stdio with and without a ledger and against the TypeScript SDK, to CREATES.md."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path

from bench.contenders import (
    FLIGHT,
    HERE,
    OURS,
    OURS_NEWER,
    PEER,
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

ROUNDS = 7
SINGLES = 100
MANY = 600

RESULTS = HERE / "CREATES.md"
WITHOUT = Contender("dropship-mcp, nothing written down", (sys.executable, "-m", "bench.no_ledger"), "legacy")
CONTENDERS = (PEER, OURS, OURS_NEWER, WITHOUT)
PLACED = {f"/dipli{DIPLI.create_path}": json.dumps({"code": 200, "msg": "OK", "public_id": "A-100001"})}

Results = Mapping[Contender, Measured]


def main() -> int:
    """Measure and write."""
    with tempfile.TemporaryDirectory(prefix="dropship-bench-") as folder, ExitStack() as opened:
        env = {
            **live(opened.enter_context(upstream(PLACED))),
            "DROPSHIP_ORDERS": "allow",
            "PYTHONPATH": str(HERE.parent),
        }
        servers: dict[Contender, ServerProcess] = {}
        for number, contender in enumerate(CONTENDERS):
            state = Path(folder, str(number))  # each has a ledger of its own
            state.mkdir()
            servers[contender] = opened.enter_context(serving(contender, env, state))
        results = {contender: Measured() for contender in servers}
        numbers = count(1)
        for turn in range(ROUNDS + 1):
            for contender, server in servers.items():
                measured = Measured() if turn == 0 else results[contender]
                measured.singles.append(one_by_one(server, orders(server, SINGLES, numbers)))
                in_flight(server, orders(server, MANY, numbers), measured)
    text = "\n".join([*heading(), *table(results), ""])
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return 0


def orders(server: ServerProcess, many: int, numbers: count[int]) -> Sequence[bytes]:
    """So many calls, each for a parcel of its own: the same one again would need a person."""
    return [
        server.call(DIPLI.create, DIPLI.arguments(alternative_id=f"WEB-{number}", buyer=f"Buyer {number}"))
        for number in islice(numbers, many)
    ]


def heading() -> list[str]:
    """What this is."""
    return [
        "# Orders against a peer",
        "",
        "Written by `make bench-peers`; README.md says how, what was done for these figures and what was not.",
        f"Medians of {ROUNDS} rounds in turns. Times depend on the machine; the ratios are what to compare.",
    ]


def table(results: Results) -> list[str]:
    """Markdown."""
    lines = [
        "",
        f"## `{DIPLI.create}`, the ledger on this machine's disk",
        "",
        f"| server | protocol | one by one, p50, ms | {FLIGHT} in flight, orders/s | of the peer's "
        "| of those without a ledger | processor time of an order, ms |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for contender, here in results.items():
        ratios = [median_ratio(here.rates, results[other].rates) for other in (PEER, WITHOUT)]
        lines.append(
            f"| {contender.name} | {VERSIONS[contender.era]} | {statistics.median(here.singles) * 1000:.2f} "
            f"| {statistics.median(here.rates):.0f} | {ratios[0]:.2f} | {ratios[1]:.2f} "
            f"| {statistics.mean(here.work) * 1000:.2f} |"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
