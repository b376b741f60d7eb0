"""Import: the rows of a file become records in iMIS."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from idms_cli.config.checked import check
from idms_cli.config.documents import Document
from idms_cli.config.matchoptions import Elsewhere, MatchOptions, in_force
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.files import FORMATS, Table
from idms_cli.files.spool import Taken
from idms_cli.imis.codelists import CodeLists
from idms_cli.imis.kinds import KINDS, Kind, names_one, open_kind
from idms_cli.imis.properties import Property
from idms_cli.imis.site import Site
from idms_cli.modules import DataLock, Outcome, RunContext
from idms_cli.modules.access import site_access
from idms_cli.modules.attempt import Attempt, Task, close_attempt
from idms_cli.modules.destination import HINT_WIDE, INSERTS, DestinationOptions, kind_of, problems_of, says_all
from idms_cli.modules.filesource import FileSource, SourceOptions
from idms_cli.records.contacts import ContactFinder, Sought
from idms_cli.records.journal import open_journal
from idms_cli.records.lookups import read_lookups
from idms_cli.records.mapping import BoundMapping, MapOptions, MapRefused, Rule, bind
from idms_cli.records.matching import Rules
from idms_cli.records.undo import TakeBack


class ImportOptions(DestinationOptions):
    """The `with:` of an import."""

    source: SourceOptions


@dataclass(frozen=True)
class Import:
    """A checked import."""

    options: ImportOptions
    matching: MatchOptions
    """The `options:` in force."""
    elsewhere: Elsewhere
    """Those of them that the job does not say."""
    source: FileSource
    kind: str
    kind_name: str | None
    connection: str
    settings: Settings = field(repr=False)
    document: Document = field(repr=False)

    def describe(self) -> str:
        where = f"{self.kind} {self.kind_name}" if self.kind_name else self.kind
        found_by = f", found by {', '.join(self.options.match)}" if self.options.match else ""
        if self.options.find:
            found_by = f", for the contact found by {', '.join(self.options.find)}{self._once()}"
        source = self.options.source.path.shown
        return f"{self.options.action} {where} on {self.connection} from {source}{found_by}{self._reach()}"

    def _once(self) -> str:
        return f", unless there is one by {', '.join(self.options.match)}" if self.options.match else ""

    def _reach(self) -> str:
        """A row that acts on many records is told before it does."""
        if self.matching.on_multiple != "all" or self.options.action == "insert":
            return ""
        if self.options.action == "insert-matching":
            return "; one for each contact that is found"
        limit = "max_deletes" if self.options.action == "delete" else "max_changes"
        unguarded = self.document.at(("guard", limit)) is None
        return "; a row acts on all records that match" + (f", and no guard has {limit}" if unguarded else "")

    def locks(self) -> tuple[DataLock, ...]:
        entity = (KINDS[self.kind].entity or self.kind_name or self.kind).casefold()
        written = f"imis:{self.connection}/{entity}"
        contacts = f"imis:{self.connection}/{KINDS['contact'].entity.casefold()}"
        return (
            *self.source.locks(),
            DataLock(written, write=True),
            *([DataLock(contacts, write=False)] if self.options.find and contacts != written else []),
        )

    def options_from_elsewhere(self) -> Elsewhere:
        return self.elsewhere

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
            return Attempt(self._task(kind, site, CodeLists(site)), context, journal, site, kind).run()

    def _refuse_wide_match(self, kind: Kind) -> None:
        """Only the site knows whether a contact has one row of a panel or many."""
        entry, match = KINDS[self.kind], self.options.match
        owner = {name.casefold() for name in entry.owner}
        if not entry.site_knows or self.options.action in INSERTS or says_all(self.options, self.settings.given):
            return
        if owner.issuperset(map(str.casefold, match)) and match and not names_one(kind.properties(), match):
            message = f"the contact's ID alone matches every row of {kind.entity} that the contact has"
            raise ProblemsFound([self.document.problem(("with", "match"), message, hint=HINT_WIDE)])

    def _task(self, kind: Kind, site: Site, lists: CodeLists) -> Task:
        connection = self.settings.connections[self.connection]
        return Task(
            opened=self.source.opened,
            bound=lambda table: self._bound("map", table, kind, lists, matched=self.options.match),
            contacts=lambda table: self._contacts(table, kind, site, lists),
            rules=lambda: self._rules(kind.properties()),
            tells_numbers=FORMATS[self.source.file_format].tells_numbers,
            read=self.matching.read,
            take_back=TakeBack(KINDS[self.kind].why_not("delete"), KINDS[self.kind].put_back_with),
            settle_s=connection.settle.total_seconds(),
        )

    def _contacts(self, table: Table, kind: Kind, site: Site, lists: CodeLists) -> ContactFinder | None:
        """Finds the contacts of an insert-matching."""
        find = self.options.find
        if not find:
            return None
        spelled = {name.casefold(): name for name in kind.properties()}
        target = next((spelled[one.casefold()] for one in KINDS[self.kind].contact if one.casefold() in spelled), None)
        if target is None:
            message = f"a row of {kind.entity} belongs to no contact"
            raise ProblemsFound([self.document.problem(("with", "action"), message, hint="Write action: insert.")])
        contacts = open_kind(site, "contact", None)
        sought = Sought(self._bound("find", table, contacts, lists, matched=list(find)), target)
        return ContactFinder(contacts, sought, self._rules(contacts.properties()))

    def _bound(
        self, key: Literal["map", "find"], table: Table, kind: Kind, lists: CodeLists, *, matched: Collection[str]
    ) -> BoundMapping:
        rules = self.options.map if key == "map" else self.options.find
        try:
            lookups = read_lookups(rules, self.settings.directory)
            return bind(rules, table.columns, self._properties(kind, rules, lists), matched=matched, lookups=lookups)
        except MapRefused as refused:
            raise ProblemsFound(
                self.document.problem(("with", key, one.word), one.message, hint=one.hint, on_key=True, value="")
                for one in refused.faults
            ) from None

    def _properties(self, kind: Kind, rules: MapOptions, lists: CodeLists) -> Mapping[str, Property]:
        """With the codes of those that are mapped, wherever the site keeps them; or with none at all."""
        properties = kind.properties()
        if not self.matching.validate_codes:
            return {name: replace(one, choices=()) for name, one in properties.items()}
        mapped = {word.strip().casefold() for word in rules}
        return {
            name: replace(one, choices=lists.codes(one)) if one.code_list and name.casefold() in mapped else one
            for name, one in properties.items()
        }

    def _rules(self, properties: Mapping[str, Property]) -> Rules:
        options = self.matching
        of_many = self.options.find and options.on_multiple == "all"  # a row is not put aside for one of its contacts
        spelled = {name.casefold(): name for name in properties}
        return Rules(
            action="insert" if self.options.action == "insert-matching" else self.options.action,
            match=tuple(spelled.get(word.casefold(), word) for word in self.options.match),
            properties=properties,
            on_multiple=options.on_multiple,
            skip_blank_match=options.skip_blank_match,
            only_changes=options.only_changes,
            insert_only=options.insert_only,
            duplicates="reject" if of_many and options.duplicates == "last" else options.duplicates,
            appended={
                spelled.get(word.casefold(), word): rule.join
                for word, rule in self.options.map.items()
                if isinstance(rule, Rule) and rule.append
            },
        )


def parse(document: Document, settings: Settings, connection: str) -> Import:
    """Check an import's `with:`. Raises `ProblemsFound` with all problems."""
    options = check(ImportOptions, document, at=("with",))
    problems = list(problems_of(options, document, settings.given))
    kind, name = kind_of(options)
    source = FileSource.of(options.source, settings)
    for each in source.problems():
        at = ("with", "source", *each.key)
        problems.append(document.problem(at, each.message, hint=each.hint, on_key=True, value=""))
    if problems:
        raise ProblemsFound(problems)
    matching, elsewhere = in_force(settings.defaults.options, options.options, settings.given)
    return Import(options, matching, elsewhere, source, kind, name, connection, settings, document)
