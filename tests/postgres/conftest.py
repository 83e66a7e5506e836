"""An empty place in the shared server, and processes that order."""

from __future__ import annotations

import secrets

import pytest

from faults.conftest import children as children
from postgres.clusters import Cluster
from unit.ledger.ledgers import Ledgers


@pytest.fixture
def ledgers(cluster: Cluster) -> Ledgers:
    """An empty place."""
    return Ledgers(cluster.place(), scope=secrets.token_hex(4))
