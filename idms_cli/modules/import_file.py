"""Import: the rows of a file become records in iMIS."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from pydantic import Field

from idms_cli.config.checked import Section, check
from idms_cli.config.documents import Document
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import IdmsError, InputError, Interrupted
from idms_cli.files import BrokenRow, Row, Table, format_of, open_table
from idms_cli.files.dialect import CsvOptions
from idms_cli.files.source import open_source
from idms_cli.imis.kinds import KINDS, Kind, open_kind
from idms_cli.imis.site import Site
from idms_cli.modules import DataLock, Outcome, RunContext
from idms_cli.modules.access import site_access
from idms_cli.records.counts import Counts
from idms_cli.records.journal import Journal
from idms_cli.records.load import Load, Steering
from idms_cli.records.mapping import BoundMapping, MapOptions, MapRefused, bind
from idms_cli.records.matching import Rules
from idms_cli.records.rejects import RejectsFile, fed_back
from idms_cli.records.window import Window

REJECTS = "rejects.csv"


class SourceOptions(CsvOptions):
    """Where the rows come from."""

    path: str = Field(description="The file, relative to the directory of idms.yaml.")
    format: Literal["csv", "tsv"] | None = Field(default=None, description="If the file's ending does not tell.")


class MatchOptions(Section):
    """How careful to be; every default is the safe choice."""

    on_multiple: Literal["skip", "error"] = "skip"
    skip_blank_match: bool = True
    only_changes: bool = True


class ImportOptions(Section):
    """The `with:` of an import."""

    source: SourceOptions
    destination: str | dict[str, str]
    action: Literal["insert", "update", "upsert"]
    match: list[str] = Field(default_factory=list)
    map: MapOptions = Field(min_length=1)
    options: MatchOptions = MatchOptions()


@dataclass(frozen=True)
class Import:
    """A checked import."""

    options: ImportOptions
    source: Path
    kind: str
    kind_name: str | None
    connection: str
    settings: Settings = field(repr=False)
    document: Document = field(repr=False)

    def describe(self) -> str:
        where = f"{self.kind} {self.kind_name}" if self.kind_name else self.kind
        found_by = f", found by {', '.join(self.options.match)}" if self.options.match else ""
        return f"{self.options.action} {where} on {self.connection} from {self.options.source.path}{found_by}"

    def locks(self) -> tuple[DataLock, ...]:
        entity = (self.kind_name or self.kind).casefold()
        return (
            DataLock(f"file:{self.source}", write=False),
            DataLock(f"imis:{self.connection}/{entity}", write=True),
        )

    def run(self, context: RunContext) -> Outcome:
        access = site_access(self.settings.connections[self.connection], self.connection, self.settings)
        with closing(Journal(context.directory)) as journal, Site(access, log=context.log) as site:
            kind = open_kind(site, self.kind, self.kind_name)
            return _Attempt(self, context, journal, site, kind).run()


class _Attempt:
    """One attempt at a run: plans if that was not done yet, applies what is left, and tells."""

    def __init__(self, job: Import, context: RunContext, journal: Journal, site: Site, kind: Kind) -> None:
        self._job = job
        self._context = context
        self._journal = journal
        self._site = site
        self._kind = kind
        self._spool = context.directory / f"source{job.source.suffix}"

    def run(self) -> Outcome:
        steering = Steering(tell=self._tell, stopping=self._context.stopping)
        load = Load(self._kind, self._rules(), self._journal, steering)
        with Window(self._site.access.concurrency) as window:
            if not self._journal.is_planned:
                self._plan(load, window)
            self._context.log(f"planned: {_in_words(self._journal.counts())}")
            ended = None
            if not self._context.dry_run:
                ended = load.apply(window, settle_s=self._settle_s())
        self._write_rejects()
        return self._outcome(ended)

    def _settle_s(self) -> float:
        return self._job.settings.connections[self._job.connection].settle.total_seconds()

    def _plan(self, load: Load, window: Window) -> None:
        if not self._spool.exists():
            _copy(self._job.source, self._spool)
        with self._open() as opened:
            table = fed_back(opened)
            load.plan(islice(table.rows(), self._context.row_limit), self._bind(table), window)
            for note in table.notes:
                self._context.log(note)

    def _bind(self, table: Table) -> BoundMapping:
        options = self._job.options
        try:
            return bind(options.map, table.columns, self._kind.properties(), matched=options.match)
        except MapRefused as refused:
            document = self._job.document
            raise ProblemsFound(
                document.problem(("with", "map", fault.word), fault.message, hint=fault.hint, on_key=True, value="")
                for fault in refused.faults
            ) from None

    def _rules(self) -> Rules:
        options = self._job.options
        properties = self._kind.properties()
        spelled = {name.casefold(): name for name in properties}
        return Rules(
            action=options.action,
            match=tuple(spelled.get(word.casefold(), word) for word in options.match),
            properties=properties,
            on_multiple=options.options.on_multiple,
            skip_blank_match=options.options.skip_blank_match,
            only_changes=options.options.only_changes,
        )

    def _open(self) -> AbstractContextManager[Table]:
        options, source = self._job.options.source, self._job.source
        return open_table(self._spool, options, file_format=options.format or format_of(source), shown=source)

    def _write_rejects(self) -> None:
        """The rejected rows as they came, found again in the copy of the source."""
        with self._open() as opened:
            table = fed_back(opened)
            with RejectsFile(self._context.directory / REJECTS, table.columns, dialect=table.dialect) as rejects:
                rows = table.rows()
                for line, faults in self._journal.rejected():
                    rejects.add(_row_at(line, rows), faults)

    def _tell(self, counts: Mapping[str, int]) -> None:
        self._context.progress({**counts, **self._calls()})

    def _calls(self) -> dict[str, int]:
        calls = self._site.calls.snapshot()
        sent = {"get": calls.get, "post": calls.post, "put": calls.put, "token": calls.token}
        total = {verb: number + self._context.earlier.get(verb, 0) for verb, number in sent.items()}
        return {**total, "calls": sum(total.values())}

    def _outcome(self, ended: IdmsError | None) -> Outcome:
        counts = self._journal.counts()
        figures = {**counts.as_dict(), **self._calls()}
        if isinstance(ended, Interrupted):
            return Outcome("cancelled", str(ended), HINT_REST, 130, figures)
        if ended is not None:
            return Outcome("failed", str(ended), ended.hint, ended.exit_code, figures)
        if not counts.rejected:
            return Outcome("completed", counts=figures)
        rejected = f"{counts.rejected:,} of {counts.read:,} rows rejected"
        status = "failed" if counts.rejected == counts.read else "partial"
        return Outcome(status, rejected, exit_code=1, counts=figures)


HINT_REST = "Rows that were not sent are in the rejects file, which can be imported as it is."


def parse(document: Document, settings: Settings, connection: str) -> Import:
    """Check an import's `with:`. Raises `ProblemsFound` with all problems."""
    options = check(ImportOptions, document, at=("with",))
    problems: list[Problem] = []
    kind, name = _destination(options.destination, document, problems)
    _check_match(options, document, problems)
    source = settings.directory / options.source.path
    if options.source.format is None:
        _check_ending(source, document, problems)
    if problems:
        raise ProblemsFound(problems)
    return Import(options, source, kind, name, connection, settings, document)


