"""Finds the annotation that belongs to a place in a document, through models, unions, dicts and lists."""

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin

from pydantic import BaseModel

_LISTS = (list, tuple, set, frozenset, Sequence)
_MAPPINGS = (dict, Mapping)


def bare(annotation: Any) -> Any:
    """The annotation without `Annotated`, `NewType`, aliases and `| None`."""
    while True:
        if get_origin(annotation) is Annotated or isinstance(annotation, NewType):
            annotation = getattr(annotation, "__origin__", None) or annotation.__supertype__
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif len(choices := members(annotation)) == 1:
            annotation = choices[0]
        else:
            return annotation


def members(annotation: Any) -> tuple[Any, ...]:
    """What a union allows beside None; empty when the annotation is no union."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return ()
    return tuple(member for member in get_args(annotation) if member is not type(None))


def child(annotation: Any, part: str | int) -> Any:
    """The annotation of the value under a key or index of a (bare) annotation; None when it cannot be told."""
    if is_model(annotation):
        return fields_by_key(annotation).get(str(part))
    arguments = get_args(annotation)
    kind = get_origin(annotation)
    if kind in _MAPPINGS and len(arguments) == 2:
        return arguments[1]
    if kind is tuple and isinstance(part, int) and Ellipsis not in arguments:
        return arguments[part] if part < len(arguments) else None
    return arguments[0] if kind in _LISTS and arguments else None


def is_model(annotation: Any) -> bool:
    """Is it a pydantic model, so that a mapping belongs there?"""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def fields_by_key(model: type[BaseModel]) -> dict[str, Any]:
    """The annotations of a model's fields by the keys that a file uses for them, in the order of the model."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def required_keys(model: type[BaseModel]) -> list[str]:
    """The keys that a file must have, in the order of the model."""
    return [field.alias or name for name, field in model.model_fields.items() if field.is_required()]


def shapes(annotation: Any) -> frozenset[str]:
    """The shapes a value may have: of `mapping`, `list`, `text`, `number`, `boolean`."""
    annotation = bare(annotation)
    if choices := members(annotation):
        return frozenset().union(*(shapes(choice) for choice in choices))
    kind = get_origin(annotation) or annotation
    if is_model(annotation) or kind in _MAPPINGS:
        return frozenset({"mapping"})
    if kind in _LISTS:
        return frozenset({"list"})
    if kind is Literal:
        return frozenset(shape_of(choice) for choice in get_args(annotation))
    known = {str: "text", int: "number", float: "number", bool: "boolean"}
    return frozenset({known[kind]}) if kind in known else frozenset({"text", "number"})  # parsed from a scalar


def shape_of(value: Any) -> str:
    """The shape of a value from a document; `nothing` for None."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Mapping):
        return "mapping"
    if isinstance(value, list | tuple):
        return "list"
    return "number" if isinstance(value, int | float) else "text"
