"""What a module that loads rows needs of where they come from, be it a file or a query."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from idms_cli.files import Table
from idms_cli.files.spool import Taken
from idms_cli.modules import DataLock, Outcome, RunContext, SiteOf


class Source(Protocol):
    """A checked `source:`."""

    @property
    def tells_numbers(self) -> bool:
        """Whether cells know if they are numbers, so that no way of writing them is for these cells."""

    def describe(self) -> str:
        """Where the rows come from, in a few words."""

    def lock(self) -> DataLock:
        """What is read, or taken away from others."""

    def take_in(self, context: RunContext, site_of: SiteOf) -> Outcome | None:
        """Bring all rows into the run's directory, if they are not there; the outcome of a run that ends so.

        Done again after a crash, it goes on or begins anew. Raises `IdmsError`, and then the run has written nothing.
        """

    def opened(self, directory: Path) -> AbstractContextManager[Table]:
        """The copy of the rows in a run's directory, or the rows that a retry was given.

        Raises `InputError` when there is none (any more).
        """

    def refuse_changed(self, directory: Path) -> Sequence[Taken]:
        """As of `Work`."""

    def aftercare(self, context: RunContext, outcome: Outcome) -> Callable[[], Outcome] | None:
        """As of `Work`."""
