"""Rows kept in the run's directory: read from the site once, and a resume or a second step reads the very same ones."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import msgspec

from idms_cli.config.replacing import replace_file
from idms_cli.files.writers import Cell, Cells

AT_A_TIME = 500
_CHUNK = 1 << 20

# A number of the site keeps each of its digits: no float comes between.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(list, float_hook=Decimal)


class Spool:
    """Takes rows, a JSON list each, one on a line. Columns may come late: earlier rows have nothing there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._columns: list[str] = []
        self._known: set[str] = set()
        self._waiting: list[Sequence[Cell]] = []
        self.count = 0
        self.is_whole = True
        """Whether all rows came that there are, as far as their source tells."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def name(self, columns: tuple[str, ...]) -> None:
        """Say that there are these columns, in this order, whether or not a row has them."""
        for name in columns:
            if name not in self._known:
                self._known.add(name)
                self._columns.append(name)

    def add(self, row: Mapping[str, Cell]) -> None:
        """Raises `OSError` when the disk does not take it."""
        self.add_all([row])

    def add_all(self, rows: Sequence[Mapping[str, Cell]]) -> None:
        """Many at once, in less time. Raises `OSError` when the disk does not take them."""
        for row in rows:
            if not row.keys() <= self._known:
                self.name(tuple(row))
        columns = self._columns
        self._waiting += [[*map(row.get, columns)] for row in rows]
        self.count += len(rows)
        if len(self._waiting) >= AT_A_TIME:
            self.flush()

    def put(self, cells: Cells) -> None:
        """A row as cells, one for each of the columns so far. Raises `OSError` as `add` does."""
        self._waiting.append(cells)
        self.count += 1
        if len(self._waiting) >= AT_A_TIME:
            self.flush()

    def flush(self) -> None:
        try:
            lines = _ENCODER.encode_lines(self._waiting)
        except UnicodeEncodeError:  # half a surrogate pair, which a JSON escape can make, is no character
            lines = _ENCODER.encode_lines([list(map(_without_surrogates, cells)) for cells in self._waiting])
        self._stream.write(lines)
        self._waiting.clear()


class Spooled:
    """The rows of a spool that is complete; as `Rows`."""

    def __init__(self, path: Path) -> None:
        """Raises `FileNotFoundError` when there is none, or it was never completed."""
        self.path = path
        told = json.loads(_listing(path).read_bytes())
        self._columns: tuple[str, ...] = tuple(told["columns"])
        self._count: int = told["count"]
        self.is_whole: bool = told.get("whole", True)
        """Whether all rows came that there were: what is not among them may be there all the same, if not."""

    @property
    def columns(self) -> tuple[str, ...]:
        return self._columns

    @property
    def count(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Cells]:
        width, read = len(self._columns), _DECODER.decode_lines
        with self.path.open("rb") as stream:
            while lines := stream.readlines(_CHUNK):
                for row in read(b"".join(lines)):
                    yield tuple(row) if len(row) == width else (*row, *[None] * (width - len(row)))


def is_spooled(path: Path) -> bool:
    """Whether there is a complete spool at `path`."""
    return _listing(path).exists()


@contextmanager
def spooling(path: Path) -> Iterator[Spool]:
    """A spool that counts, on disk, once the block ended well; before that there is none."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    _listing(path).unlink(missing_ok=True)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        spool = Spool(stream)
        yield spool
        spool.flush()
        stream.flush()
        os.fsync(stream.fileno())
    told = {"columns": spool.columns, "count": spool.count, "whole": spool.is_whole}
    replace_file(_listing(path), json.dumps(told).encode())


def _without_surrogates(cell: Cell) -> Cell:
    return cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(cell, str) else cell


def _listing(path: Path) -> Path:
    return path.with_name(f"{path.name}.columns")
