"""A cargo of real files and rows, and one step delivered as a transfer would."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from idms_cli.config.checked import check
from idms_cli.config.documents import parse_document
from idms_cli.delivery import Cargo, Delivery, Destination, Parcel, destination_of, load_destination
from idms_cli.files.writers import Cells, Rows


@dataclass(frozen=True)
class ListRows:
    """Rows in memory."""

    columns: tuple[str, ...] = ("ID", "Name")
    cells: Sequence[Cells] = (("101", "Zoë"), ("102", "Ann"))

    @property
    def count(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Iterator[Cells]:
        return iter(self.cells)


@dataclass(frozen=True)
class SampleCargo:
    """Files that are there already, and rows."""

    files: Sequence[Path] = ()
    rows: Rows = field(default_factory=ListRows)

    def parcels(self) -> Sequence[Parcel]:
        return [Parcel(path, path.name, self.rows.count) for path in self.files]

    def document(self, rows: Rows) -> bytes:
        return json.dumps([dict(zip(rows.columns, cells, strict=True)) for cells in rows]).encode()


def sample(folder: Path, *, name: str = "members.csv", size: int = 0) -> SampleCargo:
    """One file: a small table, or `size` bytes."""
    path = folder / name
    content = "ID,Name\r\n101,Zoë\r\n102,Ann\r\n".encode()
    path.write_bytes((content * (size // len(content) + 1))[: size or len(content)])
    return SampleCargo([path])


def destination(step: str, directory: Path) -> Destination:
    """The destination of one step, written as in a job file. Raises `ProblemsFound` and `BadStep`."""
    document = parse_document(step.encode(), "job.yaml")
    name = destination_of(document.at(("to",)))
    assert name, f"no destination: {step}"
    offer = load_destination(name)
    return offer.open_destination(check(offer.Options, document), directory)


def delivery(
    directory: Path,
    *,
    stopping: Callable[[], bool] = lambda: False,
    values: Mapping[str, object] | None = None,
    told: list[str] | None = None,
) -> Delivery:
    """The same folder each time: called twice, it goes on with the first one."""
    folder = directory / "step"
    folder.mkdir(exist_ok=True)
    log = [] if told is None else told
    given = dict(values or {"run": {"id": 7}, "job": "feed"})
    return Delivery(7, folder, directory, given, log.append, lambda _: None, stopping)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def delivered(step: str, cargo: Cargo, directory: Path) -> str:
    """Deliver and give the address."""
    return destination(step, directory).deliver(cargo, delivery(directory)).address
