"""The columns of some rows, chosen, renamed and added to; every word is found once, and no row is looked at twice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean, nearest
from idms_cli.files.writers import Cells, Rows
from idms_cli.records.faults import Fault
from idms_cli.rows.cells import text_of
from idms_cli.rows.misfits import Misfit, Misfits
from idms_cli.rows.selecting import SelectOptions

_MOST_LISTED = 12

Made = Callable[[Cells], list[str] | list[Fault]]
"""What the templates make of a row, or all that is wrong with it."""


@dataclass(frozen=True)
class Selection:
    """How rows go out; made by `bind`."""

    columns: tuple[str, ...]
    pick: Callable[[Cells], Cells] | None
    """The cells that go out, of a row with its constants and what the templates made behind it; None: all of them."""
    constants: Cells = ()
    make: Made | None = None

    def of(self, rows: Rows) -> Rows:
        """The rows as they go out, made whenever they are read; only without templates."""
        if self.make is not None:
            raise TypeError("rows that templates make may be bad: `row` tells which")
        return rows if self.pick is None else _Picked(rows, self)

    def row(self, cells: Cells) -> Cells | list[Fault]:
        """One row as it goes out, or what is wrong with it."""
        made = self.make(cells) if self.make else []
        if made and isinstance(made[0], Fault):
            return made
        whole = (*cells, *self.constants, *made)
        return self.pick(whole) if self.pick else whole


@dataclass(frozen=True)
class _Picked:
    """See `Rows`."""

    rows: Rows
    selection: Selection
    count: int = field(init=False)
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", self.rows.count)
        object.__setattr__(self, "columns", self.selection.columns)

    def __iter__(self) -> Iterator[Cells]:
        pick, constants = self.selection.pick, self.selection.constants
        if pick is None:
            return iter(self.rows)
        if not constants:
            return map(pick, self.rows)
        return (pick((*cells, *constants)) for cells in self.rows)


def bind(options: SelectOptions, columns: Sequence[str]) -> Selection:
    """Find every name among the columns: by its exact spelling, else in any case. Raises `Misfits` with all faults.

    Of rows without columns, which are none, what goes out is what the words say.
    """
    if options.asks_for_nothing:
        return Selection(tuple(columns), None)
    return _Binder(options, columns or _assumed(options)).selection()


def _assumed(options: SelectOptions) -> list[str]:
    """The columns that the words speak of, where there is no row that would tell them."""
    named = [name for name in options.select or options.rename if name not in options.add]
    return list(dict.fromkeys([*named, *(name for one in options.add.values() for name in _columns_in(one.template))]))


class _Binder:
    """Collects what is wrong while names are found."""

    def __init__(self, options: SelectOptions, columns: Sequence[str]) -> None:
        self._options = options
        self._columns = columns
        self._wrong: list[Misfit] = []
        added = list(options.add)
        constants = [name for name in added if options.add[name].template is None]
        templates = [name for name in added if options.add[name].template is not None]
        self._places = {name: len(columns) + at for at, name in enumerate([*constants, *templates])}
        self._constants = tuple(options.add[name].constant for name in constants)
        self._templates = {name: options.add[name].template or "" for name in templates}

    def selection(self) -> Selection:
        named = self._named()
        going = list(self._going(named))
        make = self._maker()
        self._refuse_twice(going)
        if self._wrong:
            raise Misfits(self._wrong)
        places = [place for _, place in going]
        return Selection(tuple(name for name, _ in going), _picker(places), self._constants, make)

    def _named(self) -> dict[int, str]:
        """The place of each column that gets another name, and the name."""
        named = {}
        for old, new in self._options.rename.items():
            index = self._index(("rename", old), old, on_key=True)
            if index is not None:
                named[self._places.get(self._columns[index], index)] = new
        return named

    def _going(self, named: dict[int, str]) -> Iterator[tuple[str, int]]:
        """Name and place of each column that goes out, in order."""
        chosen = self._chosen()
        for name, place in chosen:
            yield named.get(place, name), place
        seen = {place for _, place in chosen}
        for place, new in named.items():
            if place not in seen:
                old = next(old for old, name in self._options.rename.items() if name == new)
                self._wrong.append(Misfit(("rename", old), f"the column '{old}' does not go out", on_key=True))
        yield from ((name, place) for name, place in self._places.items() if place not in seen)

    def _chosen(self) -> list[tuple[str, int]]:
        if self._options.select is not None:
            found = [self._of_select(at, name) for at, name in enumerate(self._options.select)]
            return [one for one in found if one is not None]
        dropped = {self._index(("drop", at), name) for at, name in enumerate(self._options.drop)}
        return [
            (name, self._places.get(name, index)) for index, name in enumerate(self._columns) if index not in dropped
        ]

    def _of_select(self, at: int, name: str) -> tuple[str, int] | None:
        if name in self._places:
            return name, self._places[name]
        index = self._index(("select", at), name)
        if index is None:
            return None
        column = self._columns[index]
        return column, self._places.get(column, index)

    def _maker(self) -> Made | None:
        if not self._templates:
            return None
        from idms_cli.records.templates import parse_template  # noqa: PLC0415 - loads jinja2

        found = {name: parse_template(text) for name, text in self._templates.items()}
        indexes: dict[str, dict[str, int]] = {}
        for name, expression in found.items():
            at = {
                column: self._index(("add", name, "template"), column, in_template=True)
                for column in expression.columns
            }
            indexes[name] = {column: index for column, index in at.items() if index is not None}
        if self._wrong:
            return None
        needed = sorted({index for at in indexes.values() for index in at.values()})
        short = {index: place for place, index in enumerate(needed)}
        steps = [
            (name, expression.bound({column: short[index] for column, index in indexes[name].items()}))
            for name, expression in found.items()
        ]
        return _made(needed, steps)

    def _index(
        self, key: tuple[str | int, ...], name: str, *, on_key: bool = False, in_template: bool = False
    ) -> int | None:
        if name in self._columns:
            return self._columns.index(name)
        folded = name.strip().casefold()
        found = [index for index, column in enumerate(self._columns) if column.strip().casefold() == folded]
        if len(found) == 1:
            return found[0]
        if found:
            names = " and ".join(f"'{shortened(self._columns[index])}'" for index in found)
            message = f"the column '{shortened(name)}' could be {names}"
            self._wrong.append(Misfit(key, message, "Spell it exactly.", on_key=on_key))
        else:
            hint = (
                did_you_mean(name, self._columns)
                or f"columns: {', '.join(map(shortened, self._columns[:_MOST_LISTED]))}"
            )
            near = nearest(name, self._columns)
            if in_template and near is not None and not near.isidentifier():
                hint = f'write row["{shortened(near)}"]'
            self._wrong.append(Misfit(key, f"the rows have no column '{shortened(name)}'", hint, on_key=on_key))
        return None

    def _refuse_twice(self, going: Sequence[tuple[str, int]]) -> None:
        words = {new: ("rename", old) for old, new in self._options.rename.items()}
        names: set[str] = set()
        for name, _ in going:
            if name in names:
                key = words.get(name) or (("add", name) if name in self._options.add else ("select",))
                message = f"there would be two columns named '{shortened(name)}'"
                self._wrong.append(Misfit(key, message, "Name one of them otherwise, or leave it out."))
            names.add(name)


def _picker(places: Sequence[int]) -> Callable[[Cells], Cells]:
    if len(places) == 1:
        place = places[0]
        return lambda cells: (cells[place],)
    return itemgetter(*places)


def _made(needed: Sequence[int], steps: Sequence[tuple[str, Callable[[tuple[str, ...]], str]]]) -> Made:
    """A function that works all templates out; `needed` are the columns they see, as text."""
    from idms_cli.records.filters import Unfit  # noqa: PLC0415 - loads jinja2

    def make(cells: Cells) -> list[str] | list[Fault]:
        texts = tuple([text_of(cells[index]) for index in needed])
        made: list[str] = []
        faults: list[Fault] = []
        for name, evaluate in steps:
            try:
                made.append(evaluate(texts))
            except Unfit as unfit:
                faults.append(Fault("map", name, "template", f"Template: {unfit}."))
        return faults or made

    return make


def _columns_in(template: str | None) -> tuple[str, ...]:
    if template is None:
        return ()
    from idms_cli.records.templates import parse_template  # noqa: PLC0415 - loads jinja2

    return parse_template(template).columns
