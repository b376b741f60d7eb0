"""What to do with a mapped row, given the records it matches: pure decisions, no I/O."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from idms_cli.config.foreign import shortened
from idms_cli.errors import IdmsError
from idms_cli.files.places import in_words
from idms_cli.imis.kinds import Record, key_in_words
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.values import same
from idms_cli.records.conversions import show
from idms_cli.records.entry import MOST_PARTS, Entry, Verdict
from idms_cli.records.faults import Fault

Values = Mapping[str, Value]
LONGEST_SEARCHED = 60
"""Longer texts are not searched by: an address has an end."""


@dataclass(frozen=True)
class Rules:
    """What the job says about acting and matching. Names are the site's spelling."""

    action: str
    """insert, update, upsert or delete; an insert-matching is an insert once its contact is found."""
    match: tuple[str, ...]
    properties: Mapping[str, Property]
    on_multiple: str = "skip"
    """skip: reject the row; error: end the run before anything is written; all: act on each of the records."""
    skip_blank_match: bool = True
    only_changes: bool = True
    insert_only: bool = False
    """An upsert that leaves records alone which are there."""
    duplicates: str = "reject"
    """Rows of one key that say different things: reject all, or keep the first or the last."""
    appended: Mapping[str, str] = field(default_factory=dict)
    """Multi-select properties that what is new is added to -> what stands between their values."""
    trusts_rows: bool = True
    """Rows that say what their records have now are believed."""
    too_wide: Callable[[Collection[str]], str] = lambda _: ""
    """Why these of the match properties alone reach more records than a row may act on; empty when they do not."""
    exactly: bool = False
    """Somebody has approved the plan: a record that was changed since is left alone."""

    @property
    def alike_is_unchanged(self) -> bool:
        """Whether nothing is to be done for a row as soon as its one record says all that it says."""
        acts = self.action in {"update", "upsert"} and not self.insert_only
        return acts and self.only_changes and not self.appended

    @property
    def current_is_unchanged(self) -> bool:
        """Whether nothing is to be done for a row that says itself that its record has all that already."""
        return self.trusts_rows and self.alike_is_unchanged and self.on_multiple != "all" and not self.may_cross

    @property
    def may_cross(self) -> bool:
        """Whether rows with different keys may be about the same record, as one is looked for by less than another."""
        return len(self.match) > 1 and not self.skip_blank_match


def match_names(values: Values, rules: Rules, *, what: str = "record", of: str = "match") -> tuple[str, ...] | Fault:
    """The properties to look a row up by; a fault when a blank makes that unsafe.

    With `skip_blank_match` a row with any blank match value is rejected: fewer criteria could match the wrong record.
    Without it the blank ones are left out, but not all of them, nor so many that the contact alone is left.
    """
    blank = [name for name in rules.match if values.get(name) in (None, "")]
    if not blank:
        return rules.match
    if rules.skip_blank_match or len(blank) == len(rules.match):
        return Fault("match", ", ".join(blank), "blank-match", _blank_in_words(blank, rules, what, of))
    names = tuple(name for name in rules.match if name not in blank)
    if wide := rules.too_wide(names):
        return Fault("match", ", ".join(blank), "blank-match", f"{_are_blank(blank)}, and {wide}")
    return names


def classify(line: int, values: Values, match: Values, found: Sequence[Record], rules: Rules) -> list[Entry]:
    """The plan for one row: an entry for each record that it acts on, or one that says why it acts on none.

    Raises `IdmsError` when `on_multiple: error` meets several records.
    """
    if not found:
        return [_none(line, values, match, rules)]
    if len(found) > 1 and rules.on_multiple != "all":
        return [_many(line, match, found, rules)]
    if len(found) > MOST_PARTS:
        return [_too_many(line, match, found)]
    if rules.action == "insert" or rules.insert_only:
        return [_exists(line, match, found[0])]
    act = _delete if rules.action == "delete" else _update
    return [replace(act(line, values, match, record, rules), part=part) for part, record in enumerate(found)]


def already_there(entry: Entry, found: Sequence[Record], rules: Rules) -> Verdict | None:
    """What an insert becomes whose record somebody else has made since the plan; None where that is not for us to say.

    It may be what the row wants; or the row is to leave alone what is there.
    """
    if rules.action == "insert" or rules.insert_only:
        return entry.became("skipped", *_exists(entry.line, entry.match, found[0]).faults, key=found[0].key)
    if any(differences(entry.values, record, rules) for record in found):
        return None
    return entry.became("unchanged", key=found[0].key)


def differences(values: Values, record: Record, rules: Rules) -> dict[str, tuple[Value, Value]]:
    """Property -> (old, new) for everything that is to change; what a record was matched by never is."""
    wanted = values if not rules.appended else _added(values, record, rules.appended)
    return {
        name: (record.values.get(name), new)
        for name, new in wanted.items()
        if name not in rules.match and not same(new, record.values.get(name))
    }


