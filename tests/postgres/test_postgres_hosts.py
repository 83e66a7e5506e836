"""A ledger in a cluster of several hosts: the one that takes writes is found."""

from __future__ import annotations

import secrets

import pytest

from dropship_mcp.ledger_settings import LedgerDatabase
from dropship_mcp.settings import read_settings
from dropship_tools.errors import LedgerUnavailable
from e2e.ports import free_port
from postgres.clusters import KEY, Cluster
from unit.ledger.ledgers import Ledgers, won

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
def user(cluster: Cluster) -> str:
    """Who comes through TCP."""
    name = f"bob{secrets.token_hex(4)}"
    cluster.sql(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD 'hush'")
    return name


def ledgers_at(user: str, *ports: int) -> Ledgers:
    """As the settings have it, for hosts at these ports."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    url = f"postgresql://{user}:hush@{hosts}/postgres?target_session_attrs=read-write"
    place = read_settings({"DROPSHIP_LEDGER": url, "DROPSHIP_LEDGER_KEY": KEY}).ledger
    assert isinstance(place, LedgerDatabase)
    return Ledgers(place, scope=secrets.token_hex(4))


async def test_a_host_that_is_down_is_passed_over(cluster: Cluster, user: str) -> None:
    async with ledgers_at(user, free_port(), cluster.port).open() as ledger:
        row = await won(ledger)
        assert (await ledger.sending(row)).state == "sending"


async def test_a_host_that_takes_no_writes_is_not_used(cluster: Cluster, user: str) -> None:
    cluster.sql(f"ALTER ROLE {user} SET default_transaction_read_only = on")
    async with ledgers_at(user, cluster.port, free_port()).open() as ledger:
        with pytest.raises(LedgerUnavailable) as refused:
            await won(ledger)
    assert refused.value.what.startswith("the ledger cannot be used: its database ")
