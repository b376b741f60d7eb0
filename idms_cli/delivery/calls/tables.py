"""The files in a step's folder that tell which rows were not delivered, and what the answers said."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from idms_cli.config.foreign import harmless
from idms_cli.config.replacing import sync_folder
from idms_cli.delivery import Cargo
from idms_cli.delivery.calls.journal import Journal
from idms_cli.delivery.calls.options import WebOptions
from idms_cli.delivery.texts import shown
from idms_cli.errors import IdmsError
from idms_cli.files.formulas import guarded
from idms_cli.files.writers import Cells
from idms_cli.files.writers.values import plain_number

UNDELIVERED = "undelivered.csv"
ANSWERS = "answers.csv"

_Write = Callable[[Sequence[object]], object]
"""Adds a line."""


def write_undelivered(folder: Path, cargo: Cargo, options: WebOptions, journal: Journal) -> None:
    """All rows of requests that were refused, or of which nobody knows; no file when there is none.

    Raises `IdmsError` when the disk does not take it.
    """
    path = folder / UNDELIVERED
    if not {"refused", "unknown"} & journal.tallies().keys():
        path.unlink(missing_ok=True)
        return
    told = (
        (number, (number, state, status, reason))
        for number, state, status, reason, _ in journal.told("refused", "unknown")
    )
    with _table(path) as write:
        write([*cargo.rows.columns, "_request", "_state", "_status", "_reason"])
        for cells, (number, state, status, reason) in _with_rows(cargo, told, options.batch or 1):
            write([*map(shown, cells), number, state, status, harmless(reason)])


def write_answers(folder: Path, cargo: Cargo, options: WebOptions, journal: Journal) -> None:
    """What was kept of each answer; beside its row where each row had a request of its own."""
    fields = options.answer.store if options.answer else ()
    if not fields:
        return
    told = ((number, (number, status, _found(answer))) for number, _, status, _, answer in journal.told("done"))
    with _table(folder / ANSWERS) as write:
        columns = cargo.rows.columns if options.each else ()
        write([*columns, "_request", "_status", *(f"answer.{name}" for name in fields)])
        rows = _with_rows(cargo, told, 1) if options.each else (((), one) for _, one in told)
        for cells, (number, status, found) in rows:
            write([*map(shown, cells), number, status, *(_text(found.get(name)) for name in fields)])


def _with_rows(cargo: Cargo, told: Iterator[tuple[int, Any]], size: int) -> Iterator[tuple[Cells, Any]]:
    """The rows of these requests, each with what is told of it."""
    wanted = next(told, None)
    for place, cells in enumerate(cargo.rows):
        number = place // size + 1
        while wanted is not None and wanted[0] < number:
            wanted = next(told, None)
        if wanted is None:
            return
        if wanted[0] == number:
            yield cells, wanted[1]


def _found(answer: str | None) -> dict[str, Any]:
    return json.loads(answer) if answer else {}


def _text(value: Any) -> object:
    return json.dumps(value) if isinstance(value, list | dict) else shown(value)


@contextmanager
def _table(path: Path) -> Iterator[_Write]:
    """A table that appears whole, and on disk, when the block ends well. Mode 0600, for Excel in UTF-8 with a mark."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(
            os.open(part, flags, 0o600), "w", encoding="utf-8-sig", errors="backslashreplace", newline=""
        ) as stream:
            writer = csv.writer(stream, lineterminator="\r\n")
            yield lambda line: writer.writerow([guarded(_plain(value)) for value in line])
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise IdmsError(
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Look at the free space and the permissions of the state directory.",
        ) from error


def _plain(value: object) -> str:
    if value is None:
        return ""
    return plain_number(value) if isinstance(value, Decimal) else str(value)
