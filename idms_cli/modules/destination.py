"""What a job does with which records, and how it finds them: the words of `with:`, checked without the site."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from idms_cli.config.checked import Section
from idms_cli.config.documents import Document
from idms_cli.config.matchoptions import MatchOptions, in_force
from idms_cli.config.problems import Problem
from idms_cli.config.spelling import did_you_mean
from idms_cli.imis.kinds import KINDS
from idms_cli.records.mapping import MapOptions

Action = Literal["insert", "insert-matching", "update", "upsert", "delete"]

INSERTS = frozenset({"insert", "insert-matching"})
"""Actions that never touch a record that is there."""

HINT_WIDE = "Match on more, up to the whole key; or act on all of them: options: {on_multiple: all}."


class DestinationOptions(Section):
    """The part of `with:` that says what becomes of the rows."""

    destination: str | dict[str, str]
    action: Action
    find: MapOptions = Field(default_factory=dict, description="For insert-matching: what a row says of its contact.")
    match: list[str] = Field(default_factory=list)
    map: MapOptions = Field(min_length=1)
    options: MatchOptions = Field(default_factory=MatchOptions)


def kind_of(options: DestinationOptions) -> tuple[str, str | None]:
    """The kind of record, and its name where the kind needs one; as the job says, known or not."""
    given = options.destination
    return (given, None) if isinstance(given, str) else next(iter(given.items()), ("", None))


def match_of(options: DestinationOptions) -> list[str]:
    """What records are found by: as the job says; or the key that an insert of its kind looks by, if it is known."""
    kind, _ = kind_of(options)
    if options.match or options.action not in INSERTS or kind not in KINDS:
        return options.match
    known = {word.strip().casefold() for word in options.map}
    if options.action == "insert-matching":
        known |= _contact_words(options)
    key = KINDS[kind].looked_for_by
    return [*key] if known.issuperset(map(str.casefold, key)) else []


def problems_of(options: DestinationOptions, document: Document, given: MatchOptions) -> Iterator[Problem]:
    """Everything that is wrong with the destination, whatever the site says; `given` is of the command line."""
    yield from _of_destination(options, document)
    yield from _of_match(options, document)
    yield from _of_find(options, document)
    yield from _of_action(options, document, says_all=says_all(options, given))


def says_all(options: DestinationOptions, given: MatchOptions) -> bool:
    """Whether the job or its caller says that a row acts on all that it finds. That the site does is not enough."""
    merged, _ = in_force(MatchOptions(), options.options, given)
    return merged.on_multiple == "all"


def _of_destination(options: DestinationOptions, document: Document) -> Iterator[Problem]:
    at = ("with", "destination")
    word, name = kind_of(options)
    if word not in KINDS or (isinstance(options.destination, dict) and len(options.destination) != 1):
        hint = did_you_mean(word, KINDS) or f"Kinds of record: {', '.join(KINDS)}."
        yield document.problem(at, "there is no such kind of record", hint=hint, value=word)
    elif KINDS[word].needs_name and not name:
        yield document.problem(at, f"a {word} needs its name", hint=f"Write {{{word}: NAME}}.")
    elif name and not KINDS[word].needs_name:
        yield document.problem(at, f"{word} has no name of its own", hint=f"Write destination: {word}.")


def _of_match(options: DestinationOptions, document: Document) -> Iterator[Problem]:
    known = {name.strip().casefold() for name in options.map}
    if options.action == "insert-matching":
        known |= _contact_words(options)
    for index, word in enumerate(options.match):
        if word.casefold() not in known:
            hint = did_you_mean(word, options.map) or "Records are found by mapped values: add it to map:."
            yield document.problem(("with", "match", index), "matched on, but not mapped", hint=hint)
    if not options.match and options.action not in INSERTS:
        hint = "Write the properties that tell one record from another, such as match: [ID]."
        yield document.problem(("with", "action"), f"{options.action} needs match: to find the records", hint=hint)


def _of_find(options: DestinationOptions, document: Document) -> Iterator[Problem]:
    if options.action != "insert-matching":
        if options.find:
            hint = "Write action: insert-matching; other actions find records by match:."
            yield document.problem(("with", "find"), "only insert-matching finds contacts", hint=hint, on_key=True)
        return
    if not options.find:
        hint = "Write what a row says of its contact, such as find: {Email: email, LastName: last}."
        message = "insert-matching needs find: to find the contact"
        yield document.problem(("with", "action"), message, hint=hint)
    filled = _contact_words(options)
    for word in options.map:
        if word.strip().casefold() in filled:
            hint = "Take it out of map:; where the file has the contact's ID, write action: insert."
            message = "the contact's ID comes from find:"
            yield document.problem(("with", "map", word), message, hint=hint, on_key=True, value="")


def _of_action(options: DestinationOptions, document: Document, *, says_all: bool) -> Iterator[Problem]:
    kind, _ = kind_of(options)
    if kind not in KINDS:
        return
    refused = KINDS[kind].why_not(options.action)
    wide = "" if says_all else KINDS[kind].too_wide(options.action, options.match)
    if refused:
        yield document.problem(("with", "action"), refused, hint="Choose another action.")
    elif wide:
        yield document.problem(("with", "match"), wide, hint=HINT_WIDE)


def _contact_words(options: DestinationOptions) -> set[str]:
    kind, _ = kind_of(options)
    return {name.casefold() for name in KINDS[kind].contact} if kind in KINDS else set()
