"""The `map:` of a job, bound to the columns of a file and the properties of a kind: rows become typed values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.imis.properties import Property, Value
from idms_cli.records.conversions import Converter, converter
from idms_cli.records.dates import NotAFormat
from idms_cli.records.faults import Fault
from idms_cli.records.numbers import SAMPLES, NotASample

Constant = StrictStr | StrictInt | StrictFloat | StrictBool | None


class Rule(Section):
    """The right side of a line in `map:` when it is more than a column's name."""

    column: str | None = Field(default=None, description="The column that the value comes from.")
    value: Constant = Field(default=None, description="The same value for every row; empty clears the property.")
    date: str | None = Field(default=None, description='How dates are written, as in strptime: "%d/%m/%Y".')
    number: str | None = Field(default=None, description='How the number 1234.56 is written: "1.234,56".')
    blank: Literal["keep", "clear"] = Field(
        default="keep", description="What a blank cell does: leave the property as it is, or clear it."
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        written = self.model_fields_set
        if ("value" in written) == (self.column is not None):
            raise BadValue(
                "exactly one of column and value is wanted here", hint="write {column: NAME} or {value: CONSTANT}"
            )
        if "value" in written and "blank" in written:
            raise BadValue("a constant is never blank", hint="leave out blank")
        return self


MapOptions = dict[str, str | Rule]
"""What stands under `map:`: property -> column name, or a `Rule`."""

_MOST_LISTED = 12


@dataclass(frozen=True)
class MapFault:
    """One thing that is wrong with one line of `map:`, given the file and the site."""

    word: str
    """The property as the job spells it: the key in `map:` that the fault belongs to."""
    code: str
    """`unknown-property`, `read-only`, `mapped-twice`, `unknown-column`, `ambiguous-column`, `date`, `number` or
    `value`."""
    message: str
    hint: str = ""


class MapRefused(InputError):
    """A `map:` that does not fit the file or the site. `faults` has all of it."""

    def __init__(self, faults: Sequence[MapFault]) -> None:
        hints = dict.fromkeys(fault.hint for fault in faults if fault.hint)
        super().__init__("; ".join(f"map, {fault.word}: {fault.message}" for fault in faults), hint="; ".join(hints))
        self.faults = tuple(faults)


# A named tuple, because one is made for every row.
class MappedRow(NamedTuple):
    """What a row says of a record."""

    values: dict[str, Value]
    """To be set, by the site's spelling, in the order of the map; None clears the property."""
    kept: tuple[str, ...]
    """Properties that stay as they are because the cell is blank."""
    faults: tuple[Fault, ...]
    """Everything that is wrong with the row; `values` lacks the properties concerned."""


@dataclass(frozen=True)
class _Step:
    """How one property gets its value: a constant, or the cell at `index`."""

    name: str
    index: int | None = None
    convert: Converter | None = None
    column: str = ""
    clears: bool = False
    constant: Value = None


class BoundMapping:
    """A map whose every word has been found; made by `bind`. May be used from several threads."""

    def __init__(self, steps: Sequence[_Step]) -> None:
        self.properties = tuple(step.name for step in steps)
        """The mapped properties in the site's spelling, in the order of the map."""
        self._constants = {step.name: step.constant for step in steps if step.index is None}
        self._template: dict[str, Value] = dict.fromkeys(self.properties) | self._constants
        self._cells = tuple(
            (step.name, step.index, step.convert, step.clears, step.column)
            for step in steps
            if step.index is not None and step.convert is not None
        )

    def values(self, cells: tuple[str, ...]) -> MappedRow:
        """The typed values of one row, with all of its faults. `cells` are as many as the columns bound to."""
        values = self._template.copy()
        kept: list[str] = []
        faults: list[Fault] = []
        for name, index, convert, clears, column in self._cells:
            cell = cells[index]
            if not cell or cell.isspace():
                if not clears:
                    kept.append(name)
                    del values[name]
                continue
            value = convert(cell)
            if isinstance(value, Fault):
                faults.append(replace(value, message=f"Column {shortened(column)}: {value.message}"))
                del values[name]
            else:
                values[name] = value
        return MappedRow(values, tuple(kept), tuple(faults))


def bind(
    rules: Mapping[str, str | Rule],
    columns: Sequence[str],
    properties: Mapping[str, Property],
    *,
    matched: Collection[str] = (),
) -> BoundMapping:
    """Find every column and property that a map names, and settle every conversion, once for all rows.

    A read-only property may be mapped when the record is `matched` on it. Columns are found by their exact name, else
    without regard to case and surrounding space. Raises `MapRefused` with every fault.
    """
    binder = _Binder(columns, properties, matched)
    steps = [binder.step(word, rule if isinstance(rule, Rule) else Rule(column=rule)) for word, rule in rules.items()]
    if binder.faults:
        raise MapRefused(binder.faults)
    return BoundMapping([step for step in steps if step is not None])


class _Binder:
    """Collects what is wrong with a map while its lines are bound one by one."""

    def __init__(self, columns: Sequence[str], properties: Mapping[str, Property], matched: Collection[str]) -> None:
        self.faults: list[MapFault] = []
        self._columns = columns
        self._properties = {name.casefold(): target for name, target in properties.items()}
        self._matched = frozenset(word.casefold() for word in matched)
        self._mapped: dict[str, str] = {}

    def step(self, word: str, rule: Rule) -> _Step | None:
        """The line as a step; None when something is wrong with it, which is then in `faults`."""
        target = self._target(word)
        index = None if rule.column is None else self._index(word, rule.column)
        if target is None:
            return None
        convert = self._converter(word, rule, target)
        if convert is None:
            return None
        if rule.column is not None:
            return _Step(target.name, index, convert, rule.column, rule.blank == "clear")
        return _Step(target.name, constant=self._constant(word, rule, target, convert))

    def _target(self, word: str) -> Property | None:
        folded = word.strip().casefold()
        target = self._properties.get(folded)
        if target is None:
            known = [target.name for target in self._properties.values()]
            message = f"the site knows no property '{shortened(word)}'"
            self._refuse(word, "unknown-property", message, _near(word, known, "properties"))
            return None
        if target.read_only and folded not in self._matched:
            self._refuse(word, "read-only", f"{target.name} cannot be written", "take it out of the map")
        if folded in self._mapped:
            self._refuse(word, "mapped-twice", f"{target.name} is mapped already, as {shortened(self._mapped[folded])}")
        self._mapped.setdefault(folded, word)
        return target

    def _index(self, word: str, column: str) -> int | None:
        if column in self._columns:
            return self._columns.index(column)
        wanted = column.strip().casefold()
        found = [index for index, name in enumerate(self._columns) if name.strip().casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            names = " and ".join(f"'{shortened(self._columns[index])}'" for index in found)
            message = f"the column '{shortened(column)}' could be {names}"
            self._refuse(word, "ambiguous-column", message, "spell it exactly as in the file")
        else:
            message = f"the file has no column '{shortened(column)}'"
            self._refuse(word, "unknown-column", message, _near(column, self._columns, "columns"))
        return None

    def _converter(self, word: str, rule: Rule, target: Property) -> Converter | None:
        kind = f"{target.name} is of type {target.type}"
        if rule.date is not None and target.type != "Date":
            self._refuse(word, "date", f"date is for dates, but {kind}", "leave out date")
        elif rule.number is not None and target.type not in ("Integer", "Decimal", "Monetary"):
            self._refuse(word, "number", f"number is for numbers, but {kind}", "leave out number")
        else:
            return self._tried_converter(word, rule, target)
        return None

    def _tried_converter(self, word: str, rule: Rule, target: Property) -> Converter | None:
        try:
            return converter(target, date_format=rule.date, number=rule.number)
        except NotAFormat as error:
            message = f"the format '{shortened(rule.date or '')}' cannot be used: {error}"
            self._refuse(word, "date", message, "write it in the words of strptime, for example %d/%m/%Y")
        except NotASample:
            message = f"'{shortened(rule.number or '')}' is not the number 1234.56 in some way of writing"
            self._refuse(word, "number", message, f"write one of these: {'   '.join(SAMPLES)}")
        return None

    def _constant(self, word: str, rule: Rule, target: Property, convert: Converter) -> Value:
        value = rule.value
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, str):
            converted = convert(value)
        elif target.type == "String" and not _is_whole(value):
            text = str(value).lower()
            self._refuse(word, "value", f"{target.name} is text, not {text}", f'put it in quotes: "{text}"')
            return None
        else:  # a number or a boolean in YAML has YAML's form, whatever the file's is
            converted = converter(target)(str(value).lower())
        if isinstance(converted, Fault):
            self._refuse(word, "value", converted.message.rstrip("."))
            return None
        return converted

    def _refuse(self, word: str, code: str, message: str, hint: str = "") -> None:
        self.faults.append(MapFault(word, code, message, hint))


def _near(word: str, known: Collection[str], plural: str) -> str:
    listed = ", ".join(map(shortened, list(known)[:_MOST_LISTED])) + (", ..." if len(known) > _MOST_LISTED else "")
    return did_you_mean(word, known) or f"its {plural}: {listed}"


def _is_whole(value: Constant) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
