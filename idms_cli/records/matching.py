"""What to do with a mapped row, given the records it matches: pure decisions, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from idms_cli.errors import IdmsError
from idms_cli.imis.kinds import Record
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.values import same
from idms_cli.records.conversions import show
from idms_cli.records.entry import Entry
from idms_cli.records.faults import Fault

Values = Mapping[str, Value]


@dataclass(frozen=True)
class Rules:
    """What the job says about acting and matching. Names are the site's spelling."""

    action: str
    """insert, update or upsert."""
    match: tuple[str, ...]
    properties: Mapping[str, Property]
    on_multiple: str = "skip"
    """skip: reject the row; error: end the run before anything is written."""
    skip_blank_match: bool = True
    only_changes: bool = True


def match_values(values: Values, rules: Rules) -> Values | Fault:
    """What to look a row up by; a fault when a blank makes that unsafe.

    With `skip_blank_match` a row with any blank match value is rejected: fewer criteria could match the wrong record.
    Without it the blank ones are left out, but not all of them.
    """
    blank = [name for name in rules.match if values.get(name) in (None, "")]
    if blank and (rules.skip_blank_match or len(blank) == len(rules.match)):
        return Fault("match", ", ".join(blank), "blank-match", "a blank value is not used to find a record")
    return {name: values[name] for name in rules.match if name not in blank}


def digest(values: Values) -> bytes:
    """16 bytes that are the same for the same values, without regard to case: how the site's database compares."""
    text = repr(sorted((name, show(value).strip().casefold()) for name, value in values.items()))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def content_digest(values: Values) -> bytes:
    """The same for a whole row, exactly."""
    text = repr(sorted((name, show(value)) for name, value in values.items()))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def classify(line: int, values: Values, match: Values, found: Sequence[Record], rules: Rules) -> Entry:
    """The plan for one row. Raises `IdmsError` when `on_multiple: error` meets several records."""
    if len(found) > 1:
        return _many(line, match, found, rules)
    if not found:
        return _none(line, values, match, rules)
    if rules.action == "insert":
        fault = Fault("match", ", ".join(match), "exists", f"there is such a record already: {_key(found[0])}")
        return Entry(line, "skipped", key=found[0].key, faults=(fault,))
    return _one(line, values, match, found[0], rules)


def differences(values: Values, record: Record, rules: Rules) -> dict[str, tuple[Value, Value]]:
    """Property -> (old, new) for everything that is to change; what a record was matched by never is."""
    return {
        name: (record.values.get(name), new)
        for name, new in values.items()
        if name not in rules.match and not same(new, record.values.get(name))
    }


def _many(line: int, match: Values, found: Sequence[Record], rules: Rules) -> Entry:
    keys = ", ".join(_key(record) for record in found[:5]) + (", ..." if len(found) > 5 else "")
    by = ", ".join(f"{name} {show(value)}" for name, value in match.items())
    message = f"{len(found)} records match {by}: {keys}"
    if rules.on_multiple == "error":
        raise IdmsError(
            f"line {line}: {message}",
            hint="Match on more fields, or let such rows be rejected with `on_multiple: skip`.",
        )
    return Entry(line, "rejected", match=match, faults=(Fault("match", ", ".join(match), "many-matches", message),))


def _none(line: int, values: Values, match: Values, rules: Rules) -> Entry:
    if rules.action == "update":
        by = ", ".join(f"{name} {show(value)}" for name, value in match.items())
        fault = Fault("match", ", ".join(match), "no-match", f"no record has {by}")
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


def _one(line: int, values: Values, match: Values, record: Record, rules: Rules) -> Entry:
    changes = differences(values, record, rules)
    moved = [name for name in changes if rules.properties[name].key]
    if moved:
        faults = tuple(
            Fault(
                "match",
                name,
                "other-key",
                f"the record found has {name} {show(changes[name][0])}; a key is not changed",
            )
            for name in moved
        )
        return Entry(line, "rejected", key=record.key, match=match, faults=faults)
    if not changes and rules.only_changes:
        return Entry(line, "unchanged", key=record.key)
    wanted = {name: value for name, value in values.items() if name not in rules.match}
    return Entry(line, "planned", "update", key=record.key, match=match, values=wanted, changes=changes)


def _key(record: Record) -> str:
    return "|".join(record.key)
