"""Four replicas behind nginx, a shared ledger, clients that leave and repeat, replicas and a database that die: every
reference is ordered exactly once, and what the ledger says is what the providers have."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from pathlib import Path

import anyio
import pytest

from cluster.load import KILLS, Load, Order
from cluster.replicas import Site, running_site
from dropship_mcp.ledger import Row
from protocol.samples import SAMPLES

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.nginx,
    pytest.mark.postgres,
    pytest.mark.timeout(400),
]

EACH = {"dipli": 100, "rewix": 100, "dropday": 100, "duoplane": 30}
"""References; Duoplane allows two requests a second."""

SEED = int(os.environ.get("DROPSHIP_TEST_SEED") or random.randrange(10**6))
"""Stands in the test's name; set the variable to run the same load again."""


async def rows_of(site: Site) -> dict[Order, Row]:
    ledger = site.ledger()
    try:
        return {(row.key.provider, row.key.reference): row for row in await ledger.recent(limit=10_000)}
    finally:
        await ledger.close()


@pytest.mark.parametrize("seed", [SEED])
async def test_every_reference_is_ordered_once_whatever_dies(tmp_path: Path, seed: int) -> None:
    orders = [(provider, f"WEB-{number}") for provider, count in EACH.items() for number in range(count)]
    with running_site(tmp_path) as site:
        async with site.http() as http:
            load = Load(site, http, random.Random(seed))
            await load.place_all(orders)
            await load.settle_all(orders)
            rows, ordered = await rows_of(site), Counter(site.ordered())
            await load.settle_by_hand()
            await load.settle_all(load.unknown)
        at_last, ordered_at_last = await rows_of(site), Counter(site.ordered())
        logs = "".join(replica.log.read_text() for replica in site.replicas)

    # no order is lost without being unknown, and the two sides agree
    assert {order: row.state for order, row in rows.items()} == {
        order: "unknown" if order in load.unknown else "placed" for order in orders
    }
    assert max(ordered.values()) == 1
    assert set(orders) - load.unknown <= ordered.keys() <= set(orders)
    # and once a person has looked for the few that are unknown, nothing is missing
    assert ordered_at_last == Counter(orders)
    assert {row.state for row in at_last.values()} == {"placed"}
    numbers = [(order[0], row.order_id) for order, row in at_last.items() if row.order_id]
    assert len(numbers) == len(set(numbers))
    # it was as bad as it was meant to be, and not worse
    assert load.seen["replica killed"] == KILLS
    assert load.seen["client left"] > len(orders) // 10
    assert len(load.unknown) < len(orders) // 10
    assert not re.findall(r"Traceback|unexpected error", logs)


async def test_replicas_keep_one_limit_together(tmp_path: Path) -> None:
    limit = 10
    orders = [(provider, f"WEB-{number}") for number in range(8) for provider in SAMPLES]
    with running_site(tmp_path, DROPSHIP_MAX_ORDERS_PER_DAY=str(limit)) as site:
        async with site.http() as http:
            load = Load(site, http, random.Random(SEED))

            async def place(order: Order) -> None:
                load.seen[await load.create(order)] += 1

            async with anyio.create_task_group() as tasks:
                for order in orders:
                    tasks.start_soon(place, order)
        ordered = Counter(site.ordered())

    assert load.seen == {"placed": limit, "not_allowed": len(orders) - limit}
    assert len(ordered) == limit == ordered.total()
