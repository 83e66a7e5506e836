"""Listing feed products: one argument, twenty short rows a page, and whether there are more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dropship_mcp.arguments import accept
from dropship_tools.dropday.paging import NO_SUCH_PAGE
from dropship_tools.dropday.product_list import NO_PRODUCTS, ListProducts
from dropship_tools.dropday.tools import TOOLS
from dropship_tools.errors import (
    DropshipError,
    InvalidArguments,
    ProviderAuth,
    RateLimited,
    UnexpectedAnswer,
)
from unit.dropday.dropday_fakes import HOST, FakeDropday
from unit.dropday.dropday_world import products

pytestmark = pytest.mark.anyio

LIST = "GET /products"
FEED_ROW: dict[str, Any] = {
    "id": 5501,
    "project_id": 7,
    "product_feed_id": 19,
    "sku": "KETTLE-18",
    "ean13": "0745125000015",
    "name": "Copper kettle 1.8 l",
    "purchase_price": 22.5,
    "stock_quantity": 45,
    "active": 1,
    "created_at": "2026-01-05T06:00:00.000000Z",
    "updated_at": "2026-01-06T06:00:00.000000Z",
}
ROW: dict[str, Any] = {
    "sku": "KETTLE-18",
    "ean13": "0745125000015",
    "name": "Copper kettle 1.8 l",
    "purchase_price": "22.50",
    "stock_quantity": 45,
    "active": True,
}
SHOWN: dict[str, Any] = {"page": 1, "count": 1, "currency": "not stated by Dropday", "products": [ROW]}


def feed_page(*rows: Any, number: int = 1, last: int = 1, total: int | None = None) -> dict[str, Any]:
    """A page in the documented envelope: everything at the top."""
    address = f"{HOST}/api/v1/products"
    return {
        "current_page": number,
        "data": [*rows],
        "first_page_url": f"{address}?page=1",
        "from": 1,
        "last_page": last,
        "last_page_url": f"{address}?page={last}",
        "next_page_url": f"{address}?page={number + 1}" if number < last else None,
        "path": address,
        "per_page": 100,
        "prev_page_url": None,
        "to": len(rows),
        "total": len(rows) if total is None else total,
    }


async def shown(body: Any, /, **asked: Any) -> dict[str, Any]:
    """The answer made of one page of Dropday's."""
    return await products(FakeDropday({LIST: (200, body)}).client(), **asked)


async def row_of(**changes: Any) -> dict[str, Any]:
    """The row made of one feed row."""
    [row] = (await shown(feed_page({**FEED_ROW, **changes})))["products"]
    return row


@pytest.mark.parametrize(("asked", "query"), [({}, "page=1"), ({"page": 5}, "page=1"), ({"page": "6"}, "page=2")])
async def test_only_the_page_is_asked_for(asked: dict[str, Any], query: str) -> None:
    """Sheet section 7: no filter, no page size."""
    dropday = FakeDropday({LIST: (200, feed_page())})
    await products(dropday.client(), **asked)
    [request] = dropday.requests
    assert (request.method, str(request.url), request.content) == ("GET", f"{HOST}/api/v1/products?{query}", b"")
    assert (request.headers["accept"], request.headers["content-type"]) == ("application/json", "application/json")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("per_page", ": a page always holds 20 products"),
        ("limit", ": a page always holds 20 products"),
        ("sku", ": Dropday's product list has no search or filter; read it page by page"),
        ("search", ": Dropday's product list has no search or filter; read it page by page"),
        ("offset", "; did you mean page?"),
    ],
)
def test_names_that_agents_try_are_answered(name: str, answer: str) -> None:
    """Sheet section 12, row 19."""
    with pytest.raises(InvalidArguments) as raised:
        accept(ListProducts, {name: "1"}, "dropday_list_products")
    assert [(p.field, p.problem) for p in raised.value.fields] == [(name, f"is not an argument{answer}")]


async def test_the_documented_row_is_shown_in_six_facts() -> None:
    """Sheet section 7: `active` is a number on the wire; sheet section 12, row 7: codes are text."""
    assert await shown(feed_page(FEED_ROW)) == SHOWN


