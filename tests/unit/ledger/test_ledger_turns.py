"""Turns that the processes at a ledger take: one at a time has a turn, and it ends with whoever had it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
import pytest

from dropship_mcp.ledger import Ledger
from dropship_tools.errors import LedgerUnavailable
from e2e.ports import free_port
from postgres.clusters import Cluster
from unit.ledger.ledgers import Ledgers, mode_of

pytestmark = pytest.mark.anyio

NAME = "rewix key password"

HOLDER = """
import sys, anyio
from unit.ledger.ledgers import Ledgers

async def main():
    async with Ledgers.of(*sys.argv[2:]).make().turn(sys.argv[1]):
        print("!", end="", flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


async def is_free(ledger: Ledger, name: str = NAME) -> bool:
    """Whether the turn is to be had at once."""
    with anyio.move_on_after(0.3) as waiting:
        async with ledger.turn(name):
            pass
    return not waiting.cancelled_caught


async def test_one_at_a_time_has_it_whatever_ends_it(ledgers: Ledgers) -> None:
    servers = [ledgers.make() for _ in range(4)]
    having, had = 0, 0

    async def use(server: Ledger, number: int) -> None:
        nonlocal having, had
        with anyio.CancelScope() as scope:
            try:
                async with server.turn(NAME):
                    having, had = having + 1, had + 1
                    assert having == 1
                    await anyio.sleep(0.005)
                    having -= 1
                    if number % 3 == 1:
                        raise ValueError
                    if number % 3 == 2:
                        scope.cancel()
                        await anyio.sleep(1)
            except ValueError:
                pass

    async with anyio.create_task_group() as tasks:
        for number in range(24):
            tasks.start_soon(use, servers[number % 4], number)
    assert had == 24
    for server in servers:
        await server.close()


async def test_whoever_gives_up_leaves_the_others_alone(ledgers: Ledgers) -> None:
    async with ledgers.open() as one, ledgers.open() as other:
        async with one.turn(NAME):
            assert not await is_free(other)
            assert await is_free(other, "rewix of another shop")
        assert await is_free(other)
        assert await is_free(one)


async def test_whoever_has_just_had_it_lets_another_one_have_it(ledgers: Ledgers) -> None:
    had: list[str] = []
    asked = anyio.Event()

    async with ledgers.open() as busy, ledgers.open() as other, anyio.create_task_group() as tasks:

        async def once() -> None:
            await asked.wait()
            async with other.turn(NAME):
                had.append("other")

        tasks.start_soon(once)
        for number in range(6):
            async with busy.turn(NAME):
                had.append("busy")
                if number == 1:
                    asked.set()
                await anyio.sleep(0.1)
    assert had.index("other") <= 3


async def test_it_ends_with_a_process_that_is_killed(ledgers: Ledgers) -> None:
    command = [sys.executable, "-c", HOLDER, NAME, *ledgers.words()]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    async with await anyio.open_process(command, env=env) as holder:
        assert holder.stdout
        assert await holder.stdout.receive() == b"!"
        async with ledgers.open() as ledger:
            assert not await is_free(ledger)
            holder.kill()
            with anyio.fail_after(10):
                async with ledger.turn(NAME):
                    pass


async def test_no_login_can_be_read_beside_the_file_and_nobody_else_may_look(tmp_path: Path) -> None:
    async with Ledgers(tmp_path / "ledger.sqlite3").open() as ledger, ledger.turn(NAME):
        folder = tmp_path / "ledger.sqlite3.turns"
        assert mode_of(folder) == "0o700"
        assert {mode_of(lock) for lock in folder.iterdir()} == {"0o600"}
        assert not any(word in lock.name for word in NAME.split() for lock in folder.iterdir())


async def test_a_file_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3.turns").write_text("in the way")
    async with Ledgers(tmp_path / "ledger.sqlite3").open() as ledger:
        with pytest.raises(LedgerUnavailable):
            async with ledger.turn(NAME):
                pass


@pytest.mark.postgres
async def test_a_database_that_cannot_be_reached_is_said_in_words(cluster: Cluster) -> None:
    closed = cluster.place(f"postgresql://127.0.0.1:{free_port()}/postgres")
    async with Ledgers(closed).open() as ledger:
        with pytest.raises(LedgerUnavailable):
            async with ledger.turn(NAME):
                pass


@pytest.mark.postgres
async def test_connections_that_broke_are_replaced_and_a_turn_that_broke_off_is_over(
    cluster: Cluster, tmp_path: Path
) -> None:
    ledgers = Ledgers(cluster.place(), scope="turns_broken")
    end_all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'dropship-mcp'"
    async with ledgers.open() as one, ledgers.open() as other:
        assert await is_free(one)  # and one of its connections waits to be used again
        assert int(cluster.sql(end_all)) >= 1
        async with one.turn(NAME) as is_held:
            assert is_held()
            assert int(cluster.sql(end_all)) >= 1
            assert await is_free(other)
            assert not is_held()
        assert await is_free(one)
