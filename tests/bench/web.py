"""Many calls at once over HTTP, beside what others make of the same operation."""

from __future__ import annotations

import asyncio
import resource
import statistics
import tempfile
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bench.contenders import live, median_ratio
from bench.recorded import record
from bench.web_load import CLIENTS, CROSSED, UNANSWERED, Crowd, Ended, calls, told_apart
from bench.web_servers import CONTENDERS, PEERS, Running, WebContender, running, upstream
from bench.web_streams import Streams
from bench.web_upstream import RECORDED
from protocol.bench import VERSIONS

ROUNDS = 3
BURSTS = 3
"""In each round, by a new process; the first does not count."""

MANY = 1000
SLOW_SECONDS = 5
QUEUES = {100: 20, 1000: 4, 10_000: 1}
"""Calls at once, and how often in a round."""

QUEUE_ROUNDS = 2
MOST_MEMORY = 140
"""MiB."""

SAME_IDS_SECONDS = 10
"""How long answers are waited for that may never come."""

FIRST_NUMBER = 100_000


@dataclass
class Storms:
    """One value for each round: calls per second, processor seconds of a call, MiB; and how all calls ended.

    Attributes:
        crossed: answers that reached a client that had not asked for them.
    """

    rates: list[float] = field(default_factory=list[float])
    work: list[float] = field(default_factory=list[float])
    memory: list[float] = field(default_factory=list[float])
    how: Counter[str] = field(default_factory=Counter[str])
    crossed: int = 0


@dataclass(frozen=True)
class Slow:
    """How calls to a slow provider ended, and the server's memory in MiB."""

    ended: Ended
    memory: float


Queues = dict[int, list[float]]
"""By calls at once: processor seconds of a call, for each round."""


