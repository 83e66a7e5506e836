"""The ledger cannot be used: no order is sent, the error says why, and looking orders up goes on working.

In both protocol eras through the server, and in processes whose disk is really full or that really may not write.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from contract.providers import NAMES, Row, row_of
from contract.rigs import Rig, make_rig, new_world, open_rig
from dropship_tools.errors import LedgerUnavailable
from dropship_tools.sandbox.world import SandboxWorld
from faults.nursery import Children
from unit.sandbox.worlds import Clock

pytestmark = pytest.mark.anyio

FIX = "Nothing was sent. A person has to mend the ledger file; dropship_status names it."
WARNING = (
    "The order exists, but the ledger cannot be used: the disk is full or failing. "
    "Write the order id down; it is recorded when that is mended."
)


def lock(path: Path) -> Callable[[], None]:
    """Another process holds the file; how to mend it."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def overwrite(path: Path) -> Callable[[], None]:
    """The file is not a database any more."""
    kept = path.read_bytes()
    path.write_bytes(b"This was a ledger once. " * 400)
    return lambda: _put_back(path, kept)


def damage(path: Path) -> Callable[[], None]:
    """The file begins like a database and goes on otherwise."""
    kept = path.read_bytes()
    path.write_bytes(kept[:100] + b"\xff" * (len(kept) - 100))
    return lambda: _put_back(path, kept)


def drop_tables(path: Path) -> Callable[[], None]:
    """The file is a database, and its tables are gone."""
    kept = path.read_bytes()
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE changes")
    return lambda: _put_back(path, kept)


def make_no_sense(path: Path) -> Callable[[], None]:
    """The tables are there, and what stands in them is nothing the ledger wrote."""
    kept = path.read_bytes()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(
            "INSERT INTO orders SELECT 99, mode, provider, account, 'R-1', state, attempt, owner, fingerprint, "
            "'{', trace, order_id, answer, reason, 'yesterday', sent_at, changed_at, parcel, total FROM orders"
        )
    return lambda: _put_back(path, kept)


def be_a_folder(path: Path) -> Callable[[], None]:
    """A folder lies where the file was."""
    aside = path.with_name("aside")
    path.rename(aside)
    path.mkdir()

    def mend() -> None:
        path.rmdir()
        aside.rename(path)

    return mend


def _put_back(path: Path, content: bytes) -> None:
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    path.write_bytes(content)


TROUBLES: list[tuple[Callable[[Path], Callable[[], None]], str]] = [
    (lock, "another process holds it locked"),
    (overwrite, "the file is damaged"),
    (damage, "the file is damaged"),
    (drop_tables, "the file is damaged"),
    (make_no_sense, "the file is damaged"),
    (be_a_folder, "its file or folder cannot be opened"),
]


async def with_one_order(row: Row, folder: Path) -> tuple[SandboxWorld, str]:
    """A ledger that knows an order: the world, and the provider's number of the order."""
    async with open_rig(folder) as rig:
        return rig.world, (await rig.create(row, row.arguments("R-0"))).order["order_id"]


@pytest.mark.parametrize(("spoil", "why"), TROUBLES)
@pytest.mark.parametrize("name", NAMES)
async def test_without_a_ledger_no_order_is_sent_until_it_is_mended(
    name: str, spoil: Callable[[Path], Callable[[], None]], why: str, tmp_path: Path
) -> None:
    row = row_of(name)
    world, order_id = await with_one_order(row, tmp_path)
    async with open_rig(tmp_path, world, busy_seconds=0.05) as rig:
        mend = spoil(rig.ledger.path)
        with pytest.raises(LedgerUnavailable) as caught:
            await rig.create(row, row.arguments("R-1"))
        assert (caught.value.what, caught.value.sent) == (f"the ledger cannot be used: {why}", "no")
        assert (caught.value.fix, rig.trace.requests(), rig.orders(row, "R-1")) == (FIX, [], 0)
        assert (await rig.read(row, order_id))["order_id"] == order_id
        mend()
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "placed"
        assert (await rig.create(row, row.arguments("R-0"))).outcome == "already_placed"


