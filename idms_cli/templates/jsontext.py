"""A value of a template as JSON, piece by piece, so that one that holds itself many times is soon too long."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from idms_cli.templates.budget import Streamed
from idms_cli.templates.values import Unfit, number_of, plain, shown

_DEEPEST = 50


def json_pieces(value: Any, indent: int = 0, depth: int = 0) -> Iterator[str]:
    """Numbers keep their digits, a moment is its text. Raises `Unfit` for what JSON does not have."""
    if depth > _DEEPEST:
        raise Unfit("a value is nested too deep")
    match value:
        case str():
            yield json.dumps(value, ensure_ascii=False)
        case bool() | None:
            yield json.dumps(value)
        case int() | float() | Decimal():
            yield plain(number_of(value))
        case Mapping() if "iso" in value:
            yield json.dumps(value["iso"], ensure_ascii=False)
        case Mapping():
            pairs = ((f"{json.dumps(str(key), ensure_ascii=False)}:", item) for key, item in value.items())
            yield from _many("{}", pairs, indent, depth)
        case list() | tuple():
            yield from _many("[]", (("", item) for item in value), indent, depth)
        case Streamed():
            yield from _many("[]", (("", record) for record in value.records()), indent, depth)
        case _:
            raise Unfit(f"{shown(value)} cannot be JSON")


def _many(marks: str, items: Iterable[tuple[str, Any]], indent: int, depth: int) -> Iterator[str]:
    break_in, break_out = (f"\n{' ' * indent * level}" if indent else "" for level in (depth + 1, depth))
    before = marks[0]
    for name, item in items:
        yield f"{before}{break_in}{name}{' ' if name and indent else ''}"
        yield from json_pieces(item, indent, depth + 1)
        before = ","
    yield marks if before == marks[0] else f"{break_out}{marks[1]}"
