"""The server goes away: what is still under way ends at once, so that it can be answered."""

from __future__ import annotations

import math
from types import TracebackType

import anyio


class Work:
    """One piece of work: a cancel scope that ends when the server leaves."""

    def __init__(self, leaving: Leaving, seconds: float) -> None:
        self._leaving = leaving
        self._seconds = seconds

    def __enter__(self) -> anyio.CancelScope:
        self._scope = anyio.move_on_after(self._seconds)
        self._leaving.scopes.add(self._scope)
        if self._leaving.left:
            self._scope.cancel()
        return self._scope.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._leaving.scopes.discard(self._scope)
        return self._scope.__exit__(kind, error, trace)


class Leaving:
    """Scopes to work in that end when the server leaves; `cancelled_caught` says that this is what happened.

    Orders do not end so: they are carried by tasks of their own, and only the calls that wait for them do.

    Attributes:
        left: the server goes away.
        scopes: what is under way.
    """

    def __init__(self) -> None:
        self.left = False
        self.scopes: set[anyio.CancelScope] = set()

    def work(self, seconds: float = math.inf) -> Work:
        """For one piece of work, which ends after so many seconds too. It ends at once after the server has left."""
        return Work(self, seconds)

    def leave(self) -> None:
        """End what is under way, and whatever begins after this."""
        self.left = True
        for scope in tuple(self.scopes):
            scope.cancel()
