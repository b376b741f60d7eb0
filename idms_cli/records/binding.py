"""Binds the lines of a map one by one: columns and properties are found, conversions settled, faults collected."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean, nearest
from idms_cli.imis.properties import Property, Value
from idms_cli.records.conversions import Converter, converter
from idms_cli.records.makers import Making, Table
from idms_cli.records.rules import MapFault, Rule
from idms_cli.records.steps import Step, Text, cell, constant, expression, guarded, template

_MOST_LISTED = 12
_NUMBERS = ("Integer", "Decimal", "Monetary")
Code = Literal["template", "condition"]


@dataclass(frozen=True)
class BoundRule:
    """How one property gets its value: by a step from the row, or the same constant always."""

    name: str
    step: Step | None = None
    constant: Value = None
    place: str = ""
    """How the message of a fault begins: `Column grade`."""
    current: Step | None = None
    """Reads what the record has now, where the row says that."""
    append: str = ""
    """What stands between the values of a property to which the value is added; empty when it replaces them."""


@dataclass(frozen=True)
class _Source:
    """Where a line gets its text."""

    index: int | None = None
    template: Text | None = None
    condition: Text | None = None


@dataclass(frozen=True)
class Columns:
    """What there is to map."""

    names: Sequence[str]
    source: str = "the file"
    """What has them, for messages."""


class Binder:
    """Collects what is wrong with a map while its lines are bound."""

    def __init__(
        self,
        columns: Columns,
        properties: Mapping[str, Property],
        *,
        matched: Collection[str],
        lookups: Mapping[str, Table],
    ) -> None:
        self.faults: list[MapFault] = []
        self._columns = columns.names
        self._of = columns.source
        self._properties = {name.casefold(): target for name, target in properties.items()}
        self._matched = frozenset(word.strip().casefold() for word in matched)
        self._lookups = lookups
        self._mapped: dict[str, str] = {}

    def bound(self, word: str, rule: Rule) -> BoundRule | None:
        """The line, bound; None when something is wrong with it, which is then in `faults`."""
        before = len(self.faults)
        target = self._target(word)
        source = self._source(word, rule, name=target.name if target else word)
        convert = None if target is None else self._converter(word, rule, target)
        if target is None or convert is None:
            return None
        self._check_kind(word, rule, target)
        line = self._line(word, rule, source, Making(rule, target, convert, partial(self._refuse, word)))
        current = self._current(word, rule, target)
        return replace(line, current=current) if len(self.faults) == before else None

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

    def _source(self, word: str, rule: Rule, *, name: str) -> _Source:
        """Where the text comes from; `name` is the property, for the faults of rows."""
        return _Source(
            index=None if rule.column is None else self._index(word, rule.column),
            template=None if rule.template is None else self._expression(word, "template", rule, name=name),
            condition=None if rule.only_if is None else self._expression(word, "condition", rule, name=name),
        )

    def _expression(self, word: str, code: Code, rule: Rule, *, name: str) -> Text | None:
        from idms_cli.records.templates import parse_condition, parse_template  # noqa: PLC0415 - loads jinja2

        found = parse_template(rule.template or "") if code == "template" else parse_condition(rule.only_if or "")
        indexes = {column: self._index(word, column, in_expression=True) for column in found.columns}
        known = {column: index for column, index in indexes.items() if index is not None}
        if len(known) < len(indexes):
            return None
        return expression(name, code, found, known, strip=rule.strip)

    def _index(self, word: str, column: str, *, in_expression: bool = False) -> int | None:
        if column in self._columns:
            return self._columns.index(column)
        wanted = column.strip().casefold()
        found = [index for index, name in enumerate(self._columns) if name.strip().casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            names = " and ".join(f"'{shortened(self._columns[index])}'" for index in found)
            message = f"the column '{shortened(column)}' could be {names}"
            self._refuse(word, "ambiguous-column", message, f"spell it exactly as in {self._of}")
        else:
            hint = _near(column, self._columns, "columns")
            near = nearest(column, self._columns) if in_expression else None
            if near is not None and not near.isidentifier():
                hint = f'write row["{shortened(near)}"]'
            self._refuse(word, "unknown-column", f"{self._of} has no column '{shortened(column)}'", hint)
        return None

    def _current(self, word: str, rule: Rule, target: Property) -> Step | None:
        """Reads the column as the site has it: no way of writing, no lookup and no list of codes is for it."""
        index = None if rule.current is None else self._index(word, rule.current)
        return None if index is None else cell(index, converter(replace(target, choices=())), None, strip=False)

    def _converter(self, word: str, rule: Rule, target: Property) -> Converter | None:
        kind = f"{target.name} is of type {target.type}"
        if rule.date is not None and target.type != "Date":
            self._refuse(word, "date", f"date is for dates, but {kind}", "leave out date")
        elif rule.number is not None and target.type not in _NUMBERS:
            self._refuse(word, "number", f"number is for numbers, but {kind}", "leave out number")
        elif rule.boolean is not None and target.type != "Boolean":
            self._refuse(word, "boolean", f"boolean is for true and false, but {kind}", "leave out boolean")
        else:
            words = rule.boolean.meanings() if rule.boolean else None
            return converter(target, date_format=rule.date, number=rule.number, words=words)
        return None

    def _check_kind(self, word: str, rule: Rule, target: Property) -> None:
        """What only makes sense for text, or never for a key."""
        kind = f"{target.name} is of type {target.type}"
        if target.type != "String":
            if rule.case is not None and rule.lookup is None:
                self._refuse(word, "case", f"case is for text, but {kind}", "leave out case")
            if rule.split is not None:
                self._refuse(word, "split", f"several values are text, but {kind}", "leave out split")
            if rule.append:
                self._refuse(word, "append", f"values are added to text, but {kind}", "leave out append")
        elif rule.append and (target.key or target.name.casefold() in self._matched):
            message = f"records are found by {target.name}, so nothing can be added to it"
            self._refuse(word, "append", message, "leave out append")

    def _line(self, word: str, rule: Rule, source: _Source, making: Making) -> BoundRule:
        append = rule.join if rule.append else ""
        step, place = self._step(word, rule, source, making)
        if step is None and source.condition is None:
            return BoundRule(making.name, constant=making.constant("value", rule.value), append=append)
        if step is None:
            step = constant(making.constant("value", rule.value))
        if source.condition is not None:
            step = guarded(step, source.condition)
        return BoundRule(making.name, step, place=place, append=append)

    def _step(self, word: str, rule: Rule, source: _Source, making: Making) -> tuple[Step | None, str]:
        """From the row to the value, and how the messages of its faults begin; None for a constant."""
        if "value" in rule.model_fields_set:
            return None, "Value"
        table = rule.lookup if rule.lookup_file is None else self._lookups[word]
        make, blank = making.maker(table), making.blank
        if source.template is not None:
            return template(source.template, make, blank, strip=rule.strip), "Template"
        place = f"Column {shortened(rule.column or '')}"
        return cell(source.index or 0, make, blank, strip=rule.strip), place

    def _refuse(self, word: str, code: str, message: str, hint: str = "") -> None:
        self.faults.append(MapFault(word, code, message, hint))


def _near(word: str, known: Collection[str], plural: str) -> str:
    listed = ", ".join(map(shortened, list(known)[:_MOST_LISTED])) + (", ..." if len(known) > _MOST_LISTED else "")
    return did_you_mean(word, known) or f"its {plural}: {listed}"