@pytest.mark.parametrize(
    ("came", "shows"),
    [
        ({"active": 0}, {"active": False}),
        ({"active": "0"}, {"active": False}),
        ({"active": True}, {"active": True}),
        ({"stock_quantity": 0}, {"stock_quantity": 0}),
        ({"stock_quantity": -3}, {"stock_quantity": -3}),
        ({"stock_quantity": "45"}, {"stock_quantity": 45}),
        ({"ean13": 745125000015}, {"ean13": "745125000015"}),
        ({"sku": 12}, {"sku": "12"}),
        ({"purchase_price": "22.5"}, {"purchase_price": "22.50"}),
        ({"purchase_price": 0.125}, {"purchase_price": "0.125"}),
        ({"name": "x" * 200}, {"name": "x" * 79 + "…"}),
        ({"name": "<b>Kettle</b>\u202e"}, {"name": "Kettle"}),
    ],
    ids=str,
)
async def test_values_in_other_forms_are_understood(came: dict[str, Any], shows: dict[str, Any]) -> None:
    assert await row_of(**came) == {**ROW, **shows}


async def test_what_dropday_does_not_tell_is_left_out() -> None:
    assert await shown(feed_page(dict.fromkeys(FEED_ROW), {})) == {"page": 1, "count": 2, "products": [{}, {}]}


async def test_a_hundred_rows_are_shown_in_five_pieces_of_few_characters() -> None:
    body = feed_page(*({**FEED_ROW, "sku": str(n)} for n in range(100)), last=3, total=250)
    pieces = [await shown(body, page=page) for page in range(1, 6)]
    assert [row["sku"] for piece in pieces for row in piece["products"]] == [str(n) for n in range(100)]
    assert [(len(piece["products"]), piece["page"], piece["has_more"]) for piece in pieces] == [
        (20, page, True) for page in range(1, 6)
    ]
    assert len(json.dumps(pieces[0], separators=(",", ":"))) < 3_000


@pytest.mark.parametrize(
    ("body", "asked", "expected"),
    [
        (feed_page(FEED_ROW, number=2, last=2, total=101), 6, (6, 101, False)),
        (feed_page(FEED_ROW, number=2, last=3, total=201), 6, (6, 201, True)),
        (feed_page(*[FEED_ROW] * 21), 1, (1, 21, True)),
        (feed_page(*[FEED_ROW] * 21), 2, (2, 21, False)),
        (feed_page(*[FEED_ROW] * 20), 1, (1, 20, False)),
        (feed_page(*[FEED_ROW] * 30, last=2), 5, (5, 30, True)),
        ({"data": [FEED_ROW] * 100}, 5, (5, None, True)),
        ({"data": [FEED_ROW] * 99}, 5, (5, None, False)),
        (feed_page(number=1, last=9), 1, (1, 0, False)),
        ({"data": [FEED_ROW], "meta": {"last_page": 4, "total": 400}}, 6, (6, 400, True)),
    ],
    ids=str,
)
async def test_there_is_more_only_when_there_is(body: Any, asked: int, expected: tuple[Any, ...]) -> None:
    """Sheet section 12, row 19: whichever of the two envelopes comes."""
    answer = await shown(body, page=asked)
    assert (answer["page"], answer.get("count"), answer.get("has_more", False)) == expected


async def test_oddities_of_a_page_are_told() -> None:
    rows = [FEED_ROW] * 120 + [{"stock_quantity": 10**12}, "row", {"active": "perhaps"}]
    assert await shown(feed_page(*rows, last=2, total=240), page=6) == {
        **SHOWN,
        "count": 240,
        "products": [ROW] * 20,
        "warnings": [
            "Dropday answered with another page than was asked for.",
            "Dropday sent 120 rows at once; those behind the first 100 are left out.",
            "3 rows of this page could not be read and are not shown.",
        ],
    }


async def test_an_empty_page_says_whether_there_are_products_at_all() -> None:
    assert await shown(feed_page()) == {"page": 1, "count": 0, "products": [], "next_step": NO_PRODUCTS}
    assert await shown(feed_page(number=4, last=3, total=250), page=16) == {
        "page": 16,
        "count": 250,
        "products": [],
        "next_step": NO_SUCH_PAGE,
    }


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"message": "Unauthorized", "error": "bad key"}, ProviderAuth),
        (404, {"message": "Not Found"}, UnexpectedAnswer),
        (429, {}, RateLimited),
        (200, {"data": None}, UnexpectedAnswer),
        (200, feed_page("row", 7), UnexpectedAnswer),
        (200, b"", UnexpectedAnswer),
    ],
)
async def test_a_list_that_cannot_be_read_is_an_error(status: int, body: Any, kind: type[DropshipError]) -> None:
    with pytest.raises(DropshipError) as failure:
        await products(FakeDropday({LIST: (status, body)}).client())
    assert (type(failure.value), failure.value.sent) == (kind, "no")


def test_the_description_says_what_the_rows_cannot() -> None:
    [tool] = [tool for tool in TOOLS if tool.name == "dropday_list_products"]
    assert len(tool.description) <= 160
    assert "sku belongs into `reference` of an order line" in tool.description
    assert "20 a page, no search" in tool.description
