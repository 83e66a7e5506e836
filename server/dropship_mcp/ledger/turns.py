"""Turns that the processes at a ledger file take: locks on files, which the system gives up however a process ends."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

POLL = 0.02
"""Seconds between two looks whether the other process has ended; what it asks of its provider takes longer."""


class Turn:
    """Who holds the file `path`. Several in one process are several who wait for it.

    Whoever wants it has to be the next one before, which another file says. So a process that has just had it does not
    get it again while another one waits.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = _lock(path)
        self._next = _lock(path.with_suffix(".next"))

    def take(self) -> bool:
        """Hold it unless somebody else does; whether it is held now.

        Raises:
            OSError: a file or the folder cannot be made.
        """
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            if not self._next.is_locked:
                self._next.acquire()
            self._mine.acquire()
        except Timeout:
            return False
        self._next.release()
        return True

    def release(self) -> None:
        """Let the next one have it, or be next. Does nothing if neither is held."""
        self._next.release()
        self._mine.release()


def _lock(path: Path) -> FileLock:
    return FileLock(path, timeout=0, mode=0o600, thread_local=False)
