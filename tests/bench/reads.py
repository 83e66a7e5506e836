"""`make bench-peers`: look-ups over stdio against a server of the TypeScript SDK, written to READS.md."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
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
from bench.recorded import record
from protocol.bench import VERSIONS

ROUNDS = 7
SINGLES = 200
MANY = 600
FEW = 4
"""Single calls of a round where a provider allows few requests."""

RESULTS = HERE / "READS.md"
CONTENDERS = (PEER, OURS, OURS_NEWER)

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
                    call = server.call(look_up.tool, dict(look_up.arguments))
                    measured.singles.append(one_by_one(server, [call] * (FEW if look_up.few else SINGLES)))
                    if not look_up.few:
                        in_flight(server, [call] * MANY, measured)
    text = "\n".join([*heading(), *singles_table(results), *many_table(results), ""])
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return 0


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


if __name__ == "__main__":
    sys.exit(main())
