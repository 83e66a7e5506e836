"""What the ledger's own tests use as well."""

from __future__ import annotations

from unit.ledger.conftest import ledgers as ledgers
