"""Delivery dates: ISO for people and agents, DD-MM-YYYY on the way to Dropday (sheet section 4, `shipping`)."""

from __future__ import annotations

import re
from datetime import date
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
