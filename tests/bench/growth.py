"""`make bench-growth`: what grows with the number of orders, providers and accounts, written to GROWTH.md.

Every figure stands beside that of the smallest case of the same run. A claim writes to the disk, and its look at earlier
orders is part of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from bench.starts import first_list
from dropship_mcp.commands.tools import compact, token_counter
from dropship_mcp.ledger import OrderKey, SqliteLedger, Terms
from dropship_mcp.ledger.opening import open_file
from dropship_mcp.policy import Limits, OrderFacts, Policy
from e2e.processes import COMMAND, ServerProcess, started
from protocol.samples import DIPLI

SIZES = (0, 1000, 100_000, 1_000_000)
TWO_YEARS = timedelta(days=730)
"""The orders of a ledger are spread over them: a million is 1,370 a day."""

TIMES = 300
STARTS = 7
CALLS = 200

BUDGET = 2.0
"""How many times as long as in an empty ledger."""

MANY = 10**9
COUNTED = Limits(orders_per_hour=MANY, orders_per_day=MANY, total_per_day=Decimal(MANY))
POLICIES = {
    "claim, no rules": Policy(),
    "claim, the same parcel is looked for": Policy(same_parcel="ask"),
    "claim, orders and money of a day are counted": Policy(same_parcel="ask", deny=COUNTED),
}
ORDER = OrderFacts("dipli", "main", "FR", 1, Decimal("12.50"))

RESULTS = Path(__file__).with_name("GROWTH.md")


@dataclass(frozen=True)
class Start:
    """A server with so many providers or accounts: seconds, and what its tool list costs."""

    what: str
    tools: float
    call: float
    tokens: int


def main() -> int:
    """0 when looking and claiming stay within budget."""
    with tempfile.TemporaryDirectory(prefix="dropship-bench-") as folder:
        state = Path(folder)
        ledgers = asyncio.run(measure_ledgers(state))
        starts = [*measure_providers(state), *measure_accounts(state)]
    text = "\n".join([*heading(), *ledger_table(ledgers), *starts_table(starts), ""])
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    problems = [
        f"{what} takes {seconds / ledgers[0][what]:.1f} times as long with {size:,} orders"
        for size, found in ledgers.items()
        for what, seconds in found.items()
        if seconds > BUDGET * ledgers[0][what]
    ]
    print("\n".join(problems) or "Looking and claiming: within budget.")
    return 1 if problems else 0


# --- the ledger -------------------------------------------------------------------------------------------------


def fill(path: Path, size: int, now: datetime) -> None:
    """So many placed orders, spread evenly up to now."""
    with contextlib.closing(open_file(path, 5)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        db.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 0 WHERE :size > 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :size)
            INSERT INTO orders (mode, provider, account, reference, state, attempt, owner, fingerprint, fields, trace,
                parcel, total, order_id, answer, reason, since, sent_at, changed_at)
            SELECT 'live', 'dipli', 'main', 'OLD-' || i, 'placed', 1, 'gone', hex(randomblob(32)), :fields,
                hex(randomblob(32)), hex(randomblob(32)), 125000, 'A-' || i, :answer, '',
                strftime('%Y-%m-%dT%H:%M:%f+00:00', :began + :step * i, 'unixepoch'), NULL,
                strftime('%Y-%m-%dT%H:%M:%f+00:00', :began + :step * i, 'unixepoch')
            FROM n
            """,
            {
                "size": size,
                "fields": compact({f"field_{number}": "0123456789ab" for number in range(8)}),
                "answer": compact({"order_id": "A-1", "status": "received"}),
                "began": (now - TWO_YEARS).timestamp(),
                "step": TWO_YEARS.total_seconds() / max(size, 1),
            },
        )
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


Work = Callable[[int], Awaitable[object]]


async def measure_ledgers(folder: Path) -> Mapping[int, Mapping[str, float]]:
    """Seconds of what calls ask of a ledger, medians; the ledgers take turns."""
    now = datetime.now(UTC)
    ledgers: dict[int, SqliteLedger] = {}
    for size in SIZES:
        fill(folder / f"{size}.sqlite3", size, now)
        ledgers[size] = SqliteLedger(folder / f"{size}.sqlite3")
    try:
        works = {size: await asked_of(ledger) for size, ledger in ledgers.items()}
        found: dict[int, dict[str, float]] = {size: {} for size in SIZES}
        for what in works[0]:
            taken: dict[int, list[float]] = {size: [] for size in SIZES}
            for number in range(TIMES):
                for size, work in works.items():
                    began = time.perf_counter()
                    await work[what](number)
                    taken[size].append(time.perf_counter() - began)
            for size, seconds in taken.items():
                found[size][what] = statistics.median(seconds)
        return found
    finally:
        for ledger in ledgers.values():
            await ledger.close()


