"""The guide says what is true of the code, and what no code can close."""

from __future__ import annotations

import re

import pytest

from dropship_tools.dropday import DROPDAY
from dropship_tools.dropday.models import Address, CreateOrder, Product
from dropship_tools.dropday.order_list import ListOrders
from dropship_tools.dropday.sandbox_catalogue import matching_row, matching_supplier
from dropship_tools.dropday.sandbox_orders import BLOCKED_OVER, COMPLETED_AFTER, MOST_PIECES, RULED_AFTER
from dropship_tools.dropday.statuses import line_status
from dropship_tools.dropday.tools import TOOLS

GUIDE = DROPDAY.guide()
TEXT = " ".join(GUIDE.split())


def test_the_guide_is_short_enough_to_be_read() -> None:
    lines = GUIDE.splitlines()
    assert lines[0] == "# Ordering with Dropday"
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 120


def test_the_guide_names_every_tool_of_dropday_and_no_other() -> None:
    assert set(re.findall(r"\bdropday_[a-z_]+", GUIDE)) == {tool.name for tool in TOOLS}


def test_the_guide_names_every_field_an_order_requires() -> None:
    named = set(re.findall(r"`([a-z_0-9]+)`", GUIDE))
    for part in (CreateOrder, Address):
        required = {name for name, field in part.model_fields.items() if field.is_required()}
        assert required - named == set()
    assert {"brand", "category", "ean13", "reference", "supplier"} <= named & set(Product.model_fields)


def test_the_guide_explains_the_filters_whose_names_do_not() -> None:
    named = set(re.findall(r"`([a-z_0-9]+)`", GUIDE))
    assert set(ListOrders.model_fields) - named == {"per_page"}


def test_the_guide_gives_each_status_its_real_meaning() -> None:
    """Sheet section 5, status vocabulary; section 12, row 12."""
    table = re.findall(r"^\| ([a-z_]+) \| ([a-z]+) \| .+ \|$", GUIDE, re.MULTILINE)
    assert {word: str(line_status(word)) for word, _ in table} == dict(table)
    assert len(table) == 7


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (1, "`already_placed` means that **nothing was ordered or changed now**"),
        (2, "never changed on a retry or to get past a duplicate: a new one buys again"),
        (3, "make exactly the same call again, with the same `external_id` and nothing else changed"),
        (4, "`test: true` makes a test order: validated, never routed. It must be said in the call"),
        (5, "finds the exact number, test orders too"),
        (6, '"12" also finds 112 and 1200'),
        (7, "`ean13` and `phone` are text"),
        (8, "10.99, not 1099"),
        (9, "`shipping.delivery_date` is given as YYYY-MM-DD here"),
        (10, "`products[].reference` | NL-DESK-01 | the SKU; `sku` in `dropday_list_products`"),
        (11, "a line without a match is never bought"),
        (12, "**handed to the supplier**; neither shipped nor delivered"),
        (13, "`status` is **computed** by this server: the worst line decides"),
        (14, "`blocked` first"),
        (15, "A supplier's e-mail may leave within seconds, and nothing takes it back"),
        (16, "Only orders that the buyer has **paid**"),
        (17, "Dropday names the fields. Correct them"),
        (19, "`has_more` stands in the answer only when there is another page"),
        (20, "Recommend a prefix for each shop"),
        (21, "98 or DD-98541, always text"),
        (22, "it does not choose the supplier"),
    ],
)
def test_the_guide_answers_what_agents_get_wrong(row: int, said: str) -> None:
    """`row` of sheet section 12; 18, the headers, is nothing a model sees."""
    assert said in TEXT


def test_what_the_guide_says_of_the_sandbox_is_so() -> None:
    _, _, sandbox = TEXT.partition("## In the sandbox ")
    skus = re.findall(r"[A-Z]{2}-[A-Z0-9]+-[A-Z0-9]+", sandbox)
    assert len(skus) == 4
    assert all(matching_supplier(None, None, None, sku) for sku in skus)
    assert [sku for sku in skus if (row := matching_row(None, sku)) and not row.stock_quantity] == ["VX-LIGHT-SET"]
    assert f"more than {MOST_PIECES} pieces are declined" in sandbox
    assert f"Totals above {BLOCKED_OVER} are blocked" in sandbox
    assert (RULED_AFTER.total_seconds(), COMPLETED_AFTER.total_seconds()) == (30, 120)
