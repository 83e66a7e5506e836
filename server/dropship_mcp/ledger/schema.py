"""The ledger's tables, and how an older file becomes a newer one."""

from __future__ import annotations

import sqlite3

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE orders (
        id          INTEGER PRIMARY KEY,
        mode        TEXT NOT NULL,
        provider    TEXT NOT NULL,
        account     TEXT NOT NULL,
        reference   TEXT NOT NULL,
        state       TEXT NOT NULL CHECK (state IN ('claimed', 'sending', 'placed', 'refused', 'unknown')),
        attempt     INTEGER NOT NULL,
        owner       TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        fields      TEXT NOT NULL,
        trace       TEXT NOT NULL,
        order_id    TEXT NOT NULL,
        answer      TEXT NOT NULL,
        reason      TEXT NOT NULL,
        since       TEXT NOT NULL,
        sent_at     TEXT,
        changed_at  TEXT NOT NULL,
        UNIQUE (mode, provider, account, reference)
    );
    CREATE INDEX orders_by_reference ON orders (reference);
    CREATE INDEX orders_by_time ON orders (since);
    CREATE TABLE changes (
        order_row   INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
        at          TEXT NOT NULL,
        attempt     INTEGER NOT NULL,
        state       TEXT NOT NULL,
        reason      TEXT NOT NULL
    );
    CREATE INDEX changes_by_order ON changes (order_row);
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    """,
    "CREATE INDEX orders_by_order_id ON orders (provider, account, order_id)",
    # `total` counts ten-thousandths, so that it can be added up
    """
    ALTER TABLE orders ADD COLUMN parcel TEXT NOT NULL DEFAULT '';
    ALTER TABLE orders ADD COLUMN total INTEGER;
    DROP INDEX orders_by_time;
    CREATE INDEX orders_by_time ON orders (since, mode, state, total);
    CREATE INDEX orders_by_parcel ON orders (parcel, since) WHERE parcel <> '';
    CREATE TABLE approvals (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        mode        TEXT NOT NULL,
        provider    TEXT NOT NULL,
        account     TEXT NOT NULL,
        reference   TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        parcel      TEXT NOT NULL,
        state       TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'declined', 'used', 'expired')),
        question    TEXT NOT NULL,
        reason      TEXT NOT NULL,
        how         TEXT NOT NULL,
        asked_at    TEXT NOT NULL,
        decided_at  TEXT,
        expires_at  TEXT NOT NULL
    );
    CREATE INDEX approvals_by_order ON approvals (fingerprint);
    CREATE INDEX approvals_by_parcel ON approvals (parcel);
    CREATE INDEX approvals_by_state ON approvals (state, mode)
    """,
    # the few orders that somebody looks for among all
    """
    CREATE INDEX orders_by_account ON orders (mode, provider, account, since);
    CREATE INDEX orders_in_doubt ON orders (since) WHERE state IN ('sending', 'unknown')
    """,
)
"""One script a version; `PRAGMA user_version` counts them. Old scripts never change, new ones are added."""


class NewerLedger(Exception):
    """The file was written by a newer version of this program."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest version, under a write lock, all or nothing.

    Raises:
        NewerLedger: it is newer than this program.
        sqlite3.Error: it cannot be written or is no ledger.
    """
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # another process may have been faster
        if version > len(MIGRATIONS):
            raise NewerLedger
        for script in MIGRATIONS[version:]:
            for statement in filter(str.strip, script.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
