"""What the building blocks of arguments make of a value."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from dropship_tools.arguments import (
    Amount,
    Count,
    Country,
    Email,
    Line,
    Note,
    Part,
    Phone,
    PositiveInt,
    Quantity,
    Reference,
    RequiredLine,
)

TYPES: dict[str, Any] = {
    "Line": Line,
    "RequiredLine": RequiredLine,
    "Note": Note,
    "Reference": Reference,
    "Phone": Phone,
    "Email": Email,
    "Country": Country,
    "PositiveInt": PositiveInt,
    "Quantity": Quantity,
    "Count": Count,
    "Amount": Amount,
}


def adapter(name: str) -> TypeAdapter[Any]:
    """The type under the configuration of arguments."""
    model = type("Model", (Part,), {"__annotations__": {"value": TYPES[name]}})
    return TypeAdapter(model)


ADAPTERS = {name: adapter(name) for name in TYPES}


def kept(name: str, value: Any) -> Any:
    """`value` as it is kept."""
    return ADAPTERS[name].validate_python({"value": value}).value


def problem(name: str, value: Any) -> str:
    """Why `value` is refused."""
    with pytest.raises(ValidationError) as raised:
        kept(name, value)
    (detail,) = raised.value.errors()
    assert detail["loc"] == ("value",)
    return detail["msg"].removeprefix("Value error, ")
