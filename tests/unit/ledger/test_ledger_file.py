"""The ledger's file: its version, its permissions, and the key that belongs to it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from dropship_mcp.ledger import schema
from dropship_mcp.ledger.hashing import load_or_create_secret
from dropship_tools.errors import LedgerUnavailable
from unit.ledger.ledgers import CONTENT, KEY, in_state, mode_of, open_ledger, won

pytestmark = pytest.mark.anyio

NEWER = "ALTER TABLE orders ADD COLUMN note TEXT NOT NULL DEFAULT ''; CREATE TABLE more (name TEXT)"


def version_of(path: Path) -> int:
    """The file's schema version."""
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


async def test_a_new_file_has_the_newest_version(tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        await won(ledger)
    assert version_of(ledger.path) == len(schema.MIGRATIONS) >= 1


async def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").touch()
    async with open_ledger(tmp_path) as ledger:
        assert (await won(ledger)).state == "claimed"


async def test_an_older_file_is_brought_forward_with_its_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_ledger(tmp_path) as ledger:
        kept = await in_state(ledger, "placed")
    older = version_of(ledger.path)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEWER))
    async with open_ledger(tmp_path) as ledger:
        assert await ledger.get(KEY) == kept
        await ledger.recent()
    connection = sqlite3.connect(ledger.path)
    assert connection.execute("SELECT note FROM orders").fetchall() == [("",)]
    connection.close()
    assert version_of(ledger.path) == older + 1


async def test_a_step_forward_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_ledger(tmp_path) as ledger:
        kept = await in_state(ledger, "placed")
    older = version_of(ledger.path)
    with monkeypatch.context() as broken:
        broken.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, f"{NEWER}; CREATE TABLE orders (id)"))
        async with open_ledger(tmp_path) as ledger:
            with pytest.raises(LedgerUnavailable):
                await ledger.get(KEY)
    assert version_of(ledger.path) == older
    async with open_ledger(tmp_path) as ledger:
        assert await ledger.get(KEY) == kept


async def test_a_newer_file_is_refused_with_words_and_left_alone(tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        await won(ledger)
    connection = sqlite3.connect(ledger.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    async with open_ledger(tmp_path) as ledger:
        with pytest.raises(LedgerUnavailable) as caught:
            await ledger.claim(KEY, await ledger.hashes(CONTENT))
    assert caught.value.what == "the ledger cannot be used: it was written by a newer version of this program"
    assert (caught.value.sent, version_of(ledger.path)) == ("no", 99)


async def test_nobody_else_may_read_the_ledger_or_what_lies_beside_it(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        async with open_ledger(tmp_path / "state") as ledger:
            await won(ledger)
            modes = {path.name: mode_of(path) for path in (tmp_path / "state").iterdir()}
            locks = [mode_of(path) for path in (tmp_path / "state" / "ledger.sqlite3.owners").iterdir()]
    finally:
        os.umask(umask)
    assert modes == {
        "ledger.sqlite3": "0o600",
        "ledger.sqlite3-wal": "0o600",
        "ledger.sqlite3-shm": "0o600",
        "ledger.sqlite3.key": "0o600",
        "ledger.sqlite3.owners": "0o700",
    }
    assert (mode_of(tmp_path / "state"), locks) == ("0o700", ["0o600"])


async def test_a_ledger_without_its_key_is_refused_with_words_until_the_key_is_back(tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        placed = await in_state(ledger, "placed")
    key = tmp_path / "ledger.sqlite3.key"
    secret = key.read_bytes()
    key.unlink()
    async with open_ledger(tmp_path) as ledger:
        with pytest.raises(LedgerUnavailable) as caught:
            await ledger.claim(KEY, await ledger.hashes(CONTENT))
        assert caught.value.what == ("the ledger cannot be used: its key file is missing or belongs to another ledger")
        assert not key.exists()  # a new one would only be in the way of the old one
        key.write_bytes(secret)
        claim = await ledger.claim(KEY, await ledger.hashes(CONTENT))  # without a restart
        assert (claim.won, claim.row) == (False, placed)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"x" * 32, "its key file is missing or belongs to another ledger"),
        (b"x" * 31, "the ledger's key file is damaged"),
        (b"", "the ledger's key file is damaged"),
    ],
)
async def test_a_foreign_or_damaged_key_is_refused_with_words(content: bytes, why: str, tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        placed = await in_state(ledger, "placed")
    key = tmp_path / "ledger.sqlite3.key"
    secret = key.read_bytes()
    key.write_bytes(content)
    async with open_ledger(tmp_path) as ledger:
        for _ in range(2):
            with pytest.raises(LedgerUnavailable) as caught:
                await ledger.hashes(CONTENT)
            assert (caught.value.what, caught.value.sent) == (f"the ledger cannot be used: {why}", "no")
        key.write_bytes(secret)
        assert await ledger.get(KEY) == placed


async def test_a_new_ledger_beside_an_old_key_takes_that_key(tmp_path: Path) -> None:
    secret = load_or_create_secret(tmp_path / "ledger.sqlite3.key")
    async with open_ledger(tmp_path) as ledger:
        await won(ledger)
    assert (tmp_path / "ledger.sqlite3.key").read_bytes() == secret


def test_a_key_is_made_once(tmp_path: Path) -> None:
    first = load_or_create_secret(tmp_path / "key")
    assert (load_or_create_secret(tmp_path / "key"), len(first)) == (first, 32)
    assert first != load_or_create_secret(tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "other"]
