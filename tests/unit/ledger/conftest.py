"""Where ledgers are kept: in a file, and in PostgreSQL."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from postgres.clusters import Cluster
from unit.ledger.ledgers import Ledgers


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def ledgers(request: pytest.FixtureRequest, tmp_path: Path) -> Ledgers:
    """An empty place of each kind."""
    if request.param == "sqlite":
        return Ledgers(tmp_path / "ledger.sqlite3")
    cluster: Cluster = request.getfixturevalue("cluster")
    return Ledgers(cluster.place(), scope=secrets.token_hex(4))
