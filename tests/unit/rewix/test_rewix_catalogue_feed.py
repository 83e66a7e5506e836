"""Reading the catalogue call's answers: what is kept of a product, in both formats, and what is not believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dropship_tools.rewix import catalogue_feed
from dropship_tools.rewix.catalogue_data import Copy, Feed, Product, Variant, whole_copy
from dropship_tools.rewix.catalogue_feed import read_feed
from dropship_tools.rewix.sandbox_catalogue import LISTED_AT, build_catalogue
from dropship_tools.rewix.sandbox_catalogue import Feed as SandboxFeed
from dropship_tools.wire import Unreadable
from unit.rewix.rewix_feeds import MADE_AT, feed_json, feed_xml, model, product

KEPT = Product(
    "50001",
    "Monteluce T-shirt",
    "MO1000",
    "Crew-neck T-shirt Monteluce clothing",
    (Variant(1578, ("M", "Nero"), "MO1000", "MO1000 M", "0800000000017", "12.90", "EUR", 7),),
)


@pytest.mark.parametrize("body", [feed_json(product()), feed_xml(product()), b"\xef\xbb\xbf" + feed_json(product())])
def test_a_product_is_kept_with_what_an_order_and_a_search_need(body: bytes) -> None:
    """Sheet section 6: the variant's id is the stock_id; product id, code and barcode are not."""
    assert read_feed(body) == Feed((KEPT,), MADE_AT, 1)


def test_the_sandboxs_catalogue_reads_alike_in_both_formats() -> None:
    made = build_catalogue()
    feed = SandboxFeed(made.products, ["en_US"], False, LISTED_AT, lambda i: made.stock(i) or 0, lambda _: LISTED_AT)
    in_json, in_xml = read_feed(feed.as_json()), read_feed(feed.as_xml())
    assert in_json == in_xml
    assert {v.stock_id for p in in_json.products for v in p.variants} == set(made.by_stock_id)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"option1": None, "option2": "", "option3": None}, {"options": ("M", "black")}),
        ({"option2": "M", "option3": "slim"}, {"options": ("M", "slim")}),
        ({"taxable": None}, {"price": "13.90"}),
        ({"taxable": 12.905}, {"price": "12.905"}),
        ({"taxable": "12"}, {"price": "12.00"}),
        ({"taxable": "1e9"}, {"price": "13.90"}),
        ({"currency": None}, {"currency": "EUR"}),
        ({"code": None}, {"code": "MO1000"}),
        ({"barcode": 8000000000017}, {"barcode": "8000000000017"}),
        ({"availability": -1}, {"availability": None}),
        ({"availability": 0}, {"availability": 0}),
        ({"availability": "3"}, {"availability": 3}),
        ({"availability": 10**30}, {"availability": None}),
        ({"model": "x" * 999}, {"model": "x" * catalogue_feed.LONGEST_TEXT}),
        ({"model": "a\ud800b"}, {"model": "ab"}),
        ({"barcode": {"a": 1}, "model": [1], "code": True}, {"barcode": "", "model": "", "code": "MO1000"}),
    ],
)
def test_odd_variants_keep_what_makes_sense(changes: dict[str, Any], kept: dict[str, Any]) -> None:
    (read,) = read_feed(feed_json(product(model(**changes)))).products
    (variant,) = read.variants
    assert {name: getattr(variant, name) for name in kept} == kept


def test_a_price_without_any_currency_keeps_none() -> None:
    (read,) = read_feed(feed_json(product(model(currency=None), currency=None))).products
    assert (read.variants[0].price, read.variants[0].currency) == ("12.90", "")


@pytest.mark.parametrize("broken", [7, None, [], {"id": 1}, {"id": 1, "models": [{"id": 0}]}, {"models": [model()]}])
def test_a_product_that_makes_no_sense_is_left_out_and_counted(broken: Any) -> None:
    feed = read_feed(feed_json(broken, product()))
    assert (feed.products, feed.unreadable) == ((KEPT,), 1)
    assert whole_copy(feed, 0).missing == 1


