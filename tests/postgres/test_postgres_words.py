"""A database that cannot be used: no order can be promised, the error says why, and nothing tells its password."""

from __future__ import annotations

import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import pytest

from dropship_mcp.ledger import postgres_driver
from dropship_mcp.ledger.postgres_schema import quoted, schema_name
from dropship_mcp.ledger.postgres_words import in_words
from dropship_mcp.ledger_settings import LedgerDatabase
from dropship_tools.errors import LedgerUnavailable
from e2e.ports import free_port
from postgres.clusters import KEY, PASSWORD, Cluster
from unit.ledger.ledgers import CONTENT, Ledgers, in_state
from unit.ledger.ledgers import KEY as ORDER

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

SECRETS = ("pass%2Fword", PASSWORD, KEY, "otherpass")


async def refusal(place: LedgerDatabase, scope: str = "") -> str:
    """Why no order can be promised there."""
    async with Ledgers(place, scope).open() as ledger:
        with pytest.raises(LedgerUnavailable) as caught:
            await ledger.claim(ORDER, await ledger.hashes(CONTENT))
    assert caught.value.sent == "no"
    told = f"{caught.value}{ledger.place}"
    assert [secret for secret in SECRETS if secret in told] == []
    return caught.value.what.removeprefix("the ledger cannot be used: ")


@pytest.fixture
def ann(cluster: Cluster) -> Cluster:
    """A server with a user who has a password."""
    cluster.sql(f"DROP ROLE IF EXISTS ann; CREATE ROLE ann LOGIN PASSWORD '{PASSWORD}'")
    return cluster


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://ann:pass%2Fword@127.0.0.1:{closed}/postgres", "its database cannot be reached"),
        ("postgresql://ann:pass%2Fword@nowhere.invalid:{port}/postgres", "its database cannot be reached"),
        (
            "postgresql://ann:otherpass@127.0.0.1:{port}/postgres",
            "its database does not accept the user or the password",
        ),
        (
            "postgresql://bob:otherpass@127.0.0.1:{port}/postgres",
            "its database does not accept the user or the password",
        ),
        ("postgresql://ann:pass%2Fword@127.0.0.1:{port}/other", "there is no such database"),
        (
            "postgresql://ann:pass%2Fword@127.0.0.1:{port}/postgres",
            "its database does not let this user write: it needs CREATE on the database once, then its own schema",
        ),
        (
            "postgresql://ann:pass%2Fword@127.0.0.1:{port}/postgres?sslmode=pass%2Fword",
            "DROPSHIP_LEDGER is not an address that can be used",
        ),
        ("postgresql://ann:pass%2Fword@127.0.0.1:{port}/postgres?sslmode=require", "its database cannot be reached"),
    ],
)
async def test_a_database_that_does_not_let_us_in_is_told_in_words(url: str, why: str, ann: Cluster) -> None:
    address = url.format(port=ann.port, closed=free_port())
    assert await refusal(ann.place(address), scope="ann") == why


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (
            "UPDATE \"{schema}\".facts SET value = '99' WHERE name = 'version'",
            "it was written by a newer version of this program",
        ),
        ('DROP TABLE "{schema}".orders CASCADE', "its tables are missing or damaged"),
        ('ALTER TABLE "{schema}".orders DROP COLUMN parcel', "its tables are missing or damaged"),
        ("UPDATE \"{schema}\".orders SET fields = 'x'", "its tables are missing or damaged"),
    ],
)
async def test_tables_that_are_not_ours_any_more_are_told_in_words(
    spoil: str, why: str, cluster: Cluster, ledgers: Ledgers
) -> None:
    async with ledgers.open() as ledger:
        await in_state(ledger, "placed")
    cluster.sql(spoil.format(schema=schema_name(ledgers.scope)))
    assert await refusal(cluster.place(), ledgers.scope) == why


async def test_another_key_is_told_in_words_and_changes_nothing(cluster: Cluster, ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        placed = await in_state(ledger, "placed")
    other = cluster.place(key="ab" * 32)
    assert await refusal(other, ledgers.scope) == "DROPSHIP_LEDGER_KEY is not the key it was made with"
    async with ledgers.open() as ledger:
        assert await ledger.get(ORDER) == placed


async def test_a_read_only_database_is_told_in_words_and_can_be_looked_at(cluster: Cluster, ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        placed = await in_state(ledger, "placed")
    cluster.sql(
        "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN SUPERUSER",
        "ALTER ROLE reader SET default_transaction_read_only = on",
    )
    place = cluster.place(cluster.url().replace("postgres@", "reader@"))
    assert await refusal(place, ledgers.scope) == "its database is read-only: a standby, or told to be"
    async with Ledgers(place, ledgers.scope).open() as ledger:
        assert await ledger.get(ORDER) == placed
        with pytest.raises(LedgerUnavailable, match="read-only"):
            await ledger.check()


@asynccontextmanager
async def locked(cluster: Cluster, ledgers: Ledgers) -> AsyncGenerator[None]:
    """Somebody holds all orders."""
    holder = await postgres_driver.connect(cluster.url(), quoted(schema_name(ledgers.scope)))
    async with holder.transaction():
        await holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        yield
    await holder.close(timeout=1)


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("lock_timeout", "another process holds it locked"),
        ("statement_timeout", "its database was too slow"),
    ],
)
async def test_nobody_waits_long_for_a_lock_or_an_answer(
    setting: str, why: str, cluster: Cluster, ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ledgers.open() as ledger:
        await in_state(ledger, "refused")
        monkeypatch.setitem(postgres_driver.SESSION, setting, "50")
        async with locked(cluster, ledgers):
            assert await refusal(cluster.place(), ledgers.scope) == why
        assert (await ledger.claim(ORDER, await ledger.hashes(CONTENT))).won


async def test_a_database_that_says_nothing_is_not_waited_for(
    cluster: Cluster, ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ledgers.open() as ledger:
        await in_state(ledger, "refused")
    async with locked(cluster, ledgers):
        monkeypatch.setattr(postgres_driver, "ANSWER_SECONDS", 0.1)
        assert await refusal(cluster.place(), ledgers.scope) == "its database did not answer in time"


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("DiskFullError", "the database's disk is full or failing"),
        ("TooManyConnectionsError", "its database has no connection left"),
        ("CannotConnectNowError", "its database is starting, stopping or recovering"),
        ("AdminShutdownError", "its database is starting, stopping or recovering"),
        ("DeadlockDetectedError", "other processes were in the way again and again"),
        ("CharacterNotInRepertoireError", "its database cannot keep a text that was given"),
        ("FeatureNotSupportedError", "its database refuses (SQLSTATE 0A000)"),
        ("InterfaceError", "the connection to its database broke off"),
    ],
)
def test_what_is_hard_to_bring_about_has_words_too(kind: str, why: str) -> None:
    asyncpg: Any = import_module("asyncpg")
    assert in_words(getattr(asyncpg, kind)("for user ann")) == why


async def test_a_traceback_holds_no_password(ann: Cluster) -> None:
    address = f"postgresql://ann:otherpass@127.0.0.1:{ann.port}/postgres"
    async with Ledgers(ann.place(address)).open() as ledger:
        with pytest.raises(LedgerUnavailable) as caught:
            await ledger.check()
    assert "otherpass" not in "".join(traceback.format_exception(caught.value))
