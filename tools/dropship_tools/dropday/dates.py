"""Dates as Dropday takes them, ISO for people and agents.

Delivery dates leave as DD-MM-YYYY (sheet section 4, `shipping`), the bounds of the order list as date-times without a
zone (section 5).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Annotated

from pydantic import AfterValidator

from dropship_tools.arguments import Line

_SENT = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})")


def to_iso(text: str) -> str:
    """`07-11-2025` or `2025-11-07` as `2025-11-07`; anything else as it is."""
    return "-".join(reversed(m.groups())) if (m := _SENT.fullmatch(text)) else text


def to_wire(iso: str) -> str:
    """`2025-11-07` as `07-11-2025`."""
    return "-".join(reversed(iso.split("-")))


def _check(text: str) -> str:
    if not text:
        return text
    iso = to_iso(text)
    try:
        if date.fromisoformat(iso).isoformat() != iso:
            raise ValueError
    except ValueError:
        raise ValueError("must be a date like 2026-11-07") from None
    return iso


DeliveryDate = Annotated[Line, AfterValidator(_check)]
"""A date, normalised to ISO; the documented DD-MM-YYYY is accepted too."""


_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}[0-9:.]*(Z|[+-][0-9:]+)?)?", re.IGNORECASE)


def _moment(text: str, of_day: time) -> str:
    """A day at `of_day`, or a moment, in the documented form.

    The documentation names no zone for the bounds. Orders carry UTC, so moments with a zone are turned into it.
    """
    if not text:
        return text
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text.upper())
        if len(text) == len("2026-03-02"):
            moment = datetime.combine(moment, of_day)
        elif moment.tzinfo:
            moment = moment.astimezone(UTC)
        return moment.replace(tzinfo=None, microsecond=0).isoformat()
    except (ValueError, OverflowError):
        raise ValueError("must be a day like 2026-03-02 or a time like 2026-03-02T14:15:22Z") from None


From = Annotated[Line, AfterValidator(partial(_moment, of_day=time.min))]
"""A lower bound; a bare day counts from its beginning."""

Until = Annotated[Line, AfterValidator(partial(_moment, of_day=time(23, 59, 59)))]
"""An upper bound; a bare day counts to its end. As a midnight it would leave that day out."""
