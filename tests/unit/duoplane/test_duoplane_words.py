"""What a model reads about Duoplane: the tools' words and the guide.

"Row" in these tests is a row of what agents get wrong, in the provider's fact sheet, section 9.
"""

from __future__ import annotations

import re

import pytest

from dropship_tools.arguments import Part
from dropship_tools.duoplane import DUOPLANE
from dropship_tools.duoplane.models import CreateOrder, ListOrders, OrderItem
from dropship_tools.duoplane.product_models import AddProduct, FindProduct, GetProduct, ProductInventory
from dropship_tools.duoplane.results import ACCEPTED, NO_CANCEL
from dropship_tools.duoplane.tools import TOOLS
from dropship_tools.tool import ChangeTool, CreateTool

NAMES = [tool.name for tool in TOOLS]
[CREATE] = [tool for tool in TOOLS if isinstance(tool, CreateTool)]
GUIDE = DUOPLANE.guide()


def test_the_tools_are_these_and_only_one_changes_the_catalogue_where_it_was_switched_on() -> None:
    assert NAMES == [
        "duoplane_create_order",
        "duoplane_get_order",
        "duoplane_list_orders",
        "duoplane_get_product",
        "duoplane_find_product",
        "duoplane_add_product",
    ]
    [add] = [tool for tool in TOOLS if isinstance(tool, ChangeTool)]
    assert (add.name, add.opt_in, add.idempotent) == ("duoplane_add_product", True, False)
    assert "changes where later orders go" in add.description


@pytest.mark.parametrize("tool", TOOLS[2:], ids=NAMES[2:])
def test_descriptions_of_further_tools_are_short(tool: object) -> None:
    assert len(getattr(tool, "description", "")) <= 160


def test_an_accepted_order_is_neither_a_draft_nor_with_the_vendor() -> None:
    """Rows 4 and 5."""
    assert "neither a draft nor proof that a vendor has it" in ACCEPTED
    assert "may send it to them without another call" in CREATE.description


def test_notes_are_known_to_reach_vendors() -> None:
    """Row 17."""
    fields = {**CreateOrder.model_fields, **OrderItem.model_fields}
    assert [fields[name].description for name in ("customer_note", "order_item_notes")] == [
        "vendors may see it",
        "vendors may see them",
    ]
    assert "no secrets" in GUIDE


def test_nothing_offers_to_cancel() -> None:
    """Row 20."""
    assert not any("cancel" in name for name in NAMES)
    assert "No cancelling by API" in CREATE.description
    assert "a person can act at app_url" in NO_CANCEL


@pytest.mark.parametrize("model", [ListOrders, GetProduct, FindProduct, AddProduct, ProductInventory])
def test_hints_lead_to_an_argument_or_explain(model: type[Part]) -> None:
    """Rows 1 and 2, for the further tools."""
    for tried, hint in model.also_called.items():
        assert tried not in model.model_fields
        assert hint in model.model_fields or " " in hint


def test_the_guide_is_short_and_names_only_tools_that_exist() -> None:
    assert len(GUIDE.splitlines()) <= 120
    named = set(re.findall(r"\bduoplane_[a-z_]+", GUIDE))
    assert named == set(NAMES)


@pytest.mark.parametrize(
    "said",
    [
        "never guess it",  # row 14
        "Never use another `external_id`",  # rows 6 and 7
        "No purchase orders does not mean no order",  # row 11
        "which Duoplane states nowhere",  # row 16
        "the key is probably a vendor's",  # row 19
        "no API does it",  # row 20
    ],
)
def test_the_guide_says_what_no_schema_can(said: str) -> None:
    assert said in GUIDE
