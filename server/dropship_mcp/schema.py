"""JSON Schemas that every host can read.

Hosts break on references, unions, nulls, formats and patterns, and one bad schema can take the whole tool list down.
So schemas say only what all of them understand: type, properties, required, items, string enums, descriptions, plain
minimum and maximum, defaults that say something. They are read off the models' fields: pydantic's own schemas would
need every model built first, while a host waits for the tool list.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo

Schema = dict[str, Any]

_TYPES: Mapping[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}


def portable_schema(model: type[BaseModel]) -> Schema:
    """The model's schema, inlined and reduced. Raises ValueError for what cannot be shown (unions, recursion)."""
    return _object(model, depth=0)


def _object(model: type[BaseModel], depth: int) -> Schema:
    if depth > 12:
        raise ValueError("the schema is recursive or too deep")
    schema: Schema = {
        "type": "object",
        "properties": {name: _field(field, depth + 1) for name, field in model.model_fields.items()},
    }
    if required := [name for name, field in model.model_fields.items() if field.is_required()]:
        schema["required"] = required
    return {**schema, "additionalProperties": False}


def _field(field: FieldInfo, depth: int) -> Schema:
    schema = _value(field.annotation, field.metadata, depth)
    if field.description is not None:
        schema["description"] = field.description
    default = None if field.is_required() else field.default
    if default is False or (default is not None and default != "" and isinstance(default, str | int | float)):
        schema["default"] = default
    return schema


def _value(annotation: Any, metadata: list[Any], depth: int) -> Schema:
    for said in reversed(metadata):
        if isinstance(said, WithJsonSchema):
            return _telling(said.json_schema or {})
    kind, inside = get_origin(annotation) or annotation, get_args(annotation)
    if kind is Annotated:
        return _value(inside[0], [*inside[1:], *metadata], depth)
    if kind in (Union, UnionType):
        arms = [arm for arm in inside if arm is not NoneType]
        if len(arms) != 1:
            raise ValueError(f"a union cannot be shown to all hosts: {annotation}")
        return _value(arms[0], metadata, depth)
    if kind is list:
        return {"type": "array", "items": _value(inside[0], [], depth)}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _object(kind, depth)
    if kind is Literal and all(isinstance(value, str) for value in inside):
        return {"type": "string", "enum": list(inside)}
    if kind not in _TYPES:
        raise ValueError(f"no host-independent form for {annotation}")
    schema: Schema = {"type": _TYPES[kind]}
    for said in metadata:
        if isinstance(said, Ge):
            schema["minimum"] = said.ge
        elif isinstance(said, Le):
            schema["maximum"] = said.le
    return _telling(schema)


def _telling(schema: Schema) -> Schema:
    """Without a minimum of 0 or 1: nobody offers less of anything, and saying so thirty times costs tokens."""
    return {name: value for name, value in schema.items() if name != "minimum" or value not in (0, 1)}
