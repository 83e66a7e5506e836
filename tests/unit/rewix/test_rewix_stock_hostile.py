"""Whatever Rewix answers to the calls that place no order, nothing but the errors of the contract comes out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.errors import InvalidArguments, ProviderAuth, ProviderRefused, ProviderUnavailable, RateLimited
from dropship_tools.orders import Result
from dropship_tools.rewix import stock
from dropship_tools.rewix.catalogue_data import whole_copy
from dropship_tools.rewix.catalogue_feed import read_feed
from dropship_tools.rewix.catalogue_file import CatalogueFile
from dropship_tools.rewix.catalogue_search import Index
from dropship_tools.rewix.client import RewixClient
from dropship_tools.rewix.stock_models import FindStock, GetReserved, ListCarriers, ReserveStock
from dropship_tools.wire import Unreadable
from unit.rewix.rewix_feeds import MODEL, PRODUCT, feed_json, model, product
from unit.rewix.rewix_sandbox import Desk
from unit.rewix.rewix_shop import NoRecords, answer
from unit.rewix.test_rewix_hostile import STATUSES, as_xml, error_of, objects_with

ERRORS = (ProviderAuth, ProviderRefused, ProviderUnavailable, RateLimited, InvalidArguments)
SCALARS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, "", "x", "\ud800\u202e", "M", 0, -1, 7, 12.9, 1e300, 10**30, "1578", 1578, "9" * 5000]
)
LARGE = st.just(10).map(lambda power: power**4000)
VALUES: st.SearchStrategy[Any] = (
    SCALARS | LARGE | st.lists(SCALARS, max_size=3) | st.dictionaries(st.sampled_from(["value", "id"]), SCALARS)
)

MODELS = objects_with(MODEL, VALUES) | objects_with(MODEL, VALUES).map(lambda odd: model(**{**odd, "id": 1578}))
PRODUCTS: st.SearchStrategy[Any] = (
    objects_with(PRODUCT, VALUES | st.lists(MODELS, max_size=3))
    | objects_with(PRODUCT, VALUES).map(lambda odd: product(model(), **{**odd, "id": 7}))
    | st.lists(MODELS | VALUES, min_size=1, max_size=3).map(lambda models: product(*models))
    | VALUES
)
CARRIERS: st.SearchStrategy[Any] = objects_with(["id", "name", "cost"], VALUES)
RESERVED: st.SearchStrategy[Any] = objects_with(["stock_id", "locked", "available"], VALUES)
ROWS = st.lists(PRODUCTS | CARRIERS | RESERVED, max_size=3)
BODIES: st.SearchStrategy[Any] = (
    objects_with(["pageItems", "totalItems", "lastUpdate", "models", "order_id", "message"], VALUES | ROWS)
    | ROWS
    | VALUES
)
ANSWERS = (
    st.binary(max_size=40)
    | BODIES.map(lambda body: json.dumps(body).encode())
    | st.tuples(BODIES, st.sampled_from(["root", "collection", "page"])).map(
        lambda drawn: as_xml(*drawn).encode("utf-8", "replace")
    )
    | st.text(alphabet="<>/page=\"'&;!-[]{}:,?", max_size=30).map(str.encode)
)
TOOLS: dict[str, Callable[[RewixClient], Awaitable[Result]]] = {
    "carriers": lambda client: stock.list_carriers(client, ListCarriers(), NoRecords()),
    "reserved": lambda client: stock.get_reserved(client, GetReserved(), NoRecords()),
    "find": lambda client: stock.find_stock(client, FindStock(search="1578", options=""), NoRecords()),
    "lock": lambda client: stock.reserve_stock(client, changing("lock"), NoRecords()),
    "unlock": lambda client: stock.reserve_stock(client, changing("unlock"), NoRecords()),
}


def changing(kind: str) -> ReserveStock:
    """Arguments of a change."""
    return ReserveStock.model_validate({"type": kind, "models": [{"stock_id": 1578, "quantity": 1}]})


def nothing_missing(value: Any) -> bool:
    """No null anywhere."""
    if isinstance(value, dict):
        return all(map(nothing_missing, cast("dict[str, Any]", value).values()))
    if isinstance(value, list):
        return all(map(nothing_missing, cast("list[Any]", value)))
    return value is not None


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(TOOLS)), STATUSES, ANSWERS, st.sampled_from(["json", "xml"]))
def test_every_tool_ends_in_a_result_or_an_error_of_the_contract(
    tool: str, status: int, body: bytes, form: str
) -> None:
    desk = Desk(instead=lambda _: answer(status, body))
    ended: list[Result] = []

    async def run() -> None:
        ended.append(await TOOLS[tool](desk.client(form)))

    error = error_of(run)
    assert error is None or (isinstance(error, ERRORS) and error.sent == "no")
    for result in ended:
        facts = result.facts()
        assert nothing_missing(facts)
        assert len(json.dumps(facts, ensure_ascii=False).encode()) < 40_000


@settings(deadline=None, max_examples=150)
@given(st.lists(PRODUCTS, max_size=4))
def test_any_products_are_a_catalogue_that_can_be_kept_and_searched_or_unreadable(products: list[Any]) -> None:
    try:
        feed = read_feed(feed_json(*products))
    except Unreadable:
        return
    copy = whole_copy(feed, 1.0)
    index = Index(copy)
    assert all(kept.variants for kept in copy.products)
    for word in ("monteluce", "1578", "M"):
        for _, variant in index.find(word, "m"):
            assert variant.stock_id > 0
    with TemporaryDirectory() as folder:
        CatalogueFile(Path(folder), "").save(copy)
        assert CatalogueFile(Path(folder), "").load() == copy


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60), st.text(max_size=30))
def test_any_search_ends(search: str, options: str) -> None:
    named_so = product(model(id=9, option1=options), id=2, name=search)
    index = Index(whole_copy(read_feed(feed_json(product(), named_so)), 0.0))
    assert {variant.stock_id for _, variant in index.find(search, options)} <= {1578, 9}
