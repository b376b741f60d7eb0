"""What one step delivers: files made once, on disk in the run's directory, the same whenever they are asked for."""

import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from idms_cli.config.replacing import replace_file
from idms_cli.config.secret_sources import SecretSource, resolve
from idms_cli.delivery import Parcel
from idms_cli.errors import Interrupted
from idms_cli.files.writers import Cells, Occasion, Rows
from idms_cli.files.writers.packing import Packer, opened_packer
from idms_cli.modules.writing import Writing
from idms_cli.rows.spool import Spooled, spooling

FILES, LISTING = "files", "parcels.json"
IN_MEMORY = 5_000
"""Rows of a batch that are held in memory; more are spooled once more."""


@dataclass(frozen=True)
class Making:
    """How and where the files of a step are made."""

    writing: Writing | None
    folder: Path
    """The step's own, in the run's directory."""
    directory: Path
    """Where relative paths of the job start."""
    values: Mapping[str, Any]
    stopping: Callable[[], bool] = lambda: False
    begun: Callable[[], None] = lambda: None
    """Told before files are made..."""
    done: Callable[[Sequence[Parcel]], None] = lambda _: None
    """...and once they are there, also when they were made before."""


class StepCargo:
    """See `Cargo`."""

    def __init__(self, rows: Rows, making: Making) -> None:
        self.rows = rows
        self._making = making
        self._parcels: Sequence[Parcel] | None = None

    def parcels(self) -> Sequence[Parcel]:
        """Raises `InputError` for rows that the format cannot hold and keys that cannot be used, and `OSError`."""
        if self._parcels is None:
            folder = self._making.folder
            found = _listed(folder)
            if found is None:
                self._making.begun()
                found = self._made(folder / FILES)
                _list(folder, found)
            self._making.done(found)
            self._parcels = found
        return self._parcels

    def document(self, rows: Rows) -> bytes:
        """Not packed. Raises `InputError` for rows that the format cannot hold."""
        writing = self._needed_writing()
        stream = io.BytesIO()
        writing.writer.write(rows, stream, writing.options, self._occasion(1))
        return stream.getvalue()

    def _made(self, folder: Path) -> list[Parcel]:
        """All files, whole and on disk."""
        writing = self._making.writing
        if writing is None:
            return []
        shutil.rmtree(folder, ignore_errors=True)  # what a killed attempt left
        folder.mkdir(mode=0o700, parents=True)
        size = writing.step.batch
        batches = [self.rows] if size is None else _batches(self.rows, size, folder.with_name("batch.spool"))
        parcels = []
        with opened_packer(writing.packing, folder.parent, self._making.directory, self._secret) as packer:
            for number, rows in enumerate(batches, start=1):
                if self._making.stopping():
                    raise Interrupted("the run was stopped")
                parcels.append(self._file(folder, packer, rows, number))
        return parcels

    def _file(self, folder: Path, packer: Packer, rows: Rows, batch: int) -> Parcel:
        writing = self._needed_writing()
        name = writing.file_name(self._making.values, batch=batch)
        occasion = self._occasion(batch)
        packer.write(folder / name, name, lambda stream: writing.writer.write(rows, stream, writing.options, occasion))
        return Parcel(folder / name, name, rows.count, writing.media_type)

    def _secret(self, source: SecretSource) -> str:
        return resolve(source, self._making.directory).reveal()

    def _needed_writing(self) -> Writing:
        if self._making.writing is None:
            raise TypeError("this step has no format")
        return self._making.writing

    def _occasion(self, batch: int) -> Occasion:
        writing = self._making.writing
        formulas = writing.step.formulas if writing else "harmless"
        making = self._making
        return Occasion({**making.values, "batch": batch}, formulas, making.folder, making.directory)


def _listed(folder: Path) -> list[Parcel] | None:
    """What was made before; None when it is not all there."""
    try:
        told = json.loads((folder / LISTING).read_bytes())
    except FileNotFoundError:
        return None
    found = [Parcel(**{**one, "path": folder / FILES / one["name"]}) for one in told]
    return found if all(parcel.path.exists() for parcel in found) else None


def _list(folder: Path, parcels: Sequence[Parcel]) -> None:
    replace_file(folder / LISTING, json.dumps([asdict(one) | {"path": ""} for one in parcels]).encode())


@dataclass(frozen=True)
class _Some:
    """Rows in memory."""

    columns: tuple[str, ...]
    cells: Sequence[Cells]

    @property
    def count(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Iterator[Cells]:
        return iter(self.cells)


def _batches(rows: Rows, size: int, spool: Path) -> Iterator[Rows]:
    """So many rows at a time, and the rest; of no rows one that is empty."""
    left = iter(rows)
    number = 0
    while True:
        some: Rows = _held(rows.columns, left, size) if size <= IN_MEMORY else _spooled(rows.columns, left, size, spool)
        if not some.count and number:
            break
        number += 1
        yield some
        if some.count < size:
            break
    spool.unlink(missing_ok=True)


def _held(columns: tuple[str, ...], left: Iterator[Cells], size: int) -> Rows:
    return _Some(columns, list(islice(left, size)))


def _spooled(columns: tuple[str, ...], left: Iterator[Cells], size: int, path: Path) -> Rows:
    with spooling(path) as spool:
        spool.name(columns)
        for cells in islice(left, size):
            spool.put(cells)
    return Spooled(path)
