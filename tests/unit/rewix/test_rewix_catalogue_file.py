"""The catalogue on disk: shared by processes, bound to one shop, thrown away when damaged, done without where it must be."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from dropship_tools.rewix import catalogue_file
from dropship_tools.rewix.catalogue_data import Copy, Product, Variant
from dropship_tools.rewix.catalogue_file import CatalogueFile
from unit.rewix.rewix_catalogue import CHANGES, FULL, answers, find, stock_of
from unit.rewix.rewix_sandbox import Desk
from unit.sandbox.worlds import NOON

pytestmark = pytest.mark.anyio


async def test_the_next_process_uses_the_copy_of_the_last_one(tmp_path: Path) -> None:
    desk = Desk()
    await find(desk.client(cache=tmp_path / "new" / "folder"))
    desk.clock.move(minutes=10)
    found = await find(desk.client(cache=tmp_path / "new" / "folder"))
    assert (stock_of(found), found.catalogue_age_minutes, desk.asked()) == (120, 10, [FULL])


async def test_a_process_takes_over_what_another_one_refreshed(tmp_path: Path) -> None:
    desk = Desk()
    first, second = desk.client(cache=tmp_path), desk.client(cache=tmp_path)
    await find(first)
    await find(second)
    await first.reserve("lock", {1578: 20})
    desk.clock.move(minutes=15)
    desk.requests.clear()
    assert [stock_of(await find(client)) for client in (second, first)] == [100, 100]
    assert desk.asked() == [CHANGES]


async def test_two_shops_and_two_formats_never_share_a_copy(tmp_path: Path) -> None:
    """Each supplier has its own stock ids: one shop's copy would order something else at another."""
    desk = Desk()
    for form, url in (("json", "https://a.example"), ("json", "https://b.example"), ("xml", "https://a.example")):
        await find(desk.client(form, tmp_path, url))
    assert len(desk.requests) == 3
    assert len(copies(tmp_path)) == 3


def copies(folder: Path) -> list[Path]:
    """The catalogues in a cache folder."""
    return list(folder.glob("*.json"))


def only_copy(folder: Path) -> Path:
    """The one catalogue in a cache folder."""
    (file,) = copies(folder)
    return file


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda content: content[:-20],
    "no text": lambda _: b"\xff\x00\xfe",
    "a list": lambda _: b"[]",
    "deep": lambda _: b"[" * 100_000,
    "no moment": lambda content: json.dumps({**json.loads(content), "read_at": "yesterday"}).encode(),
    "no stock_id": lambda content: content.replace(b'"stock_id":1578', b'"stock_id":null'),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_file_is_thrown_away_and_downloaded_again(damage: str, tmp_path: Path) -> None:
    desk = Desk()
    await find(desk.client(cache=tmp_path))
    file = only_copy(tmp_path)
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    desk.clock.move(minutes=15)
    assert stock_of(await find(desk.client(cache=tmp_path))) == 120
    assert desk.asked() == [FULL, FULL]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = CatalogueFile(tmp_path, "shop")
    file.save(COPY)
    monkeypatch.setattr(catalogue_file, "LARGEST", 10)
    assert CatalogueFile(tmp_path, "shop").load() is None
    assert list(tmp_path.iterdir()) == []


COPY = Copy(
    (Product("1", "Zoë", "c", "a", (Variant(7, ("M",), "c", "m", "b", "1.00", "EUR", None),)),), "x", 1.5, 0.5, 2
)


def test_a_copy_comes_back_as_it_was_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    CatalogueFile(tmp_path / "c", "shop").save(COPY)
    other = CatalogueFile(tmp_path / "c", "shop")
    assert other.load() == COPY
    assert other.load() is None  # nothing new
    (file,) = (tmp_path / "c").iterdir()
    assert (file.stat().st_mode & 0o077, file.parent.stat().st_mode & 0o077) == (0, 0)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = CatalogueFile(tmp_path, "shop")
    file.save(COPY)

    def fails(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(catalogue_file.os, "replace", fails)
    file.save(Copy((), "", 0, 0))
    assert CatalogueFile(tmp_path, "shop").load() == COPY
    assert len(list(tmp_path.iterdir())) == 1


async def test_a_folder_that_cannot_be_used_leaves_everything_in_memory(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    desk = Desk()
    client = desk.client(cache=blocked / "cache")
    for _ in range(2):
        assert stock_of(await find(client)) == 120
    assert desk.asked() == [FULL]
    desk.instead = answers(429)
    desk.clock.move(minutes=15)
    for _ in range(2):
        assert (await find(client)).warnings
    assert len(desk.requests) == 2


async def test_of_many_processes_one_gets_the_right_to_ask(tmp_path: Path) -> None:
    now = NOON.timestamp()
    waits: list[float] = []

    def claim() -> None:
        waits.append(CatalogueFile(tmp_path, "shop").claim(now))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(anyio.to_thread.run_sync, claim)
    assert sorted(waits) == [0.0, *[900.0] * 7]
    later = (NOON + timedelta(minutes=15)).timestamp()
    assert CatalogueFile(tmp_path, "shop").claim(later) == 0.0


@pytest.mark.parametrize("content", ["", "soon", "nan", "inf", "-1e400"])
def test_a_damaged_note_of_the_last_question_counts_as_none(content: str, tmp_path: Path) -> None:
    CatalogueFile(tmp_path, "shop").claim(1.0)
    (note,) = tmp_path.glob("*.asked")
    note.write_text(content)
    assert CatalogueFile(tmp_path, "shop").claim(NOON.timestamp()) == 0.0
