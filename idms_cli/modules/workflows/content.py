"""Values of a workflow as JSON on their way out, rows read from disk as they leave; and JSON that came back."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from idms_cli.errors import InputError
from idms_cli.modules.workflows.views import RowsView
from idms_cli.templates.moments import Moment

IN_MEMORY = 1_000_000
"""Bytes of a document; a longer one is written to a file."""

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
MOST_DIGITS = 1_000
"""Of a number of an answer, before or after its point: 1e999999999 is ten letters, and a gigabyte as digits."""


def json_pieces(value: Any) -> Iterator[bytes]:
    """The value as JSON: rows are a list of objects, a moment is its text, numbers keep their digits.

    Raises `InputError` for what JSON does not have.
    """
    match value:
        case RowsView():
            before = b"["
            for record in value.records():
                yield before + _ENCODE(record)
                before = b","
            yield b"]" if len(value) else b"[]"
        case Moment():
            yield _ENCODE(str(value))
        case Mapping():
            yield from _many("{}", ((f"{_scalar(str(name)).decode()}:", one) for name, one in value.items()))
        case list() | tuple():
            yield from _many("[]", (("", one) for one in value))
        case _:
            yield _scalar(value)


def written_to(path: Path, value: Any) -> bytes | Path:
    """The value as JSON in memory, or in a file at `path` where it is long. Raises `InputError` and `OSError`."""
    pieces, found = json_pieces(value), bytearray()
    for piece in pieces:
        found += piece
        if len(found) > IN_MEMORY:
            break
    else:
        return bytes(found)
    with path.open("wb") as file:
        path.chmod(0o600)
        file.write(found)
        for piece in pieces:
            file.write(piece)
    return path


def plain(value: Any, *, most_rows: int) -> Any:
    """The value as JSON has it, in memory. Raises `InputError` for more rows than that."""
    if isinstance(value, RowsView):
        if len(value) > most_rows:
            raise InputError(f"{len(value):,} rows are too many for one body; {most_rows:,} are allowed")
        return [dict(record) for record in value.records()]
    if isinstance(value, Moment):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(one, most_rows=most_rows) for name, one in value.items()}
    return [plain(one, most_rows=most_rows) for one in value] if isinstance(value, list | tuple) else value


def _number(text: str) -> Decimal:
    with suppress(ArithmeticError):
        number = Decimal(text)
        if abs(number.adjusted()) <= MOST_DIGITS:
            return number
    raise ValueError("a number in it is beyond all bounds")


_DECODE = msgspec.json.Decoder(float_hook=_number).decode


def read_json(body: bytes) -> Any:
    """The value of a document; numbers with a point are decimals. Raises `ValueError`."""
    with suppress(msgspec.DecodeError):
        return _DECODE(body)
    try:  # with a byte order mark
        return _no_endless(json.loads(body.decode("utf-8-sig"), parse_float=_number, parse_constant=_no_number))
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _no_endless(value: Any) -> Any:
    """What can be kept: JSON of any depth can be read, and not be written again."""
    try:
        _ENCODE(value)
    except (TypeError, RecursionError):
        raise ValueError("it cannot be kept") from None
    return value


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _many(marks: str, items: Iterator[tuple[str, Any]]) -> Iterator[bytes]:
    before = marks[0]
    for name, item in items:
        yield f"{before}{name}".encode()
        yield from json_pieces(item)
        before = ","
    yield (marks if before == marks[0] else marks[1]).encode()


def _scalar(value: Any) -> bytes:
    try:
        return _ENCODE(value)
    except (TypeError, ValueError, UnicodeEncodeError):
        raise InputError(f"a {type(value).__name__.lower()} cannot be written as JSON") from None
