"""The ledger's tables in PostgreSQL: those of the file, in a schema of their own."""

from __future__ import annotations

import hashlib

from dropship_mcp.ledger.opening import Unusable
from dropship_mcp.ledger.postgres_driver import Connection
from dropship_mcp.ledger.schema import NewerLedger

MIGRATIONS: tuple[str, ...] = (
    # Times are text in UTC as in the file; "C" sorts it by its characters, whatever the database's language.
    # Answers are text too: jsonb would lose the order of their fields.
    """
    CREATE TABLE orders (
        id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        mode        text NOT NULL,
        provider    text NOT NULL,
        account     text NOT NULL,
        reference   text NOT NULL,
        state       text NOT NULL CHECK (state IN ('claimed', 'sending', 'placed', 'refused', 'unknown')),
        attempt     integer NOT NULL,
        owner       text NOT NULL,
        fingerprint text NOT NULL,
        fields      text NOT NULL,
        trace       text NOT NULL,
        parcel      text NOT NULL,
        total       bigint,
        order_id    text NOT NULL,
        answer      text NOT NULL,
        reason      text NOT NULL,
        since       text COLLATE "C" NOT NULL,
        sent_at     text COLLATE "C",
        changed_at  text COLLATE "C" NOT NULL,
        UNIQUE (mode, provider, account, reference)
    );
    CREATE INDEX orders_by_reference ON orders (reference);
    CREATE INDEX orders_by_time ON orders (since, mode, state, total);
    CREATE INDEX orders_open ON orders (since) WHERE state IN ('sending', 'unknown');
    CREATE INDEX orders_by_order_id ON orders (provider, account, order_id);
    CREATE INDEX orders_by_parcel ON orders (parcel, since) WHERE parcel <> '';
    CREATE TABLE changes (
        number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        order_row   bigint NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
        at          text COLLATE "C" NOT NULL,
        attempt     integer NOT NULL,
        state       text NOT NULL,
        reason      text NOT NULL
    );
    CREATE INDEX changes_by_order ON changes (order_row, number);
    CREATE TABLE approvals (
        id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        mode        text NOT NULL,
        provider    text NOT NULL,
        account     text NOT NULL,
        reference   text NOT NULL,
        fingerprint text NOT NULL,
        parcel      text NOT NULL,
        state       text NOT NULL CHECK (state IN ('waiting', 'approved', 'declined', 'used', 'expired')),
        question    text NOT NULL,
        reason      text NOT NULL,
        how         text NOT NULL,
        asked_at    text COLLATE "C" NOT NULL,
        decided_at  text COLLATE "C",
        expires_at  text COLLATE "C" NOT NULL
    );
    CREATE INDEX approvals_by_order ON approvals (fingerprint);
    CREATE INDEX approvals_by_parcel ON approvals (parcel);
    CREATE INDEX approvals_by_state ON approvals (state, mode);
    CREATE TABLE buckets (name text PRIMARY KEY, empty_at timestamptz NOT NULL);
    CREATE TABLE facts (name text PRIMARY KEY, value text NOT NULL)
    """,
)
"""One script a version; the fact `version` counts them. Old scripts never change, new ones are added."""

LONGEST_NAME = 63
"""PostgreSQL cuts longer names, and two scopes would be one."""

WRONG_KEY = "DROPSHIP_LEDGER_KEY is not the key it was made with"


def schema_name(scope: str) -> str:
    """The schema in which a scope has its tables."""
    name = f"dropship_{scope}" if scope else "dropship"
    if len(name.encode()) <= LONGEST_NAME and "\0" not in name:
        return name
    return f"dropship_{hashlib.sha256(scope.encode()).hexdigest()[:48]}"


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


async def prepare(db: Connection, schema: str, key_id: str) -> None:
    """Bring the tables to the newest version, by one process at a time, all or nothing; and try the key.

    Raises:
        NewerLedger: they are newer than this program.
        Unusable: they were made with another key.
    """
    if await _version(db) != len(MIGRATIONS):
        async with db.transaction():
            await lock(db, "migration", schema)
            if not await db.fetchval("SELECT to_regnamespace($1) IS NOT NULL", quoted(schema)):
                await db.execute(f"CREATE SCHEMA {quoted(schema)}")
            version = await _version(db)  # another process may have been faster
            if version > len(MIGRATIONS):
                raise NewerLedger
            for script in MIGRATIONS[version:]:
                await db.execute(script)
            await _set_fact(db, "version", str(len(MIGRATIONS)))
    if await _fact(db, "key_id") is None:
        await db.execute("INSERT INTO facts VALUES ('key_id', $1) ON CONFLICT DO NOTHING", key_id)
    if await _fact(db, "key_id") != key_id:
        raise Unusable(WRONG_KEY)


async def lock(db: Connection, *about: str) -> None:
    """Be alone, among all processes at the database, with what it is about; until the transaction ends."""
    await db.execute("SELECT pg_advisory_xact_lock($1, $2)", *lock_numbers(*about))


def lock_numbers(*about: str) -> tuple[int, int]:
    """What PostgreSQL calls a lock, by what it is about. Two numbers: owners hold locks of one (`postgres_owner`)."""
    digest = hashlib.sha256("\0".join(about).encode()).digest()
    return int.from_bytes(digest[:4], "big", signed=True), int.from_bytes(digest[4:8], "big", signed=True)


async def _version(db: Connection) -> int:
    if await db.fetchval("SELECT to_regclass('facts') IS NULL"):
        return 0
    return int(await _fact(db, "version") or 0)


async def _fact(db: Connection, name: str) -> str | None:
    return await db.fetchval("SELECT value FROM facts WHERE name = $1", name)


async def _set_fact(db: Connection, name: str, value: str) -> None:
    await db.execute(
        "INSERT INTO facts VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value
    )
