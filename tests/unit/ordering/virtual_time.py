"""An event loop whose clock jumps: waiting costs nothing, so the real limits can be tried."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

IDLE_SECONDS = 0.03
"""Real time without any event, after which the loop has nothing to do but wait. Disks answer faster."""


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.jumped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Real events if there are any; otherwise the time that was to be waited for has passed."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        events = super().select(min(timeout, IDLE_SECONDS))
        if not events:
            self.jumped += timeout
        return events


class JumpingLoop(asyncio.SelectorEventLoop):
    """Use as `loop_factory`."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds, those that were jumped over included."""
        return super().time() + self._jumping.jumped


BACKEND: tuple[str, dict[str, Any]] = ("asyncio", {"loop_factory": JumpingLoop})
"""For the `anyio_backend` fixture."""