@dataclass(frozen=True)
class Bench:
    """Everything that is measured, against one provider that answers at once and one that does not."""

    folder: Path
    quick: Mapping[str, str]
    slow: Mapping[str, str]
    numbers: count[int] = field(default_factory=lambda: count(FIRST_NUMBER))

    def storms(self) -> dict[WebContender, Storms]:
        """In turns, each time a new process, whose memory is that of these calls."""
        found = {contender: Storms() for contender in CONTENDERS}
        for _ in range(ROUNDS):
            for contender, storms in found.items():
                with running(contender, self._state(), self.quick) as server:
                    bursts = asyncio.run(self._bursts(server, MANY, BURSTS))
                    storms.memory.append(server.most_memory())
                storms.rates.append(statistics.median(MANY / ended.seconds for ended, _ in bursts[1:]))
                storms.work.append(statistics.median(work for _, work in bursts[1:]))
                for ended, _ in bursts:
                    storms.how += ended.how
                    storms.crossed += ended.how[CROSSED] + ended.strays
        return found

    def same_ids(self) -> dict[WebContender, Ended]:
        """One burst with ids that each client counts from 1, for servers that are measured without."""
        found: dict[WebContender, Ended] = {}
        for contender in (c for c in CONTENDERS if c.streams):
            with running(contender, self._state(), self.quick) as server:
                found[contender] = asyncio.run(self._same_ids(server))
        return found

    def slow_provider(self) -> dict[WebContender, Slow]:
        """All servers at the same time: they mostly wait."""
        with ExitStack() as opened:
            servers = {c: opened.enter_context(running(c, self._state(), self.slow)) for c in CONTENDERS}

            async def ask() -> list[list[tuple[Ended, float]]]:
                return await asyncio.gather(*(self._bursts(server, MANY, 1) for server in servers.values()))

            bursts = asyncio.run(ask())
            found = zip(servers.items(), bursts, strict=True)
            return {contender: Slow(ended, server.most_memory()) for (contender, server), [(ended, _)] in found}

    def queues(self) -> dict[WebContender, Queues]:
        """What a call costs behind few and behind many others."""
        found: dict[WebContender, Queues] = {}
        for contender in (c for c in CONTENDERS if c not in PEERS):
            found[contender] = {size: [] for size in QUEUES}
            for _ in range(QUEUE_ROUNDS):
                with running(contender, self._state(), self.quick, DROPSHIP_HTTP_MAX_CALLS="12000") as server:
                    asyncio.run(self._bursts(server, MANY, 1))
                    for size, times in QUEUES.items():
                        bursts = asyncio.run(self._bursts(server, size, times))
                        assert all(ended.how == {"found": size} for ended, _ in bursts), bursts
                        found[contender][size].append(statistics.mean(work for _, work in bursts))
        return found

    def _state(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    async def _bursts(self, server: Running, many: int, times: int) -> list[tuple[Ended, float]]:
        """How each ended, and the processor seconds of a call."""
        streams = server.contender.streams
        crowd = Streams(server.port) if streams else Crowd(server.port)
        ended: list[tuple[Ended, float]] = []
        for _ in range(times):
            await crowd.gather(many)
            worked = server.processor_seconds()
            asked = calls(many, self.numbers)
            burst = await crowd.burst(told_apart(asked) if streams else asked, server.said)
            ended.append((burst, (server.processor_seconds() - worked) / many))
        crowd.leave()
        return ended

    async def _same_ids(self, server: Running) -> Ended:
        crowd = Streams(server.port)
        await crowd.gather(MANY)
        ended = await crowd.burst(calls(MANY, self.numbers), server.said, SAME_IDS_SECONDS)
        crowd.leave()
        return ended


@dataclass(frozen=True)
class Web:
    """All that was measured."""

    storms: Mapping[WebContender, Storms]
    same_ids: Mapping[WebContender, Ended]
    slow: Mapping[WebContender, Slow]
    queues: Mapping[WebContender, Queues]


def measure(folder: Path) -> Web:
    """In turns, with new processes."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # servers have it from here
    with ExitStack() as opened:
        _, bodies = asyncio.run(record())
        body = next(body for path, body in bodies.items() if path.endswith(f"/A-{RECORDED}"))
        quick, slow = (live(opened.enter_context(upstream(body, seconds))) for seconds in (0, SLOW_SECONDS))
        bench = Bench(folder, quick, slow)
        return Web(bench.storms(), bench.same_ids(), bench.slow_provider(), bench.queues())


def over_budget(web: Web) -> list[str]:
    """Calls of ours that were not answered as they should be, and too much memory: on any machine."""
    ours = {contender: found for contender, found in web.storms.items() if contender not in PEERS}
    return [
        f"{MANY} calls at once, {VERSIONS[contender.era]}: {dict(found.how)}, {max(found.memory):.0f} MiB"
        for contender, found in ours.items()
        if found.how.keys() != {"found"} or max(found.memory) > MOST_MEMORY
    ]


def tables(web: Web) -> list[str]:
    """Markdown."""
    return [*_storms(web.storms), *_same_ids(web.same_ids), *_slow(web.slow), *_queues(web.queues)]


def _storms(found: Mapping[WebContender, Storms]) -> list[str]:
    best = max(PEERS, key=lambda peer: statistics.median(found[peer].rates))
    lines = [
        "",
        f"## {MANY:,} calls at once over HTTP, by {CLIENTS} clients",
        "",
        f"Medians of {ROUNDS} rounds in turns, each by new processes; the memory is the most that any held.",
        "",
        "| server | protocol | request ids | calls/s | of the best peer | answered wrongly | answers crossed | MiB "
        "| processor time of a call, ms |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for contender, storms in found.items():
        wrong = storms.how.total() - storms.how["found"]
        lines.append(
            f"| {contender.name} | {VERSIONS[contender.era]} | {'all different' if contender.streams else 'the same'} "
            f"| {statistics.median(storms.rates):.0f} | {median_ratio(storms.rates, found[best].rates):.2f} "
            f"| {wrong} | {storms.crossed} "
            f"| {max(storms.memory):.0f} | {statistics.median(storms.work) * 1000:.2f} |"
        )
    return lines


def _same_ids(found: Mapping[WebContender, Ended]) -> list[str]:
    lines: list[str] = []
    for contender, ended in found.items():
        how = ended.how
        note = (
            f"{contender.name} accepts a call in its POST, answers on a stream of the session, and finds the session by "
            "the request id alone. So each of its calls had an id of its own, here and below. Once, with the same ids as "
            f"all others, {how['found']:,} of {MANY:,} calls were answered with their order, {how[CROSSED]:,} with another "
            f"client's, and {how[UNANSWERED]:,} not within {SAME_IDS_SECONDS} s; meanwhile {ended.strays:,} more answers "
            "reached clients that waited for none with such an id."
        )
        lines += ["", *textwrap.wrap(note, 105)]
    return lines


def _slow(found: Mapping[WebContender, Slow]) -> list[str]:
    lines = [
        "",
        f"## The same while the provider takes {SLOW_SECONDS} s for each answer",
        "",
        "| server | protocol | how the calls ended | after s | MiB |",
        "|---|---|---|--:|--:|",
    ]
    for contender, slow in found.items():
        how = ", ".join(f"{many} {name}" for name, many in slow.ended.how.most_common())
        lines.append(
            f"| {contender.name} | {VERSIONS[contender.era]} | {how} | {slow.ended.seconds:.0f} | {slow.memory:.0f} |"
        )
    return lines


def _queues(found: Mapping[WebContender, Queues]) -> list[str]:
    sizes: Sequence[int] = tuple(QUEUES)
    lines = [
        "",
        "## What a call over HTTP costs behind others: processor time in ms",
        "",
        f"dropship-mcp, medians of {QUEUE_ROUNDS} rounds by new processes, with DROPSHIP_HTTP_MAX_CALLS at 12,000.",
        "",
        "| protocol | " + " | ".join(f"{size:,} at once" for size in sizes) + " |",
        "|---|" + "--:|" * len(sizes),
    ]
    for contender, queues in found.items():
        costs = " | ".join(f"{statistics.median(queues[size]) * 1000:.2f}" for size in sizes)
        lines.append(f"| {VERSIONS[contender.era]} | {costs} |")
    return lines
