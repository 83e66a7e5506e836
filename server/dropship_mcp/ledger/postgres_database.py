"""The database under a ledger: its connections, short transactions, and what happens when one of them breaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio

from dropship_mcp.finishing import finished
from dropship_mcp.ledger.hashing import ContentHasher
from dropship_mcp.ledger.postgres_driver import ANSWER_SECONDS, Connection, connect, failures
from dropship_mcp.ledger.postgres_owner import Presence
from dropship_mcp.ledger.postgres_schema import lock_numbers, prepare, quoted, schema_name
from dropship_mcp.ledger.postgres_words import in_words, is_worth_another_try
from dropship_mcp.ledger.schema import NewerLedger
from dropship_mcp.ledger_settings import LedgerDatabase
from dropship_tools.errors import LedgerUnavailable
from dropship_tools.provider import Held

T = TypeVar("T")

MOST_CONNECTIONS = 8
"""For work; one more tells that the process lives, and each turn needs one while somebody has it or waits for it."""

IDLE_SECONDS = 60.0
"""So long a connection is kept that nobody needs. With many tenants they would use up the database's."""

PATIENT = "SET lock_timeout = 0; SET statement_timeout = 0"
PATIENT_NO_MORE = "RESET lock_timeout; RESET statement_timeout"
FOR_EVER = 3600.0

GIVE_UP = 2.0
"""Seconds for giving a turn back: an order waits to be recorded."""

FIX = "Nothing was sent. A person has to mend the ledger's database; dropship_status names it."


class Database:
    """Connected on first use, and again after a connection broke."""

    def __init__(self, place: LedgerDatabase, scope: str) -> None:
        self.place = place
        self.schema = schema_name(scope)
        shared = ContentHasher(bytes.fromhex(place.key.reveal()))
        self.hasher = ContentHasher(shared.key(f"scope {scope}")) if scope else shared  # no scope reads another's seals
        self._prepared = False
        self._idle: list[tuple[float, Connection]] = []
        """Since when, the one that was used last at the end."""
        self._cleaning: asyncio.TimerHandle | None = None
        self._turns = anyio.Semaphore(MOST_CONNECTIONS)
        self._presence = Presence(self._connect)

    @property
    def owner(self) -> str:
        """This process, as the ledger knows it."""
        return self._presence.owner

    async def be_alive(self) -> None:
        """Let the other processes know that this one lives. Raises `LedgerUnavailable`."""
        await self.read(self._presence.ensure)

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Ask something; each statement for itself.

        Raises:
            LedgerUnavailable: the database cannot be used, in words.
        """

        async def attempt() -> T:
            async with self._connection() as db:
                return await work(db)

        return await finished(self._again(attempt))

    async def change(
        self,
        work: Callable[[Connection], Awaitable[T]],
        is_written: Callable[[Connection, T], Awaitable[bool]] | None = None,
    ) -> T:
        """Change something, all or nothing. An exception of `work` that is none of the database's goes through.

        A transaction that broke before it was to be committed is tried once more. If nobody knows whether it was
        committed, `is_written` looks; without it, and if it was not, the work is done again.

        Raises:
            LedgerUnavailable: the database cannot be used, in words. The change may have been made.
        """
        in_doubt: list[T] = []

        async def attempt() -> T:
            async with self._connection() as db:
                if in_doubt and is_written and await is_written(db, in_doubt[0]):
                    return in_doubt[0]
                await db.execute("BEGIN")
                try:
                    result = await work(db)
                except failures():
                    raise  # the connection is dropped
                except Exception:
                    await db.execute("ROLLBACK")
                    raise
                in_doubt[:] = [result]
                await db.execute("COMMIT")
                return result

        # a statement that is cut off leaves doubts
        return await finished(self._again(attempt, lambda: bool(in_doubt)))

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncGenerator[Held]:
        """Be the only one, among all processes at the database, who has the turn called `name`; waits for it.

        A connection that nobody else uses meanwhile holds it: it ends with the process. Who came first gets it first.
        Gives a way to ask whether that is still so.

        Raises:
            LedgerUnavailable: the database cannot be used, in words.
        """
        first, second = lock_numbers("turn", self.schema, self.hasher.trace(name))  # no login can be read from it
        lock = f"({first}, {second})"
        connection = await self._again(lambda: self._locked(lock))
        try:
            yield lambda: not connection.is_closed()
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await connection.execute(f"SELECT pg_advisory_unlock{lock}; {PATIENT_NO_MORE}", timeout=GIVE_UP)
                    self._keep(connection)
                except BaseException as error:
                    connection.terminate()  # and the turn is over
                    if not isinstance(error, failures()):
                        raise

    async def _locked(self, lock: str) -> Connection:
        """A connection that holds a lock. How long that may take is up to the caller, who goes away."""
        connection = await self._open()
        try:
            await connection.execute(f"{PATIENT}; SELECT pg_advisory_lock{lock}", timeout=FOR_EVER)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def close(self) -> None:
        """Leave the database and give up this process's claims."""
        with anyio.CancelScope(shield=True):
            await self._presence.end()
            while self._idle:
                _, connection = self._idle.pop()
                with contextlib.suppress(Exception):
                    await connection.close(timeout=1)
                connection.terminate()
            if self._cleaning:
                self._cleaning.cancel()
                self._cleaning = None

    async def _again(self, attempt: Callable[[], Awaitable[T]], in_doubt: Callable[[], bool] = lambda: False) -> T:
        """What an attempt, or a second one, comes to. Raises `LedgerUnavailable`."""
        known = (*failures(), NewerLedger)
        try:
            try:
                return await attempt()
            except known as error:
                if not (in_doubt() or is_worth_another_try(error)):
                    raise
                self._drop_idle()  # what broke one has often broken all
                return await attempt()
        except known as error:
            raise LedgerUnavailable(f"the ledger cannot be used: {in_words(error)}", fix=FIX) from error

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        """One for a few statements. It is used again unless the database failed on it."""
        with anyio.fail_after(ANSWER_SECONDS):
            await self._turns.acquire()
        try:
            connection = await self._open()
            try:
                yield connection
            except BaseException as error:
                if isinstance(error, failures()) or not isinstance(error, Exception):
                    connection.terminate()
                raise
            finally:
                if not connection.is_closed():
                    self._keep(connection)
        finally:
            self._turns.release()

    async def _open(self) -> Connection:
        while self._idle:
            _, connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        connection = await self._connect()
        try:
            if not self._prepared:
                await prepare(connection, self.schema, self.hasher.key_id())
                self._prepared = True
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _keep(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        self._idle.append((loop.time(), connection))
        self._cleaning = self._cleaning or loop.call_later(IDLE_SECONDS, self._clean_up)

    def _clean_up(self) -> None:
        """Drop what nobody needed for long, and come again for the rest."""
        loop = asyncio.get_running_loop()
        while self._idle and self._idle[0][0] <= loop.time() - IDLE_SECONDS:
            self._idle.pop(0)[1].terminate()
        self._cleaning = loop.call_at(self._idle[0][0] + IDLE_SECONDS, self._clean_up) if self._idle else None

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop()[1].terminate()

    async def _connect(self) -> Connection:
        return await connect(self.place.url.reveal(), quoted(self.schema))
