"""Text from providers and buyers, made safe to show to a model or a person.

Such text is data. It may carry control characters, direction overrides, invisible characters that smuggle
instructions, or mark-up. `clean` removes them before and after HTML entities are decoded, because decoding can
bring them back.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

SAID_LIMIT = 300
"""Longest passage of somebody else's text in an error or an answer, in characters."""

_TAG = re.compile(r"<[^>]{0,2000}>|<!--.*?-->", re.DOTALL)
_BLOCK = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def _visible(character: str) -> bool:
    """No control, format (bidi, zero-width, tags), surrogate, private or unassigned characters."""
    return character in "\n\t " or not unicodedata.category(character).startswith("C")


def _strip(text: str) -> str:
    text = "".join(character for character in text if _visible(character))
    return _TAG.sub(" ", _BLOCK.sub(" ", text))


def clean(text: str, limit: int = SAID_LIMIT) -> str:
    """`text` in one line, without mark-up and invisible characters, at most `limit` characters."""
    text = text[: limit * 20]  # bounds the work on hostile input
    for _ in range(2):
        text = html.unescape(_strip(text))
    text = _SPACE.sub(" ", _strip(text)).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _clean_value(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str | int | float):
        return clean(str(value))
    return value


Said = Annotated[str, BeforeValidator(_clean_value), WithJsonSchema({"type": "string"})]
"""A pydantic field that holds somebody else's words: cleaned when it is set, numbers become text."""
