"""Since: only rows that are at or after the highest value of a column that was delivered, with an overlap."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

from pydantic import Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import Duration
from idms_cli.config.foreign import shortened
from idms_cli.config.replacing import replace_file
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError, Interrupted
from idms_cli.files.writers import Cell, Rows
from idms_cli.rows.memory import Delivered, Point, open_memory
from idms_cli.rows.spool import AT_A_TIME, Spooled, is_spooled, spooling

BEGUN = "since.json"
HIGHEST = "since-highest.json"
ROWS = "since.jsonl"
WATERMARK = "watermark"

Mark = datetime | Decimal


class SinceOptions(Section):
    """The `since:` of a transfer."""

    column: str = Field(min_length=1, description="A time or a number that grows with each change of a row.")
    overlap: Duration | Annotated[int, Field(ge=0)] = Field(
        default=timedelta(0), description="So far before the highest value that was delivered: `1h`; or a number."
    )
    start: str | None = Field(default=None, min_length=1, description="Where the first run begins; else with all rows.")


@dataclass(frozen=True)
class Since:
    """The watermark of one run of a job."""

    state: Path
    job: str
    options: SinceOptions
    directory: Path
    """The run's own: each attempt begins at the same value and delivers the same rows."""

    def begin(self) -> str:
        """The value from which on rows are delivered; empty for all of them. Raises `InputError`."""
        begun = self.directory / BEGUN
        if not begun.exists():
            with open_memory(self.state, self.job) as memory:
                told, point = memory.about(WATERMARK), memory.point
            text = str(told) if told is not None else self.options.start or ""
            start = _in_words(self._lowered(self._read(text))) if told is not None and text else text
            replace_file(begun, json.dumps({"from": start, "point": point}).encode())
        return str(json.loads(begun.read_bytes())["from"])

    def narrow(self, rows: Rows, *, stopping: Callable[[], bool] = lambda: False) -> Rows:
        """The rows from there on. One without a value is always among them: nobody knows when it changed.

        Raises `InputError` for a column that is not there, or holds neither times nor numbers.
        """
        path = self.directory / ROWS
        if not is_spooled(path):
            self._narrow(rows, path, stopping)
        return Spooled(path)

    def facts(self) -> dict[str, str | int]:
        """What is to be remembered once the rows are delivered."""
        highest = json.loads((self.directory / HIGHEST).read_bytes())
        return {WATERMARK: highest} if highest else {}

    def remember(self, run: int, at: int) -> bool:
        """All was delivered, certainly; see `Delta.remember`."""
        point = json.loads((self.directory / BEGUN).read_bytes())["point"]
        with open_memory(self.state, self.job) as memory:
            return memory.keep(Delivered(run, at, Point(*point)), None, self.facts())

    def _narrow(self, rows: Rows, path: Path, stopping: Callable[[], bool]) -> None:
        column, start = self.options.column, self.begin()
        if rows.columns and column not in rows.columns:
            hint = did_you_mean(column, rows.columns) or f"Columns: {', '.join(rows.columns)}."
            raise InputError(f"since: there is no column '{shortened(column)}'", hint=hint)
        lowest = self._read(start) if start else None
        highest = lowest
        with spooling(path) as spool:
            spool.name(rows.columns)
            place = rows.columns.index(column) if rows.columns else 0
            for number, cells in enumerate(rows):
                if number % AT_A_TIME == 0 and stopping():
                    raise Interrupted("the run was stopped")
                mark = self._mark(cells[place])
                if mark is not None and lowest is not None and self._is_before(mark, lowest):
                    continue
                if mark is not None and (highest is None or self._is_before(highest, mark)):
                    highest = mark
                spool.add(dict(zip(rows.columns, cells, strict=True)))
            replace_file(self.directory / HIGHEST, json.dumps(self._kept(highest)).encode())

    def _kept(self, highest: Mark | None) -> str:
        """The watermark never goes back: rows within the overlap may be all that came."""
        with open_memory(self.state, self.job) as memory:
            told = memory.about(WATERMARK)
        before = self._read(str(told)) if told is not None else None
        if highest is None or (before is not None and self._is_before(highest, before)):
            highest = before
        return _in_words(highest) if highest is not None else ""

    def _mark(self, cell: Cell) -> Mark | None:
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            return None
        if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
            return Decimal(cell)
        return self._read(str(cell))

    def _read(self, text: str) -> Mark:
        with suppress(InvalidOperation):
            if (number := Decimal(text.strip())).is_finite():
                return number
        try:
            return datetime.fromisoformat(text.strip())
        except ValueError:
            message = f"since: '{shortened(text)}' in {self.options.column} is neither a time nor a number"
            raise InputError(message, hint="Name a column with the time of the last change.") from None

    def _is_before(self, one: Mark, other: Mark) -> bool:
        try:
            return one < other  # type: ignore[operator]
        except TypeError:
            message = f"since: {self.options.column} has '{_in_words(one)}' as well as '{_in_words(other)}'"
            hint = f"If the column changed its type, begin anew with `idms delta reset {self.job}`."
            raise InputError(message, hint=hint) from None

    def _lowered(self, mark: Mark) -> Mark:
        overlap = self.options.overlap
        if isinstance(mark, Decimal) is isinstance(overlap, timedelta) and overlap:
            what = "a number" if isinstance(mark, Decimal) else "a time"
            example = "overlap: 100" if isinstance(mark, Decimal) else "overlap: 1h"
            raise InputError(f"since: {self.options.column} holds {what}, and the overlap is none", hint=example)
        if not overlap:
            return mark
        return mark - overlap  # type: ignore[operator]


def _in_words(mark: Mark) -> str:
    return mark.isoformat() if isinstance(mark, datetime) else format(mark, "f")
