"""What a model refuses in some data: pydantic's errors, with unions narrowed to the branch that was meant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from idms_cli.config.annotations import bare, child, is_model, members, shape_of, shapes
from idms_cli.config.documents import Loc

NO_BRANCH = "no_branch"
"""The kind of a fault where no branch of a union takes a value of that shape."""


@dataclass(frozen=True)
class Fault:
    """One thing a model refuses."""

    kind: str
    """pydantic's error type (https://docs.pydantic.dev/latest/errors/validation_errors/), or `NO_BRANCH`."""
    loc: Loc
    value: Any
    wanted: Any
    """The bare annotation at `loc`; None when there is none."""
    owner: type[BaseModel] | None
    """The model whose key is the last part of `loc`."""
    context: Mapping[str, Any]
    secret: bool
    """Values at this place are never shown."""
    in_key: bool
    """It is the key that is refused, not the value."""


@dataclass(frozen=True)
class _Spot:
    """How far a location was followed into the annotations."""

    wanted: Any
    loc: Loc
    value: Any
    owner: type[BaseModel] | None = None
    secret: bool = False
    in_key: bool = False


def faults(annotation: Any, value: Any, loc: Loc = (), *, secret: bool = False) -> list[Fault]:
    """All that is wrong with `value`, which stands at `loc`; empty when it is right."""
    start = _Spot(bare(annotation), loc, value, secret=secret or _is_confidential(annotation))
    found: list[Fault] = []
    unions: dict[Loc, _Spot] = {}
    for error in _errors(annotation, value):
        spot, union = _follow(start, error["loc"])
        if union:
            unions[spot.loc] = spot
        else:
            context = error.get("ctx", {})
            found.append(
                Fault(
                    error["type"], spot.loc, error["input"], spot.wanted, spot.owner, context, spot.secret, spot.in_key
                )
            )
    for spot in unions.values():
        found.extend(_union_faults(spot))
    return found


def _errors(annotation: Any, value: Any) -> Iterator[Any]:
    target = bare(annotation)
    config = None if is_model(target) else ConfigDict(strict=True)  # a model brings its own
    try:
        TypeAdapter(annotation, config=config).validate_python(value, by_alias=True, by_name=False)
    except ValidationError as error:
        yield from error.errors(include_url=False)


def _follow(spot: _Spot, parts: Loc) -> tuple[_Spot, bool]:
    """Where a pydantic location leads; True when it leads into a union, whose branches it names in its own words."""
    for part in parts:
        if part == "[key]" and not _has(spot.value, part):
            return _Spot(None, spot.loc, spot.loc[-1], secret=spot.secret, in_key=True), False
        if len(members(spot.wanted)) > 1:
            return spot, True
        spot = _step(spot, part)
    return spot, False


def _step(spot: _Spot, part: str | int) -> _Spot:
    owner = spot.wanted if is_model(spot.wanted) else None
    wanted = bare(child(spot.wanted, part))
    value = spot.value[part] if _has(spot.value, part) else None
    return _Spot(wanted, (*spot.loc, part), value, owner, secret=spot.secret or _is_confidential(wanted))


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _union_faults(spot: _Spot) -> list[Fault]:
    """The faults of the branch whose shape fits the value; of the one with the fewest, where several fit."""
    shape = shape_of(spot.value)
    fitting = [member for member in members(spot.wanted) if shape in shapes(member)]
    if not fitting:
        return [_refused(NO_BRANCH, spot)]
    found = min((faults(member, spot.value, spot.loc, secret=spot.secret) for member in fitting), key=len)
    return found or [_refused("unknown", spot)]


def _refused(kind: str, spot: _Spot) -> Fault:
    return Fault(kind, spot.loc, spot.value, spot.wanted, spot.owner, {}, spot.secret, spot.in_key)


def _is_confidential(annotation: Any) -> bool:
    return bool(getattr(bare(annotation), "confidential", False))
