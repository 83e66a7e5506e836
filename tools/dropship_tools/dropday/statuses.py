"""What Dropday's line statuses mean for an order (sheet section 5, status vocabulary).

Dropday gives an order no status of its own. `completed` means that the line was handed to the supplier; nothing in
this API ever says that a parcel was shipped or delivered.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from dropship_tools.orders import Status

_MEANING: dict[str, Status] = {
    "failed": "problem",
    "declined": "problem",
    "skipped": "problem",
    "pending": "received",
    "ruled": "received",
    "partially_completed": "processing",
    "completed": "processing",
}
_WORST_FIRST: tuple[Status, ...] = ("problem", "unknown", "received", "processing")

_WORDS = Literal["completed", "partially_completed", "failed", "pending", "ruled", "declined", "skipped"]


def _word(value: Any) -> Any:
    """`shipped` and `delivered` are what agents ask for, and nothing here comes near them."""
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in _MEANING:
        raise ValueError(
            f"must be one of Dropday's words: {', '.join(_MEANING)}; completed means handed to the supplier, and "
            "Dropday knows nothing of shipping or delivery"
        )
    return word


LineWord = Annotated[_WORDS, BeforeValidator(_word)]
"""A line status as the list filters by it."""


def line_status(word: str) -> Status:
    """The neutral status of a line."""
    return _MEANING.get(word.lower(), "unknown")


def order_status(lines: Sequence[str], *, blocked: bool) -> Status:
    """The neutral status of an order from the words on its lines: the worst line decides."""
    if blocked:
        return "problem"
    found = {line_status(word) for word in lines}
    for status in _WORST_FIRST:
        if status in found:
            return status
    return "unknown"


def in_words(lines: Sequence[str], *, blocked: bool) -> str:
    """`blocked; lines: 1 completed, 2 pending`."""
    counts = ", ".join(f"{len([*same])} {word}" for word, same in groupby(sorted(lines)))
    return ("blocked; " if blocked else "") + (f"lines: {counts}" if counts else "no lines shown")
