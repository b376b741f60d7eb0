"""Import: the rows of a file become records in iMIS."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from idms_cli.config.checked import Section, check
from idms_cli.config.documents import Document
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.files import FORMATS, Table
from idms_cli.files.spool import Taken
from idms_cli.imis.kinds import KINDS, Kind, names_one, open_kind
from idms_cli.imis.properties import Property
from idms_cli.imis.site import Site
from idms_cli.modules import DataLock, Outcome, RunContext
from idms_cli.modules.access import site_access
from idms_cli.modules.attempt import Attempt, Task, close_attempt
from idms_cli.modules.filesource import FileSource, SourceOptions
from idms_cli.records.journal import open_journal
from idms_cli.records.lookups import read_lookups
from idms_cli.records.mapping import BoundMapping, MapOptions, MapRefused, Rule, bind
from idms_cli.records.matching import Rules


class MatchOptions(Section):
    """How careful to be; every default is the safe choice."""

    on_multiple: Literal["skip", "error"] = "skip"
    skip_blank_match: bool = True
    only_changes: bool = True
    insert_only: bool = False
    duplicates: Literal["reject", "first", "last"] = "reject"
    validate_codes: bool = True
    read: Literal["record", "snapshot", "auto"] = "auto"


class ImportOptions(Section):
    """The `with:` of an import."""

    source: SourceOptions
    destination: str | dict[str, str]
    action: Literal["insert", "update", "upsert", "delete"]
    match: list[str] = Field(default_factory=list)
    map: MapOptions = Field(min_length=1)
    options: MatchOptions = MatchOptions()


@dataclass(frozen=True)
class Import:
    """A checked import."""

    options: ImportOptions
    source: FileSource
    kind: str
    kind_name: str | None
    connection: str
    settings: Settings = field(repr=False)
    document: Document = field(repr=False)

    def describe(self) -> str:
        where = f"{self.kind} {self.kind_name}" if self.kind_name else self.kind
        found_by = f", found by {', '.join(self.options.match)}" if self.options.match else ""
        return f"{self.options.action} {where} on {self.connection} from {self.options.source.path.shown}{found_by}"

    def locks(self) -> tuple[DataLock, ...]:
        entity = (KINDS[self.kind].entity or self.kind_name or self.kind).casefold()
        return (
            self.source.lock(),
            DataLock(f"imis:{self.connection}/{entity}", write=True),
        )

    def refuse_changed(self, directory: Path) -> Sequence[Taken]:
        return self.source.refuse_changed(directory)

    def looks_first(self) -> bool:
        return bool(self.options.match)

    def close(self, directory: Path, why: str) -> None:
        close_attempt(directory, self.source.opened, why)

    def aftercare(self, context: RunContext, outcome: Outcome) -> Callable[[], Outcome] | None:
        return self.source.aftercare(context, outcome)

    def run(self, context: RunContext) -> Outcome:
        if ended := self.source.take_in(context):
            return ended
        connection = self.settings.connections[self.connection]
        access = site_access(connection, self.connection, self.settings, patient=context.patient)
        with open_journal(context.directory) as journal, Site(access, log=context.log) as site:
            kind = open_kind(site, self.kind, self.kind_name)
            self._refuse_wide_match(kind)
            return Attempt(self._task(kind), context, journal, site, kind).run()

    def _refuse_wide_match(self, kind: Kind) -> None:
        """Only the site knows whether a contact has one row of a panel or many."""
        entry, match = KINDS[self.kind], self.options.match
        owner = {name.casefold() for name in entry.owner}
        if not entry.site_knows or self.options.action == "insert" or not owner.issuperset(map(str.casefold, match)):
            return
        if match and not names_one(kind.properties(), match):
            message = f"the contact's ID alone matches every row of {kind.entity} that the contact has"
            hint = "Match on more, up to the whole key."
            raise ProblemsFound([self.document.problem(("with", "match"), message, hint=hint)])

    def _task(self, kind: Kind) -> Task:
        connection = self.settings.connections[self.connection]
        return Task(
            opened=self.source.opened,
            bound=lambda table: self._bind(table, kind),
            rules=lambda: self._rules(kind.properties()),
            tells_numbers=FORMATS[self.source.file_format].tells_numbers,
            read=self.options.options.read,
            why_not_delete=KINDS[self.kind].why_not("delete"),
            settle_s=connection.settle.total_seconds(),
        )

    def _bind(self, table: Table, kind: Kind) -> BoundMapping:
        options = self.options
        try:
            lookups = read_lookups(options.map, self.settings.directory)
            return bind(options.map, table.columns, self._properties(kind), matched=options.match, lookups=lookups)
        except MapRefused as refused:
            raise ProblemsFound(
                self.document.problem(("with", "map", one.word), one.message, hint=one.hint, on_key=True, value="")
                for one in refused.faults
            ) from None

    def _properties(self, kind: Kind) -> Mapping[str, Property]:
        properties = kind.properties()
        if self.options.options.validate_codes:
            return properties
        return {name: replace(one, choices=()) for name, one in properties.items()}

    def _rules(self, properties: Mapping[str, Property]) -> Rules:
        options = self.options.options
        spelled = {name.casefold(): name for name in properties}
        return Rules(
            action=self.options.action,
            match=tuple(spelled.get(word.casefold(), word) for word in self.options.match),
            properties=properties,
            on_multiple=options.on_multiple,
            skip_blank_match=options.skip_blank_match,
            only_changes=options.only_changes,
            insert_only=options.insert_only,
            duplicates=options.duplicates,
            appended={
                spelled.get(word.casefold(), word): rule.join
                for word, rule in self.options.map.items()
                if isinstance(rule, Rule) and rule.append
            },
        )


def parse(document: Document, settings: Settings, connection: str) -> Import:
    """Check an import's `with:`. Raises `ProblemsFound` with all problems."""
    options = check(ImportOptions, document, at=("with",))
    problems: list[Problem] = []
    kind, name = _destination(options.destination, document, problems)
    _check_match(options, document, problems)
    _check_action(options, kind, document, problems)
    source = FileSource.of(options.source, settings)
    for each in source.problems():
        at = ("with", "source", *each.key)
        problems.append(document.problem(at, each.message, hint=each.hint, on_key=True, value=""))
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


def _check_action(options: ImportOptions, kind: str, document: Document, problems: list[Problem]) -> None:
    if kind not in KINDS:
        return
    refused = KINDS[kind].why_not(options.action)
    wide = KINDS[kind].too_wide(options.action, options.match)
    if refused:
        problems.append(document.problem(("with", "action"), refused, hint="Choose another action."))
    elif wide:
        problems.append(document.problem(("with", "match"), wide, hint="Match on more, up to the whole key."))
