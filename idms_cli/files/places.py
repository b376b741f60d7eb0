"""Where a row stands, when one run reads several files: its line is known with its file."""

from collections.abc import Sequence

_FILE = 10**9
"""What a file counts for in the number of a row's place: more lines than a file can have."""


def in_file(number: int, line: int) -> int:
    """The place of a line in the file of this number, from 1: a place as of one file only is the line itself."""
    return number * _FILE + line


def split(place: int) -> tuple[int, int]:
    """The number of the file (0 where there is only one), and the line in it."""
    return divmod(place, _FILE)


def in_words(place: int) -> str:
    """`line 5`, or `line 5 of file 2`."""
    number, line = split(place)
    return f"line {line} of file {number}" if number else f"line {line}"


def briefly(place: int, names: Sequence[str] = ()) -> str:
    """`5`; of several files `2:5`, or `b.csv:5` where their names are known."""
    number, line = split(place)
    if not number:
        return str(line)
    return f"{names[number - 1] if number <= len(names) else number}:{line}"