def _destination(given: str | dict[str, str], document: Document, problems: list[Problem]) -> tuple[str, str | None]:
    at = ("with", "destination")
    word, name = (given, None) if isinstance(given, str) else next(iter(given.items()), ("", None))
    if word not in KINDS or (not isinstance(given, str) and len(given) != 1):
        hint = did_you_mean(word, KINDS) or f"Kinds of record: {', '.join(KINDS)}."
        problems.append(document.problem(at, "there is no such kind of record", hint=hint, value=word))
    elif KINDS[word].needs_name and not name:
        problems.append(document.problem(at, f"a {word} needs its name", hint=f"Write {{{word}: NAME}}."))
    elif name and not KINDS[word].needs_name:
        problems.append(document.problem(at, f"{word} has no name of its own", hint=f"Write destination: {word}."))
    return word, name


def _check_match(options: ImportOptions, document: Document, problems: list[Problem]) -> None:
    mapped = {name.strip().casefold() for name in options.map}
    for index, word in enumerate(options.match):
        if word.casefold() not in mapped:
            hint = did_you_mean(word, options.map) or "Records are found by mapped values: add it to map:."
            problems.append(document.problem(("with", "match", index), "matched on, but not mapped", hint=hint))
    if not options.match and options.action != "insert":
        hint = "Write the properties that tell one record from another, such as match: [ID]."
        problems.append(
            document.problem(("with", "action"), f"{options.action} needs match: to find the records", hint=hint)
        )


def _check_ending(source: Path, document: Document, problems: list[Problem]) -> None:
    try:
        format_of(source)
    except InputError as error:
        problems.append(document.problem(("with", "source", "path"), "the ending tells no format", hint=error.hint))


def _copy(source: Path, spool: Path) -> None:
    """Keep the file as it was: a resume needs the very same rows, whatever became of the original."""
    part = spool.with_name(f".{spool.name}.part")
    with open_source(source) as opened, part.open("wb") as file:
        shutil.copyfileobj(opened.stream, file, 1 << 20)
        opened.check_unchanged()
    part.chmod(0o600)
    part.replace(spool)


def _row_at(line: int, rows: Iterator[Row | BrokenRow]) -> Row | BrokenRow:
    return next(row for row in rows if row.line == line)


def _in_words(counts: Counts) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.as_dict().items() if number)
