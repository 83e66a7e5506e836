"""Opening the ledger's file, and saying in words why it cannot be used."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from pathlib import Path

from dropship_mcp.ledger.schema import NewerLedger, migrate


class Unusable(ValueError):
    """The ledger cannot be used; says why in words."""


def open_file(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """The file at `path`, made if need be, in the newest version. What is committed survives a power cut.

    Raises:
        sqlite3.Error, OSError, NewerLedger: it cannot be used; `in_words` tells why.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if not os.access(path, os.W_OK):  # SQLite would open it for reading, and keep it so after it was mended
        raise PermissionError(errno.EACCES, "read-only")
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    try:
        _use_log(connection, time.monotonic() + busy_seconds)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_log(connection: sqlite3.Connection, give_up_at: float) -> None:
    """SQLite's own patience does not cover several processes that do this to a new file at once."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at:
                raise
            time.sleep(0.02)


def may_pass(error: Exception) -> bool:
    """Whether the open file may be used again without being opened anew: somebody holds it, or there is no room."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def in_words(error: Exception) -> str:
    """What is wrong, for a person who never saw SQLite."""
    text = str(error).lower()
    if isinstance(error, NewerLedger):
        return "it was written by a newer version of this program"
    if isinstance(error, Unusable):
        return str(error)
    if "locked" in text or "busy" in text:
        return "another process holds it locked"
    if "full" in text or "disk i/o" in text or getattr(error, "errno", 0) in (errno.ENOSPC, errno.EFBIG):
        return "the disk is full or failing"
    if "readonly" in text or getattr(error, "errno", 0) in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "it is read-only or its folder may not be written"
    if (
        isinstance(error, ValueError)
        or "not a database" in text
        or "malformed" in text
        or "corrupt" in text
        or "no such table" in text
        or "no such column" in text
    ):
        return "the file is damaged"
    if "unable to open" in text or getattr(error, "errno", 0) in (errno.ENOTDIR, errno.EISDIR, errno.ENOENT):
        return "its file or folder cannot be opened"
    return f"it cannot be opened ({type(error).__name__})"
