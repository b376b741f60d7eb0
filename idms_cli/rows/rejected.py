"""Rows that do not go out, beside the spool of those that do: as they came, with all that is wrong with each."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from idms_cli.files import BrokenRow, Row
from idms_cli.files.writers import Cells
from idms_cli.records.faults import Fault
from idms_cli.rows.cells import text_of


class Told(msgspec.Struct):
    """One line of the file."""

    line: int
    cells: list[str]
    raw: str
    faults: list[tuple[str, str, str, str]]


_DECODER = msgspec.json.Decoder(Told)


class Rejected:
    """Takes rejected rows."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0

    def add(self, line: int, cells: Cells, faults: Sequence[Fault], *, raw: str = "") -> None:
        """`line` is where the row stands in its source, from 1. Raises `OSError` when the disk does not take it."""
        told = Told(line, list(map(text_of, cells)), raw, [(f.stage, f.field, f.code, f.message) for f in faults])
        self._stream.write(msgspec.json.encode(told) + b"\n")
        self.count += 1


@contextmanager
def rejecting(spool: Path) -> Iterator[Rejected]:
    """The rejects of the rows that are spooled to `spool` in the same moment: on disk when the block ends well."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(_beside(spool), flags, 0o600), "wb") as stream:
        yield Rejected(stream)
        stream.flush()
        os.fsync(stream.fileno())


def rejected_of(spool: Path) -> Iterator[tuple[Row | BrokenRow, tuple[Fault, ...]]]:
    """The rejects beside a complete spool, in their order; none when there is no such file."""
    path = _beside(spool)
    if not path.exists():
        return
    with path.open("rb") as stream:
        for line in stream:
            told = _DECODER.decode(line)
            faults = tuple(Fault(*each) for each in told.faults)  # type: ignore[arg-type]
            cells = tuple(told.cells)
            if told.raw:
                yield BrokenRow(told.line, cells, faults[0].code, faults[0].message, told.raw), faults  # type: ignore[arg-type]
            else:
                yield Row(told.line, cells), faults


def _beside(spool: Path) -> Path:
    return spool.with_name(f"{spool.name}.rejected")
