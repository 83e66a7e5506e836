"""JSON Schemas that every host can read.

Hosts break on references, unions, nulls, formats and patterns, and one bad schema can take the whole tool list down.
So schemas are made from the pydantic models and reduced to what all of them understand: type, properties, required,
items, string enums, descriptions, plain minimum and maximum, defaults that say something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

Schema = dict[str, Any]


def portable_schema(model: type[BaseModel], mode: JsonSchemaMode = "validation") -> Schema:
    """The model's schema, inlined and reduced. Raises ValueError for what cannot be reduced (unions, recursion)."""
    raw = model.model_json_schema(mode=mode)
    schema = _reduce(raw, cast("Schema", raw.get("$defs", {})), depth=0)
    schema.pop("description", None)  # the tool has its own
    return schema


def _reduce(node: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> Schema:
    if depth > 12:
        raise ValueError("the schema is recursive or too deep")
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        target = _reduce(definitions[name], definitions, depth + 1)
        if "type" in target and target["type"] == "object":
            target.pop("description", None)  # a class docstring, written for developers
        return _described(target, node)
    arms = [arm for arm in node.get("anyOf", ()) if arm.get("type") != "null"]
    if "anyOf" in node:
        if len(arms) != 1:
            raise ValueError(f"a union cannot be shown to all hosts: {node}")
        return _described(_reduce(arms[0], definitions, depth + 1), node)

    kind = node.get("type")
    schema: Schema = {"type": kind}
    if kind == "object":
        properties = cast("Mapping[str, Any]", node.get("properties", {}))
        schema["properties"] = {name: _reduce(child, definitions, depth + 1) for name, child in properties.items()}
        if required := node.get("required"):
            schema["required"] = required
        schema["additionalProperties"] = False
    elif kind == "array":
        schema["items"] = _reduce(node["items"], definitions, depth + 1)
    elif kind in ("integer", "number"):
        schema |= {name: node[name] for name in ("minimum", "maximum") if name in node}
    elif kind == "string":
        if values := node.get("enum") or ([node["const"]] if "const" in node else None):
            schema["enum"] = values
    elif kind != "boolean":
        raise ValueError(f"no host-independent form for {node}")
    return _described(schema, node)


def _described(schema: Schema, node: Mapping[str, Any]) -> Schema:
    if "description" in node:
        schema["description"] = node["description"]
    default = node.get("default")
    if default not in (None, "", [], {}) or default is False:
        schema["default"] = default
    return schema
