"""Words with capitals, as names have them."""

import re

# Letters with the marks that may follow them, and apostrophes between them: O'Neil, Zoë.
_LETTER = "(?:[^\\W\\d_]|[\u0300-\u036f])"
_WORD = re.compile(f"{_LETTER}+(?:['\u2019]{_LETTER}+)*")
_APOSTROPHE = re.compile("(['\u2019])")


def titled(text: str) -> str:
    """Each word with a capital and small letters: `Jean-Luc O'Neil`, `It's`, `Van Der Berg`.

    After an apostrophe a capital follows only where one letter stands before it.
    """
    return _WORD.sub(_capitalized, text.lower())


def _capitalized(match: re.Match[str]) -> str:
    parts = _APOSTROPHE.split(match[0])
    words = [
        word[:1].title() + word[1:] if index == 0 or (index % 2 == 0 and len(parts[index - 2]) == 1) else word
        for index, word in enumerate(parts)
    ]
    return "".join(words)
