"""Worlds with a clock that tests move, and clients that speak to a sandbox in process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.store import SandboxStore
from dropship_tools.sandbox.transport import SandboxTransport
from dropship_tools.sandbox.world import SandboxWorld

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

HEADERS = {
    "dipli": {"apikey": "sandbox-key"},
    "dropday": {"api-key": "sandbox-key", "account-id": "1001", "accept": "application/json"},
}

DIPLI_ORDER: dict[str, Any] = {
    "alternative_id": "WEB-1",
    "product_id": 11700101,
    "buyer": "Jane Doe",
    "street": "1 rue Haute",
    "postcode": "01000",
    "city": "Bourg",
    "country": "FR",
    "buyer_phone": "+33612345678",
    "buyer_email": "jane@example.org",
}


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def move(self, **amount: float) -> None:
        """Let time pass, e.g. `minutes=2`."""
        self.at += timedelta(**amount)


def world_at(clock: Clock, seed: int = 1) -> SandboxWorld:
    """A world in memory."""
    return SandboxWorld(SandboxStore(None, clock), clock, seed)


def client_for(world: SandboxWorld, provider: str, headers: dict[str, str] | None = None) -> httpx2.AsyncClient:
    """A client of one provider's sandbox, with its credentials unless other headers are given."""
    return httpx2.AsyncClient(
        transport=SandboxTransport(in_process_app(world, provider)),
        base_url="https://provider.example",
        headers=HEADERS[provider] if headers is None else headers,
    )
