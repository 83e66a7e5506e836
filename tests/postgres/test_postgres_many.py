"""Several servers at one database: limits hold exactly, one call is one order, and whoever dies is followed safely."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from contract.providers import NAMES, row_of
from contract.rigs import Trace
from dropship_mcp.ledger_settings import LedgerDatabase
from faults.jobs import Ended, attempt, shared_rig
from faults.nursery import Children
from faults.test_killed_processes import POINTS, check
from postgres.clusters import Cluster, new_cluster
from unit.ledger.ledgers import Ledgers

pytestmark = pytest.mark.postgres


def job(name: str, folder: Path, ledgers: Ledgers, **more: Any) -> dict[str, Any]:
    """One child's order."""
    kill_after = {"kill_after": more.pop("kill_after")} if "kill_after" in more else {}
    arguments = {"folder": str(folder), "name": name, "ledger": ledgers.words(), **more}
    return {"job": "order", "arguments": arguments, **kill_after}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", NAMES)
def test_a_limit_of_ten_holds_for_fifty_orders_from_four_processes(
    name: str, tmp_path: Path, ledgers: Ledgers, children: Children
) -> None:
    jobs: list[dict[str, Any]] = []
    for process in range(4):
        references = [f"R-{number}" for number in range(50) if number % 4 == process]
        arguments = {"folder": str(tmp_path), "name": name, "references": references, "cap": 10}
        jobs.append({"job": "many", "arguments": {**arguments, "ledger": ledgers.words()}})
    ends = Counter[str]()
    for ended in children(*jobs):
        ends.update(ended)
    assert ends == {"placed": 10, "not_allowed": 40}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", NAMES)
def test_the_same_call_in_six_processes_is_one_order(
    name: str, tmp_path: Path, ledgers: Ledgers, children: Children
) -> None:
    call = job(name, tmp_path, ledgers, reference="R-1", at=time.time() + 0.3)
    ends = children(*[call] * 6)
    assert Counter(end["end"] for end in ends) == {"placed": 1, "already_placed": 5}
    assert {end["orders"][1] for end in ends} == {1}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", NAMES)
def test_whoever_dies_leaves_what_the_next_process_needs(
    name: str, point: str, tmp_path: Path, cluster: Cluster, ledgers: Ledgers, children: Children
) -> None:
    assert children(job(name, tmp_path, ledgers, reference="R-1", die_at=point)) == [None]
    without_owners(cluster)
    [ended] = children(job(name, tmp_path, ledgers, reference="R-1"))
    assert (ended["states"][0], ended["orders"][0]) == POINTS[point]
    check(name, ended)


@pytest.mark.timeout(60)
def test_processes_killed_at_random_moments_never_order_twice(
    tmp_path: Path, cluster: Cluster, ledgers: Ledgers, children: Children
) -> None:
    chance = random.Random(20)
    lasts = {name: children(job(name, tmp_path, ledgers, reference="R-0"))[0]["seconds"] for name in NAMES}
    for number in range(20):
        name, reference = NAMES[number % len(NAMES)], f"K-{number}"
        children(job(name, tmp_path, ledgers, reference=reference, kill_after=chance.uniform(0, lasts[name])))
        without_owners(cluster)
        [ended] = children(job(name, tmp_path, ledgers, reference=reference))
        check(name, ended)


def without_owners(cluster: Cluster) -> None:
    """Wait until the database has seen that nobody is there."""
    give_up_at = time.monotonic() + 10
    while cluster.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1") != "0":
        assert time.monotonic() < give_up_at


@pytest.mark.anyio
@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode", ["immediate", "fast"])
async def test_a_restart_of_the_database_amid_many_orders_loses_and_doubles_none(mode: str, tmp_path: Path) -> None:
    with new_cluster() as own:
        restarted = anyio.Event()
        leaving = 0

        async def restart(point: str) -> None:
            nonlocal leaving
            leaving += point == "before create"
            if leaving == 6 and not restarted.is_set():
                restarted.set()
                await anyio.to_thread.run_sync(own.stop, mode)
                await anyio.to_thread.run_sync(own.start)

        orders = [(name, f"R-{number}") for number in range(5) for name in NAMES]
        words = Ledgers(LedgerDatabase(own.place().url, own.place().key)).words()
        rig = shared_rig(tmp_path, Trace(at=restart), words)
        first = dict[tuple[str, str], Ended]()

        async def one(name: str, reference: str) -> None:
            first[name, reference] = await attempt(rig, name, reference)

        async with rig.running():
            async with anyio.create_task_group() as tasks:
                for order in orders:
                    tasks.start_soon(one, *order)
            second = {order: await attempt(rig, *order) for order in orders}
    assert restarted.is_set()
    assert {ended.end for ended in first.values()} <= {"placed", "ledger_unavailable", "outcome_unknown", "in_progress"}
    for (name, _), ended in second.items():
        assert ended.orders[1] <= 1
        if ended.end in ("placed", "already_placed"):
            assert (ended.states[1], ended.orders[1]) == ("placed", 1)
        else:  # it may have left by the ledger, and the provider cannot tell at once
            assert (ended.end, ended.states[1], ended.orders) == ("outcome_unknown", "unknown", (0, 0))
            assert row_of(name).silence != "resend"
