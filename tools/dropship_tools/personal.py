"""Which argument fields hold a buyer's personal data, whatever the provider calls them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

PERSONAL_FIELDS = frozenset(
    {
        *("buyer", "buyer_email", "buyer_phone", "street", "additional_street", "extra"),  # Dipli
        *("recipient", "careof", "cfpiva", "customer_key", "notes", "number"),  # Rewix
        *("street_name", "address_number", "zip", "prefix"),
        *("first_name", "last_name", "company_name", "phone", "email"),  # Dropday, Duoplane
        *("address1", "address2", "postcode", "note", "custom"),
        *("address_1", "address_2", "post_code", "customer_note", "order_notes", "order_item_notes"),
        "city",
    }
)


FULL_NAMES = frozenset({"buyer", "recipient"})
"""Fields that hold a whole name, which providers split."""


def personal_values(arguments: Any, *, inside: bool = False) -> Iterator[str]:
    """Every text in `arguments` that stands in a personal field, or below one."""
    if isinstance(arguments, str):  # first: most are, and asking for a Mapping takes long
        if inside:
            yield arguments
    elif isinstance(arguments, Mapping):
        for name, value in cast("Mapping[str, Any]", arguments).items():
            yield from personal_values(value, inside=inside or name in PERSONAL_FIELDS)
            if name in FULL_NAMES and isinstance(value, str):
                yield from value.split()
    elif isinstance(arguments, list):
        for value in cast("list[Any]", arguments):
            yield from personal_values(value, inside=inside)
    elif inside and isinstance(arguments, int) and not isinstance(arguments, bool):
        yield str(arguments)


MASK = "***"
SHORTEST = 3
"""Shorter values (a house number, a state) identify nobody and would riddle every text. Values of just this length are
masked as whole words only: Doe stands in `does`, too."""


def without(text: str, values: Iterable[str], *, cut_off: bool = False) -> str:
    """`text` with every one of `values` masked, longest first, in whatever case and spacing.

    In a text that was cut off (it ends with an ellipsis, or the caller knows), the beginning of a value at its end is
    masked as well.
    """
    forms = {" ".join(unicodedata.normalize("NFC", value).split()) for value in values}
    wanted = sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True)
    if not wanted:
        return text
    if near := [form for form in wanted if _may_stand_in(text, form)]:
        text = re.sub("|".join(map(_pattern, near)), MASK, unicodedata.normalize("NFC", text), flags=re.IGNORECASE)
    if not (cut_off or text.endswith("\u2026")):
        return text
    end = text.rstrip("\u2026 ")
    begun = max(_overlap(end, form) for form in wanted)
    return end[: len(end) - begun] + MASK if begun >= SHORTEST else text


def _may_stand_in(text: str, form: str) -> bool:
    """Whether looking closer is worth a pattern, whose making costs more than all else here."""
    if not (text.isascii() and form.isascii()):
        return True
    return "".join(form.split()).lower() in "".join(text.split()).lower()


def _pattern(form: str) -> str:
    pattern = re.escape(form).replace(r"\ ", r"\s+")
    is_short = len(form) == SHORTEST and form.isascii()  # other scripts may put no blanks between words
    return rf"(?<![a-z]){pattern}(?![a-z])" if is_short else pattern


def _overlap(text: str, value: str) -> int:
    """How many characters at the end of `text` are the beginning of `value`."""
    lengths = range(min(len(text), len(value)), 0, -1)
    return next((n for n in lengths if text[-n:].casefold() == value[:n].casefold()), 0)


def without_any(facts: Any, values: Iterable[str]) -> Any:
    """Plain JSON with every one of `values` masked in all its texts."""
    values = tuple(values)
    if isinstance(facts, Mapping):
        return {name: without_any(value, values) for name, value in cast("Mapping[str, Any]", facts).items()}
    if isinstance(facts, list):
        return [without_any(value, values) for value in cast("list[Any]", facts)]
    return without(facts, values) if isinstance(facts, str) else facts
