"""The one door to asyncpg, which is an extra and has no types: imported when a ledger in a database is opened."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Any, Protocol, cast

from dropship_mcp.ledger.opening import Unusable

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
"""For one statement; a server that is gone says nothing."""

SESSION = {
    "application_name": "dropship-mcp",
    "timezone": "UTC",
    "synchronous_commit": "on",  # what is promised survives a power cut, whatever the database's default
    "default_transaction_isolation": "read committed",
    "statement_timeout": "8000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",
    # a server machine that is cut off is noticed by its database, and its claims end
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""What every connection is set to, whatever the database's defaults. Milliseconds and seconds."""


class Connection(Protocol):
    """What is used of asyncpg's connections."""

    async def execute(self, query: str, *values: object, timeout: float | None = None) -> str:
        """Run statements; the tag of the last one. Without values there may be several. Seconds, if not the usual."""
        ...

    async def fetch(self, query: str, *values: object) -> list[Sequence[Any]]:
        """All rows."""
        ...

    async def fetchrow(self, query: str, *values: object) -> Sequence[Any] | None:
        """The first row."""
        ...

    async def fetchval(self, query: str, *values: object) -> Any:
        """The first value of the first row."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """All or nothing."""
        ...

    def is_closed(self) -> bool:
        """Whether it is known to be gone."""
        ...

    async def close(self, *, timeout: float) -> None:
        """Take leave of the server."""
        ...

    def terminate(self) -> None:
        """Drop it."""
        ...


def failures() -> tuple[type[Exception], ...]:
    """What a connection may raise."""
    asyncpg: Any = import_module("asyncpg")
    # the last one comes from a connection to which a server that goes down said farewell
    told = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return (OSError, TimeoutError, ValueError, *told)


async def connect(url: str, schema: str) -> Connection:
    """A new connection whose tables are those of `schema`.

    Raises:
        Unusable: the address makes no sense.
    """
    asyncpg: Any = import_module("asyncpg")
    connecting = asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        command_timeout=ANSWER_SECONDS,
        server_settings={**SESSION, "search_path": schema},
    )
    try:
        return cast("Connection", await connecting)
    except ValueError as error:
        raise Unusable("DROPSHIP_LEDGER is not an address that can be used") from error
