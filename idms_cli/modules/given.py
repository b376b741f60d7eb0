"""The rows that a retry is given: a copy of them in its run's directory, and what is known of where they come from."""

import json
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from idms_cli.files import Table
from idms_cli.files.dialect import CsvOptions
from idms_cli.records.mended import delimiter_of, open_given

_COPY = "given"
"""Its name before the ending, which is that of the file."""
_ORIGIN = "retried.json"


def give(rows: Path, directory: Path, *, rejects: Path) -> None:
    """Copy `rows`, the file `rejects` of another run, mended or not, for the run in `directory`."""
    delimiter = delimiter_of(rejects) if rejects.is_file() else None
    origin = {"file": str(rows), "delimiter": delimiter, "mended": rows != rejects}
    (directory / _ORIGIN).write_text(json.dumps(origin))
    shutil.copyfile(rows, directory / f"{_COPY}{''.join(rows.suffixes[-2:])}")


def given_to(directory: Path) -> Path | None:
    """The rows that a retry was given; None for any other run."""
    return next(directory.glob(f"{_COPY}.*"), None)


def open_copy(copy: Path, options: CsvOptions) -> AbstractContextManager[Table]:
    """Open them; raises as `open_given` does. Messages name the file as the operator did."""
    known = _origin(copy.parent)
    shown = Path(known["file"]) if "file" in known else None
    return open_given(copy, options, delimiter=known.get("delimiter"), shown=shown)


def mended_file(directory: Path) -> str:
    """The file that somebody named for a retry; empty where the run's own rejects were taken, and for any other run."""
    known = _origin(directory)
    return str(known["file"]) if known.get("mended") else ""


def _origin(directory: Path) -> dict[str, Any]:
    path = directory / _ORIGIN
    return json.loads(path.read_text()) if path.exists() else {}
