"""A first version of a job, from the columns of a file or query and what the site says of the records they go to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from idms_cli.config.foreign import shortened
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.imis.kinds import KINDS, Entry, names_one, open_kind
from idms_cli.imis.properties import Property
from idms_cli.imis.site import Site
from idms_cli.modules.access import site_access
from idms_cli.modules.guessing import Guess, Sample, guess_map, guess_match
from idms_cli.modules.jobtext import CHECK, Drafted, quoted
from idms_cli.modules.sampling import Sampled, of_file, of_query

_WAYS_TO_A_CONTACT = (("ID",), ("PartyId",), ("Email",), ("FirstName", "LastName"))
_ALSO = {"activity": ("TRANSACTION_DATE",)}
"""What it takes beside the required properties to tell one record from another."""


@dataclass(frozen=True)
class Destination:
    """A kind of record."""

    kind: str
    name: str | None = None


@dataclass(frozen=True)
class Draft:
    """The text of a job file, and how sure it is."""

    text: str
    columns: int
    mapped: int
    doubts: int
    """Lines that are marked `check`."""


def destination(word: str) -> Destination:
    """The kind of record that `contact` or `panel:ABC_Scores` means. Raises `InputError`."""
    kind, _, name = word.partition(":")
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"Kinds of record: {', '.join(KINDS)}."
        raise InputError(f"there is no kind of record '{shortened(kind)}'", hint=hint)
    if KINDS[kind].needs_name and not name:
        raise InputError(f"a {kind} needs its name", hint=f"Write --to {kind}:NAME.")
    if name and not KINDS[kind].needs_name:
        raise InputError(f"{kind} has no name of its own", hint=f"Write --to {kind}.")
    return Destination(kind, name or None)


def draft(source: Path | str, to: Destination, settings: Settings, *, job: str, connection: str) -> Draft:
    """A job that brings the rows of `source`, a file or the path of a query, into records.

    Reads the first rows, and asks the site for the properties: a few calls, nothing is written. Raises `InputError`
    for a file, query or name that is wrong, `Unreachable` and `LoginRefused`.
    """
    read = None if isinstance(source, str) else of_file(source, settings)
    with Site(site_access(settings.connections[connection], connection, settings)) as site:
        kind = open_kind(site, to.kind, to.name)
        properties = kind.properties()
        named = Destination(to.kind, kind.entity if to.name else None)
        found = of_query(site, str(source)) if read is None else read
    entry, sample = KINDS[to.kind], found.sample
    guesses = guess_map(sample, properties, entry.owner)
    match = _match(named, entry, sample, guesses, properties)
    mapped = [one for one in guesses if not one.target.read_only or one.target.name in match]
    taken = {one.target.name for one in mapped}
    free = [one for name, one in properties.items() if name not in taken and not one.read_only]
    wanted = {one.name for one in free if one.required or (one.key and to.kind != "contact")}
    wanted |= set() if taken.intersection(entry.owner) else set(_whose(entry, properties))
    drafted = Drafted(
        job=job,
        module=found.module,
        name=found.name,
        source=found.source,
        source_doubt=found.doubt,
        records=f"{named.name or named.kind} records",
        destination=f"{{{named.kind}: {quoted(named.name)}}}" if named.name else named.kind,
        connection="" if connection == settings.defaults.connection else connection,
        action=_action(entry, found),
        match=match,
        match_doubt="" if names_one(properties, match) else "is this what tells one record from another?",
        guesses=mapped,
        unmapped=[column for column in sample.columns if column not in {one.column for one in mapped}],
        missing=[one for one in properties.values() if one.name in wanted],
        others=[one for one in free if one.name not in wanted],
        notes=found.notes,
    )
    text = drafted.text()
    return Draft(text, len(sample.columns), len(mapped), text.count(CHECK))


def _action(entry: Entry, found: Sampled) -> str:
    """A query is mostly of what is there."""
    if entry.why_not("upsert"):
        return "insert"
    return "update" if found.module == "update" else "upsert"


def _whose(entry: Entry, properties: Mapping[str, Property]) -> list[str]:
    """The property that says whose record it is, where there is one."""
    return [name for name in entry.owner if name in properties][:1]


def _match(
    to: Destination, entry: Entry, sample: Sample, guesses: Sequence[Guess], properties: Mapping[str, Property]
) -> tuple[str, ...]:
    """What tells one record from another, as far as it can be told; empty for a kind that is only inserted."""
    if entry.why_not("upsert"):
        return ()
    mapped = {guess.target.name for guess in guesses}
    if to.kind == "contact":
        return next((way for way in _WAYS_TO_A_CONTACT if mapped.issuperset(way)), ())
    keys = tuple(name for name, one in properties.items() if one.key)
    if keys and mapped.issuperset(keys):
        return keys
    needed = [name for name, one in properties.items() if one.required and not one.key]
    owner = [name for name in entry.owner if name in mapped][:1]
    if not owner and _whose(entry, properties):
        return ()  # without its contact, a record would be taken for one of somebody else's
    base = dict.fromkeys([*owner, *needed, *_ALSO.get(to.kind, ())])

    def is_too_wide(names: Sequence[str]) -> bool:
        only_owner = entry.site_knows and set(names) <= set(entry.owner) and not names_one(properties, names)
        return only_owner or bool(entry.too_wide("upsert", names))

    return guess_match(sample, [one for one in guesses if not one.target.read_only], list(base), is_too_wide)
