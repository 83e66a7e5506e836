"""The file under a ledger: its connection, its key, its owner, and one worker thread that does all work with it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import anyio.to_thread

from dropship_mcp.finishing import finished
from dropship_mcp.ledger.hashing import ContentHasher, load_or_create_secret
from dropship_mcp.ledger.opening import Unusable, in_words, may_pass, open_file
from dropship_mcp.ledger.schema import NewerLedger
from dropship_tools.errors import LedgerUnavailable
from dropship_tools.provider import Held

if TYPE_CHECKING:
    from dropship_mcp.ledger.owner import Owner

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long to wait for another process's write. Writes take milliseconds; longer means somebody holds the file."""

FAULTS = (sqlite3.Error, OSError, ValueError, NewerLedger)
"""What the file is to blame for."""

WRONG_KEY = "its key file is missing or belongs to another ledger"


class Write(Generic[T]):
    """A change that waits for its turn, and what came of it."""

    def __init__(self, work: Callable[[sqlite3.Connection], T], durable: bool) -> None:
        self._work = work
        self.durable = durable
        self.outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._result: list[T] = []
        self._error: Exception | None = None

    def run(self, db: sqlite3.Connection, *, apart: bool) -> None:
        """Inside a transaction with others. Raises what the file is to blame for.

        What the work itself raises is kept if it runs apart, which costs half as much again; raised otherwise.
        """
        self._result, self._error = [], None
        if not apart:
            self._result = [self._work(db)]
            return
        db.execute("SAVEPOINT one")
        try:
            self._result = [self._work(db)]
        except FAULTS:
            raise
        except Exception as error:
            self._error = error
            db.execute("ROLLBACK TO one")
        db.execute("RELEASE one")

    def fail(self, error: Exception) -> None:
        """It could not be written."""
        self._result, self._error = [], error

    def tell(self) -> None:
        """It is on the disk, or will never be: whoever waits hears what the work returned or raised."""
        if self.outcome.done():  # nobody waits any more
            return
        if self._error is not None:
            self.outcome.set_exception(self._error)
        else:
            [result] = self._result
            self.outcome.set_result(result)


class LedgerFile:
    """Opened on first use, and again after it failed and was mended."""

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._owner: Owner | None = None
        self._hasher: ContentHasher | None = None
        self._turn = anyio.Lock()
        self._waiting: list[Write[Any]] = []
        self._writing: asyncio.Task[None] | None = None

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Look something up; the event loop never waits for a disk.

        Raises:
            LedgerUnavailable: the file cannot be used, in words.
        """

        def in_thread() -> T:
            with self._in_words():
                return work(self._open())

        async with self._turn:
            return await finished(anyio.to_thread.run_sync(in_thread))

    async def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Change something, alone among all processes: all of `work` or nothing.

        Writes that wait for the disk at the same time share one transaction, so that many orders at once cost one
        wait. What was written survives a killed process, and if it is durable a power cut too; a durable write makes
        all earlier ones durable.

        Raises:
            LedgerUnavailable: the file cannot be used, in words; nothing was written.
            Exception: whatever `work` raised; nothing of it was written.
        """
        write = Write(work, durable)
        self._waiting.append(write)
        if self._writing is None:  # a task of its own, so that no caller's end is the end of others' writes
            self._writing = asyncio.create_task(self._write_all(), context=contextvars.Context())
        try:
            return await write.outcome
        finally:
            if write in self._waiting:  # the caller went away before its turn
                self._waiting.remove(write)

    async def _write_all(self) -> None:
        """Until nobody waits."""
        together: list[Write[Any]] = []
        try:
            while self._waiting:
                async with self._turn:
                    together, self._waiting = self._waiting, []
                    await anyio.to_thread.run_sync(self._commit, together)
                for write in together:
                    write.tell()
        finally:
            self._writing = None
            for write in together:
                write.outcome.cancel()  # nothing, but where the program is being torn down

    def _commit(self, together: Sequence[Write[Any]]) -> None:
        """One transaction for all; a write that cannot be done is left out and the others are done without it."""
        left, apart = list(together), False
        while left:
            culprit: Write[Any] | None = None
            try:
                with self._in_words():
                    db = self._open()
                    db.execute(f"PRAGMA synchronous = {'FULL' if any(w.durable for w in left) else 'NORMAL'}")
                    with transaction(db):
                        for culprit in left:
                            culprit.run(db, apart=apart)
                        culprit = None
                break
            except LedgerUnavailable as error:
                failed = [culprit] if culprit else left
                for write in failed:
                    write.fail(error)
                left = [write for write in left if write not in failed]
            except Exception:  # the work's own: nothing was written, and the next time it harms no other
                apart = True

    @contextlib.contextmanager
    def _in_words(self) -> Generator[None]:
        try:
            yield
        except FAULTS as error:
            if self._connection is not None and not may_pass(error):
                self._connection.close()
                self._connection = None
            raise LedgerUnavailable(
                f"the ledger cannot be used: {in_words(error)}",
                fix="Nothing was sent. A person has to mend the ledger file; dropship_status names it.",
            ) from error

    def owner(self) -> Owner:
        """This process, as the ledger knows it. For use inside `read` and `write`."""
        if self._owner is None:
            from dropship_mcp.ledger.owner import Owner  # filelock, which only an order needs

            self._owner = Owner(self.path.with_name(f"{self.path.name}.owners"))
        return self._owner

    @contextlib.asynccontextmanager
    async def turn(self, name: str) -> AsyncGenerator[Held]:
        """Be the only one, among all processes at the file, who has the turn called `name`; waits for it.

        Gives a way to ask whether that is still so.

        Raises:
            LedgerUnavailable: the file, or one beside it, cannot be used.
        """
        from dropship_mcp.ledger.turns import POLL, Turn  # filelock, which only an order needs

        def named() -> Turn:
            key = self.hasher().trace(name)  # no login can be read from it
            return Turn(self.path.with_name(f"{self.path.name}.turns") / f"{key}.lock")

        turn = await self.read(lambda _: named())
        try:
            while True:
                if await self.read(lambda _: turn.take()):
                    break
                await anyio.sleep(POLL)  # another process sets no event
            yield lambda: True
        finally:
            turn.release()

    def ready_hasher(self) -> ContentHasher | None:
        """The hasher, if the file is open and nothing has to be read for it."""
        return self._hasher if self._connection is not None else None

    def hasher(self) -> ContentHasher:
        """Hashes and seals with the ledger's key. For use inside `read` and `write`."""
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

        async with self._turn:
            await finished(anyio.to_thread.run_sync(work))

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
