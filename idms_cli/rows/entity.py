"""The rows of one of the site's entities that meet a filter, page by page."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf, Name
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import SiteError
from idms_cli.files.writers import Cell
from idms_cli.imis.assumptions import CONTACT_FILTERS
from idms_cli.imis.conditions import OPERATORS, Condition, NoCondition, Scalar, condition_on
from idms_cli.imis.entities import pages_of, pages_of_bodies
from idms_cli.imis.entitypages import EntityRow
from idms_cli.imis.generic import property_named
from idms_cli.imis.party import party_id, values_of
from idms_cli.imis.partyproperties import Members, read_members
from idms_cli.imis.properties import Property, Value
from idms_cli.rows.cells import cell_of
from idms_cli.rows.misfits import Misfit, Misfits
from idms_cli.rows.sources import LOOK_EVERY, Reading
from idms_cli.rows.spool import Spool

if TYPE_CHECKING:
    from idms_cli.imis.site import Site

CONTACTS = ("Party", "Person", "Organization")
"""The entities that are read as contacts, under the flat names people use."""

DIRECTORY = frozenset({*map(str.casefold, CONTACTS), "partysummary", "contact", "cscontact", "cscontactbasic"})
"""Entities whose rows are the directory of contacts, by any name."""

DOUBTED_AFTER = 500
"""When so many rows came and fewer than half of them meet the filter, the site seems not to know it."""

HINT_CONDITION = f"Write {{Property: value}}, or {{Property: {{ge: value}}}} with one of {', '.join(OPERATORS)}."


class EntityOptions(Section):
    """A `source:` that is an entity."""

    entity: str = Field(min_length=1, description="The name of a panel source or business object in iMIS, or Party.")
    filter: dict[str, Scalar | dict[str, Scalar]] = Field(
        default_factory=dict,
        description="Property: value, or {operator: value}; all must hold. "
        "eq, ne, gt, ge, lt, le, contains, startswith, endswith, empty.",
    )
    columns: ListOf[str] | None = Field(default=None, min_length=1, description="The properties to read; all if unset.")
    all: bool = Field(default=False, description="Contacts without a filter: read the whole directory all the same.")
    connection: Name | None = Field(default=None, description="Of idms.yaml, if it is not the job's.")


def misfits(options: EntityOptions) -> Iterator[Misfit]:
    """All that is wrong with it, whatever the site says."""
    if options.entity.casefold() in DIRECTORY and not options.filter and not options.all:
        hint = "Filter it, take a query instead, or say all: true if the site's owner agrees."
        yield Misfit(("entity",), "this would read the whole directory of contacts, with every run", hint)
    for name, said in options.filter.items():
        if not isinstance(said, dict):
            continue
        if not said:
            yield Misfit(("filter", name), "there is no operator", HINT_CONDITION)
        for operator in said:
            if operator not in OPERATORS:
                hint = did_you_mean(operator, OPERATORS) or HINT_CONDITION
                yield Misfit(("filter", name, operator), f"there is no operator '{operator}'", hint, on_key=True)
    columns = [name.casefold() for name in options.columns or ()]
    for index, name in enumerate(columns):
        if name in columns[:index]:
            yield Misfit(("columns", index), "this column is there twice")


def read_entity(site: "Site", options: EntityOptions, spool: Spool, reading: Reading) -> None:
    """Spool the rows that meet the filter; rows that the site gives though they do not are left out, and told.

    Raises `Misfits` for properties that the site does not know, `InputError` for an entity that it does not have, and
    `SiteError` when it seems to ignore the filter.
    """
    is_contact = options.entity.casefold() in map(str.casefold, CONTACTS)
    found = _contacts(site, options) if is_contact else _generic(site, options)
    spool.name(found.columns)
    left_out = 0
    for number, row in enumerate(found.rows, start=1):
        if not number % LOOK_EVERY:
            reading.look(spool.count)
        if row is None:
            left_out += 1
            _refuse_ignored(options.entity, number, left_out)
            continue
        spool.add(row)
        if spool.count == reading.row_limit:
            break
    else:
        spool.is_whole = found.is_whole()
    if left_out:
        reading.log(f"the site gave {left_out:,} rows of {options.entity} that do not meet the filter: left out")


def columns_of(site: "Site", options: EntityOptions) -> tuple[str, ...]:
    """What `read_entity` would give as columns; reads no row. Raises as that does."""
    if options.entity.casefold() in map(str.casefold, CONTACTS):
        return _contacts(site, options).columns
    return _generic(site, options).columns


def described(options: EntityOptions) -> str:
    """In a few words."""
    filters = [f"{name} {_said(said)}" for name, said in options.filter.items()]
    return f"{options.entity} with {' and '.join(filters)}" if filters else f"all of {options.entity}"


def _said(said: Scalar | Mapping[str, Scalar]) -> str:
    conditions = said if isinstance(said, Mapping) else {"eq": said}
    return " and ".join(f"{value}" if word == "eq" else f"{word} {value}" for word, value in conditions.items())


@dataclass(frozen=True)
class _Found:
    """What an entity gives: columns that are known before the first row, and rows; None for one that is left out."""

    columns: tuple[str, ...]
    rows: Iterable[Mapping[str, Cell] | None]
    is_whole: Callable[[], bool]
    """Whether all came that the site counts; to be asked after the last."""


def _generic(site: "Site", options: EntityOptions) -> _Found:
    definition = site.definition(options.entity)
    conditions, columns = _fitted(options, definition.properties)
    pages = pages_of(site, definition.name, [one.wire for one in conditions])
    names = _Names(definition.properties, frozenset(columns) if options.columns else None)
    return _Found(columns, _read(pages.rows(), names, conditions), lambda: pages.is_whole)


def _contacts(site: "Site", options: EntityOptions) -> _Found:
    members = read_members(site)
    conditions, columns = _fitted(options, members.all)
    _refuse_unsearchable(conditions, members)
    entity = next(name for name in CONTACTS if name.casefold() == options.entity.casefold())
    pages = pages_of_bodies(site, entity, [one.wire for one in conditions], key=lambda row: party_id(row) or None)
    return _Found(columns, _read_contacts(pages.rows(), members, conditions, columns), lambda: pages.is_whole)


def _fitted(options: EntityOptions, known: Mapping[str, Property]) -> tuple[list[Condition], tuple[str, ...]]:
    """The conditions and the columns in the site's spelling. Raises `Misfits`."""
    spelled = {name.casefold(): one for name, one in known.items()}
    wrong: list[Misfit] = []

    def of(key: tuple[str | int, ...], name: str, *, on_key: bool) -> Property | None:
        found = spelled.get(name.strip().casefold())
        if found is None:
            hint = did_you_mean(name, known) or f"Properties: {', '.join(list(known)[:12])}."
            wrong.append(Misfit(key, f"{options.entity} has no property '{name}'", hint, on_key=on_key))
        return found

    conditions = []
    for name, said in options.filter.items():
        one = of(("filter", name), name, on_key=True)
        for operator, value in (said if isinstance(said, dict) else {"eq": said}).items() if one else ():
            try:
                conditions.append(condition_on(one, operator, value))  # type: ignore[arg-type]
            except NoCondition as refused:
                wrong.append(Misfit(("filter", name), str(refused), refused.hint))
    columns = [of(("columns", index), name, on_key=False) for index, name in enumerate(options.columns or ())]
    if wrong:
        raise Misfits(wrong)
    return conditions, tuple(one.name for one in columns if one) or tuple(known)


