"""Which processes that share a ledger are still alive.

Every process holds a lock on a file of its own while it lives; the system releases it however the process ends. So a
row of a dead process is recognised at once, without waiting for a lease to run out and without trusting clocks or
process numbers.
"""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from filelock import FileLock, Timeout


class Owner:
    """This process, as long as it lives. Several in one process are several owners."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self.id = secrets.token_hex(8)
        self._lock = FileLock(self._path(self.id), timeout=0, mode=0o600, thread_local=False)
        self._lock.acquire()

    def is_alive(self, owner: str) -> bool:
        """Whether the process called `owner` holds its lock. An owner without a lock file is dead."""
        if owner == self.id:
            return True
        path = self._path(owner)
        if not path.exists():
            return False
        lock = FileLock(path, timeout=0, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)  # its owner is dead and nobody will ask for this name again
        return False

    def release(self) -> None:
        """Leave. Rows still held count as those of a dead process from now on."""
        self._lock.release()
        with contextlib.suppress(OSError):
            self._path(self.id).unlink(missing_ok=True)

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"
