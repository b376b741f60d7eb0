"""Which way of writing counts for a cell: the job's, or the plain one that numbers and dates have in their own file."""

from collections.abc import Callable
from typing import TypeVar

from idms_cli.files import Plain

T = TypeVar("T")


class Mended(str):
    """A cell of a file of rejects of which nobody can tell any more whether it was text or a number or date.

    The rejects of a workbook are CSV, and a workbook may have been made of the rejects of a CSV file.
    """

    __slots__ = ()


class Unclear(ValueError):
    """A mended cell says one thing in the job's way of writing and another one in the plain way."""


def stripped(text: str) -> str:
    """The text without the space around it, and still the cell that it was."""
    kind = type(text)
    return text.strip() if kind is str else kind(text.strip())


def by_form(written: Callable[[str], T | None], plain: Callable[[str], T | None]) -> Callable[[str], T | None]:
    """Reads text as it is `written` in the job, what is `Plain` as that, and what was mended as whichever it can be.

    The function raises `Unclear`.
    """

    def read(text: str) -> T | None:
        kind = type(text)
        if kind is str:
            return written(text)
        if kind is Plain:
            return plain(text)
        one, other = written(text), plain(text)
        if one is not None and other is not None and one != other:
            raise Unclear(f"could be {one} as well as {other}")
        return other if one is None else one

    return read
