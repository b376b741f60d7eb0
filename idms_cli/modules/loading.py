"""Rows become records: the work of every module that plans, writes and journals them, wherever they come from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from idms_cli.config.documents import Document
from idms_cli.config.matchoptions import Elsewhere, MatchOptions, in_force
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.files.origins.options import Misfit
from idms_cli.files.spool import Taken
from idms_cli.imis.codelists import CodeLists
from idms_cli.imis.kinds import KINDS, Kind, open_kind
from idms_cli.modules import DataLock, OnlineCheck, Outcome, RunContext, SiteOf
from idms_cli.modules.access import RunSites
from idms_cli.modules.attempt import Attempt, Task, close_attempt
from idms_cli.modules.destination import DestinationOptions, kind_of, match_of
from idms_cli.modules.fitting import Fitting
from idms_cli.modules.source import Source
from idms_cli.records.journal import open_journal
from idms_cli.records.mapping import columns_of
from idms_cli.records.undo import TakeBack

if TYPE_CHECKING:
    from idms_cli.imis.site import Site


@dataclass(frozen=True)
class Loading:
    """A checked job that loads rows."""

    options: DestinationOptions
    source: Source
    connection: str
    settings: Settings = field(repr=False)
    document: Document = field(repr=False)

    @cached_property
    def _in_force(self) -> tuple[MatchOptions, Elsewhere]:
        """The `options:` in force, and those of them that the job does not say."""
        return in_force(self.settings.defaults.options, self.options.options, self.settings.given)

    @cached_property
    def _fitting(self) -> Fitting:
        return Fitting(self.options, self._in_force[0], self.source.noun, self.settings, self.document)

    def describe(self) -> str:
        kind, name = kind_of(self.options)
        match = match_of(self.options)
        found_by = f", found by {', '.join(match)}" if match else ""
        if self.options.find:
            found_by = f", for the contact found by {', '.join(self.options.find)}{self._once()}"
        where = " ".join(filter(None, (kind, name)))
        source = self.source.describe()
        return f"{self.options.action} {where} on {self.connection} from {source}{found_by}{self._reach()}"

    def _once(self) -> str:
        match = match_of(self.options)
        return f", unless there is one by {', '.join(match)}" if match else ""

    def _reach(self) -> str:
        """A row that acts on many records is told before it does; or that only the site knows whether it would."""
        if self._fitting.may_be_wide():
            return "; refused where a contact may have several, which only the site knows: idms check --online"
        if self._in_force[0].on_multiple != "all" or self.options.action == "insert":
            return ""
        if self.options.action == "insert-matching":
            return "; one for each contact that is found"
        limit = "max_deletes" if self.options.action == "delete" else "max_changes"
        unguarded = self.document.at(("guard", limit)) is None
        return "; a row acts on all records that match" + (f", and no guard has {limit}" if unguarded else "")

    def locks(self) -> tuple[DataLock, ...]:
        kind, name = kind_of(self.options)
        entity = (KINDS[kind].entity or name or kind).casefold()
        written = f"imis:{self.connection}/{entity}"
        contacts = f"imis:{self.connection}/{KINDS['contact'].entity.casefold()}"
        return (
            *self.source.locks(),
            DataLock(written, write=True),
            *([DataLock(contacts, write=False)] if self.options.find and contacts != written else []),
        )

    def options_from_elsewhere(self) -> Elsewhere:
        return self._in_force[1]

    def refuse_changed(self, directory: Path) -> Sequence[Taken]:
        return self.source.refuse_changed(directory)

    def looks_first(self) -> bool:
        return bool(match_of(self.options))

    def close(self, directory: Path, why: str) -> None:
        close_attempt(directory, self.source.opened, why)

    def aftercare(self, context: RunContext, outcome: Outcome) -> Callable[[], Outcome] | None:
        return self.source.aftercare(context, outcome)

    def run(self, context: RunContext) -> Outcome:
        with RunSites(self.settings, log=context.log, patient=context.patient) as sites:
            if ended := self.source.take_in(context, sites.of):
                return ended
            with open_journal(context.directory) as journal:
                site = sites.of(self.connection)
                kind = open_kind(site, *kind_of(self.options))
                self._fitting.refuse_wide_match(kind)
                return Attempt(self._task(kind, site, sites), context, journal, site, kind).run()

    def check_online(self, site_of: SiteOf) -> OnlineCheck:
        said = self.source.check_online(site_of)
        site = site_of(self.connection)
        kind = open_kind(site, *kind_of(self.options))
        try:
            self._fitting.described(kind)
            found = tuple(self._told_of(kind, site, said.columns))
        except ProblemsFound as missing:
            found = missing.problems
        return OnlineCheck((*self._placed(said.problems), *found), self._placed(said.warnings))

    def _placed(self, said: Iterable[Misfit]) -> tuple[Problem, ...]:
        return tuple(
            self.document.problem(("with", "source", *one.key), one.message, hint=one.hint, on_key=True, value="")
            for one in said
        )

    def _told_of(self, kind: Kind, site: "Site", columns: Sequence[str] | None) -> Iterator[Problem]:
        """What a run would find out of itself, were each thing the only one that is wrong."""
        lists, options, fitting = CodeLists(site), self.options, self._fitting
        for look in (
            lambda: fitting.refuse_wide_match(kind),
            lambda: fitting.bound(columns or columns_of(options.map), kind, lists),
            lambda: fitting.contacts(columns or columns_of(options.find), kind, site, lists),
        ):
            try:
                look()
            except ProblemsFound as found:
                yield from found.problems

    def _task(self, kind: Kind, site: "Site", sites: RunSites) -> Task:
        entry, fitting, lists = KINDS[kind_of(self.options)[0]], self._fitting, CodeLists(site)
        return Task(
            opened=self.source.opened,
            bound=lambda table: fitting.bound(table.columns, kind, lists),
            contacts=lambda table: fitting.contacts(table.columns, kind, site, lists),
            rules=lambda: fitting.rules(fitting.described(kind)),
            tells_numbers=self.source.tells_numbers,
            read=self._in_force[0].read,
            take_back=TakeBack(entry.why_not("delete"), entry.put_back_with),
            settle_s=self.settings.connections[self.connection].settle.total_seconds(),
            calls=sites.calls,
        )