def _added(values: Values, record: Record, appended: Mapping[str, str]) -> Values:
    """`values` with those of `appended` properties put behind what the record has; none of them twice."""
    added = {}
    for name in values.keys() & appended.keys():
        mark = appended[name]
        items = [*str(record.values.get(name) or "").split(mark), *str(values[name] or "").split(mark)]
        added[name] = mark.join(dict.fromkeys(item for item in map(str.strip, items) if item))
    return {**values, **added}


def changed_since(planned: Mapping[str, tuple[Value, Value]], record: Record) -> tuple[Fault, ...]:
    """What of a plan no longer holds: properties that had another value when it was made."""
    return tuple(
        Fault("send", name, "changed-since", f"{name} was {_quoted(old)} in the plan, and is {_quoted(now)} now")
        for name, (old, new) in planned.items()
        if not same(old, now := record.values.get(name)) and not same(new, now)
    )


def _quoted(value: Value) -> str:
    return f"'{shortened(show(value))}'" if value not in (None, "") else "blank"


def _too_many(line: int, match: Values, found: Sequence[Record]) -> Entry:
    message = f"{len(found):,} records match {match_in_words(match)}: at most {MOST_PARTS:,} can be acted on by one row"
    return Entry(line, "rejected", match=match, faults=(Fault("match", ", ".join(match), "many-matches", message),))


def _many(line: int, match: Values, found: Sequence[Record], rules: Rules) -> Entry:
    keys = ", ".join(key_in_words(record.key) for record in found[:5]) + (", ..." if len(found) > 5 else "")
    message = f"{len(found)} records match {match_in_words(match)}: {keys}"
    if rules.on_multiple == "error":
        raise IdmsError(
            f"{in_words(line)}: {message}",
            hint="Match on more fields, or let such rows be rejected with `on_multiple: skip`.",
        )
    return Entry(line, "rejected", match=match, faults=(Fault("match", ", ".join(match), "many-matches", message),))


def _none(line: int, values: Values, match: Values, rules: Rules) -> Entry:
    if rules.action == "delete":
        fault = Fault("match", ", ".join(match), "absent", f"no record has {match_in_words(match)}: nothing to delete")
        return Entry(line, "skipped", match=match, faults=(fault,))
    given_by_site = [name for name in match if rules.properties[name].read_only]
    if rules.action == "update" or given_by_site:
        new = f"; a new one gets its {', '.join(given_by_site)} from the site" if given_by_site else ""
        fault = Fault("match", ", ".join(match), "no-match", f"no record has {match_in_words(match)}{new}")
        return Entry(line, "rejected", match=match, faults=(fault,))
    missing = [
        Fault("plan", name, "required", f"{name} is needed for a new record")
        for name, prop in rules.properties.items()
        if prop.required and not prop.key and values.get(name) in (None, "")
    ]
    if missing:
        return Entry(line, "rejected", match=match, faults=tuple(missing))
    given = {name: value for name, value in values.items() if value not in (None, "")}
    changes = {name: (None, value) for name, value in given.items()}
    return Entry(line, "planned", "insert", match=match, values=given, changes=changes)


def _exists(line: int, match: Values, record: Record) -> Entry:
    fault = Fault("match", ", ".join(match), "exists", f"there is such a record already: {key_in_words(record.key)}")
    return Entry(line, "skipped", key=record.key, faults=(fault,))


def searchable(values: Values) -> dict[str, Value]:
    """Those of the values that the site can be asked for."""
    return {name: value for name, value in values.items() if len(str(value)) <= LONGEST_SEARCHED}


def what_goes(record: Record) -> dict[str, tuple[Value, Value]]:
    """Property -> (old, None) for all that is lost when the record is deleted."""
    return {name: (value, None) for name, value in record.values.items() if value not in (None, "")}


def _delete(line: int, _values: Values, match: Values, record: Record, _rules: Rules) -> Entry:
    return Entry(line, "planned", "delete", key=record.key, match=match, changes=what_goes(record))


def _update(line: int, values: Values, match: Values, record: Record, rules: Rules) -> Entry:
    changes = differences(values, record, rules)
    moved = [name for name in changes if rules.properties[name].key]
    if moved:
        faults = tuple(
            Fault(
                "match",
                name,
                "other-key",
                f"the record found has {name} {shortened(show(changes[name][0]))}; a key is not changed",
            )
            for name in moved
        )
        return Entry(line, "rejected", key=record.key, match=match, faults=faults)
    if not changes and rules.only_changes:
        return Entry(line, "unchanged", key=record.key)
    wanted = {name: value for name, value in values.items() if name not in rules.match}
    return Entry(line, "planned", "update", key=record.key, match=match, values=wanted, changes=changes)


def _blank_in_words(blank: Sequence[str], rules: Rules, what: str, of: str) -> str:
    if not rules.skip_blank_match:
        return f"{_are_blank(blank)}, and there is nothing left to look for"
    return f"{_are_blank(blank)}, and a {what} is not looked for by less than all of {of}"


def _are_blank(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} blank"


def match_in_words(match: Values) -> str:
    """`Email x@example.org, LastName Doe`, short and harmless."""
    return ", ".join(f"{name} {shortened(show(value))}" for name, value in match.items())
