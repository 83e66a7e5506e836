"""Schemas made portable: what is inlined, what is dropped, and what is refused because no host could show it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from dropship_mcp.answers import outline
from dropship_mcp.schema import portable_schema


class Inner(BaseModel):
    """For developers."""

    code: str = Field(min_length=2, max_length=2, pattern="[A-Z]+", description="two letters")


class Outer(BaseModel):
    """For developers."""

    kind: Literal["a", "b"]
    only: Literal["x"] = "x"
    inner: Inner = Field(description="where it goes")
    maybe: Inner | None = None
    lines: list[Inner] = Field(default_factory=list[Inner], max_length=3)
    count: Annotated[int, Field(ge=2, le=9)] = 3
    page: Annotated[int, Field(ge=1)] = 1
    price: float | None = None
    note: str = ""
    flag: bool = False


INNER = {
    "type": "object",
    "properties": {"code": {"type": "string", "description": "two letters"}},
    "required": ["code"],
    "additionalProperties": False,
}


def test_references_nulls_titles_and_patterns_disappear() -> None:
    assert portable_schema(Outer) == {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["a", "b"]},
            "only": {"type": "string", "enum": ["x"], "default": "x"},
            "inner": {**INNER, "description": "where it goes"},
            "maybe": INNER,
            "lines": {"type": "array", "items": INNER},
            "count": {"type": "integer", "minimum": 2, "maximum": 9, "default": 3},
            "page": {"type": "integer", "default": 1},
            "price": {"type": "number"},
            "note": {"type": "string"},
            "flag": {"type": "boolean", "default": False},
        },
        "required": ["kind", "inner"],
        "additionalProperties": False,
    }


class Union(BaseModel):
    """Two types for one field."""

    value: int | str


class FreeForm(BaseModel):
    """Anything at all."""

    value: Any


class Tree(BaseModel):
    """Holds itself."""

    children: list[Tree]


@pytest.mark.parametrize("model", [Union, FreeForm, Tree])
def test_what_cannot_be_shown_to_all_hosts_is_refused(model: type[BaseModel]) -> None:
    with pytest.raises(ValueError, match=r"union|host-independent|recursive"):
        portable_schema(model)


class Where(BaseModel):
    """Two facts that are always there."""

    provider: str
    mode: Literal["sandbox", "live"]


class Facts(BaseModel):
    """One fact that is always there, one that may be left out."""

    tags: list[Inner]
    total: str = ""


def test_an_outline_names_what_is_always_there_and_leaves_room_for_more() -> None:
    assert outline(Where, Facts) == {
        "type": "object",
        "properties": {
            "provider": {"type": "string"},
            "mode": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["provider", "mode", "tags"],
    }
