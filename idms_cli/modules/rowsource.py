"""Where the rows of a transfer come from: each kind of source is read once, into the run's directory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from idms_cli.config.documents import Document, Loc
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files.origins import options as origins
from idms_cli.imis.counts import Calls
from idms_cli.modules import DataLock, Outcome, RunContext, SiteOf
from idms_cli.modules.access import RunSites
from idms_cli.modules.attempt import call_figures
from idms_cli.modules.filesource import FileSource, SourceOptions
from idms_cli.modules.goods import ROWS
from idms_cli.modules.part import Part
from idms_cli.modules.querycheck import look_at
from idms_cli.modules.source import Said
from idms_cli.records.mended import fed_back
from idms_cli.rows import entity, query
from idms_cli.rows.entity import EntityOptions, read_entity
from idms_cli.rows.filerows import read_table
from idms_cli.rows.misfits import Misfit, Misfits
from idms_cli.rows.query import QueryOptions, read_query
from idms_cli.rows.rejected import rejecting
from idms_cli.rows.sources import Reading
from idms_cli.rows.spool import spooling

if TYPE_CHECKING:
    from idms_cli.imis.site import Site


@dataclass(frozen=True)
class Brought:
    """What came of bringing the rows into the run's directory."""

    ended: Outcome | None = None
    """How the run ends here, without rows."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """How often the site was asked."""


class RowSource(Protocol):
    """A checked `source:`."""

    def describe(self) -> str:
        """What is read, in a few words."""

    def locks(self) -> tuple[DataLock, ...]:
        """What it reads, or takes away."""

    def check_online(self, site_of: SiteOf) -> Said:
        """What its site says of it, if it has one. Raises `IdmsError` when that cannot be asked."""

    def bring(self, context: RunContext, wanted: Sequence[str]) -> Brought:
        """Read into `ROWS` in the run's directory, whole and on disk when this returns.

        `wanted` are columns that somebody will ask for. Raises `ProblemsFound` and any `IdmsError`.
        """

    def aftercare(self, context: RunContext, outcome: Outcome, *, is_good: bool) -> Callable[[], Outcome] | None:
        """As `Work.aftercare`; `is_good` says whether the rows are where they were meant to go."""


@dataclass(frozen=True)
class FileRows:
    """The rows of a file or of several."""

    source: FileSource

    def describe(self) -> str:
        return self.source.address.shown

    def locks(self) -> tuple[DataLock, ...]:
        return self.source.locks()

    def check_online(self, site_of: SiteOf) -> Said:
        return self.source.check_online(site_of)

    def bring(self, context: RunContext, wanted: Sequence[str]) -> Brought:
        del wanted  # a file has the columns that it has
        ended = self.source.take_in(context, _no_site)
        if ended is not None:
            return Brought(ended)
        path = context.directory / ROWS
        with self.source.opened(context.directory) as opened:
            table = fed_back(opened)
            with spooling(path) as spool, rejecting(path) as rejected:
                read_table(table, spool, rejected, _reading(context))
            for note in opened.notes:
                context.log(note)
        return Brought()

    def aftercare(self, context: RunContext, outcome: Outcome, *, is_good: bool) -> Callable[[], Outcome] | None:
        return self.source.aftercare(context, outcome, is_good=is_good)


@dataclass(frozen=True)
class QueryRows:
    """The rows of a query of the site."""

    options: QueryOptions
    connection: str
    settings: Settings = field(repr=False)

    def describe(self) -> str:
        return f"{self.options.query} on {self.connection}"

    def locks(self) -> tuple[DataLock, ...]:
        return (DataLock(f"imis:{self.connection}/{self.options.query.casefold()}", write=False),)

    def check_online(self, site_of: SiteOf) -> Said:
        return look_at(site_of(self.connection), self.options)

    def bring(self, context: RunContext, wanted: Sequence[str]) -> Brought:
        with RunSites(self.settings, log=context.log, patient=context.patient) as sites:
            ours = _reading(context, sites.calls)
            reading = query.Reading(ours.stopping, ours.tell, wanted, ours.row_limit)
            read_query(sites.of(self.connection), self.options, context.directory / ROWS, reading)
            return Brought(calls=call_figures(sites.calls(), context.earlier))

    def aftercare(self, context: RunContext, outcome: Outcome, *, is_good: bool) -> Callable[[], Outcome] | None:
        del context, outcome, is_good
        return None


@dataclass(frozen=True)
class EntityRows:
    """The rows of an entity of the site."""

    options: EntityOptions
    connection: str
    settings: Settings = field(repr=False)
    document: Document = field(repr=False)
    at: Loc

    def describe(self) -> str:
        return f"{entity.described(self.options)} on {self.connection}"

    def locks(self) -> tuple[DataLock, ...]:
        return (DataLock(f"imis:{self.connection}/{self.options.entity.casefold()}", write=False),)

    def check_online(self, site_of: SiteOf) -> Said:
        try:
            return Said(columns=entity.columns_of(site_of(self.connection), self.options))
        except Misfits as misfits:
            raise problems_of(misfits, self.document, self.at) from misfits
        except InputError as error:
            return Said((origins.Misfit(("entity",), str(error).rstrip("."), error.hint),))

    def bring(self, context: RunContext, wanted: Sequence[str]) -> Brought:
        del wanted
        sites = RunSites(self.settings, log=context.log, patient=context.patient)
        with sites, spooling(context.directory / ROWS) as spool:
            try:
                read_entity(sites.of(self.connection), self.options, spool, _reading(context, sites.calls))
            except Misfits as misfits:
                raise problems_of(misfits, self.document, self.at) from misfits
            return Brought(calls=call_figures(sites.calls(), context.earlier))

    def aftercare(self, context: RunContext, outcome: Outcome, *, is_good: bool) -> Callable[[], Outcome] | None:
        del context, outcome, is_good
        return None


def _reading(context: RunContext, calls: Callable[[], Calls] = Calls) -> Reading:
    def tell(read: int) -> None:
        context.progress(lambda: {"fetched": read, **call_figures(calls(), context.earlier)})

    return Reading(context.row_limit, context.log, tell, context.stopping)


def _no_site(connection: str) -> "Site":
    raise LookupError(f"a file is on no site, and so not on {connection}")


def problems_of(misfits: Misfits, document: Document, at: Loc) -> ProblemsFound:
    """What does not fit, with the place in the job file."""
    part = Part(document, at)
    for misfit in misfits.found:
        part.tell_misfit(misfit)
    return ProblemsFound(part.problems)


def check_source(source: Part, settings: Settings, connection: str) -> RowSource | None:
    """The checked source; None when something is wrong with it, which is told."""
    said = source.document.at(source.at)
    if not isinstance(said, dict):
        return None  # told already
    kinds = [kind for kind in KINDS if kind in said]
    if len(kinds) == 1:
        return KINDS[kinds[0]](source, settings, connection)
    near = next(filter(None, (did_you_mean(str(key), KINDS) for key in said)), "")
    hint = f"Write one of {', '.join(KINDS)}."
    source.tell_key((), "the source is exactly one of these: a query, an entity, a file", near or hint)
    return None


def _check_file(source: Part, settings: Settings, connection: str) -> RowSource | None:
    del connection
    options = source.check(SourceOptions)
    if options is None:
        return None
    found = FileSource.of(options, settings)
    misfits = list(found.problems())
    for each in misfits:
        source.tell_key(each.key, each.message, each.hint)
    return None if misfits else FileRows(found)


def _check_query(source: Part, settings: Settings, connection: str) -> RowSource | None:
    options = source.check(QueryOptions)
    if options is None:
        return None
    misfits = _unknown_connection(options.connection, settings)
    for each in misfits:
        source.tell_misfit(each)
    return None if misfits else QueryRows(options, options.connection or connection, settings)


def _check_entity(source: Part, settings: Settings, connection: str) -> RowSource | None:
    options = source.check(EntityOptions)
    if options is None:
        return None
    misfits = list(entity.misfits(options))
    misfits += _unknown_connection(options.connection, settings)
    for each in misfits:
        source.tell_misfit(each)
    if misfits:
        return None
    return EntityRows(options, options.connection or connection, settings, source.document, source.at)


def _unknown_connection(name: str | None, settings: Settings) -> list[Misfit]:
    if name is None or name in settings.connections:
        return []
    known = f"known: {', '.join(settings.connections) or 'none'}"
    hint = did_you_mean(name, settings.connections) or known
    return [Misfit(("connection",), f"there is no connection '{name}'", hint)]


KINDS: Mapping[str, Callable[[Part, Settings, str], RowSource | None]] = {
    "query": _check_query,
    "entity": _check_entity,
    "path": _check_file,
}
"""The key by which a source is known -> what checks it."""
