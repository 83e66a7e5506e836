"""The leaky bucket of the Duoplane sandbox (sheet 3, https://developers.duoplane.com/doc-689997).

One bucket per API user for both APIs. A request pours one unit in, two leak out per second. A request that finds the
bucket full is refused, and its unit still counts: who keeps knocking waits longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from dropship_tools.sandbox.world import SandboxWorld

PROVIDER = "duoplane"
BUCKET = "bucket"
SIZE = 40
LEAK_PER_SECOND = 2
DRAIN = timedelta(seconds=1) / LEAK_PER_SECOND


@dataclass(frozen=True)
class Quota:
    """What the bucket says about one request. `retry_after` is 0 unless the request is limited."""

    remaining: int
    retry_after: int

    @property
    def limited(self) -> bool:
        """Whether the request is refused."""
        return self.retry_after > 0


def pour(world: SandboxWorld, api_key: str) -> Quota:
    """Count one request of an API user, whether or not it fits."""
    now = world.now()
    with world.store.transaction():
        found = world.store.find(PROVIDER, BUCKET, api_key)
        # Kept as the time at which the bucket will be empty: exact, and nothing to update while it leaks.
        empty_at = max(now, datetime.fromisoformat(found[0].body["empty_at"])) if found else now
        empty_at += DRAIN
        body = {"empty_at": empty_at.isoformat()}
        if found:
            world.store.put(PROVIDER, BUCKET, found[0].id, body)
        else:
            world.store.add(PROVIDER, BUCKET, body, key=api_key)
    level = (empty_at - now) / DRAIN
    # Time needed until this one more request would fit.
    wait = (empty_at - now) - SIZE * DRAIN
    if wait > timedelta(0):
        # The refused unit stays in, so the caller's next try needs room for one more.
        return Quota(0, math.ceil((wait + DRAIN).total_seconds()))
    return Quota(math.floor(SIZE - level), 0)
