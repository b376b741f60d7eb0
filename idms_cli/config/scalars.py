"""What an unquoted YAML word means: YAML 1.2 core schema, narrowed so that codes and dates stay the text they are."""

import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}
# No sign +, no leading zeros, no bare exponent: phone numbers, zip codes and codes like 12E4 would lose characters.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,99})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?")


def plain_value(text: str) -> Scalar:
    """The value of an unquoted scalar (https://yaml.org/spec/1.2.2/#103-core-schema).

    Only `null`, `~` and nothing are null, only `true` and `false` are booleans; `on`, `yes`, `12:30:45`, `2026-11-22`
    and `0123` are text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text
