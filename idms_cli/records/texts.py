"""Text on its way from a cell to a value: case, lookup, and several values in one cell."""

import re
from collections.abc import Callable, Mapping
from typing import Literal

Case = Literal["upper", "lower", "title"]

# Letters with the marks that may follow them, and apostrophes between them: O'Neil, Zoë.
_LETTER = "(?:[^\\W\\d_]|[\u0300-\u036f])"
_WORD = re.compile(f"{_LETTER}+(?:['\u2019]{_LETTER}+)*")
_APOSTROPHE = re.compile("(['\u2019])")


def titled(text: str) -> str:
    """Each word with a capital and small letters: `Jean-Luc O'Neil`, `It's`, `Van Der Berg`.

    After an apostrophe a capital follows only where one letter stands before it.
    """
    return _WORD.sub(_capitalized, text.lower())


CASES: Mapping[Case, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "title": titled}


def items(text: str, mark: str) -> list[str]:
    """The values between the marks, without space around them; blank ones and those met before are left out."""
    return [item for item in dict.fromkeys(part.strip() for part in text.split(mark)) if item]


def _capitalized(match: re.Match[str]) -> str:
    parts = _APOSTROPHE.split(match[0])
    words = [
        word[:1].title() + word[1:] if index == 0 or (index % 2 == 0 and len(parts[index - 2]) == 1) else word
        for index, word in enumerate(parts)
    ]
    return "".join(words)
