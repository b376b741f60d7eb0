"""A table made from the rows: their columns, and types that lose nothing."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice

from sqlalchemy import Connection

from idms_cli.delivery.sql.cells import LARGEST
from idms_cli.delivery.sql.options import OWN
from idms_cli.delivery.sql.target import Target, find_target
from idms_cli.delivery.sql.task import Task
from idms_cli.errors import InputError
from idms_cli.files.writers import Cell, Rows

AT_A_TIME = 500


def make_table(connection: Connection, target: Target, task: Task) -> Target:
    """Make it in the transaction that is open; a key becomes its primary key. Raises `InputError`."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    names = [column.name for column in target.written]
    types = _types(connection.dialect.name, task, names)
    lines = [f"{quote(name)} {types[name]}{' NOT NULL' if name in target.key else ''}" for name in names]
    if target.key:
        lines.append(f"PRIMARY KEY ({', '.join(map(quote, target.key))})")
    connection.exec_driver_sql(f"CREATE TABLE {target.sql(connection)} ({', '.join(lines)})")
    task.delivery.log(f"table {task.table} was not there; it is made: {', '.join(lines)}")
    return find_target(connection, task.options, task.rows.columns)


def _types(dialect: str, task: Task, names: Sequence[str]) -> Mapping[str, str]:
    said = {name.casefold(): kind for name, kind in (task.options.columns or {}).items()}
    given = {name: said[name.casefold()] for name in names if name.casefold() in said}
    rest = [name for name in names if name not in given]
    if not rest:
        return given
    if dialect not in OWN:
        raise InputError(
            f"{task.shown}: nobody said of what type the column '{rest[0]}' is to be.",
            hint=f"For {dialect} `columns:` has to name the type of each column.",
        )
    return {**guessed_types(task.rows, dialect), **given}


def guessed_types(rows: Rows, dialect: str) -> Mapping[str, str]:
    """Boolean where all values are, a number where all are, else text; dates are text, as the site writes them."""
    kinds: list[set[type]] = [set() for _ in rows.columns]
    exact = [True for _ in rows.columns]
    for chunk in _chunks(rows):
        for index, cells in enumerate(zip(*chunk, strict=True)):
            found = set(map(type, cells))
            kinds[index] |= found
            if exact[index] and dialect == "sqlite" and found & {int, Decimal}:
                exact[index] = all(map(_is_exact, cells))
    return {
        name: _type(kind - {type(None)}, dialect, exact=is_exact)
        for name, kind, is_exact in zip(rows.columns, kinds, exact, strict=True)
    }


def _chunks(rows: Rows) -> Iterator[list[tuple[Cell, ...]]]:
    cells = iter(rows)
    while chunk := list(islice(cells, AT_A_TIME)):
        yield chunk


def _type(kinds: set[type], dialect: str, *, exact: bool) -> str:
    if kinds == {bool}:
        return "boolean"
    if not kinds or not kinds <= {int, Decimal} or not exact:
        return "text"
    if dialect == "sqlite":
        return "integer" if kinds == {int} else "numeric"
    return "numeric"


def _is_exact(cell: Cell) -> bool:
    """Whether SQLite keeps all digits of a number: as 64 bits, or as a float."""
    if isinstance(cell, int):
        return -LARGEST - 1 <= cell <= LARGEST
    return not isinstance(cell, Decimal) or Decimal(repr(float(cell))) == cell
