"""Days as Dipli's list filters by them: `yyyy-mm-dd` and nothing more (sheet section 4)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator

from dropship_tools.arguments import Line

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")
_DAY_OR_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?", re.IGNORECASE)


def _day(text: str) -> str:
    """A date as it is, a timestamp as its day; with an offset, as the day it is in UTC.

    Dipli is at home east of UTC and does not name the time zone it filters in, so UTC's day is never the later one:
    the list may begin a day too early, but leaves nothing out.
    """
    if not text:
        return text
    try:
        if not _DAY_OR_MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text.upper())
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date().isoformat()
    except (ValueError, OverflowError):
        raise ValueError("must be a day like 2026-03-02, or an ISO 8601 time on it") from None


Day = Annotated[Line, AfterValidator(_day)]
"""A day; timestamps are accepted and cut to theirs."""


def day_before(day: str) -> str:
    """The day before an ISO day; the first day there is stays itself."""
    return date.fromordinal(max(1, date.fromisoformat(day).toordinal() - 1)).isoformat()


def day_of(moment: str) -> str:
    """The day that Dipli's `yyyy-mm-ddThh:mm:ss+hh:mm` begins with; empty for any other form."""
    found = _DAY.match(moment)
    return found[0] if found else ""
