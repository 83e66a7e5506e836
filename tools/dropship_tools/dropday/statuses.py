"""What Dropday's line statuses mean for an order (sheet section 5, status vocabulary).

Dropday gives an order no status of its own. `completed` means that the line was handed to the supplier; nothing in
this API ever says that a parcel was shipped or delivered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dropship_tools.orders import Status

_WORST_FIRST: tuple[tuple[Status, frozenset[str]], ...] = (
    ("problem", frozenset({"failed", "declined", "skipped"})),
    ("received", frozenset({"pending", "ruled"})),
    ("processing", frozenset({"partially_completed", "completed"})),
)


def order_status(lines: Sequence[str], *, blocked: bool) -> Status:
    """The neutral status of an order from the words on its lines: the worst line decides."""
    if blocked:
        return "problem"
    words = set(lines)
    for status, known in _WORST_FIRST:
        if words & known:
            return status
    return "unknown"


def in_words(lines: Sequence[str], *, blocked: bool) -> str:
    """`blocked; lines: 1 completed, 2 pending`."""
    counts = ", ".join(f"{n} {word}" for word, n in sorted(Counter(lines).items()))
    return ("blocked; " if blocked else "") + (f"lines: {counts}" if counts else "no lines shown")
