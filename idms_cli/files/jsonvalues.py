"""JSON read strictly: no name twice, no NaN, numbers as they are written; nested objects get long names."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from idms_cli.config.foreign import shortened
from idms_cli.files import Plain
from idms_cli.files.shape import Flat, Record, Unreadable

DEPTH = 8
"""Objects inside objects have names of their own down to here; what is deeper is kept as its JSON text."""

_MOST_DIGITS = 40


class TooDeep(json.JSONDecodeError):
    """Values are nested so deep that they cannot be read at all."""


class Decoded(NamedTuple):
    """A JSON value: `dict`, `list`, `str`, `bool` or None."""

    value: object
    end: int
    """Where it ends in the text."""
    fault: str
    """What is wrong though it is JSON; empty if nothing is."""


class JsonReader:
    """Reads values out of a text."""

    def __init__(self) -> None:
        self._faults: list[str] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=Plain,
            parse_float=_plain_number,
            parse_constant=self._constant,
        )

    def decode(self, text: str, at: int = 0) -> Decoded:
        """The value that begins at `at`, where no space may stand.

        Raises `json.JSONDecodeError`; `TooDeep` is one.
        """
        self._faults.clear()
        try:
            value, end = self._decoder.raw_decode(text, at)
        except RecursionError:
            raise TooDeep("Values are nested too deep", text, at) from None
        return Decoded(value, end, self._faults[0] if self._faults else "")

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            self._faults.append(f"The name '{shortened(twice)}' is there twice in one object")
        return made

    def _constant(self, word: str) -> None:
        self._faults.append(f"{word} is no JSON")


def as_record(decoded: Decoded, *, line: int, text: str, join: str) -> Record | Unreadable:
    """A decoded value as a record: an object, each of its values under its name.

    Nested objects give `outer.inner`; a list of plain values is one value, joined; a list of anything else is kept as
    its JSON text. Numbers have no exponent and no `.0`; true and false are words; null is blank.
    """
    if not isinstance(decoded.value, dict):
        return Unreadable(line, "syntax", "This is not an object with names and values: {...}.", text)
    if decoded.fault:
        return Unreadable(line, "syntax", f"{decoded.fault}.", text)
    flat = Flat(join)
    _flatten(decoded.value, "", flat, DEPTH)
    return Record(line, flat.values, flat.faults, lambda: text)


def _flatten(members: Mapping[str, object], prefix: str, flat: Flat, depth: int) -> None:
    for key, value in members.items():
        name = prefix + key.strip()
        if isinstance(value, str):
            flat.put(name, value)
        elif isinstance(value, dict) and depth > 1:
            _flatten(value, f"{name}.", flat, depth - 1)
        elif isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
            flat.put_list(name, [_scalar(item) for item in value])
        else:
            flat.put(name, _scalar(value))


def _scalar(value: object) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    match value:
        case Plain():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{_as_json(key)}: {_as_json(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_as_json, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


_EXPONENT = re.compile("[eE]")


def _plain_number(text: str) -> Plain:
    """Without exponent, and without a fraction of nothing but zeros. A monstrous exponent stays as it is written."""
    plain = text
    if _EXPONENT.search(text):
        number = Decimal(text)
        if abs(number.adjusted()) > _MOST_DIGITS:
            return Plain(text)
        plain = format(number, "f")
    whole, _, fraction = plain.partition(".")
    return Plain(plain if fraction.strip("0") else whole)
