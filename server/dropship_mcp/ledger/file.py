"""The file under a ledger: its connection, its key, its owner, and one worker thread that does all work with it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from dropship_mcp.ledger.hashing import ContentHasher, load_or_create_secret
from dropship_mcp.ledger.opening import Unusable, in_words, may_pass, open_file
from dropship_mcp.ledger.schema import NewerLedger
from dropship_tools.errors import LedgerUnavailable

if TYPE_CHECKING:
    from dropship_mcp.ledger.owner import Owner

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long to wait for another process's write. Writes take milliseconds; longer means somebody holds the file."""

WRONG_KEY = "its key file is missing or belongs to another ledger"


class LedgerFile:
    """Opened on first use, and again after it failed and was mended."""

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._owner: Owner | None = None
        self._hasher: ContentHasher | None = None
        self._one_at_a_time: anyio.CapacityLimiter | None = None

    async def work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the file; the event loop never waits for a disk.

        Raises:
            LedgerUnavailable: the file cannot be used, in words.
        """

        def in_thread() -> T:
            try:
                return work(self._open())
            except (sqlite3.Error, OSError, ValueError, NewerLedger) as error:
                if self._connection is not None and not may_pass(error):
                    self._connection.close()
                    self._connection = None
                raise LedgerUnavailable(
                    f"the ledger cannot be used: {in_words(error)}",
                    fix="Nothing was sent. A person has to mend the ledger file; dropship_status names it.",
                ) from error

        return await anyio.to_thread.run_sync(in_thread, limiter=self._limiter())

    def owner(self) -> Owner:
        """This process, as the ledger knows it. For use inside `work`."""
        if self._owner is None:
            from dropship_mcp.ledger.owner import Owner  # filelock, which only an order needs

            self._owner = Owner(self.path.with_name(f"{self.path.name}.owners"))
        return self._owner

    def hasher(self) -> ContentHasher:
        """Hashes and seals with the ledger's key. For use inside `work`."""
        if self._hasher is None:
            self._hasher = ContentHasher(load_or_create_secret(self._key_path()))
        return self._hasher

    async def close(self) -> None:
        """Close the file and give up this process's claims."""

        def work() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if self._owner is not None:
                self._owner.release()
                self._owner = None

        await anyio.to_thread.run_sync(work, limiter=self._limiter())

    def _limiter(self) -> anyio.CapacityLimiter:
        if self._one_at_a_time is None:
            self._one_at_a_time = anyio.CapacityLimiter(1)
        return self._one_at_a_time

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = open_file(self.path, self._busy_seconds)
            try:
                self._check_key(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _key_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.key")

    def _check_key(self, db: sqlite3.Connection) -> None:
        """With another secret every repeated order would look like a changed one."""
        known = db.execute("SELECT value FROM facts WHERE name = 'key_id'").fetchone()
        if known and not self._key_path().exists():  # a new one would only be in the way of the old one
            raise Unusable(WRONG_KEY)
        key_id = self.hasher().key_id()
        if known is None:
            db.execute("INSERT OR IGNORE INTO facts (name, value) VALUES ('key_id', ?)", (key_id,))
        elif known[0] != key_id:
            self._hasher = None  # the right key may be put back
            raise Unusable(WRONG_KEY)


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None]:
    """All or nothing, alone among all processes."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
