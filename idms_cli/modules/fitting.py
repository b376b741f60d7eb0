"""A job's map, match and find, fitted to the columns of its source and to what the site says of its records."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from idms_cli.config.documents import Document
from idms_cli.config.matchoptions import MatchOptions
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.imis.codelists import CodeLists
from idms_cli.imis.definitions import NotDescribed
from idms_cli.imis.kinds import KINDS, Kind, names_one, open_kind
from idms_cli.imis.properties import Property
from idms_cli.modules.destination import HINT_WIDE, INSERTS, DestinationOptions, kind_of, match_of, says_all
from idms_cli.records.contacts import ContactFinder, Sought
from idms_cli.records.lookups import read_lookups
from idms_cli.records.mapping import BoundMapping, Columns, MapOptions, MapRefused, Rule, bind
from idms_cli.records.matching import Rules

if TYPE_CHECKING:
    from idms_cli.imis.site import Site


@dataclass(frozen=True)
class Fitting:
    """What a job says of records; asks the site, so every method may raise what `Kind.properties` raises.

    Mistakes of the job are raised as `ProblemsFound`.
    """

    options: DestinationOptions
    matching: MatchOptions
    """The `options:` in force."""
    source: str
    """What the source is called in messages: `the file`."""
    settings: Settings = field(repr=False)
    document: Document = field(repr=False)

    @property
    def kind(self) -> str:
        """The word that `KINDS` has."""
        return kind_of(self.options)[0]

    def described(self, kind: Kind) -> Mapping[str, Property]:
        """The properties of the kind. Raises `ProblemsFound` where the site has no such records."""
        try:
            return kind.properties()
        except NotDescribed as error:
            at = ("with", "destination", self.kind)
            raise ProblemsFound([self.document.problem(at, str(error), hint=error.hint)]) from error

    def refuse_wide_match(self, kind: Kind) -> None:
        """Only the site knows whether a contact has one row of a panel or many."""
        if self.may_be_wide() and (message := self._wide(self.described(kind), self.options.match)):
            raise ProblemsFound([self.document.problem(("with", "match"), message, hint=HINT_WIDE)])

    def may_be_wide(self) -> bool:
        """Whether it matches on the contact alone, in a kind of which a contact may have one record or many."""
        return KINDS[self.kind].site_knows and not self._may_reach_many() and self._is_owner(self.options.match)

    def _wide(self, properties: Mapping[str, Property], match: Collection[str]) -> str:
        """Why these match properties alone reach more records than a row of this job may act on; empty when not."""
        if self._may_reach_many():
            return ""
        if KINDS[self.kind].site_knows and self._is_owner(match) and not names_one(properties, match):
            _, name = kind_of(self.options)
            return f"the contact's ID alone matches every row of {name} that the contact has"
        return KINDS[self.kind].too_wide(self.options.action, match)

    def _may_reach_many(self) -> bool:
        return self.options.action in INSERTS or says_all(self.options, self.settings.given)

    def _is_owner(self, match: Collection[str]) -> bool:
        owner = {name.casefold() for name in KINDS[self.kind].owner}
        return bool(match) and owner.issuperset(map(str.casefold, match))

    def contacts(self, columns: Sequence[str], kind: Kind, site: "Site", lists: CodeLists) -> ContactFinder | None:
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
        sought = Sought(self._bound("find", columns, contacts, lists, matched=list(find)), target)
        return ContactFinder(contacts, sought, self.rules(contacts.properties()))

    def bound(self, columns: Sequence[str], kind: Kind, lists: CodeLists) -> BoundMapping:
        """The map, bound to columns."""
        return self._bound("map", columns, kind, lists, matched=self.options.match)

    def _bound(
        self,
        key: Literal["map", "find"],
        columns: Sequence[str],
        kind: Kind,
        lists: CodeLists,
        *,
        matched: Collection[str],
    ) -> BoundMapping:
        rules = self.options.map if key == "map" else self.options.find
        try:
            lookups = read_lookups(rules, self.settings.directory)
            properties = self._properties(kind, rules, lists)
            return bind(rules, Columns(columns, self.source), properties, matched=matched, lookups=lookups)
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

    def rules(self, properties: Mapping[str, Property]) -> Rules:
        """What the job says about acting and matching, in the site's spelling."""
        options = self.matching
        of_many = self.options.find and options.on_multiple == "all"  # a row is not put aside for one of its contacts
        spelled = {name.casefold(): name for name in properties}
        return Rules(
            action="insert" if self.options.action == "insert-matching" else self.options.action,
            match=tuple(spelled.get(word.casefold(), word) for word in match_of(self.options)),
            properties=properties,
            on_multiple=options.on_multiple,
            skip_blank_match=options.skip_blank_match,
            too_wide=partial(self._wide, properties),
            only_changes=options.only_changes,
            insert_only=options.insert_only,
            duplicates="reject" if of_many and options.duplicates == "last" else options.duplicates,
            appended={
                spelled.get(word.casefold(), word): rule.join
                for word, rule in self.options.map.items()
                if isinstance(rule, Rule) and rule.append
            },
        )