@pytest.mark.parametrize("gone", [product(online=False), product(online="false"), product(models=[])])
def test_a_product_that_is_not_sold_any_more_leaves_the_copy(gone: Any) -> None:
    copy = whole_copy(read_feed(feed_json(product(), product(model(id=9), id=2))), 0)
    changed = copy.with_changes(read_feed(feed_json(gone)), 60.0)
    assert [kept.id for kept in changed.products] == ["2"]
    assert (changed.read_at, changed.full_at) == (60.0, 0)
    assert whole_copy(read_feed(feed_json(gone)), 0).products == ()


def test_changes_replace_products_and_add_new_ones() -> None:
    copy = whole_copy(read_feed(feed_json(product())), 0)
    changes = read_feed(feed_json(product(model(availability=1)), product(model(id=9), id=2), lastUpdate="later"))
    changed = copy.with_changes(changes, 60.0)
    assert [(p.id, p.variants[0].availability) for p in changed.products] == [("50001", 1), ("2", 7)]
    assert changed.last_update == "later"


def test_a_catalogue_that_is_announced_larger_than_it_is_misses_products() -> None:
    assert whole_copy(read_feed(feed_json(product(), totalItems=5)), 0) == Copy((KEPT,), MADE_AT, 0, 0, 4)


@pytest.mark.parametrize(
    ("told", "kept"),
    [(MADE_AT, MADE_AT), (1772452800000, "2026-03-02T12:00:00.000+00:00"), (None, ""), ({"a": 1}, ""), (True, "")],
)
def test_the_last_update_is_kept_as_since_wants_it(told: Any, kept: str) -> None:
    assert read_feed(feed_json(product(), lastUpdate=told)).last_update == kept


@pytest.mark.parametrize(
    "body",
    [
        b'{"pageItems": [], "lastUpdate": "x"}',
        b'{"lastUpdate": "x", "pageItems": null}',
        b'<page lastUpdate="x"/>',
        b'<page lastUpdate="x"><items/></page>',
    ],
)
def test_a_feed_may_be_empty(body: bytes) -> None:
    assert read_feed(body) == Feed((), "x")


def test_the_last_update_may_be_an_element() -> None:
    body = b"<page><lastUpdate>now</lastUpdate><items/></page>"
    assert read_feed(body).last_update == "now"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"{}",
        b"null",
        b'{"pageItems": [',
        b'{"pageItems": [{"id": 1}',
        b'{"pageItems": [1 2]}',
        b'{"pageItems" []}',
        b'{"orders": []}',
        b'{"pageItems": [7, 8]}',
        b'{"pageItems": ["\xff"]}',
        b"[" * 200_000,
        b'{"pageItems": [' + b"[" * 200_000,
        b'{"pageItems": [' + b"9" * 9999 + b"]}",
        b"<page",
        b"<page/>",
        b"<root/>",
        b"<html><body>Busy</body></html>",
        b'<!DOCTYPE page [<!ENTITY a "x">]><page a="&a;"><items/></page>',
        b'<?xml version="1.0" encoding="no-such"?><page/>',
    ],
)
def test_what_is_no_catalogue_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_feed(body)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_the_size_of_the_pieces_changes_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps(
        {"totalItems": 12, "pageItems": [product(name='Zoë 🧥 \\ "x"'), product(id=2)], "lastUpdate": 177245280},
        ensure_ascii=False,
        indent=3,
    ).encode()
    whole = read_feed(body)
    assert (len(whole.products), whole.total, whole.last_update) == (2, 12, "177245280")
    monkeypatch.setattr(catalogue_feed, "_PIECE", size)
    assert read_feed(body) == whole


def test_a_product_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_feed, "_PIECE", 100)
    monkeypatch.setattr(catalogue_feed, "LONGEST_VALUE", 1000)
    with pytest.raises(Unreadable):
        read_feed(b'{"pageItems": [{"name": "' + b"x" * 100_000 + b'"}]}')
