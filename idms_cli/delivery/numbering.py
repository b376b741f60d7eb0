"""The names that a file may take when its own is taken."""

import os
from collections.abc import Iterator
from itertools import count

MOST_NUMBERS = 10_000
PACKINGS = (".gz", ".zip", ".gpg", ".pgp", ".asc")
"""Endings that stand behind the one that tells the format."""


def numbered(name: str) -> Iterator[str]:
    """`members.csv.gz`, `members-2.csv.gz`, ..."""
    yield name
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - text, not a path
    if ending.lower() in PACKINGS:
        stem, inner = os.path.splitext(stem)  # noqa: PTH122
        ending = f"{inner}{ending}"
    for number in count(2):
        if number > MOST_NUMBERS:
            return
        yield f"{stem}-{number}{ending}"
