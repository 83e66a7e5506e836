"""Building blocks of tool arguments: closed models, and text, ids, amounts and codes checked before anything is sent.

Field names are the providers' own. What JSON Schema cannot say portably (lengths, patterns, e-mail shape) is
checked here and said in the field's description.
"""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from dropship_tools.countries import country_code
from dropship_tools.text import shows

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")


class Part(BaseModel):
    """An object inside arguments: closed, immutable, tolerant of numbers where text is meant.

    `also_called` maps names that agents try (`zip`) to the documented one (`postcode`), for "did you mean".
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        defer_build=True,  # built at the first call, not while a host waits for the tool list
    )
    also_called: ClassVar[Mapping[str, str]] = {}


class Arguments(Part):
    """Arguments of a tool."""


class CreateArguments(Arguments):
    """Arguments of a tool that places an order."""

    dry_run: bool = Field(default=False, description="true: show the exact request; nothing is sent")


class WrongTogether(ValueError):
    """What several fields are together is wrong. Raised by a validator of the last of them (`validate_default=True`).

    A validator of the whole model would run only when each single field is right. That of a field runs whatever is
    wrong elsewhere, and finds the fields above it in `info.data`, those without a problem; so one call tells all.

    Args:
        problem: what is wrong.
        field: the one to change, where that is plain; `problem` goes on after its name.
    """

    def __init__(self, problem: str, field: str = "") -> None:
        super().__init__(problem)
        self.field = field


def exactly_one(first: str, second: str) -> Any:
    """A validator for models that take one of two fields; `second` stands below `first`."""

    def check(value: Any, info: ValidationInfo) -> Any:
        if first in info.data and bool(info.data[first]) == bool(value):
            raise WrongTogether(f"give exactly one of {first} and {second}")
        return value

    return field_validator(second)(check)


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be text")
    if isinstance(value, float):
        raise ValueError("must be text: as a number it may lose digits")
    return value


def _printable(value: str) -> str:
    if value.isascii() and value.isprintable():  # as most are
        return value.strip()
    value = unicodedata.normalize("NFC", value).strip()
    invisible = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    if not value.isprintable() and any(unicodedata.category(c) in invisible for c in value):
        raise ValueError("must be one line without control or invisible characters")
    return value if shows(value) else ""


def _printable_lines(value: str) -> str:
    return "\n".join(_printable(line) for line in value.replace("\r\n", "\n").split("\n")).strip()


def _not_blank(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


_STRING = WithJsonSchema({"type": "string"})

Line = Annotated[str, Field(max_length=255), BeforeValidator(_as_text), AfterValidator(_printable), _STRING]
"""One line of optional text, at most 255 characters; empty means absent."""

RequiredLine = Annotated[Line, AfterValidator(_not_blank)]
"""One line of text that must not be blank."""

Note = Annotated[str, Field(max_length=2000), BeforeValidator(_as_text), AfterValidator(_printable_lines), _STRING]
"""Optional text of several lines, at most 2000 characters."""


def _reference(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("may hold letters, digits and . _ - only, and starts with a letter or digit")
    return value


Reference = Annotated[
    str,
    Field(min_length=1, max_length=64),
    BeforeValidator(_as_text),
    AfterValidator(_printable),
    AfterValidator(_reference),
    _STRING,
]
"""The caller's own order number: 1 to 64 letters, digits, `.`, `_`, `-`. It travels in URLs."""


def _phone(value: str) -> str:
    if value and not 3 <= sum(c.isdigit() for c in value) <= 20:
        raise ValueError("must hold 3 to 20 digits")
    if value and not re.fullmatch(r"[0-9+()./ x-]{3,40}", value):
        raise ValueError("may hold digits, spaces and + ( ) . / - only")
    return value


Phone = Annotated[Line, AfterValidator(_phone)]
"""A telephone number as text."""


def _email(value: str) -> str:
    if value and (len(value) > 254 or not _EMAIL.fullmatch(value)):
        raise ValueError("must look like name@example.com")
    return value


Email = Annotated[Line, AfterValidator(_email)]
"""An e-mail address."""


Country = Annotated[Line, AfterValidator(country_code)]
"""A country as ISO 3166-1 alpha-2, upper case."""


def _whole(value: Any) -> Any:
    """Integers only: `2`, `"2"` and `2.0` after a JSON round trip; never `true`, `2.5` or `"2 pieces"`."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        stripped = value.strip()
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", stripped):
            raise ValueError("must be a whole number")
        return int(stripped)
    return value


_INTEGER = WithJsonSchema({"type": "integer", "minimum": 1})

PositiveInt = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=10**15), _INTEGER]
"""A whole number from 1."""

Quantity = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=100_000), _INTEGER]
"""Pieces, from 1."""

Count = Annotated[
    int, BeforeValidator(_whole), Field(ge=0, le=10**9), WithJsonSchema({"type": "integer", "minimum": 0})
]
"""A whole number from 0."""


def _decimal(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str) and not re.fullmatch(r"\s*[0-9]{1,12}(\.[0-9]+)?\s*", value):
        raise ValueError("must be a plain number such as 10.99, without currency or thousands separator")
    return value


def _two_places(value: Decimal) -> Decimal:
    rounded = round(value, 2)
    if value != rounded:
        raise ValueError("must have at most two decimal places")
    return abs(rounded)  # one form for equal amounts: 2.5 is 2.50 and -0 is 0.00


Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=0, lt=10**9, allow_inf_nan=False),
    AfterValidator(_two_places),
    WithJsonSchema({"type": "number", "minimum": 0}),
]
"""Money in main units (10.99, not cents), from 0, at most two decimal places."""
