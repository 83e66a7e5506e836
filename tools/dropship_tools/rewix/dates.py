"""Moments on the Rewix wire: `yyyy/MM/dd HH:mm:ss Z`, a 24-hour clock with a numeric offset (sheet section 4.1).

Three public clients label local time `+0000` or use a 12-hour clock (sheet section 9), so a moment without an offset is
never accepted and the current one comes from an aware clock.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Annotated

from pydantic import AfterValidator

from dropship_tools.arguments import Line

_DOCUMENTED = re.compile(
    r"([0-9]{4})/([0-9]{2})/([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-][0-9]{2})([0-5][0-9])"
)


def to_wire(moment: datetime) -> str:
    """An aware moment as `2021/02/02 23:59:59 +0000`; its offset is kept, fractions of a second are dropped."""
    return f"{moment.year:04}/{moment:%m/%d %H:%M:%S %z}"


def from_wire(text: str) -> datetime:
    """The moment written in the documented form.

    Raises:
        ValueError: it has another form, or is no moment.
    """
    found = _DOCUMENTED.fullmatch(text)
    if not found:
        raise ValueError("not in the documented form")
    *moment, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(hours[0] + minutes))
    return datetime(*map(int, moment), tzinfo=timezone(offset))  # a third of what strptime costs


def to_iso(text: str) -> str:
    """`2018/05/25 12:20:37 +0200` as `2018-05-25T12:20:37+02:00`; anything else as it is."""
    try:
        return from_wire(text).isoformat()
    except ValueError:
        return text


def _check(text: str) -> str:
    if not text:
        return text
    try:
        moment = from_wire(text) if _DOCUMENTED.fullmatch(text) else datetime.fromisoformat(text)
        offset = moment.utcoffset()
        if offset is None or offset.total_seconds() % 60:
            raise ValueError
    except ValueError:
        raise ValueError(
            "must be like 2021/02/02 23:59:59 +0000, or ISO 8601 with an offset; or leave it out"
        ) from None
    return to_wire(moment)


OrderDate = Annotated[Line, AfterValidator(_check)]
"""A moment in the documented form; ISO 8601 with an offset is converted."""
