"""Text from providers and buyers, made safe to show to a model or a person.

Such text is data. It may carry control characters, direction overrides, invisible characters that smuggle
instructions, or mark-up. `clean` removes them before and after HTML entities are decoded, because decoding can
bring them back.
"""

from __future__ import annotations

import html
import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

SAID_LIMIT = 300
"""Longest passage of somebody else's text in an error or an answer, in characters."""

_CLEAN = re.compile(r"^(?:[!-%'-;=-~À-ɏ]+(?: [!-%'-;=-~À-ɏ]+)*)?$")
"""ASCII and Latin letters in one line without anything that could begin mark-up: such a text stays as it is."""

_BLOCK = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[a-z/!?][^>]*>", re.IGNORECASE)
_HUGE_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|x[0-9a-f]{8,});?", re.IGNORECASE)
"""No character has such a number, and Python refuses to read very long ones."""

_BLANK = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),  # grapheme joiner
        (0x115F, 0x1160),  # Hangul fillers
        (0x17B4, 0x17B5),  # Khmer inherent vowels
        (0x180B, 0x180F),  # Mongolian variation selectors
        (0x2800, 0x2800),  # empty Braille pattern
        (0x3164, 0x3164),  # Hangul filler
        (0xFE00, 0xFE0F),  # variation selectors: 256 of them can spell any bytes
        (0xFFA0, 0xFFA0),  # Hangul filler
        (0xE0100, 0xE01EF),  # more variation selectors
    )
    for code in range(first, last + 1)
)
"""Characters that show nothing although Unicode counts them as marks, letters or symbols."""


def _visible(character: str) -> bool:
    """No control, format (bidi, zero-width, tags), surrogate, private or unassigned characters, and no blanks."""
    return character in "\n\r\t " or not (character in _BLANK or unicodedata.category(character).startswith("C"))


def shows(text: str) -> bool:
    """Whether anything of `text` can be seen: fillers and selectors alone are as good as blanks."""
    return any(not (character.isspace() or character in _BLANK) for character in text)


def _strip(text: str) -> str:
    if not (text.isprintable() and _BLANK.isdisjoint(text)):
        text = "".join(character for character in text if _visible(character))
    if "<" not in text:
        return text
    text = _BLOCK.sub(" ", text)
    end = text.rfind(">") + 1  # behind the last one no tag ends, and looking for ends would take for ever
    return _TAG.sub(" ", text[:end]) + text[end:]


def clean(text: str, limit: int = SAID_LIMIT) -> str:
    """`text` in one line, without mark-up and invisible characters, at most `limit` characters."""
    if len(text) <= limit and _CLEAN.fullmatch(text):  # most texts are, and that is quickly seen
        return text
    text = text[: limit * 20]  # bounds the work on hostile input
    text = _strip(text)
    for _ in range(2):
        if "&" in text:
            text = _strip(html.unescape(_HUGE_REFERENCE.sub(" ", text)))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


class CleanAlready:
    """Marks a pydantic field whose validator cleans texts: those that would stay as they are never get to it.

    Most texts are such, and pydantic sees it by itself in a tenth of the time that asking Python takes. What a field
    takes, and where it says that it cannot, is as without this.

    Args:
        limit: the longest text that the validator leaves whole.
        numbers: whether it turns them into texts.
    """

    def __init__(self, limit: int = SAID_LIMIT, *, numbers: bool = True) -> None:
        self._clean = core_schema.str_schema(
            pattern=_CLEAN.pattern, max_length=limit, strict=not numbers, coerce_numbers_to_str=numbers
        )

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Either clean, or through the validator."""
        return core_schema.union_schema(
            [self._clean, handler(source)],
            mode="left_to_right",
            custom_error_type="no_text",  # one error at the field, not one for each way to read it
            custom_error_message="Input should be a text",
            serialization=core_schema.simple_ser_schema("str"),
        )


_TOLD = (str, int, float, Decimal)  # a tuple, because `|` would put a type together anew for every value


def is_told(value: Any) -> bool:
    """Whether a value of a JSON answer can be shown as words: a text or a number."""
    return isinstance(value, _TOLD) and not isinstance(value, bool)


def _clean_value(value: Any) -> Any:
    return clean(str(value)) if is_told(value) else value


Said = Annotated[str, BeforeValidator(_clean_value), CleanAlready(), WithJsonSchema({"type": "string"})]
"""A pydantic field that holds somebody else's words: cleaned when it is set, numbers become text."""
