"""What the building blocks of arguments make of a value."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

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


MODELS: dict[str, Any] = {
    name: type("Model", (Part,), {"__annotations__": {"value": kind}}) for name, kind in TYPES.items()
}
"""Each type as the one field of an object in arguments."""


def kept(name: str, value: Any) -> Any:
    """`value` as it is kept."""
    return MODELS[name].model_validate({"value": value}).value


def problem(name: str, value: Any) -> str:
    """Why `value` is refused."""
    with pytest.raises(ValidationError) as raised:
        kept(name, value)
    (detail,) = raised.value.errors()
    assert detail["loc"] == ("value",)
    return detail["msg"].removeprefix("Value error, ")
