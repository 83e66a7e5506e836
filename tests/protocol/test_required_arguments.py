"""What the input schemas call required is required, and everything else may be null or left out."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

import pytest

from dropship_mcp.arguments import accept
from dropship_mcp.schema import portable_schema
from dropship_tools import PROVIDERS
from dropship_tools.arguments import Arguments
from dropship_tools.errors import FieldProblem, InvalidArguments
from protocol.bench import jsonschema
from protocol.samples import REFERENCE, SAMPLES, Sample

Path = tuple[str | int, ...]

CALLS: dict[str, tuple[type[Arguments], dict[str, Any]]] = {}
for _provider in PROVIDERS:
    _sample = SAMPLES[_provider.name]
    _models = {tool.name: tool.arguments for tool in _provider.tools()}
    CALLS[_sample.create] = (_models[_sample.create], _sample.order)
    CALLS[_sample.get] = (_models[_sample.get], {_sample.own_number: REFERENCE})
    CALLS.update({name: (_models[name], call) for name, call in _sample.others.items()})
    assert CALLS.keys() >= _models.keys(), "a tool without a sample in protocol.samples"

ONE_OF_TWO = {
    ("dropday_create_order", "shipping_cost"),
    ("duoplane_create_order", "retailer_sku"),
    ("duoplane_find_product", "retailer_sku"),
    *((sample.get, sample.own_number) for sample in SAMPLES.values()),
}
"""Either this or another field; schemas that all hosts read cannot say so, descriptions do."""


def fields(schema: dict[str, Any], value: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, bool]]:
    """Every field the schema knows at the objects that `value` holds: its place, and whether it is required."""
    for name, child in cast("dict[str, Any]", schema["properties"]).items():
        yield (*path, name), name in schema.get("required", [])
        given = value.get(name)
        if isinstance(given, dict):
            yield from fields(child, cast("dict[str, Any]", given), (*path, name))
        elif isinstance(given, list) and "properties" in child["items"]:
            yield from fields(child["items"], cast("list[Any]", given)[0], (*path, name, 0))


ALL = [
    pytest.param(tool, path, required, id=f"{tool}: {'.'.join(map(str, path))}")
    for tool, (model, call) in CALLS.items()
    for path, required in fields(portable_schema(model), call)
]


def changed(call: dict[str, Any], path: Path, *, null: bool) -> dict[str, Any]:
    """The call with one field null or gone."""
    result: Any = copy.deepcopy(call)
    holder = result
    for step in path[:-1]:
        holder = holder[step]
    if null:
        holder[path[-1]] = None
    else:
        holder.pop(path[-1], None)
    return result


@pytest.mark.parametrize("null", [True, False], ids=["null", "left out"])
@pytest.mark.parametrize(("tool", "path", "required"), ALL)
def test_a_field_is_required_exactly_if_the_schema_says_so(tool: str, path: Path, required: bool, null: bool) -> None:
    model, call = CALLS[tool]
    arguments = changed(call, path, null=null)
    if not required and (tool, path[-1]) not in ONE_OF_TWO:
        accept(model, arguments, tool)
        return
    with pytest.raises(InvalidArguments) as caught:
        accept(model, arguments, tool)
    if required:
        assert caught.value.fields == (FieldProblem(".".join(map(str, path)), "is required"),)


@pytest.mark.parametrize("tool", CALLS)
def test_the_samples_also_pass_the_schema_a_host_may_check_them_with(tool: str) -> None:
    model, call = CALLS[tool]
    jsonschema.Draft202012Validator(portable_schema(model)).validate(call)


def test_either_or_fields_are_explained_where_a_model_reads_it(sample: Sample) -> None:
    provider = next(p for p in PROVIDERS if p.name == sample.provider)
    for tool in provider.tools():
        words = f"{tool.description} {portable_schema(tool.arguments)}"
        for name in (field for named, field in ONE_OF_TWO if named == tool.name):
            assert name in tool.description or "required here or as" in words, (tool.name, name)
