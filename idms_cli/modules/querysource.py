"""The `source:` of a job whose rows come from a query: read whole before anything is written, and kept for a resume."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files import Table
from idms_cli.files.dialect import CsvOptions
from idms_cli.files.origins.options import Misfit
from idms_cli.files.spool import Taken, keep_listing, read_listing, require_listing
from idms_cli.modules import DataLock, Outcome, RunContext, SiteOf
from idms_cli.modules.access import RunSites
from idms_cli.modules.attempt import call_figures
from idms_cli.modules.given import given_to, open_copy
from idms_cli.modules.querycheck import look_at
from idms_cli.modules.source import Said
from idms_cli.records.journal import FILE_NAME
from idms_cli.rows.digest import digest_of
from idms_cli.rows.query import QueryOptions, Reading, read_query
from idms_cli.rows.spool import Spooled
from idms_cli.rows.table import RowsTable

ROWS = "rows.jsonl"


@dataclass(frozen=True)
class QuerySource:
    """A checked `source:` with a query."""

    options: QueryOptions
    job_connection: str
    wanted: tuple[str, ...]
    """The columns that the job names."""
    settings: Settings = field(repr=False)

    @property
    def connection(self) -> str:
        """Where the query runs."""
        return self.options.connection or self.job_connection

    @property
    def tells_numbers(self) -> bool:
        return True

    @property
    def noun(self) -> str:
        return "the query"

    def problems(self) -> Iterator[Misfit]:
        """What is wrong with it as a whole."""
        known = self.settings.connections
        if self.options.connection is not None and self.options.connection not in known:
            hint = did_you_mean(self.options.connection, known) or f"Known: {', '.join(known) or 'none'}."
            message = f"there is no connection '{self.options.connection}' in {self.settings.path.name}"
            yield Misfit(("connection",), message, hint)

    def describe(self) -> str:
        elsewhere = "" if self.connection == self.job_connection else f" on {self.connection}"
        return f"the query {self.options.query}{elsewhere}"

    def locks(self) -> tuple[DataLock, ...]:
        """Which data a query reads only the site knows; but the run needs its connection."""
        return (DataLock(f"imis:{self.connection}/{self.options.query.casefold()}", write=False),)

    def check_online(self, site_of: SiteOf) -> Said:
        return look_at(site_of(self.connection), self.options)

    def take_in(self, context: RunContext, site_of: SiteOf) -> Outcome | None:
        """As of `Source`. A run that was interrupted while it read begins anew: the rows are of one moment."""
        directory = context.directory
        if context.intent == "undo" or given_to(directory):
            return None
        if not (directory / FILE_NAME).exists() and not read_listing(directory):
            self._read(context, site_of)
        context.sources.take(read_listing(directory))
        return None

    def opened(self, directory: Path) -> AbstractContextManager[Table]:
        given = given_to(directory)
        return open_copy(given, CsvOptions()) if given else self._opened(directory)

    def refuse_changed(self, directory: Path) -> Sequence[Taken]:
        """As of `Work`: the query is read again, whole."""
        planned, (file,) = Spooled(directory / ROWS), require_listing(directory)
        limit = None if planned.is_whole else planned.count
        with TemporaryDirectory(dir=directory) as beside, RunSites(self.settings) as sites:
            now = read_query(sites.of(self.connection), self.options, Path(beside) / ROWS, self._reading(limit=limit))
            if digest_of(now) != file.sha256:
                message = f"the rows of {self.describe()} have changed since the plan was made"
                raise InputError(message, hint="Make a new plan.")
        return (file,)

    def aftercare(self, context: RunContext, outcome: Outcome) -> Callable[[], Outcome] | None:  # noqa: ARG002
        return None

    @contextmanager
    def _opened(self, directory: Path) -> Iterator[Table]:
        require_listing(directory)
        yield RowsTable(Spooled(directory / ROWS), also=self.wanted)

    def _reading(
        self,
        *,
        limit: int | None,
        stopping: Callable[[], bool] = lambda: False,
        tell: Callable[[int], None] = lambda _: None,
    ) -> Reading:
        return Reading(stopping, tell, self.wanted, limit)

    def _read(self, context: RunContext, site_of: SiteOf) -> None:
        site, path = site_of(self.connection), context.directory / ROWS

        def tell(count: int) -> None:
            context.progress(lambda: {"fetched": count, **call_figures(site.calls.snapshot(), context.earlier)})

        reading = self._reading(limit=context.row_limit, stopping=context.stopping, tell=tell)
        rows = read_query(site, self.options, path, reading)
        context.log(f"read {rows.count:,} rows of {self.describe()}")
        # Only a plan that is kept compares what was read with what there is later.
        digest = digest_of(rows) if context.dry_run else ""
        name, address = self.options.query.rpartition("/")[2], f"{self.options.query} on {self.connection}"
        taken = Taken(name, address, path.stat().st_size, sha256=digest, spool=ROWS, rows=rows.count)
        keep_listing(context.directory, [taken])