def _refuse_unsearchable(conditions: Sequence[Condition], members: Members) -> None:
    """A condition that the site would pass over would be a scan of the whole directory."""
    names = [one.of.name for one in conditions]
    wrong = [name for name in names if name not in CONTACT_FILTERS and name not in members.attributes]
    if wrong:
        hint = f"Filter by {', '.join(CONTACT_FILTERS)}, or an additional attribute; or let a query of iMIS do it."
        raise Misfits(
            [Misfit(("filter", name), f"iMIS cannot search contacts by {name}", hint, True) for name in wrong]
        )


class _Names:
    """What a name on the wire stands for; settled when it is first met."""

    def __init__(self, properties: Mapping[str, Property], wanted: frozenset[str] | None) -> None:
        self._properties = properties
        self._wanted = wanted
        self.settled: dict[str, str | None] = {}

    def settle(self, wire: str) -> str | None:
        """The column, None for one that is not wanted."""
        name, _ = property_named(wire, self._properties)
        self.settled[wire] = name if self._wanted is None or name in self._wanted else None
        return self.settled[wire]


def _read(
    rows: Iterator[EntityRow], names: _Names, conditions: Sequence[Condition]
) -> Iterator[Mapping[str, Cell] | None]:
    settled, settle = names.settled, names.settle
    for row in rows:
        if conditions and not _meets(row, conditions):
            yield None
            continue
        cells: dict[str, Cell] = {}
        for pair in row.properties.values:
            name = pair.name
            column = settled[name] if name in settled else settle(name)
            if column is not None:
                value = pair.value
                cells[column] = value if type(value) is str else cell_of(value)
        yield cells


def _meets(row: EntityRow, conditions: Sequence[Condition]) -> bool:
    wire = {property_name(pair.name): pair.value for pair in row.properties.values}
    return all(one.holds(wire.get(one.of.name.casefold())) for one in conditions)


def property_name(wire: str) -> str:
    """A name on the wire, to compare."""
    return property_named(wire, {})[0].casefold()


def _read_contacts(
    bodies: Iterator[dict[str, Any]], members: Members, conditions: Sequence[Condition], columns: Sequence[str]
) -> Iterator[Mapping[str, Cell] | None]:
    for body in bodies:
        values: Mapping[str, Value] = values_of(body, members)
        if all(one.holds(values.get(one.of.name)) for one in conditions):
            yield {name: cell_of(values.get(name)) for name in columns}
        else:
            yield None


def _refuse_ignored(entity: str, number: int, left_out: int) -> None:
    if number >= DOUBTED_AFTER and left_out * 2 > number:
        raise SiteError(
            f"{left_out:,} of {number:,} rows of {entity} do not meet the filter: the site seems to ignore it.",
            hint="Filter by a property that the site can search by, or let a query of iMIS do it.",
        )
