"""The guide ships with the package, stays short, and names only what exists."""

from __future__ import annotations

import re

from dropship_tools.rewix import REWIX
from dropship_tools.rewix.sandbox_catalogue import LAST_ONE, LAST_TWO, SOLD_OUT, build_catalogue
from dropship_tools.rewix.sandbox_status import ASKED_FOR
from dropship_tools.rewix.statuses import in_words, meaning
from dropship_tools.rewix.tools import TOOLS


def test_the_guide_is_short_enough_to_be_read() -> None:
    assert 40 < len(REWIX.guide().splitlines()) <= 120


def test_the_guide_names_every_tool_and_no_other() -> None:
    assert set(re.findall(r"rewix_[a-z]+_[a-z]+", REWIX.guide())) - {"rewix_order_id"} == {tool.name for tool in TOOLS}


def test_the_guides_statuses_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| ([a-z_]+) \| ([0-9][^|]*) \|", REWIX.guide(), re.MULTILINE)
    assert {status for status, _ in rows} == {
        "received",
        "awaiting_payment",
        "processing",
        "ready_to_ship",
        "shipped",
        "cancelled",
        "problem",
    }
    for status, numbers in rows:
        for number, name in re.findall(r"([0-9]+) ?([A-Z]*)", numbers):
            assert meaning(number).status == status
            assert name in in_words(number)


def test_what_the_guide_says_of_the_sandbox_is_so() -> None:
    said = REWIX.guide().partition("## In the sandbox")[2]
    stock = {int(stock_id): build_catalogue().stock(int(stock_id)) for stock_id in re.findall(r"\b[0-9]{6}\b", said)}
    assert stock == {148148: 400, 148367: 400, LAST_ONE: 1, LAST_TWO: 2, SOLD_OUT: 0}
    assert set(re.findall(r"`(sandbox:[a-z_]+)`", said)) == set(ASKED_FOR)
