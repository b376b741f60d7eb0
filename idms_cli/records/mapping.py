"""The `map:` of a job, bound to the columns of a file and the properties of a kind: rows become typed values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from idms_cli.imis.properties import Property, Value
from idms_cli.imis.values import same
from idms_cli.records.binding import Binder, BoundRule, Columns
from idms_cli.records.faults import Fault
from idms_cli.records.rules import MapFault, MapOptions, MapRefused, Rule
from idms_cli.records.steps import Kept, Step

__all__ = ["BoundMapping", "Columns", "MapFault", "MapOptions", "MapRefused", "MappedRow", "Rule", "bind", "columns_of"]


# A named tuple, because one is made for every row.
class MappedRow(NamedTuple):
    """What a row says of a record."""

    values: dict[str, Value]
    """To be set, by the site's spelling, in the order of the map; None clears the property."""
    kept: tuple[str, ...]
    """Properties that stay as they are: the cell is blank, or the rule's `only_if` is false."""
    faults: tuple[Fault, ...]
    """Everything that is wrong with the row; `values` lacks the properties concerned."""


class BoundMapping:
    """A map whose every word has been found; made by `bind`. May be used from several threads."""

    def __init__(self, rules: Sequence[BoundRule], *, matched: Collection[str] = ()) -> None:
        self.properties = tuple(rule.name for rule in rules)
        """The mapped properties in the site's spelling, in the order of the map."""
        self.appended = {rule.name: rule.append for rule in rules if rule.append}
        """Properties whose value is added to those that the record has -> what stands between values there."""
        self._currents = _currents(rules, matched)
        constants = {rule.name: rule.constant for rule in rules if rule.step is None}
        self._template: dict[str, Value] = dict.fromkeys(self.properties) | constants
        self._steps = tuple((rule.name, rule.step, rule.place) for rule in rules if rule.step is not None)

    def values(self, cells: tuple[str, ...]) -> MappedRow:
        """The typed values of one row, with all of its faults. `cells` are as many as the columns bound to."""
        values = self._template.copy()
        kept: list[str] = []
        faults: list[Fault] = []
        for name, step, place in self._steps:
            value = step(cells)
            if value is Kept.KEPT:
                kept.append(name)
                del values[name]
            elif isinstance(value, Fault):
                faults.append(replace(value, message=f"{place}: {value.message}"))
                del values[name]
            else:
                values[name] = value
        return MappedRow(values, tuple(kept), tuple(faults))

    @property
    def tells_current(self) -> bool:
        """Whether rows say what their records have now, of all properties that are to be set."""
        return bool(self._currents)

    def is_current(self, cells: tuple[str, ...], values: Mapping[str, Value]) -> bool:
        """Whether the row says that its record has these values already, at least one of them not blank.

        (A record that is not there has nothing but blanks in a query.)
        """
        told = [(values[name], read(cells)) for name, read in self._currents if name in values]
        if not all(not isinstance(now, Fault | Kept) and same(value, now) for value, now in told):
            return False
        return any(value not in (None, "") for value, _ in told)


def _currents(rules: Sequence[BoundRule], matched: Collection[str]) -> tuple[tuple[str, Step], ...]:
    """Property and reader of what it is now; none unless all have one that records are not matched by."""
    found_by = {word.strip().casefold() for word in matched}
    free = [rule for rule in rules if rule.name.casefold() not in found_by]
    told = [(rule.name, rule.current) for rule in free if rule.current is not None]
    return tuple(told) if len(told) == len(free) else ()


def columns_of(rules: MapOptions) -> tuple[str, ...]:
    """Every column that a map names, as it spells them: to bind it where nobody knows which the file has."""
    named = (rule.columns if isinstance(rule, Rule) else (rule,) for rule in rules.values())
    return tuple(dict.fromkeys(column for columns in named for column in columns))


def bind(
    rules: Mapping[str, str | Rule],
    columns: Sequence[str] | Columns,
    properties: Mapping[str, Property],
    *,
    matched: Collection[str] = (),
    lookups: Mapping[str, Mapping[str, str]] | None = None,
) -> BoundMapping:
    """Find every column and property that a map names, and settle every conversion, once for all rows.

    A read-only property may be mapped when the record is `matched` on it. Columns are found by their exact name, else
    without regard to case and surrounding space. `lookups` are the tables of `lookups.read_lookups`, for rules that
    name a file. Raises `MapRefused` with every fault.
    """
    known = columns if isinstance(columns, Columns) else Columns(columns)
    binder = Binder(known, properties, matched=matched, lookups=lookups or {})
    bound = [binder.bound(word, rule if isinstance(rule, Rule) else Rule(column=rule)) for word, rule in rules.items()]
    if binder.faults:
        raise MapRefused(binder.faults)
    return BoundMapping([rule for rule in bound if rule is not None], matched=matched)
