"""Tool arguments drawn from what a tool advertises: a valid example with a few things changed.

A change leaves a value out, or puts another one in its place: a likely one (another country, another product), one at
the edge of what is allowed, or one that has no business there.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from hypothesis import strategies as st

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]
Json = dict[str, Any]
ValueT = TypeVar("ValueT")

MOST_CHANGES = 3
TEXTS = (
    *("", " ", "x", "0", "007", "-1", "1e3", "null", "true", "[]", "{}", '{"a":1}', "Ünïcödé", "e\u0301", "\u00df"),
    *(
        "東京都千代田区",
        "🎁",
        "\U0001d518\U0001d52b",
        "ﬁ",
        "İstanbul",
        "مرحبا",
        "\u202eevil",
        "zero\u200bwidth",
        "a\u00a0b",
        "\ufeff",
    ),
    *("nul\x00", "two\nlines", "tab\t", "\r\n", "\x7f", "\u2028", "\ud83d", "\U000e0041", "\ufffe", "<b>&amp;</b>"),
    *("]]>", "'; --", "../..", "..", ".", "%2e%2e%2f", "a/b", "a?b=c", "a#b", "a;b", "a&b=c", "a b", "a+b", "\\u0000"),
    *("9" * 64, "9" * 65, "R" * 64, "R" * 65, "é" * 255, "x" * 255, "x" * 256, "x" * 2000, "x" * 2001, "🎁" * 255),
)
WHOLE = (
    *(0, 1, 2, -1, 7, 100, 101, 200, 250, 251, 1000, 10**5, 10**5 + 1),
    *(2**31, 2**53, 10**15, 10**15 + 1, 2**63, 10**30),
)
AMOUNTS = (
    *(0, 0.01, 0.1, 1, 10.99, 2.5, -0.0, 999_999_999.99, 10**9),
    *(10.999, 1e-7, 1e300, -1, math.inf, math.nan, "10.99"),
)
STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, 1.5, "", "x", "7", 10**400),
    *([], [[]], [None], {}, {"a": 1}, "[]", "{}"),
)

STRAYS = ("quantity", "Country", "note", "<b>", "", "x" * 500)
"""Names of arguments that most tools do not have."""

NAMES = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), min_size=1, max_size=80)
"""What a person may be called, and more."""

LIKELY: Mapping[str, Sequence[Any]] = {
    "country": ("FR", "de", "IT", "NL", "GB", "US", "JP", "GR", "XX", "FRA", "ß"),
    "email": ("a@b.fr", "jane.doe+tag@example.co.uk", "a@b", "ü@example.org", "a b@c.de", f"{'x' * 64}@example.org"),
    "phone": ("0612345678", "+33 6 12 34 56 78", "00391234", "(06) 12-34.56 x7", "123", "12", "9" * 20, "9" * 21),
    "number": ("0612345678", "+39 011", "0039 011 1", "123"),
    "prefix": ("+39", "0039", "39", "+1 684", "+0"),
    "postcode": ("75019", "1000", "1012 AB", "SW1A 1AA", "0"),
    "date": (
        *("2026/03/02 12:00:00 +0000", "2026-03-02T12:00:00Z"),
        *("0001/01/01 00:00:00 +1400", "9999-12-31T23:59:59-14:00"),
    ),
    "moment": (
        *("2026-03-02T12:00:00Z", "2026-02-30T00:00Z"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"),
    ),
    "day": (
        *("2026-03-02", "2026-03-01", "2024-02-29", "2026-02-30"),
        *("0001-01-01", "9999-12-31", "02-03-2026", "2026-3-2"),
    ),
    "quantity": (1, 2, 3, 50, 99_999, 100_000, "2", 2.0),
    "page": (1, 2, 3, 10**6, 999_999_999, 10**9, 10**15),
    "size": (1, 2, 50, 51, 100, 250),
}
"""Values that make sense somewhere, by what is meant."""

MEANT: Mapping[str, str] = {
    **dict.fromkeys(("countrycode", "country_iso2"), "country"),
    **dict.fromkeys(("buyer_email",), "email"),
    **dict.fromkeys(("buyer_phone",), "phone"),
    **dict.fromkeys(("zip", "post_code"), "postcode"),
    **dict.fromkeys(("createdAt", "updatedAt", "date_from", "date_to", "delivery_date", "backordered_until"), "day"),
    **dict.fromkeys(("ordered_at",), "moment"),
    **dict.fromkeys(("pageSize", "per_page"), "size"),
    **dict.fromkeys(("stock_quantity", "quantity_available"), "quantity"),
}
"""Arguments by other names."""


def weighted(*choices: tuple[int, st.SearchStrategy[ValueT]]) -> st.SearchStrategy[ValueT]:
    """One of them, each drawn so many times as often; `st.one_of` counts what it is given twice but once."""
    return st.sampled_from([choice for times, choice in choices for _ in range(times)]).flatmap(lambda choice: choice)


@dataclass(frozen=True)
class Place:
    """A value inside arguments: where it stands and what the schema says of it."""

    path: Path
    schema: Schema

    @property
    def name(self) -> str:
        """The argument's own name."""
        return next(step for step in reversed(self.path) if isinstance(step, str))


