"""What Dropday's line statuses mean for an order (sheet section 5, status vocabulary).

Dropday gives an order no status of its own. `completed` means that the line was handed to the supplier; nothing in
this API ever says that a parcel was shipped or delivered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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
    counts = ", ".join(f"{n} {word}" for word, n in sorted(Counter(lines).items()))
    return ("blocked; " if blocked else "") + (f"lines: {counts}" if counts else "no lines shown")
