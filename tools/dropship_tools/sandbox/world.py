"""What a sandbox app is given: where it keeps things, what time it is and where its randomness comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dropship_tools.sandbox.store import SandboxStore, utc_now

# The service takes a provider's prefix off the path and leaves it in scope["extensions"] under this name, for
# apps that write absolute links into their answers.
PREFIX = "dropship.prefix"


@dataclass(frozen=True)
class SandboxWorld:
    """The surroundings of the sandbox apps; two worlds with equal fields behave alike.

    `now` must return aware datetimes. Statuses move with it, so a test moves time by injecting a clock.
    """

    store: SandboxStore
    now: Callable[[], datetime] = utc_now
    seed: int = 1

    def digest(self, *parts: object) -> str:
        """64 hex digits that look random and depend on nothing but the seed and the parts."""
        text = "\x1f".join(str(part) for part in (self.seed, *parts))
        return hashlib.sha256(text.encode()).hexdigest()

    def number(self, below: int, *parts: object) -> int:
        """A whole number from 0 to `below` - 1, chosen by the seed and the parts."""
        return int(self.digest(*parts), 16) % below
