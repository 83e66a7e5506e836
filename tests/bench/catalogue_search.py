"""What finding a stock_id takes in a shop's catalogue of 10,000 products: reading it once, then each search.

Beside it stands the least that each could be: the JSON decoded and nothing else, every name looked at once.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from bench.stopwatch import timed
from dropship_tools.rewix.catalogue_data import Copy, whole_copy
from dropship_tools.rewix.catalogue_feed import read_feed
from dropship_tools.rewix.catalogue_file import CatalogueFile
from dropship_tools.rewix.catalogue_search import Index
from dropship_tools.rewix.sandbox_catalogue import LISTED_AT, Feed, build_catalogue
from dropship_tools.rewix.stock import MOST_FOUND

PRODUCTS = 10_000
ROUNDS = 30
BUDGET = 0.020
"""Seconds of one search, once the catalogue is loaded."""


@dataclass(frozen=True)
class Step:
    """Seconds of something, and of the least it could be."""

    what: str
    seconds: float
    least: float

    @property
    def ratio(self) -> float:
        """What does not depend on the machine."""
        return self.seconds / self.least


@dataclass(frozen=True)
class Searches:
    """Reading a catalogue, once each; searching it, medians."""

    reading: Sequence[Step]
    searching: Sequence[Step]


def measure() -> Searches:
    """As the sandbox's shop lists it, only larger."""
    made = build_catalogue(PRODUCTS)
    asked_at = datetime(2026, 3, 2, tzinfo=UTC)
    feed = Feed(made.products, ["en_US"], False, asked_at, lambda i: made.stock(i) or 0, lambda _: LISTED_AT)
    as_json, as_xml = feed.as_json(), feed.as_xml()
    copy = whole_copy(read_feed(as_json), 0.0)
    with tempfile.TemporaryDirectory(prefix="dropship-bench-") as folder:
        steps: dict[str, Callable[[], object]] = {
            f"read {len(as_json) / 1e6:.0f} MB of JSON": lambda: read_feed(as_json),
            f"read {len(as_xml) / 1e6:.0f} MB of XML": lambda: read_feed(as_xml),
            "keep it in a file": lambda: CatalogueFile(Path(folder), "shop").save(copy),
            "load that file": lambda: CatalogueFile(Path(folder), "shop").load(),
            "make the index": lambda: Index(copy),
        }
        least = timed(lambda: json.loads(as_json))
        reading = [Step(what, timed(do), least) for what, do in steps.items()]
    index = Index(copy)
    return Searches(reading, [measure_search(index, *query) for query in queries(copy)])


def queries(copy: Copy) -> list[tuple[str, str]]:
    """Words and options: many hits and none, a code, a barcode, a whole description."""
    last = copy.products[-1]
    return [
        ("t-shirt", ""),
        ("monteluce jacket", "46 black"),
        ("s", ""),
        ("nothing like it", ""),
        (last.code.lower(), ""),
        (last.variants[0].barcode, ""),
        (f"{last.name} {last.about}", "40"),
    ]


def measure_search(index: Index, search: str, options: str) -> Step:
    """In turns with the least, so that a busy machine slows both."""
    names = [product.name for product in index.copy.products]
    found: list[float] = []
    least: list[float] = []
    for _ in range(ROUNDS):
        found.append(timed(lambda: list(islice(index.find(search, options), MOST_FOUND + 1))))
        least.append(timed(lambda: [name for name in names if search in name.casefold()]))
    what = f"`{search}`" + (f" in `{options}`" if options else "")
    return Step(what, statistics.median(found), statistics.median(least))


def tables(measured: Searches) -> list[str]:
    """Markdown."""
    return [
        "",
        f"## rewix_find_stock over {PRODUCTS:,} products",
        "",
        f"| one search, median of {ROUNDS} | ms | every name looked at once, ms | ratio |",
        "|---|--:|--:|--:|",
        *(f"| {s.what} | {s.seconds * 1000:.2f} | {s.least * 1000:.2f} | {s.ratio:.1f} |" for s in measured.searching),
        "",
        f"The budget is {BUDGET * 1000:.0f} ms a search, after this:",
        "",
        "| once | ms | the JSON decoded, ms | ratio |",
        "|---|--:|--:|--:|",
        *(f"| {s.what} | {s.seconds * 1000:.0f} | {s.least * 1000:.0f} | {s.ratio:.1f} |" for s in measured.reading),
    ]


def over_budget(measured: Searches) -> list[str]:
    """In words."""
    return [
        f"Search for {step.what}: {step.seconds * 1000:.1f} ms; the budget is {BUDGET * 1000:.0f} ms."
        for step in measured.searching
        if step.seconds > BUDGET
    ]
