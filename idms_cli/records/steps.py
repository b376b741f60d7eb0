"""How the cells of a row become the value of one property, once everything about it has been settled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from idms_cli.codes import Code
from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.imis.properties import Value
from idms_cli.records.conversions import Converter
from idms_cli.records.faults import Fault
from idms_cli.records.forms import stripped as stripped_text
from idms_cli.records.texts import items

if TYPE_CHECKING:
    from idms_cli.records.templates import Expression


class Kept(Enum):
    """What a step gives where the property stays as it is."""

    KEPT = "kept"


Cells = tuple[str, ...]
Reading = Value | Fault | Kept
Step = Callable[[Cells], Reading]
"""The value of a property in one row. Never raises."""
Text = Callable[[Cells], str | Fault]
Maker = Callable[[str], Reading]
"""The value that a text which is not blank stands for. Never raises."""

_FEW = 1000
"""Lookups with more keys have no near match told: finding it would take longer than everything else."""


@dataclass(frozen=True)
class Items:
    """How a text that holds several values becomes one value."""

    split: str
    join: str
    each: Callable[[str], str | Fault]
    """Case, lookup and list of codes, for one of them; an empty text drops it."""
    whole: Converter


def cell(index: int, make: Maker, blank: Reading, *, strip: bool) -> Step:
    """The value of the cell at `index`."""

    def stripped(cells: Cells) -> Reading:
        text = cells[index]
        text = text.strip() if type(text) is str else stripped_text(text)  # a call less for most of all cells
        return make(text) if text else blank

    def as_it_is(cells: Cells) -> Reading:
        text = cells[index]
        return make(text) if text and not text.isspace() else blank

    return stripped if strip else as_it_is


def template(text: Text, make: Maker, blank: Reading, *, strip: bool) -> Step:
    """The value of what a template makes of the row."""

    def step(cells: Cells) -> Reading:
        made = text(cells)
        if isinstance(made, Fault):
            return made
        if strip:
            made = made.strip()
        return make(made) if made and not made.isspace() else blank

    return step


def expression(name: str, code: Code, found: "Expression", indexes: Mapping[str, int], *, strip: bool) -> Text:
    """What an expression makes of the row; where it fails, a fault of the property `name` with this code."""
    from idms_cli.records.filters import Unfit  # noqa: PLC0415 - jinja2 only where it is used

    evaluate = found.bound(indexes, strip=strip)
    about = "only_if: " if code == "condition" else ""

    def text(cells: Cells) -> str | Fault:
        try:
            return evaluate(cells)
        except Unfit as error:
            return Fault("map", name, code, f"{about}{error}.")

    return text


def constant(value: Value) -> Step:
    """The same value for every row."""
    return lambda _cells: value


def guarded(step: Step, condition: Text) -> Step:
    """The step where the condition makes any text, else the property is kept."""

    def read(cells: Cells) -> Reading:
        holds = condition(cells)
        if isinstance(holds, Fault):
            return holds
        return step(cells) if holds else Kept.KEPT

    return read


def looked_up(name: str, table: Mapping[str, Reading], miss: Reading | None) -> Maker:
    """What a text stands for; `miss` where it is not in the table, a fault where there is no `miss`."""

    def make(text: str) -> Reading:
        key = text.strip()
        if key in table:
            return table[key]
        return not_in(name, key, table) if miss is None else miss

    return make


def cased(change: Callable[[str], str], make: Maker) -> Maker:
    """The maker, given the text in another case."""
    return lambda text: make(change(text))


def several(how: Items, blank: Reading) -> Maker:
    """One value of all that stand between the marks, none of them twice."""

    def make(text: str) -> Reading:
        made = []
        for item in items(text, how.split):
            one = how.each(item)
            if isinstance(one, Fault):
                return one
            made.append(one)
        joined = how.join.join(dict.fromkeys(filter(None, made)))
        return how.whole(joined) if joined else blank

    return make


def not_in(name: str, key: str, table: Mapping[str, object]) -> Fault:
    """The fault of a text that a lookup does not have."""
    near = did_you_mean(key, table) if len(table) <= _FEW else ""
    more = f" {near[:1].upper()}{near[1:]}" if near else ""
    return Fault("map", name, "not-in-lookup", f"'{shortened(key)}' is not in the lookup.{more}")


def chain(first: Callable[[str], str | Fault], *others: Callable[[str], str | Fault]) -> Callable[[str], str | Fault]:
    """One after the other, up to the first fault or empty text."""

    def run(text: str) -> str | Fault:
        made = first(text)
        for other in others:
            if isinstance(made, Fault) or not made:
                return made
            made = other(made)
        return made

    return run
