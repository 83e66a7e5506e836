"""Connections that nobody needs are given back: many quiet tenants do not use up a database."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from dropship_mcp.ledger import Ledger, postgres_database, postgres_driver
from dropship_mcp.ledger.postgres_driver import Connection
from unit.ledger.ledgers import KEY, Ledgers, won

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """All connections from now on."""
    made: list[Connection] = []

    async def connect(url: str, schema: str) -> Connection:
        made.append(await postgres_driver.connect(url, schema))
        return made[-1]

    monkeypatch.setattr(postgres_database, "connect", connect)
    return made


def open_ones(made: list[Connection]) -> int:
    """How many are not closed."""
    return sum(not connection.is_closed() for connection in made)


async def work(ledger: Ledger) -> None:
    """As much at once as there may be."""
    async with anyio.create_task_group() as tasks:
        for _ in range(4 * postgres_database.MOST_CONNECTIONS):
            tasks.start_soon(ledger.get, KEY)


async def test_after_work_only_the_connection_stays_that_shows_the_process(
    ledgers: Ledgers, made: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_database, "IDLE_SECONDS", 0.05)
    async with ledgers.open() as ledger, ledgers.open() as other:
        row = await won(ledger)
        await work(ledger)
        with anyio.fail_after(3):
            while open_ones(made) > 1:
                await anyio.lowlevel.checkpoint()
        assert not (await other.claim(KEY, row.content)).won
        assert (await ledger.sending(row)).state == "sending"


async def test_while_there_is_work_connections_are_used_again(ledgers: Ledgers, made: list[Connection]) -> None:
    async with ledgers.open() as ledger:
        row = await won(ledger)
        await work(ledger)
        await work(ledger)
        assert await ledger.get(KEY) == row
        assert len(made) == open_ones(made) == postgres_database.MOST_CONNECTIONS + 1
    assert open_ones(made) == 0


async def test_a_ledger_that_was_only_read_keeps_none(
    ledgers: Ledgers, made: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_database, "IDLE_SECONDS", 0.05)
    async with ledgers.open() as ledger:
        await work(ledger)
        with anyio.fail_after(3):
            while open_ones(made):
                await anyio.lowlevel.checkpoint()
        assert await ledger.get(KEY) is None
