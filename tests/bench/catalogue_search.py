"""How long it takes to read a catalogue of 10,000 products, and to search it.

    python tests/bench/catalogue_search.py

Nothing is asserted: the numbers belong to the machine.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from dropship_tools.rewix.catalogue_data import whole_copy
from dropship_tools.rewix.catalogue_feed import read_feed
from dropship_tools.rewix.catalogue_file import CatalogueFile
from dropship_tools.rewix.catalogue_search import Index
from dropship_tools.rewix.sandbox_catalogue import LISTED_AT, Feed, build_catalogue
from dropship_tools.rewix.stock import MOST_FOUND

ValueT = TypeVar("ValueT")

PRODUCTS = 10_000
ROUNDS = 20


def measure(products: int = PRODUCTS) -> None:
    """Print how long each step takes."""
    made = build_catalogue(products)
    feed = Feed(
        made.products,
        ["en_US"],
        False,
        datetime(2026, 3, 2, tzinfo=UTC),
        lambda i: made.stock(i) or 0,
        lambda _: LISTED_AT,
    )
    for name, body in (("JSON", feed.as_json()), ("XML", feed.as_xml())):
        parsed = timed(f"read {len(body) / 1e6:.0f} MB of {name}", lambda body=body: read_feed(body))
        copy = whole_copy(parsed, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        timed("save", lambda: CatalogueFile(Path(folder), "shop").save(copy))
        timed("load", lambda: CatalogueFile(Path(folder), "shop").load())
    index = timed("build the index", lambda: Index(copy))
    last = copy.products[-1]
    queries = [("t-shirt", ""), ("monteluce jacket", "46 black"), ("s", ""), ("nothing like it", "")]
    queries += [(last.code.lower(), ""), (last.variants[0].barcode, ""), (f"{last.name} {last.about}", "40")]
    for search, options in queries:
        times: list[float] = []
        for _ in range(ROUNDS):
            start = perf_counter()
            list(islice(index.find(search, options), MOST_FOUND + 1))
            times.append(perf_counter() - start)
        say(f"search {search!r} {options!r}, slowest of {ROUNDS}", max(times))


def timed(what: str, do: Callable[[], ValueT]) -> ValueT:
    """Do it and print how long it took."""
    start = perf_counter()
    value = do()
    say(what, perf_counter() - start)
    return value


def say(what: str, seconds: float) -> None:
    """One line."""
    sys.stdout.write(f"{what:<60} {seconds * 1000:8.1f} ms\n")


if __name__ == "__main__":
    measure()
