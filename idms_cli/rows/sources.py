"""How the rows of a job are read, wherever they come from: into a spool, stopped when the run is to end."""

from collections.abc import Callable
from dataclasses import dataclass

from idms_cli.errors import Interrupted

LOOK_EVERY = 256
"""Rows between two looks at whether the run is to end, and two tellings of how many came."""


@dataclass(frozen=True)
class Reading:
    """How one run reads."""

    row_limit: int | None = None
    log: Callable[[str], None] = lambda _: None
    tell: Callable[[int], None] = lambda _: None
    """Given the number of rows so far, now and then."""
    stopping: Callable[[], bool] = lambda: False

    def look(self, read: int) -> None:
        """To be called every now and then. Raises `Interrupted` when the run is to end."""
        if self.stopping():
            raise Interrupted("the run was stopped")
        self.tell(read)
