"""Several files as one table: their rows one after the other, one file open at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain

from idms_cli.errors import InputError
from idms_cli.files import BrokenRow, Dialect, Row, Table
from idms_cli.files.places import in_file
from idms_cli.files.source import Fingerprint

Opened = Callable[[], AbstractContextManager[Table]]


@contextmanager
def open_together(files: Sequence[tuple[str, Opened]]) -> Iterator[Table]:
    """The files, each with the name for messages, as one table; their headers must be the same.

    Raises as their openers do; for the second and later ones while rows are read.
    """
    with files[0][1]() as first:
        yield _Together(files, first)


class _Together:
    """See `Table`."""

    def __init__(self, files: Sequence[tuple[str, Opened]], first: Table) -> None:
        self._files = files
        self._first = first
        self._notes: tuple[str, ...] = ()
        self._blank_lines = 0

    @property
    def columns(self) -> tuple[str, ...]:
        return self._first.columns

    @property
    def dialect(self) -> Dialect:
        return self._first.dialect

    @property
    def fingerprint(self) -> Fingerprint:
        return self._first.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        return self._notes

    @property
    def blank_lines(self) -> int:
        return self._blank_lines

    def rows(self) -> Iterator[Row | BrokenRow]:
        self._notes, self._blank_lines = (), 0
        yield from self._rows_of(1, self._first)
        for number, (name, opened) in enumerate(self._files[1:], start=2):
            with opened() as table:
                self._refuse_other(name, table)
                yield from self._rows_of(number, table)

    def _rows_of(self, number: int, table: Table) -> Iterator[Row | BrokenRow]:
        for row in table.rows():
            yield row._replace(line=in_file(number, row.line))
        name = self._files[number - 1][0]
        self._notes = tuple(chain(self._notes, (f"{name}: {note}" for note in table.notes)))
        self._blank_lines += table.blank_lines

    def _refuse_other(self, name: str, table: Table) -> None:
        first = self._files[0][0]
        if table.columns != self._first.columns and sorted(table.columns) == sorted(self._first.columns):
            raise InputError(
                f"{name} has the columns of {first} in another order: {', '.join(table.columns)}",
                hint="Files that are read together have the same header. Write several: each for a run of each.",
            )
        if table.columns != self._first.columns:
            raise InputError(
                f"{name} has other columns than {first}: {', '.join(table.columns)}",
                hint="Files that are read together have the same header. Write several: each for a run of each.",
            )
        if table.dialect != self._first.dialect:
            raise InputError(
                f"{name} is written with other delimiters or quotes than {first}",
                hint="Files that are read together are written alike. Write several: each for a run of each.",
            )
