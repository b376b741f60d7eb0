"""A mistyped word gets its nearest neighbour: "did you mean 'schedule'?"."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Final

SHOWN: Final = 12
"""Names of a long list that are told."""


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` was probably meant to be, without regard to case; None when none is near."""
    by_folded = {known.casefold(): known for known in words}
    matches = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`did you mean 'NEAREST'?`, or an empty string when no word is near."""
    match = nearest(word, words)
    return f"did you mean '{match}'?" if match else ""


def some_of(names: Collection[str]) -> str:
    """`a, b, c and 4 more`."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(islice(names, SHOWN)) + more
