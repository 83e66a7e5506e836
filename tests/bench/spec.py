"""The operations of peers/openapi.json, from which others make their tools."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPEC = Path(__file__).parent / "peers/openapi.json"


@dataclass(frozen=True)
class Operation:
    """One request.

    Attributes:
        path: with the names of arguments in braces.
        query: arguments behind the path.
        schema: of all arguments.
    """

    name: str
    method: str
    path: str
    query: Sequence[str]
    schema: dict[str, Any]


def _operations() -> Iterator[Operation]:
    for path, methods in json.loads(SPEC.read_text(encoding="utf-8"))["paths"].items():
        for method, told in methods.items():
            given = told.get("parameters", [])
            schema = {
                "type": "object",
                "properties": {argument["name"]: argument["schema"] for argument in given},
                "required": [argument["name"] for argument in given if argument["required"]],
            }
            if body := told.get("requestBody"):
                schema = body["content"]["application/json"]["schema"]
            query = [argument["name"] for argument in given if argument["in"] == "query"]
            yield Operation(told["operationId"], method, path, query, schema)


OPERATIONS = {operation.name: operation for operation in _operations()}
