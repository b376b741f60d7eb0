"""The text of a drafted job: YAML with a comment wherever somebody has to look or to decide."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from idms_cli.config.foreign import harmless, shortened
from idms_cli.imis.properties import Property
from idms_cli.modules.guessing import Guess

CHECK = "# check: "

_PLAIN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_. -]*[A-Za-z0-9_.-])?")
_WORDS = ("true", "false", "null")
_COMMENT_AT = 46
_MOST_CODES = 8
_TYPES = {
    "Integer": "whole number",
    "Decimal": "number",
    "Monetary": "money",
    "Boolean": "true or false",
    "Date": "date",
}


@dataclass(frozen=True)
class Drafted:
    """All that a drafted job says."""

    job: str
    module: str
    name: str
    """What people call the source."""
    source: str
    """As YAML."""
    source_doubt: str
    records: str
    """What the rows become, for the description."""
    destination: str
    """As YAML."""
    connection: str
    """Empty when it is the default one."""
    action: str
    match: tuple[str, ...]
    match_doubt: str
    guesses: Sequence[Guess]
    unmapped: Sequence[str]
    """Columns that no property is like."""
    missing: Sequence[Property]
    """Properties that a new record needs and no column is like."""
    others: Sequence[Property]
    """The rest of the properties."""
    notes: Sequence[str]
    """What there is to know of how the file was read."""

    def text(self) -> str:
        """The job file."""
        lines = [*self._head(), "with:", *(f"  {line}" for line in self._with())]
        return "\n".join(line.rstrip() for line in lines) + "\n"

    def _head(self) -> Iterator[str]:
        name = self.name
        yield f"# Drafted by `idms init job` from {harmless(name)}. Look at the lines marked `check`, then:"
        yield f"#   idms check {self.job}            # is anything wrong with it?"
        yield f"#   idms run {self.job} --dry-run    # what would it write?"
        yield from (f"# {harmless(note)}" for note in self.notes)
        yield f"description: {quoted(f'{name} becomes {self.records}')}"
        yield f"module: {self.module}"
        if self.connection:
            yield f"connection: {self.connection}"
        yield '# schedule: {cron: "15 2 * * 1-5"}    # until it has one, it runs by hand'

    def _with(self) -> Iterator[str]:
        yield _commented(f"source: {self.source}", f"{CHECK}{self.source_doubt}" if self.source_doubt else "")
        yield f"destination: {self.destination}"
        yield f"action: {self.action}"
        if self.match:
            match = f"match: [{', '.join(map(quoted, self.match))}]"
            yield _commented(match, f"{CHECK}{self.match_doubt}" if self.match_doubt else "")
        elif self.action != "insert":
            yield _commented("match: []", f"{CHECK}which properties tell one record from another?")
        yield _commented("map:", "" if self.guesses else f"{CHECK}no column is like a property; say what goes where")
        yield from (f"  {line}" for line in self._map())

    def _map(self) -> Iterator[str]:
        for guess in self.guesses:
            doubts = "; ".join(doubt.rstrip(".") for doubt in guess.doubts)
            comment = f"{CHECK}{doubts} ({_about(guess.target)})" if doubts else f"# {_about(guess.target)}"
            yield _commented(f"{quoted(guess.target.name)}: {_right_side(guess)}", comment)
        if self.missing:
            yield "# A new record needs these, and no column is like them; a value for all: {value: ...}"
            yield from (_commented(f"# {quoted(one.name)}:", f"# {_about(one)}") for one in self.missing)
        if self.unmapped:
            yield "# Columns that no property is like:"
            yield from (f"#   {quoted(column)}" for column in self.unmapped)
        if self.others:
            yield "# Other properties:"
            yield from (_commented(f"#   {quoted(one.name)}", f"# {_about(one)}") for one in self.others)


def quoted(text: str) -> str:
    """Text as a YAML scalar that is read back as the same text, wherever it stands; always on one line."""
    if _PLAIN.fullmatch(text) and text not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _right_side(guess: Guess) -> str:
    more = {"date": guess.date, "number": guess.number}
    modifiers = "".join(f', {key}: "{written}"' for key, written in more.items() if written is not None)
    return f"{{column: {quoted(guess.column)}{modifiers}}}" if modifiers else quoted(guess.column)


def _about(target: Property) -> str:
    """The type of a property, as the site tells it."""
    if target.choices:
        codes = ", ".join(map(shortened, target.choices[:_MOST_CODES]))
        return f"one of {codes}{', ...' if len(target.choices) > _MOST_CODES else ''}"
    if target.type != "String":
        return _TYPES.get(target.type, target.type.lower())
    return f"text, at most {target.max_length:,}" if target.max_length else "text"


def _commented(line: str, comment: str) -> str:
    return f"{line.ljust(_COMMENT_AT)}  {harmless(comment)}" if comment else line
