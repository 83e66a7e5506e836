"""From what a model sends to typed arguments, or to one error that names every problem.

Models and hosts send nulls for what they leave out, numbers as strings and objects as JSON strings; those are accepted.
Unknown names are not: they are answered with the nearest known one. Values are never echoed.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dropship_tools.arguments import Arguments, CreateArguments, Part, WrongTogether
from dropship_tools.errors import FieldProblem, InvalidArguments
from dropship_tools.text import clean

ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
SHOWN_PROBLEMS = 20
NAME_LIMIT = 60


def accept(model: type[ArgumentsT], raw: Mapping[str, Any] | None, tool: str) -> ArgumentsT:
    """`raw` as `model`.

    Raises:
        InvalidArguments: with every problem found; no provider has heard of the call.
    """
    try:
        prepared = _prepare(raw or {}, model, 0)
        return model.model_validate(prepared)
    except ValidationError as error:
        problems = list(dict.fromkeys(_problems(error, model)))
    except _TooBig as error:
        problems = [FieldProblem("arguments", str(error))]
    count = len(problems)
    done = "sent" if issubclass(model, CreateArguments) else "asked"
    raise InvalidArguments(
        f"{count} problem{'s' if count > 1 else ''} in the arguments of {tool}; nothing was {done}",
        fix="Correct the fields below and call again.",
        fields=problems[:SHOWN_PROBLEMS],
    )


class _TooBig(Exception):
    pass


def _prepare(value: Any, model: type[BaseModel] | None, depth: int) -> Any:
    """Without nulls, with JSON strings opened where the model wants an object or a list."""
    if depth > MAX_DEPTH:
        raise _TooBig("nested too deeply")
    if isinstance(value, str):  # first: most are, and asking for a Mapping takes long
        if len(value) > MAX_BYTES:
            raise _TooBig(f"a value is longer than {MAX_BYTES // 1024} kB")
        return value
    if isinstance(value, Mapping):
        result: dict[str, Any] = {}
        for name, item in cast("Mapping[str, Any]", value).items():
            if item is None:
                continue
            part, is_list = _expected(model, name)
            if isinstance(item, str) and (part or is_list):
                item = _opened(item)
            result[name] = _prepare(item, part, depth + 1)
        return result
    if isinstance(value, list):
        items = cast("list[Any]", value)
        opened = [_opened(i) if model is not None and isinstance(i, str) else i for i in items]
        return [_prepare(item, model, depth + 1) for item in opened]  # a null among lines may be a line that got lost
    return value


def _opened(text: str) -> Any:
    stripped = text.strip()
    if stripped[:1] in ("{", "[") and len(stripped) <= MAX_BYTES:
        try:
            return json.loads(stripped)
        except (ValueError, RecursionError):
            return text
    return text


def _expected(model: type[BaseModel] | None, name: str) -> tuple[type[BaseModel] | None, bool]:
    """The model inside the field called `name`, and whether the field is a list."""
    return _fields(model).get(name, (None, False)) if model else (None, False)


@cache
def _fields(model: type[BaseModel]) -> Mapping[str, tuple[type[BaseModel] | None, bool]]:
    return {name: _inside(field.annotation) for name, field in model.model_fields.items()}


def _inside(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and not get_args(annotation):
        return (annotation, False) if issubclass(annotation, BaseModel) else (None, annotation is list)
    found, is_list = None, getattr(annotation, "__origin__", None) is list
    for argument in get_args(annotation):
        inner, inner_list = _inside(argument)
        found, is_list = found or inner, is_list or inner_list
    return found, is_list


def _problems(errors: ValidationError, model: type[Arguments]) -> Iterator[FieldProblem]:
    for detail in errors.errors(include_url=False, include_input=True):
        path = tuple(part for part in detail["loc"] if isinstance(part, int) or not part.startswith("function-"))
        error = detail.get("ctx", {}).get("error")
        meant = (*path[:-1], *filter(None, [error.field])) if isinstance(error, WrongTogether) else path
        yield FieldProblem(_name(meant), _in_words(detail, path, model))


def _name(path: Sequence[str | int]) -> str:
    return clean(".".join(map(str, path)), NAME_LIMIT) or "arguments"


def _in_words(detail: ErrorDetails, path: Sequence[str | int], model: type[Arguments]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _did_you_mean(str(path[-1]), path[:-1], model)
    if kind == "value_error":
        return str(context.get("error", "is not valid"))
    words = {
        "missing": "is required",
        "string_type": "must be text",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "int_from_float": "must be a whole number",
        "decimal_type": "must be a number",
        "decimal_parsing": "must be a number",
        "finite_number": "must be a number",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "list_type": "must be a list",
        "model_type": "must be an object",
        "model_attributes_type": "must be an object",
        "dict_type": "must be an object",
        "literal_error": f"must be one of {context.get('expected')}",
        "enum": f"must be one of {context.get('expected')}",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "less_than": f"must be less than {context.get('lt')}",
        "greater_than": f"must be more than {context.get('gt')}",
        "string_too_long": f"must have at most {context.get('max_length')} characters",
        "string_too_short": "must not be empty",
        "too_short": "must not be empty",
        "too_long": f"must have at most {context.get('max_length')} entries",
    }
    return words.get(kind, "is not valid")


def _did_you_mean(name: str, path: Sequence[str | int], model: type[Arguments]) -> str:
    part = _part_at(model, path)
    known = list(part.model_fields) if part else []
    also: Mapping[str, str] = part.also_called if part is not None and issubclass(part, Part) else {}
    near = also.get(name.lower()) or _nearest(name, known, 0.6) or also.get(_nearest(name.lower(), also, 0.8))
    if near and near not in known:
        return f"is not an argument: {near}"  # an explanation instead of a name
    if near:
        return f"is not an argument; did you mean {near}?"
    return f"is not an argument; known: {', '.join(known) or 'none'}"


def _nearest(name: str, names: Iterable[str], cutoff: float) -> str:
    return next(iter(difflib.get_close_matches(name, list(names), 1, cutoff)), "")


def _part_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    present: type[BaseModel] | None = model
    for step in path:
        if isinstance(step, str):
            present, _ = _expected(present, step)
    return present
