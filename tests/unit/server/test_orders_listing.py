"""`dropship-mcp orders` for people: readable in a narrow terminal, a table in a wide one, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import anyio
import pytest

from dropship_mcp.cli import main
from dropship_mcp.ledger import OrderKey
from dropship_mcp.ledger.rows import ABANDONED
from unit.ledger.ledgers import FACTS, open_ledger, won

WHY = "the order was sent to Duoplane, then the connection broke off before an answer came back"


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with one order that was placed and one whose outcome is unknown."""

    async def fill() -> None:
        async with open_ledger(tmp_path) as ledger:
            placed = await won(ledger, OrderKey("sandbox", "rewix", "sandbox", "WEB-10045"))
            await ledger.placed(placed, "812345", FACTS)
            lost = await won(ledger, OrderKey("sandbox", "duoplane", "sandbox", "WEB-10046"))
            await ledger.unknown(await ledger.sending(lost), WHY)

    anyio.run(fill)
    monkeypatch.setenv("DROPSHIP_LEDGER", str(tmp_path / "ledger.sqlite3"))
    monkeypatch.setenv("TZ", "UTC")
    return tmp_path


def test_in_80_columns_each_order_is_a_line_with_its_reason_below(
    listed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["orders"]) == 0
    lines = capsys.readouterr().out.splitlines()
    lost = next(number for number, line in enumerate(lines) if "WEB-10046" in line)
    placed = next(line for line in lines if "WEB-10045" in line)
    assert placed.split("  ")[1:] == ["sandbox", "rewix", "sandbox", "WEB-10045", "812345", "placed"]
    assert lines[lost].split("  ")[1:] == ["sandbox", "duoplane", "sandbox", "WEB-10046", "unknown"]
    assert " ".join(line.strip() for line in lines[lost + 1 : lost + 3]) == WHY
    assert max(map(len, lines)) <= 80


def test_where_there_is_room_orders_are_a_table(
    listed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    assert main(["orders"]) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if "WEB-10046" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")][-3:] == ["", "unknown", WHY]


@pytest.mark.parametrize("width", ["80", "240"])
def test_without_orders_there_is_a_heading_and_nothing_below(
    width: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DROPSHIP_LEDGER", str(tmp_path / "ledger.sqlite3"))
    monkeypatch.setenv("COLUMNS", width)
    heading = "when, mode, provider, account, reference, order_id, state, reason"
    assert (main(["orders"]), " ".join(capsys.readouterr().out.split())) == (0, f"Sandbox orders ({heading})")
    assert (main(["orders", "--json"]), capsys.readouterr().out) == (0, "[]\n")
    assert (main(["orders", "--csv"]), capsys.readouterr().out) == (0, f"{heading.replace(', ', ',')}\r\n")


def test_an_order_that_was_being_sent_when_its_process_was_killed_is_unknown_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fill() -> None:
        async with open_ledger(tmp_path) as ledger:
            await ledger.sending(await won(ledger))

    anyio.run(fill)
    monkeypatch.setenv("DROPSHIP_LEDGER", str(tmp_path / "ledger.sqlite3"))
    assert main(["orders", "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["state"], row["reason"]) == ("unknown", ABANDONED)

    assert main(["orders", "show", row["reference"]]) == 0
    steps = " ".join(capsys.readouterr().out.split())
    assert f"1 sending 1 unknown {ABANDONED}" in re.sub(r"\S+ \S+\+\S+ ", "", steps)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_csv_begins_like_a_formula(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fill() -> None:
        async with open_ledger(tmp_path) as ledger:
            await ledger.placed(await won(ledger), f"{start}1+1", FACTS)

    anyio.run(fill)
    monkeypatch.setenv("DROPSHIP_LEDGER", str(tmp_path / "ledger.sqlite3"))
    assert main(["orders", "--csv"]) == 0
    heading, row = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert dict(zip(heading, row, strict=True))["order_id"] == f"'{start}1+1"
