"""Opening the ledger's file, and saying in words why it cannot be used."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from pathlib import Path

from dropship_mcp.ledger.schema import NewerLedger, migrate


def open_file(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """The file at `path`, made if need be, in the newest version. What is committed survives a power cut.

    Raises:
        sqlite3.Error, OSError, NewerLedger: it cannot be used; `in_words` tells why.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
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
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at:
                raise
            time.sleep(0.02)


def must_reopen(error: Exception) -> bool:
    """Whether an open connection would go on failing after the file was mended."""
    code = error.sqlite_errorcode & 0xFF if isinstance(error, sqlite3.Error) else 0
    return code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def in_words(error: Exception) -> str:
    """What is wrong, for a person who never saw SQLite."""
    text = str(error).lower()
    if isinstance(error, NewerLedger):
        return "it was written by a newer version of this program"
    if isinstance(error, ValueError):
        return str(error)
    if "locked" in text or "busy" in text:
        return "another process holds it locked"
    if "full" in text or "disk i/o" in text or getattr(error, "errno", 0) in (errno.ENOSPC, errno.EFBIG):
        return "the disk is full or failing"
    if "readonly" in text or getattr(error, "errno", 0) in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "it is read-only or its folder may not be written"
    if "not a database" in text or "malformed" in text or "corrupt" in text or "no such" in text:
        return "the file is damaged"
    return f"it cannot be opened ({type(error).__name__})"