@pytest.mark.parametrize("era", ["auto", "legacy"])
@pytest.mark.parametrize("name", NAMES)
async def test_the_agent_is_told_why_and_that_nothing_was_sent(name: str, era: str, tmp_path: Path) -> None:
    row = row_of(name)
    world, order_id = await with_one_order(row, tmp_path)
    rig = make_rig(tmp_path, world, busy_seconds=0.05)
    mend = lock(rig.ledger.path)
    async with Client(rig.server(), mode=era) as client:
        refused = await client.call_tool(row.create, row.arguments("R-1"))
        read = await client.call_tool(row.get, {row.order_id: order_id})
        status = await client.call_tool("dropship_status", {})
        mend()
        placed = await client.call_tool(row.create, row.arguments("R-1"))
    assert (refused.is_error, read.is_error, placed.is_error) == (True, False, False)
    assert getattr(refused.content[0], "text", "") == (
        f"ledger_unavailable: the ledger cannot be used: another process holds it locked\norder sent: no\nfix: {FIX}"
    )
    assert status.structured_content is not None
    assert status.structured_content["ledger"] == str(rig.ledger.path)
    assert row.orders(world, "R-1") == 1


async def test_an_order_placed_while_somebody_locks_the_ledger_is_recorded_when_the_lock_is_gone(
    tmp_path: Path,
) -> None:
    row, unlocks = row_of("dipli"), list[Callable[[], None]]()

    async def lock_it(point: str) -> None:
        if point == "after create":
            unlocks.append(lock(rig.ledger.path))

    async with open_rig(tmp_path, busy_seconds=0.05) as rig:
        rig.trace.at = lock_it
        outcome = await rig.create(row, row.arguments("R-1"))
        assert outcome.warnings == (WARNING.replace("the disk is full or failing", "another process holds it locked"),)
        unlocks[0]()
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "already_placed"
        assert (await rig.state(row, "R-1"), rig.trace.sent()) == ("placed", 1)


@pytest.fixture
def open_folder() -> Generator[Path]:
    """A folder that every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def told(ended: dict[str, Any]) -> tuple[str, str, str, list[int]]:
    """What a call said, and the provider's orders before and after it."""
    return ended["end"], ended["sent"], ended["why"], ended["orders"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", NAMES)
def test_with_a_full_disk_no_order_is_sent(name: str, tmp_path: Path, children: Children) -> None:
    [results] = children({"job": "full disk", "arguments": {"folder": str(tmp_path), "name": name}})
    known, troubled, read, mended = results
    why = "the ledger cannot be used: the disk is full or failing"
    assert (known["end"], read != "") == ("placed", True)
    assert told(troubled) == ("ledger_unavailable", "no", why, [0, 0])
    assert (mended["end"], mended["orders"]) == ("placed", [0, 1])


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", NAMES)
def test_an_order_placed_while_the_disk_fills_up_is_told_kept_in_mind_and_recorded_later(
    name: str, tmp_path: Path, children: Children
) -> None:
    [results] = children({"job": "disk fills midway", "arguments": {"folder": str(tmp_path), "name": name}})
    first, second, third, sent = results
    assert told(first) == ("placed", "", WARNING, [0, 1])
    assert told(second) == ("already_placed", "", WARNING, [1, 1])
    assert (third["end"], third["states"], third["orders"], sent) == (
        "already_placed",
        ["sending", "placed"],
        [1, 1],
        1,
    )


@pytest.mark.timeout(30)
@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("name", NAMES)
def test_with_a_ledger_that_may_not_be_written_no_order_is_sent(
    name: str, what: str, open_folder: Path, children: Children
) -> None:
    arguments = {"folder": str(open_folder), "name": name, "what": what}
    [results] = children({"job": "read-only", "arguments": arguments})
    known, troubled, read, mended = results
    why = "the ledger cannot be used: it is read-only or its folder may not be written"
    assert (known["end"], read != "") == ("placed", True)
    assert told(troubled) == ("ledger_unavailable", "no", why, [0, 0])
    assert (mended["end"], mended["orders"]) == ("placed", [0, 1])


async def test_a_ledger_in_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    rig: Rig = make_rig(tmp_path / "file" / "state", new_world(Clock()))
    row = row_of("dipli")
    async with rig.running():
        with pytest.raises(LedgerUnavailable) as caught:
            await rig.create(row, row.arguments("R-1"))
    assert (caught.value.sent, rig.trace.requests()) == ("no", [])
    assert caught.value.what == "the ledger cannot be used: its file or folder cannot be opened"
