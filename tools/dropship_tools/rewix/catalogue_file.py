"""A shop's catalogue on disk, shared by all processes of this machine that use the account.

Written beside and moved into place, so that nobody reads half a file. What is damaged is thrown away: it can be
downloaded again. Where the folder cannot be used, everything still works from memory.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropship_tools.rewix.catalogue_data import Copy

if TYPE_CHECKING:
    from pydantic import TypeAdapter

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest file that is read."""

ASKED_EVERY = 15 * 60.0
"""Seconds between two questions for the catalogue: how often a shop makes it anew (sheet sections 3.3 and 4.8)."""

_LOCK_PATIENCE = 2.0


class CatalogueFile:
    """Where one account's copy of the catalogue is kept.

    Args:
        folder: the account's cache folder; None keeps nothing on disk.
        shop: what the copy belongs to: another address or key never reads it.
    """

    def __init__(self, folder: Path | None, shop: str) -> None:
        name = hashlib.sha256(shop.encode()).hexdigest()[:16]
        self._copy = folder / f"catalogue-{name}.json" if folder else None
        self._asked = folder / f"catalogue-{name}.asked" if folder else None
        self._asked_at: float | None = None
        self._seen: tuple[int, int] | None = None

    def load(self) -> Copy | None:
        """The copy on disk, if it is another one than this object loaded or saved last."""
        if self._copy is None:
            return None
        try:
            state = self._copy.stat()
            if (state.st_mtime_ns, state.st_size) == self._seen:
                return None
            if state.st_size > LARGEST:
                raise ValueError("too large")
            copy = _adapter().validate_json(self._copy.read_bytes())
        except OSError:
            return None
        except ValueError:
            with suppress(OSError):
                self._copy.unlink()
            return None
        self._seen = (state.st_mtime_ns, state.st_size)
        return copy

    def save(self, copy: Copy) -> None:
        """Keep a copy for this and other processes, if the folder lets us."""
        if self._copy is not None:
            with suppress(OSError):
                state = _replace(self._copy, _adapter().dump_json(copy))
                self._seen = (state.st_mtime_ns, state.st_size)

    def claim(self, now: float) -> float:
        """Take the right to ask the shop, for this process alone.

        Args:
            now: seconds since 1970.

        Returns:
            0 if the shop may be asked now; else the seconds until it may be, because this or another process asked it.
        """
        try:
            wait = self._claim_on_disk(now) if self._asked else _wait(self._asked_at, now)
        except OSError:
            wait = _wait(self._asked_at, now)
        if not wait:
            self._asked_at = now
        return wait

    def release(self) -> None:
        """Give the right back: the shop was not reached, or let nobody in."""
        self._asked_at = None
        if self._asked:
            with suppress(OSError):
                self._asked.unlink(missing_ok=True)

    def _claim_on_disk(self, now: float) -> float:
        from filelock import FileLock

        assert self._asked is not None
        self._asked.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(self._asked.with_suffix(".lock"), timeout=_LOCK_PATIENCE, mode=0o600):
            wait = _wait(self._read_asked(), now)
            if not wait:
                _replace(self._asked, repr(now).encode())
        return wait

    def _read_asked(self) -> float | None:
        assert self._asked is not None
        try:
            return float(self._asked.read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None


def _wait(asked_at: float | None, now: float) -> float:
    """Seconds until the shop may be asked again; a moment in the future is a clock that was set back."""
    passed = -1.0 if asked_at is None else now - asked_at
    return ASKED_EVERY - passed if 0 <= passed < ASKED_EVERY else 0.0


def _replace(path: Path, content: bytes) -> os.stat_result:
    """Put a file in place, whole or not at all; readable by its owner only. What stands there now."""
    import tempfile

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            state = os.fstat(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    return state


@cache
def _adapter() -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(Copy)
