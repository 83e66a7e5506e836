"""What a server holds in memory: little once it is ready, and after 20,000 calls no more than after 2,000.

It works in live mode against a provider on this machine, so that real connections and a real ledger take part.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from bench.contenders import live, upstream
from bench.creates import PLACED
from bench.starts import first_list, resident
from e2e.processes import COMMAND, ServerProcess, started
from protocol.samples import DIPLI

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

IDLE = 75
GROWTH = 4
"""MiB."""

AT_ONCE = 32


def test_an_idle_server_is_small_and_stays_so_over_20_000_calls(tmp_path: Path) -> None:
    with upstream(PLACED) as port:
        settings = {**live(port), "DROPSHIP_ORDERS": "allow"}
        with started(tmp_path, "legacy", (COMMAND,), None, **settings) as server:
            first_list(server)
            server.send(server.request("ping"))  # answered once the SDK has taken over: nothing more happens by itself
            assert "result" in server.read()
            idle = resident(server.process.pid)
            calls = mixed()
            make(server, calls, 2_000)
            early = resident(server.process.pid)
            make(server, calls, 18_000)
            late = resident(server.process.pid)

    assert idle <= IDLE, f"{idle:.1f} MiB before the first call"
    assert late - early <= GROWTH, f"{early:.0f} MiB after 2,000 calls, {late:.0f} MiB after 20,000"


def mixed() -> Iterator[tuple[str, dict[str, Any]]]:
    """Orders, repeated orders, dry runs, wrong arguments and questions about the server itself, for ever."""
    for number in count():
        order = DIPLI.arguments(alternative_id=f"WEB-{number}", buyer=f"Buyer {number}")
        yield DIPLI.create, order
        yield DIPLI.create, order
        for _ in range(5):
            yield DIPLI.create, {**order, "dry_run": True}
        yield DIPLI.create, {**order, "recipient": f"Buyer {number}"}
        yield DIPLI.get, {}
        yield "dropship_status", {}


def make(server: ServerProcess, calls: Iterator[tuple[str, dict[str, Any]]], many: int) -> None:
    """So many calls, some of them at once."""
    for _ in range(0, many, AT_ONCE):
        server.send(*(server.call(tool, arguments) for tool, arguments in islice(calls, AT_ONCE)))
        for _ in range(AT_ONCE):
            assert "result" in server.read()