async def asked_of(ledger: SqliteLedger) -> Mapping[str, Work]:
    """What calls ask of it."""
    hashed = await ledger.hashes({"city": "Lyon"}, "trace")

    async def claim(rules: str, number: int) -> None:
        reference = f"{rules}-{number}"
        key, content = OrderKey("live", "dipli", "main", reference), replace(hashed, parcel=reference)
        assert (await ledger.claim(key, content, Terms(POLICIES[rules], ORDER, lambda _: ""))).won

    key = OrderKey("live", "dipli", "main", "LAST")
    row = (await ledger.claim(key, hashed)).row
    return {
        **{rules: partial(claim, rules) for rules in POLICIES},
        "one order, by its key": lambda _: ledger.get(key),
        "one order, by its reference alone": lambda _: ledger.by_reference("live", "LAST"),
        "the latest orders": lambda _: ledger.recent("live", limit=20),
        "orders whose outcome is unknown": lambda _: ledger.recent("live", state="unknown"),
        "is this another order's number?": lambda _: ledger.is_anothers(row, "A-0", row.since),
        "the account's orders since then": lambda _: ledger.order_ids(key, row.since),
    }


# --- providers and accounts -------------------------------------------------------------------------------------


def measure_providers(state: Path) -> list[Start]:
    """One provider more each time, in the sandbox."""
    names = ("dipli", "rewix", "dropday", "duoplane")
    chosen = [names[:count] for count in range(1, len(names) + 1)]
    return [
        measure_start(f"{len(some)} provider{'s' * (len(some) > 1)}", state, {"DROPSHIP_PROVIDERS": ",".join(some)}, {})
        for some in chosen
    ]


def measure_accounts(state: Path) -> list[Start]:
    """More and more accounts at one provider."""
    starts: list[Start] = []
    for count in (1, 10, 100):
        config = state / f"{count}.toml"
        tables = [f'[accounts.shop{n}]\nprovider = "dipli"\napi_key = "key-{n}"\n' for n in range(count)]
        config.write_text("\n".join(tables), encoding="utf-8")
        config.chmod(0o600)
        named = {"account": "shop0"} if count > 1 else {}
        settings = {"DROPSHIP_MODE": "live", "DROPSHIP_CONFIG": str(config)}
        starts.append(measure_start(f"{count} account{'s' * (count > 1)} at one provider", state, settings, named))
    return starts


def measure_start(what: str, state: Path, settings: dict[str, str], named: Mapping[str, str]) -> Start:
    """From spawning to the tool list, and a dry run."""
    count = token_counter()
    assert count, "token counts need bpe-openai"
    taken: list[float] = []
    for _ in range(STARTS):
        began = time.perf_counter()
        with started(state, "auto", (COMMAND,), None, **settings) as server:
            tools = first_list(server)
            taken.append(time.perf_counter() - began)
    with started(state, "auto", (COMMAND,), None, **settings) as server:
        tools = first_list(server)
        calls = [dry_run(server, named) for _ in range(CALLS)]
    tokens = sum(count(compact(tool)) for tool in tools)
    return Start(what, statistics.median(taken), statistics.median(calls[1:]), tokens)


def dry_run(server: ServerProcess, named: Mapping[str, str]) -> float:
    """Seconds."""
    line = server.call(DIPLI.create, DIPLI.arguments(dry_run=True, **named))
    began = time.perf_counter()
    server.send(line)
    assert "structuredContent" in server.read()["result"]
    return time.perf_counter() - began


# --- tables -----------------------------------------------------------------------------------------------------


def heading() -> list[str]:
    """What this is."""
    return [
        "# Growth",
        "",
        "Written by `make bench-growth`. Times depend on the machine; the ratios are what to compare.",
    ]


def ledger_table(ledgers: Mapping[int, Mapping[str, float]]) -> list[str]:
    """Markdown."""
    empty = ledgers[0]
    sizes = [size for size in ledgers if size]
    return [
        "",
        f"## A ledger with so many orders, medians of {TIMES}",
        "",
        "The orders are spread over two years. The budget is twice the time of an empty ledger.",
        "",
        "| | empty, ms | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "|---|--:|" + "--:|" * len(sizes),
        *(
            f"| {what} | {seconds * 1000:.2f} | "
            + " | ".join(f"{ledgers[size][what] / seconds:.2f}" for size in sizes)
            + " |"
            for what, seconds in empty.items()
        ),
    ]


def starts_table(starts: Sequence[Start]) -> list[str]:
    """Markdown."""
    return [
        "",
        "## Providers and accounts",
        "",
        "| | until the tool list, ms | a dry run, ms | tool list, tokens |",
        "|---|--:|--:|--:|",
        *(f"| {s.what} | {s.tools * 1000:.0f} | {s.call * 1000:.2f} | {s.tokens} |" for s in starts),
    ]


if __name__ == "__main__":
    sys.exit(main())
