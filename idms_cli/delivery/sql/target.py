"""The table that rows go into: found, and all that does not fit told, before anything is sent."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Inspector, inspect
from sqlalchemy import types as sqltypes
from sqlalchemy.exc import SAWarning

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.delivery.sql.cells import Column, Sort
from idms_cli.delivery.sql.options import DatabaseOptions
from idms_cli.errors import DeliveryRefused, InputError

MARK = "idms_change"
"""The column of a temporary table that says what became of a row."""

_SORTS: Sequence[tuple[type[Any], Sort]] = (
    (sqltypes.Enum, "other"),
    (sqltypes.Boolean, "boolean"),
    (sqltypes.Integer, "integer"),
    (sqltypes.Numeric, "number"),  # floats among them
    (sqltypes.DateTime, "moment"),
    (sqltypes.Date, "date"),
    (sqltypes.String, "text"),
)
_COMPARABLE = (sqltypes.Uuid, sqltypes.Enum, sqltypes.Time, sqltypes.Interval, sqltypes.LargeBinary)


@dataclass(frozen=True)
class Target:
    """A table, and its columns in the order of the rows' own; in place of the one that marks them stands `MARK`."""

    schema: str | None
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    exists: bool = True

    def sql(self, connection: Connection) -> str:
        """Its name in a statement."""
        quote = connection.dialect.identifier_preparer.quote_identifier
        return ".".join(quote(part) for part in (*(self.schema or "").split("."), self.name) if part)

    @property
    def is_marked(self) -> bool:
        """Whether a column of the rows says which of them vanished; it is none of the table's own."""
        return any(column.name == MARK for column in self.columns)

    @property
    def written(self) -> tuple[Column, ...]:
        """The columns that the table has."""
        return tuple(column for column in self.columns if column.name != MARK)

    def names(self, connection: Connection) -> list[str]:
        """The names of the columns that the table has, in a statement."""
        quote = connection.dialect.identifier_preparer.quote_identifier
        return [quote(column.name) for column in self.written]


def schema_of(connection: Connection, options: DatabaseOptions) -> str | None:
    """Of the table, also where the step does not say it."""
    return options.table.rpartition(".")[0] or inspect(connection).default_schema_name


