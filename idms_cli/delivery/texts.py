"""Texts with `{{ }}` in a step's keys, and what they may see of a row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files.writers import Cell, Cells
from idms_cli.templates.texts import NotAText, Text, parse_text


@dataclass(frozen=True)
class Template:
    """A text that was read and found harmless."""

    source: str
    names: frozenset[str]
    """Of the values that it wants."""
    _text: Text = field(repr=False)

    def render(self, values: Mapping[str, Any]) -> str:
        """Raises `Unrendered`."""
        return self._text.render(values)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raises `NotAText` for a value that there is not."""
        self._text.refuse_unknown(known)


def parse_template(text: object) -> Template:
    """Raises `BadValue`."""
    if not isinstance(text, str) or not text:
        raise BadValue("a text is wanted here", hint="it may have {{ }} in it, as in {{ run.id }}")
    try:
        read = parse_text(text)
    except NotAText as error:
        raise BadValue(str(error), hint=error.hint) from None
    return Template(text, frozenset(read.names), read)


TemplateText = Annotated[Template, PlainValidator(parse_template), WithJsonSchema({"type": "string"})]


class RowValues:
    """A row as templates see it: `row.ID`, `row['First name']`. What is nothing is an empty text there."""

    __slots__ = ("_cells", "_places")

    def __init__(self, places: Mapping[str, int], cells: Cells) -> None:
        self._places = places
        self._cells = cells

    def __getitem__(self, name: str) -> Cell:
        """Raises `InputError` for a column that the rows do not have: no row would fare better."""
        place = self._places.get(name)
        if place is None:
            hint = did_you_mean(name, self._places) or f"There are: {', '.join(map(shortened, self._places))}."
            raise InputError(f"the rows have no column '{shortened(name)}'", hint=hint)
        return shown(self._cells[place])


def places_of(columns: Sequence[str]) -> Mapping[str, int]:
    """The place of each column in a row."""
    return {name: place for place, name in enumerate(columns)}


def shown(cell: Cell) -> Cell:
    """The value as a text puts it: true and false as JSON writes them."""
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else cell
