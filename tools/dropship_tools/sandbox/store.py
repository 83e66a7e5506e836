"""Where the sandbox keeps its orders: one small SQLite file, or memory.

The file is shared by every process of the user (the MCP server, `dropship-mcp sandbox`, tests), so an order
placed by one is found by the next, and a process killed half way leaves either the whole change or none.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any, cast

BUSY_SECONDS = 5.0
# SQLite's integers have 64 bits; ids in a request path may have more.
LARGEST_ID = 2**63 - 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    key TEXT NOT NULL,
    created_at TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (provider, kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_key ON documents (provider, kind, key);
CREATE TABLE IF NOT EXISTS counters (
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    last_id INTEGER NOT NULL,
    PRIMARY KEY (provider, kind)
) WITHOUT ROWID;
"""

INSERT = "INSERT INTO documents (provider, kind, id, key, created_at, body) VALUES (?, ?, ?, ?, ?, ?)"
NEXT_ID = (
    "INSERT INTO counters (provider, kind, last_id) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET last_id = max(last_id + 1, excluded.last_id) RETURNING last_id"
)
SELECT_ALL = "SELECT id, key, created_at, body FROM documents WHERE provider = ? AND kind = ? ORDER BY id"
SELECT_ONE = "SELECT id, key, created_at, body FROM documents WHERE provider = ? AND kind = ? AND id = ?"
SELECT_BY_KEY = (
    "SELECT id, key, created_at, body FROM documents WHERE provider = ? AND kind = ? AND key = ? ORDER BY id"
)
COUNT = "SELECT count(*) FROM documents WHERE provider = ? AND kind = ?"
UPDATE = "UPDATE documents SET body = ? WHERE provider = ? AND kind = ? AND id = ? RETURNING id"
DELETE = "DELETE FROM documents WHERE provider = ? AND kind = ? AND id = ?"


def utc_now() -> datetime:
    """The present as an aware UTC datetime; the default clock of the sandbox."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Document:
    """One stored thing. `body` is plain JSON data; changing it changes nothing until it is `put` back."""

    id: int
    key: str
    created_at: datetime
    body: dict[str, Any]


class SandboxStore:
    """Documents by (provider, kind, id), with a free-text `key` to find them again.

    By convention every provider keeps its orders under the kind "order" with the caller's reference as `key`;
    the control plane counts those. All methods are synchronous and short. Never `await` inside
    `transaction()`: another task of the same thread would join it.
    """

    def __init__(self, path: Path | None, now: Callable[[], datetime] = utc_now) -> None:
        """`path` None keeps everything in memory. Nothing is opened or created before the first use."""
        self._path = path
        self._now = now
        self._lock = RLock()
        self._depth = 0
        self._open_connection: sqlite3.Connection | None = None

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, alone among all processes. May be nested; the inner one is undone by itself."""
        return self._transaction()

    def add(self, provider: str, kind: str, body: dict[str, Any], *, key: str = "", first_id: int = 1) -> Document:
        """Store a new document under the next free id of (provider, kind). An id is never given twice."""
        created_at = self._now().astimezone(UTC)
        with self.transaction():
            new_id = cast(int, self._rows(NEXT_ID, (provider, kind, first_id))[0][0])
            text = json.dumps(body)
            self._rows(INSERT, (provider, kind, new_id, key, created_at.isoformat(), text))
        return Document(id=new_id, key=key, created_at=created_at, body=cast(dict[str, Any], json.loads(text)))

    def get(self, provider: str, kind: str, id: int) -> Document | None:
        """The document with this id, or None."""
        if not -LARGEST_ID <= id <= LARGEST_ID:
            return None
        found = self._select(SELECT_ONE, (provider, kind, id))
        return found[0] if found else None

    def find(self, provider: str, kind: str, key: str) -> list[Document]:
        """Every document stored under exactly this key, oldest first."""
        return self._select(SELECT_BY_KEY, (provider, kind, key))

    def all(self, provider: str, kind: str) -> list[Document]:
        """Every document of this kind, oldest first."""
        return self._select(SELECT_ALL, (provider, kind))

    def put(self, provider: str, kind: str, id: int, body: dict[str, Any]) -> None:
        """Replace the body of a stored document. Raises KeyError when there is none."""
        rows = self._rows(UPDATE, (json.dumps(body), provider, kind, id))
        if not rows:
            raise KeyError((provider, kind, id))

    def delete(self, provider: str, kind: str, id: int) -> None:
        """Remove a document; no error when it is gone already."""
        self._rows(DELETE, (provider, kind, id))

    def count(self, provider: str, kind: str) -> int:
        """How many documents of this kind there are."""
        return cast(int, self._rows(COUNT, (provider, kind))[0][0])

    def reset(self) -> None:
        """Forget everything: orders, stock movements, faults and the id counters."""
        with self.transaction():
            self._rows("DELETE FROM documents", ())
            self._rows("DELETE FROM counters", ())

    def close(self) -> None:
        """Give the file back. The next use opens it again; what was kept in memory is lost."""
        with self._lock:
            if self._open_connection is not None:
                self._open_connection.close()
                self._open_connection = None

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._lock:
            outermost = self._depth == 0
            name = f"level{self._depth}"
            self._rows("BEGIN IMMEDIATE" if outermost else f"SAVEPOINT {name}", ())
            self._depth += 1
            try:
                yield
            except BaseException:
                self._rows("ROLLBACK" if outermost else f"ROLLBACK TO {name}", ())
                if not outermost:
                    self._rows(f"RELEASE {name}", ())
                raise
            else:
                self._rows("COMMIT" if outermost else f"RELEASE {name}", ())
            finally:
                self._depth -= 1

    def _select(self, statement: str, values: tuple[object, ...]) -> list[Document]:
        return [
            Document(
                id=cast(int, row[0]),
                key=cast(str, row[1]),
                created_at=datetime.fromisoformat(cast(str, row[2])),
                body=cast(dict[str, Any], json.loads(cast(str, row[3]))),
            )
            for row in self._rows(statement, values)
        ]

    def _rows(self, statement: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        with self._lock:
            return self._connection().execute(statement, values).fetchall()

    def _connection(self) -> sqlite3.Connection:
        if self._open_connection is None:
            self._open_connection = _in_memory() if self._path is None else _in_file(self._path)
            weakref.finalize(self, self._open_connection.close)  # a forgotten store gives its file back too
        return self._open_connection


def _in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(SCHEMA)
    return connection


def _in_file(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # People try the sandbox with real addresses: the file is theirs alone, and so are the -wal and -shm
    # files, which SQLite creates with the permissions of the database.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    give_up_at = time.monotonic() + BUSY_SECONDS
    while True:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            # SQLite does not apply the busy timeout when several processes switch a new file to WAL at once.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(SCHEMA)
        except sqlite3.Error as error:
            connection.close()
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= give_up_at:
                raise
            time.sleep(0.02)
        else:
            return connection
