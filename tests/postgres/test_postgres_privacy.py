"""Nothing of a buyer can be read in the database, and what the tools say of it holds no secret."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from mcp import Client

from contract.providers import NAMES, row_of
from contract.rigs import make_rig
from dropship_mcp.app import build_app
from dropship_mcp.ledger.postgres_schema import schema_name
from dropship_mcp.policy import Policy
from dropship_mcp.settings import Settings
from dropship_tools.errors import NeedsApproval, OutcomeUnknown, ProviderRefused
from dropship_tools.sandbox.faults import Fault, add_fault
from e2e.ports import free_port
from postgres.clusters import KEY, Cluster
from unit.ledger.ledgers import Ledgers
from unit.ledger.test_ledger_privacy import ENDS, FULL, markers

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.mark.parametrize("name", NAMES)
async def test_no_table_holds_anything_of_a_buyer(
    name: str, tmp_path: Path, cluster: Cluster, ledgers: Ledgers
) -> None:
    row = row_of(name)
    for policy, ends in ((Policy(), ENDS), (Policy(orders="ask"), ENDS[:1])):
        rig = make_rig(tmp_path, policy=policy, ledger=ledgers.make())
        async with rig.running():
            for number, (kind, value) in enumerate(ends):
                reference = f"R-{policy.orders}-{number}"
                add_fault(rig.world.store, Fault(name, "create", kind, value=value))
                with suppress(OutcomeUnknown, ProviderRefused, NeedsApproval):
                    await rig.create(row, {**row.arguments(reference), **FULL[name]})
                if policy.orders == "allow":
                    await rig.settle(row, reference)
    tables = ("orders", "changes", "approvals", "buckets", "facts")
    everything = cluster.sql(*[f'SELECT * FROM "{schema_name(ledgers.scope)}".{table}' for table in tables]).lower()
    assert all(state in everything for state in ("placed", "unknown", "refused", "waiting", "r-allow-0"))
    assert [marker for marker in markers(FULL[name]) if marker in everything] == []


@pytest.mark.parametrize("up", [True, False])
async def test_the_status_names_the_database_without_a_secret(up: bool, cluster: Cluster) -> None:
    port = cluster.port if up else free_port()
    cluster.sql(f"CREATE ROLE eve{port} LOGIN SUPERUSER PASSWORD 'hush'")
    url = f"postgresql://eve{port}:hush@127.0.0.1:{port}/postgres?password=hush"
    async with Client(build_app(Settings(ledger=cluster.place(url)))) as client:
        status = (await client.call_tool("dropship_status", {})).structured_content
    assert status is not None
    assert status["ledger"] == f"postgresql://127.0.0.1:{port}/postgres"
    problem = "" if up else "the ledger cannot be used: its database cannot be reached"
    assert status.get("ledger_problem", "") == problem
    assert [secret for secret in ("hush", KEY) if secret in str(status)] == []
