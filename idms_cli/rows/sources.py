"""Where the rows of a job come from: a query, an entity, a file. Each is read once, into a spool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from idms_cli.errors import Interrupted
from idms_cli.rows.spool import Spool

LOOK_EVERY = 256
"""Rows between two looks at whether the run is to end, and two tellings of how many came."""


@dataclass(frozen=True)
class Reading:
    """How a source is read by one run."""

    row_limit: int | None
    log: Callable[[str], None]
    progress: Callable[[Callable[[], Mapping[str, int]]], None]
    stopping: Callable[[], bool]

    def look(self, read: int) -> None:
        """To be called now and then, with the number of rows so far. Raises `Interrupted` when the run is to end."""
        if self.stopping():
            raise Interrupted("the run was stopped")
        self.progress(lambda: {"read": read})


class RowSource(Protocol):
    """A checked `source:`."""

    def describe(self) -> str:
        """What is read, in a few words."""

    def read_into(self, spool: Spool, reading: Reading) -> None:
        """All rows, or as many as are wanted.

        Raises `Misfits` for words of the job that do not fit what is read, and any `IdmsError`.
        """
