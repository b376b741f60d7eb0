"""SQLite: rows go in by INSERT, an upsert by way of a temporary table."""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote as escaped

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from idms_cli.config.foreign import shortened
from idms_cli.delivery.sql import faults
from idms_cli.delivery.sql.batches import RowRefused, Values, batches, insert_batches
from idms_cli.delivery.sql.cells import LARGEST, Column, NoValue, digits, plain
from idms_cli.delivery.sql.copytext import CellRefused
from idms_cli.delivery.sql.faults import words
from idms_cli.delivery.sql.making import make_table
from idms_cli.delivery.sql.target import Target
from idms_cli.delivery.sql.task import AS_IT_WAS, Task
from idms_cli.delivery.sql.upsert import Dialect, Upsert
from idms_cli.errors import DeliveryRefused, IdmsError, Unreachable
from idms_cli.files.writers import Cell

LOOK_EVERY_S = 0.1
ROWS = "idms_rows"
"""The temporary table of an upsert."""

_DIALECT = Dialect(f"temp.{ROWS}", "IS NOT")
_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")


class SQLite:
    """See `Backend`."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._path = Path(task.options.to.below(task.directory).database)

    def open_engine(self) -> Engine:
        return create_engine("sqlite+pysqlite://", creator=self._connect, poolclass=NullPool)

    def _connect(self) -> sqlite3.Connection:
        create = self._task.options.create
        if not create and not self._path.is_file():
            hint = "Check the address in `to:`, or say `create: true`: then it is made."
            raise DeliveryRefused(f"{self._task.shown}: there is no such file.", hint=hint)
        if not self._path.parent.is_dir():
            hint = "Make it, or check the address in `to:`."
            raise DeliveryRefused(
                f"{self._task.shown}: there is no folder {shortened(str(self._path.parent), 200)}.", hint=hint
            )
        uri = f"file:{escaped(str(self._path))}?mode={'rwc' if create else 'rw'}"
        driver = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        driver.execute("PRAGMA synchronous = FULL")
        self._task.watch.over(lambda _: driver.interrupt())
        return driver

    def begin(self, connection: Connection) -> None:
        """The only writer from the beginning, waited for in small steps, since the run may have to end."""
        limit = self._task.options.lock_timeout.total_seconds()
        end = time.monotonic() + limit
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                break
            except OperationalError as error:
                if _name(error) not in _LOCKED or time.monotonic() > end:
                    raise
            self._task.refuse_to_end()
            self._task.watch.alive()
            time.sleep(LOOK_EVERY_S)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(limit * 1000)}")

    def create(self, connection: Connection, target: Target) -> Target:
        return make_table(connection, target, self._task)

    def load(self, connection: Connection, target: Target) -> Mapping[str, int]:
        if self._task.options.mode == "upsert":
            return self._upsert(connection, target)
        table, deleted = target.sql(connection), 0
        if self._task.options.mode == "replace":
            deleted = connection.exec_driver_sql(f"DELETE FROM {table}").rowcount
        return {"inserted": self._insert(connection, table, target.columns), "deleted": deleted}

    def _insert(self, connection: Connection, table: str, columns: Sequence[Column]) -> int:
        names = map(connection.dialect.identifier_preparer.quote_identifier, (column.name for column in columns))
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in columns)})"

        def insert(values: list[Values]) -> None:
            connection.exec_driver_sql(statement, [tuple(row) for row in values])

        try:
            found = batches(self._task.rows, columns, value)
            return insert_batches(connection, found, insert, self._task.moved)
        except CellRefused as refused:
            raise faults.cell_refused(self._task, refused) from refused
        except RowRefused as refused:
            if isinstance(refused.error, IntegrityError):
                raise faults.row_refused(self._task, refused.row, None, words(str(refused.error.orig))) from refused
            raise refused.error from None

    def _upsert(self, connection: Connection, target: Target) -> Mapping[str, int]:
        upsert = Upsert(connection, target, self._task, _DIALECT)
        table = target.sql(connection)
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {ROWS} AS SELECT {upsert.columns()} FROM {table} WHERE 0")
        self._insert(connection, f"temp.{ROWS}", target.columns)
        self._refuse_blank_keys(connection, target)
        return upsert.carry_out()

    def _refuse_blank_keys(self, connection: Connection, target: Target) -> None:
        """Raises `DeliveryRefused`. PostgreSQL would do so by itself."""
        quote = connection.dialect.identifier_preparer.quote_identifier
        for index, column in enumerate(target.columns):
            blank = f"SELECT rowid FROM temp.{ROWS} WHERE {quote(column.name)} IS NULL ORDER BY rowid LIMIT 1"
            if column.name in target.key and (row := connection.exec_driver_sql(blank).scalar()):
                raise faults.row_refused(self._task, row, index, "a key needs a value")

    def explain(self, error: Exception, *, connected: bool, target: Target | None) -> IdmsError:
        del target
        name, text = _name(error), words(str(getattr(error, "orig", error)))
        if name is None:
            raise error
        if name in _LOCKED or name.startswith("SQLITE_BUSY"):
            return faults.locked(self._task)
        if name == "SQLITE_FULL":
            return faults.no_space(self._task, text)
        if name.startswith("SQLITE_IOERR"):
            return Unreachable(f"{self._task.shown}: {text}. {AS_IT_WAS}", hint="Look at the disk that it is on.")
        if not connected or name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
            hint = "The account of idms must be allowed to write the file and its folder; it must be SQLite's."
            return DeliveryRefused(f"{self._task.shown}: not allowed: {text}. {AS_IT_WAS}", hint=hint)
        hint = "Show this to whoever keeps the database."
        return DeliveryRefused(f"{self._task.shown}: table {self._task.table}: {text}. {AS_IT_WAS}", hint=hint)

    def is_cut(self, error: Exception) -> bool:
        """A file is never cut off: what was not committed is rolled back by whoever opens it next."""
        del error
        return False


def value(cell: Cell, column: Column) -> str | int | float | None:
    """A cell as SQLite keeps it without losing anything. Raises `NoValue`."""
    found = plain(cell, column)
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, int | Decimal):
        return _number(Decimal(found), column)
    return found.isoformat() if column.sort == "date" else str(cell)


def _number(found: Decimal, column: Column) -> str | int | float:
    if found == found.to_integral_value() and -LARGEST - 1 <= found <= LARGEST:
        return int(found)
    if Decimal(repr(float(found))) == found:
        return float(found)
    if column.sort == "other":
        return digits(found)
    raise NoValue("SQLite would not keep all of its digits in a column of this type; one of type text does")


def _name(error: Exception) -> str | None:
    """SQLite's own name of an error; None for what is none of its errors."""
    inner = getattr(error, "orig", error)
    return getattr(inner, "sqlite_errorname", "") if isinstance(inner, sqlite3.Error) else None
