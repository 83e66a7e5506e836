"""A call that is cancelled while the ledger works for it takes nothing from the orders of the same moment.

Another process holds the ledger, so that calls wait in it together; then one of them is cancelled.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from e2e.processes import line, started
from protocol.bench import ERAS, Era
from protocol.samples import DIPLI

pytestmark = pytest.mark.timeout(60)

TOGETHER = 4


@pytest.mark.parametrize("era", ERAS)
def test_orders_that_wait_for_the_ledger_with_a_cancelled_call_are_placed_once_and_recorded(
    tmp_path: Path, era: Era
) -> None:
    ledger = tmp_path / "dropship-mcp" / "ledger.sqlite3"
    with started(tmp_path, era) as server:
        server.send(server.hello() or server.request("server/discover"))
        server.read()
        server.send(server.call(DIPLI.create, DIPLI.arguments(alternative_id="LOST")))
        assert server.answer()["outcome"] == "placed"
        orders = [DIPLI.arguments(alternative_id=f"B{n}", buyer=f"Buyer {n}") for n in range(TOGETHER)]
        with contextlib.closing(sqlite3.connect(ledger, isolation_level=None)) as other:
            other.execute("UPDATE orders SET state = 'unknown', order_id = ''")
            other.execute("BEGIN IMMEDIATE")
            settle = server.call("dropship_settle_order", {"provider": "dipli", "reference": "LOST"})
            creates = [server.call(DIPLI.create, order) for order in orders]
            probe = server.call("dropship_status")
            server.send(settle, *creates)
            cancelled = {"requestId": json.loads(settle)["id"], "reason": "Zeit\u00fcberschreitung"}
            server.send(line({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled}))
            server.send(probe)
            other.execute("COMMIT")
        expected = {json.loads(call)["id"] for call in (*creates, probe)}
        answers = {message["id"]: message["result"] for message in (server.read() for _ in expected)}
        assert answers.keys() == expected
        outcomes = [answers[json.loads(call)["id"]]["structuredContent"]["outcome"] for call in creates]
        assert outcomes == ["placed"] * TOGETHER
        for order in orders:
            server.send(server.call(DIPLI.create, order))
            assert server.answer()["outcome"] == "already_placed"
        server.close()
        assert server.finish() == (0, "")
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        placed = db.execute("SELECT reference, state, attempt FROM orders WHERE reference <> 'LOST' ORDER BY 1")
        assert placed.fetchall() == [(f"B{n}", "placed", 1) for n in range(TOGETHER)]
    with contextlib.closing(sqlite3.connect(tmp_path / "dropship-mcp" / "sandbox.sqlite3")) as sandbox:
        [(count,)] = sandbox.execute("SELECT count(*) FROM documents WHERE kind LIKE '%order%'").fetchall()
        assert count == TOGETHER + 1
