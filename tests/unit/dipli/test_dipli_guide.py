"""The guide says what is true of the code, and what no code can close."""

from __future__ import annotations

import re

import pytest

from dropship_tools.dipli import DIPLI
from dropship_tools.dipli.models import CreateOrder
from dropship_tools.dipli.sandbox import ODD_ANSWERS, UNHAPPY_ENDINGS
from dropship_tools.dipli.sandbox_catalogue import OFFERS
from dropship_tools.dipli.statuses import order_status
from dropship_tools.dipli.tools import TOOLS

GUIDE = DIPLI.guide()


def test_the_guide_is_short_enough_to_be_read() -> None:
    lines = GUIDE.splitlines()
    assert lines[0] == "# Ordering with Dipli"
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 120


def test_the_guide_names_every_tool_of_dipli_and_no_other() -> None:
    assert set(re.findall(r"\bdipli_[a-z_]+", GUIDE)) == {tool.name for tool in TOOLS}


def test_the_guide_names_every_field_an_order_requires() -> None:
    required = {name for name, field in CreateOrder.model_fields.items() if field.is_required()}
    assert required - set(re.findall(r"`([a-z_]+)`", GUIDE)) == set()


def test_the_guide_gives_each_status_its_real_meaning() -> None:
    """Sheet section 10, row 7."""
    table = re.findall(r"^\| ([a-z_]+) \| \**([a-z]+)\** \| .+ \|$", GUIDE, re.MULTILINE)
    assert {word: str(order_status(word)) for word, _ in table} == dict(table)
    assert len(table) == 5


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (1, "Never order under another `alternative_id`"),
        (2, "Dipli never shows `alternative_id` again"),
        (3, "Several units or products: one call each"),
        (4, "`product_id` is no SKU, EAN, model name"),
        (5, "full name in one field"),
        (6, "A company goes into `additional_street`"),
        (8, "Dipli states no currency"),
        (10, "`delivery_slip_token` is no link"),
        (12, "**not** that the sale is final"),
        (13, "Cancel, change or return an order"),
        (14, 'Every refusal is the bare text "Bad Request"'),
        (15, "`has_more` stands in the answer only when there is another page"),
        (17, "explains the API: it places no orders"),
        (18, "`dry_run: true`"),
    ],
)
def test_the_guide_answers_what_agents_get_wrong(row: int, said: str) -> None:
    """`row` of sheet section 10."""
    assert said in " ".join(GUIDE.split())


def test_what_the_guide_says_of_the_sandbox_is_so() -> None:
    assert set(re.findall(r"`(sandbox:[a-z0-9_]+)`", GUIDE)) == {*ODD_ANSWERS, *UNHAPPY_ENDINGS}
    assert {number for number, offer in OFFERS.items() if offer.stock} == set(range(11700101, 11700111))
    assert [number for number, offer in OFFERS.items() if not offer.stock] == [11700111]
