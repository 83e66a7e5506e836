"""The server goes away: what is still under way ends at once, so that it can be answered."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import anyio


class Leaving:
    """Scopes to work in that end when the server leaves; `cancelled_caught` says that this is what happened.

    Orders do not end so: they are carried by tasks of their own, and only the calls that wait for them do.
    """

    def __init__(self) -> None:
        self._scopes: set[anyio.CancelScope] = set()
        self._left = False

    @contextmanager
    def work(self) -> Generator[anyio.CancelScope]:
        """For one piece of work. It ends at once after the server has left."""
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            if self._left:
                scope.cancel()
            try:
                yield scope
            finally:
                self._scopes.discard(scope)

    def leave(self) -> None:
        """End what is under way, and whatever begins after this."""
        self._left = True
        for scope in tuple(self._scopes):
            scope.cancel()
