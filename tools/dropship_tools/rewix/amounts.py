"""Amounts as Rewix writes them: JSON numbers or XML text, in main units, with a point."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def amount_text(value: Any) -> str:
    """`9.8` as `9.80`; digits beyond the second place are kept. Empty for anything that is no amount."""
    text = str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    if not _AMOUNT.fullmatch(text):
        return ""
    rounded = f"{Decimal(text):.2f}"
    return rounded if Decimal(rounded) == Decimal(text) else text
