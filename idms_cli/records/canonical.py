"""Values as texts that are equal only where the site holds the values to be the same: quick to keep and to compare."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from idms_cli.imis.properties import Value
from idms_cli.imis.values import moment_text

_ENCODER = msgspec.json.Encoder()


def canonical(value: Value) -> str:
    """Equal texts are of values that are the `same`; of some that are the same, texts differ: 1 and True."""
    return value if type(value) is str else _TEXTS.get(type(value), _foreign)(value)


def pack(texts: Sequence[str | None]) -> str:
    """Texts as one, a JSON list: the same for the same texts only."""
    try:
        return _ENCODER.encode(texts).decode()
    except UnicodeEncodeError:  # half a character, which a site may send
        return json.dumps(texts)


def unpack(packed: str) -> list[str]:
    """The texts that `pack` was given."""
    texts: list[str] = json.loads(packed)
    return texts


def fold(texts: Sequence[str]) -> bytes:
    """At most 40 bytes that are the same for the same texts, without regard to case: how the site's database compares.

    Short texts stand for themselves, longer ones are digested.
    """
    joined = "\0".join(map(str.strip, texts)).casefold()
    if joined.count("\0") >= len(texts):  # one of them has what stands between them
        joined = f"\0\0{list(map(str.strip, texts))!r}".casefold()
    folded = joined.encode("utf-8", "surrogatepass")
    return folded if len(folded) <= 40 else blake2b(folded, digest_size=16).digest()


def texts_of(values: Mapping[str, Value], names: Iterable[str]) -> tuple[str | None, ...]:
    """The canonical texts of the named values; None for one that is not there."""
    return tuple([canonical(values[name]) if name in values else None for name in names])


@lru_cache(maxsize=4096)
def _plain_number(value: Decimal) -> str:
    """All digits that say something: 1.50 is 1.5, and -0 is 0."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _foreign(value: object) -> str:
    """Binary stays as the site wraps it. Equal to no text from a file, which has no NUL."""
    return f"\0{value!r}"


# By type, as every cell comes by here: a chain of tests would take as long as all the rest.
_TEXTS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    int: str,
    Decimal: _plain_number,
    datetime: moment_text,
    date: moment_text,
}
