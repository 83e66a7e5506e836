"""Turns that the processes at a ledger file take: locks on files, which the system gives up however a process ends."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

POLL = 0.02
"""Seconds between two looks whether the other process has ended; what it asks of its provider takes longer."""


class Turn:
    """Who holds the file `path`. Several in one process are several who wait for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path, timeout=0, mode=0o600, thread_local=False)

    def take(self) -> bool:
        """Hold it unless somebody else does; whether it is held now.

        Raises:
            OSError: the file or its folder cannot be made.
        """
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Let the next one have it. Does nothing if it is not held."""
        self._lock.release()