def find_target(connection: Connection, options: DatabaseOptions, wanted: Sequence[str]) -> Target:
    """The table for rows with these columns, or for no rows; one that is not there has no columns of its own yet.

    Raises `DeliveryRefused` with all that does not fit, `InputError` for a key that the rows do not have.
    """
    key, mark = (key_columns(options, wanted), _mark(options, wanted)) if wanted else ((), None)
    schema = schema_of(connection, options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # a type or an index that it does not know is none of ours
        found = inspect(connection)
        table = _find(found, schema, options.table.rpartition(".")[2])
        if table is None:
            if not options.create:
                raise _missing(found, options)
            columns = [Column(MARK if each == mark else each) for each in wanted]
            return Target(schema, options.table.rpartition(".")[2], tuple(columns), key, exists=False)
        there = found.get_columns(table, schema)
    if not wanted:
        return Target(schema, table, ())
    columns = _columns(there, [each for each in wanted if each != mark], f"{options.to.shown}: table {options.table}")
    if mark is not None:
        columns.insert(list(wanted).index(mark), Column(MARK))
    spelled = dict(zip(wanted, (column.name for column in columns), strict=True))
    target = Target(schema, table, tuple(columns), tuple(spelled[each] for each in key))
    if key:
        _need_unique(found, target, connection, options.to.shown)
    return target


def key_columns(options: DatabaseOptions, wanted: Sequence[str]) -> tuple[str, ...]:
    """The rows' columns that `key:` means. Raises `InputError`, also for others that are named and not there."""
    named = [("columns", name) for name in options.columns or ()]
    named += [("key", name) for name in options.key or ()]
    named += [("delete_vanished", name) for name in (options.delete_vanished,) if name]
    for word, name in named:
        if _same(name, wanted) is None:
            hint = f"They have {shortened(', '.join(wanted), 200)}."
            raise InputError(f"`{word}:` names '{name}', but the rows have no such column.", hint=hint)
    return tuple(_same(name, wanted) or name for name in options.key or ())


def _mark(options: DatabaseOptions, wanted: Sequence[str]) -> str | None:
    """The rows' column that says which of them vanished."""
    return None if options.delete_vanished is None else _same(options.delete_vanished, wanted)


def _same(name: str, names: Iterable[str]) -> str | None:
    """The one of the names that is meant: spelled so, or the only one that is but for its case."""
    listed = list(names)
    if name in listed:
        return name
    near = [each for each in listed if each.casefold() == name.casefold()]
    return near[0] if len(near) == 1 else None


def _find(found: Inspector, schema: str | None, name: str) -> str | None:
    if found.has_table(name, schema):
        return name
    return _same(name, _tables(found, schema))


def _tables(found: Inspector, schema: str | None) -> list[str]:
    return [*found.get_table_names(schema), *found.get_view_names(schema)]


def _missing(found: Inspector, options: DatabaseOptions) -> DeliveryRefused:
    schema, schemas = options.table.rpartition(".")[0], found.get_schema_names()
    if schema and schema not in schemas:
        hint = did_you_mean(schema, schemas) or "Make it, or name another one."
        return DeliveryRefused(f"{options.to.shown}: there is no schema '{schema}'.", hint=_sentence(hint))
    near = did_you_mean(options.table.rpartition(".")[2], _tables(found, schema or None))
    hint = near or "Make it, or say `create: true`: then it is made from the rows."
    return DeliveryRefused(f"{options.to.shown}: there is no table '{options.table}'.", hint=_sentence(hint))


def _columns(there: Sequence[Mapping[str, Any]], wanted: Sequence[str], what: str) -> list[Column]:
    """The table's columns for the rows' own. Raises `DeliveryRefused`."""
    by_name = {str(each["name"]): each for each in there}
    columns: list[Column] = []
    faults, hints = [], []
    for name in wanted:
        own = _same(name, by_name)
        if own is None:
            faults.append(f"it has no column '{shortened(name)}'")
            hints.append(did_you_mean(name, by_name))
        elif any(column.name == own for column in columns):
            faults.append(f"two columns of the rows are its '{own}'")
        elif by_name[own].get("computed") is not None:
            faults.append(f"its column '{own}' is computed by the database")
            hints.append(f"leave it out: drop: [{name}]")
        else:
            columns.append(_column(by_name[own]))
    written = {column.name for column in columns}
    for name, each in by_name.items():
        if name not in written and _needs_value(each):
            faults.append(f"its column '{name}' needs a value, and the rows have none for it")
            hints.append(f"`add:` one, or give it a default: ALTER COLUMN {name} SET DEFAULT ...")
    if faults:
        hint = "; ".join(dict.fromkeys(filter(None, hints))) or f"It has {shortened(', '.join(by_name), 200)}."
        raise DeliveryRefused(f"{what}: {'; '.join(faults)}.", hint=_sentence(hint))
    return columns


def _sentence(text: str) -> str:
    """As a hint stands by itself."""
    whole = text[:1].upper() + text[1:] if not text.startswith("`") else text
    return whole if whole.endswith((".", "?")) else f"{whole}."


def _column(each: Mapping[str, Any]) -> Column:
    kind = each["type"]
    while not isinstance(kind, sqltypes.Enum) and hasattr(kind, "data_type"):  # a domain is what it stands for
        kind = kind.data_type
    sort: Sort = next((sort for known, sort in _SORTS if isinstance(kind, known)), "other")
    if getattr(kind, "display_width", None) == 1:  # MySQL's way to say boolean: TINYINT(1)
        sort = "boolean"
    scale = kind.scale if sort == "number" and not isinstance(kind, sqltypes.Float) else None
    return Column(
        str(each["name"]),
        sort,
        scale=scale,
        blank=bool(each["nullable"]),
        comparable=sort != "other" or isinstance(kind, _COMPARABLE),
    )


def _needs_value(each: Mapping[str, Any]) -> bool:
    filled = any(each.get(way) is not None for way in ("default", "computed", "identity"))
    return not each["nullable"] and not filled and each.get("autoincrement") is not True


def _need_unique(found: Inspector, target: Target, connection: Connection, shown: str) -> None:
    """Raises `DeliveryRefused` when nothing makes sure that a key is there once."""
    if set(target.key) in _unique(found, target):
        return
    quote = connection.dialect.identifier_preparer.quote_identifier
    names = ", ".join(map(quote, target.key))
    raise DeliveryRefused(
        f"{shown}: table {target.name} has no unique index on {', '.join(target.key)}, which upsert needs.",
        hint=f"CREATE UNIQUE INDEX ON {target.sql(connection)} ({names});"
        if connection.dialect.name == "postgresql"
        else f"CREATE UNIQUE INDEX {quote(f'{target.name}_key')} ON {quote(target.name)} ({names});",
    )


def _unique(found: Inspector, target: Target) -> list[set[str]]:
    """The sets of columns of which no two rows have the same."""
    name, schema = target.name, target.schema
    sets = [set(found.get_pk_constraint(name, schema)["constrained_columns"])]
    sets += [set(each["column_names"]) for each in found.get_unique_constraints(name, schema)]
    for index in found.get_indexes(name, schema):
        partial = any(
            key.endswith("_where") and value is not None for key, value in index.get("dialect_options", {}).items()
        )
        if index["unique"] and not partial and not index.get("expressions"):
            sets.append({column for column in index["column_names"] if column})
    return sets
