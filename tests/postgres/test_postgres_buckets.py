"""A leaky bucket in the database: what one server pours, the others see; it leaks by the database's clock."""

from __future__ import annotations

import anyio
import pytest

from dropship_mcp.ledger import Ledger
from dropship_tools.errors import LedgerUnavailable
from dropship_tools.provider import SharedBucket
from e2e.ports import free_port
from postgres.clusters import Cluster
from unit.ledger.ledgers import Ledgers

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

HOUR = 3600.0


def bucket(ledger: Ledger, name: str = "duoplane key") -> SharedBucket:
    """A bucket that the ledger has."""
    found = ledger.bucket(name)
    assert found is not None
    return found


async def test_servers_pour_into_one_bucket_and_never_over_its_rim(ledgers: Ledgers) -> None:
    servers = [ledgers.make() for _ in range(4)]
    poured = list[float]()

    async def pour(server: Ledger) -> None:
        poured.append(await bucket(server).pour(HOUR, 10.5 * HOUR))

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(pour, servers[number % 4])
    held = [round(seconds / HOUR, 1) for seconds in sorted(poured)]
    assert held == [*range(1, 11), *[11] * 10]
    for server in servers:
        await server.close()


async def test_a_bucket_is_filled_up_never_down_and_each_name_has_its_own(ledgers: Ledgers) -> None:
    async with ledgers.open() as one, ledgers.open() as other:
        await bucket(one).fill(5 * HOUR)
        await bucket(one).fill(HOUR)
        held = [await bucket(other).pour(0, HOUR), await bucket(other, "duoplane other").pour(HOUR, HOUR)]
        assert [round(seconds / HOUR, 1) for seconds in held] == [5, 1]


async def test_a_bucket_leaks(cluster: Cluster, ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        await bucket(ledger).fill(2 * HOUR)
        cluster.sql(f"UPDATE \"dropship_{ledgers.scope}\".buckets SET empty_at = empty_at - interval '90 minutes'")
        assert round(await bucket(ledger).pour(0, HOUR) / HOUR, 1) == 0.5
        cluster.sql(f"UPDATE \"dropship_{ledgers.scope}\".buckets SET empty_at = empty_at - interval '1 day'")
        assert await bucket(ledger).pour(1, HOUR) == 1


async def test_no_login_can_be_read_in_the_database(cluster: Cluster, ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        await bucket(ledger, "duoplane api-key-1").fill(HOUR)
    assert "api-key-1" not in cluster.sql(f'SELECT * FROM "dropship_{ledgers.scope}".buckets')


async def test_a_bucket_that_cannot_be_reached_says_so(cluster: Cluster) -> None:
    closed = cluster.place(f"postgresql://127.0.0.1:{free_port()}/postgres")
    async with Ledgers(closed).open() as ledger:
        with pytest.raises(LedgerUnavailable):
            await bucket(ledger).pour(1, HOUR)
