"""What a module that loads rows needs of where they come from, be it a file or a query."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from idms_cli.files import Table
from idms_cli.files.origins.options import Misfit
from idms_cli.files.spool import Taken
from idms_cli.modules import DataLock, Outcome, RunContext, SiteOf


@dataclass(frozen=True)
class Said:
    """What a site says of a source before a run; each with its key in `source:`."""

    problems: tuple[Misfit, ...] = ()
    """For these a run would end."""
    warnings: tuple[Misfit, ...] = ()
    columns: tuple[str, ...] | None = None
    """What it has, if anybody knows."""


class Source(Protocol):
    """A checked `source:`."""

    @property
    def noun(self) -> str:
        """What it is called in messages about its columns: `the file`."""

    @property
    def tells_numbers(self) -> bool:
        """Whether cells know if they are numbers, so that no way of writing them is for these cells."""

    def describe(self) -> str:
        """Where the rows come from, in a few words."""

    def locks(self) -> tuple[DataLock, ...]:
        """What is read, or taken away from others."""

    def check_online(self, site_of: SiteOf) -> Said:
        """What its site says of it, if it has one. Raises `IdmsError` when that cannot be asked."""

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