@dataclass(frozen=True)
class Absent:
    """In place of a value: it is left out."""


@dataclass(frozen=True)
class Times:
    """In place of a list: its first entry, so many times."""

    count: int


def places(schema: Schema, path: Path = ()) -> Iterator[Place]:
    """Everything a schema has a place for; of each list the first entry."""
    for name, inside in cast("Mapping[str, Schema]", schema["properties"]).items():
        yield from _places(inside, (*path, name))


def _places(schema: Schema, path: Path) -> Iterator[Place]:
    yield Place(path, schema)
    if schema["type"] == "object":
        yield from places(schema, path)
    elif schema["type"] == "array":
        yield from _places(schema["items"], (*path, 0))


def drawn_arguments(
    schema: Schema, example: Mapping[str, Any], known: Mapping[str, Sequence[Any]] | None = None
) -> st.SearchStrategy[Json]:
    """Arguments for the tool with this input schema.

    Args:
        schema: the tool's, as it is advertised.
        example: arguments that are right.
        known: more values that make sense, by the arguments' names: ids and numbers that exist.
    """
    known = known or {}
    inside = [st.tuples(st.just(place.path), _values(place, known)) for place in places(schema)]
    outside = st.tuples(st.tuples(st.sampled_from(STRAYS)), _texts())
    change = weighted((19 if inside else 0, st.one_of(inside)), (1, outside))
    changes = st.lists(change, max_size=MOST_CHANGES)
    return changes.map(lambda drawn: changed(example, *drawn))


def _values(place: Place, known: Mapping[str, Sequence[Any]]) -> st.SearchStrategy[Any]:
    likely = [*known.get(place.name, ()), *LIKELY.get(MEANT.get(place.name, place.name), ())]
    return weighted(
        (6 if likely else 0, st.sampled_from(likely)),
        (4, _of_type(place.schema)),
        (1, st.sampled_from(STRANGE)),
        (1, st.just(Absent())),
    )


def _of_type(schema: Schema) -> st.SearchStrategy[Any]:
    kind = cast("str", schema["type"])
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], "other", ""])
    if kind == "array":
        return st.sampled_from([Times(n) for n in (0, 2, 3, 50, 200, 201)])
    types: Mapping[str, st.SearchStrategy[Any]] = {
        "string": _texts(),
        "integer": st.sampled_from(WHOLE) | st.integers(1, 10**6),
        "number": st.sampled_from(AMOUNTS) | st.decimals(0, 10**6, places=2).map(float),
        "boolean": st.sampled_from((True, False, "true", "no", 1, 2)),
        "object": st.sampled_from(({}, [], None, "", {"x": 1})),
    }
    return types[kind]


def _texts() -> st.SearchStrategy[str]:
    return weighted((3, NAMES), (1, st.sampled_from(TEXTS)), (1, st.text(max_size=80)))


def changed(example: Mapping[str, Any], *changes: tuple[Path, Any]) -> Json:
    """A copy with other values in some places."""
    arguments: Json = copy.deepcopy(dict(example))
    for path, value in changes:
        _put(arguments, path, value)
    return arguments


def _put(inside: Any, path: Path, value: Any) -> None:
    """Set, or leave out; where a change before this one took the place away, there is nothing to do."""
    step, *rest = path
    if isinstance(inside, dict):
        fields = cast("dict[str | int, Any]", inside)
        if rest:
            if step not in fields:
                fields[step] = [] if rest[0] == 0 else {}
            _put(fields[step], tuple(rest), value)
        elif isinstance(value, Absent):
            fields.pop(step, None)
        elif isinstance(value, Times):
            entries = cast("list[Any]", fields.get(step) if isinstance(fields.get(step), list) else [])
            fields[step] = [copy.deepcopy(entry) for entry in (entries[:1] or [{}]) * value.count]
        else:
            fields[step] = copy.deepcopy(value)  # changed further, it must not change for the next draw
    elif isinstance(inside, list) and step == 0:
        entries = cast("list[Any]", inside)
        if rest:
            entries[:1] = entries[:1] or [{}]
            _put(entries[0], tuple(rest), value)
        else:
            entries[:1] = [] if isinstance(value, Absent) else [copy.deepcopy(value)]
