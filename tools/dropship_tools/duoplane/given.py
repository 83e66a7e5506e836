"""What of the arguments goes into a request body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def given(value: Any) -> Any:
    """What was really given, at every depth: blanks are left out, not sent; `false` and 0 are values."""
    if isinstance(value, Mapping):
        pairs = {name: given(part) for name, part in cast("Mapping[str, Any]", value).items()}
        return {name: part for name, part in pairs.items() if part not in ("", None, [], {})}
    if isinstance(value, list):
        return [part for part in map(given, cast("list[Any]", value)) if part not in ("", None, [], {})]
    return value
