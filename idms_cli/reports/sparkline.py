"""Numbers in a row as a line of bars, in plain characters."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
NONE = "·"
"""In the place of a number that there is not."""
BAD = "x"
"""In the place of a run that did not go well: a colour alone would say nothing."""

ASCII = str.maketrans(f"{BARS}{NONE}", "_.-~=+*#,")
"""Where the output takes no other characters."""


def sparkline(numbers: Sequence[float | None]) -> str:
    """A bar for each number, from nought to the largest of them; `·` for None."""
    top = max((number for number in numbers if number is not None), default=0)
    return "".join(NONE if number is None else _bar(number, top) for number in numbers)


def _bar(number: float, top: float) -> str:
    return BARS[0] if top <= 0 else BARS[min(len(BARS) - 1, int(max(number, 0) / top * len(BARS)))]
