"""An upsert, once its rows are in a temporary table: told what does not fit, removed, added, changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from idms_cli.delivery.sql import faults
from idms_cli.delivery.sql.cells import Column
from idms_cli.delivery.sql.target import MARK, Target
from idms_cli.delivery.sql.task import Task

VANISHED = "vanished"
"""What a delta writes into its column for a row that is no longer there."""


@dataclass(frozen=True)
class Dialect:
    """How a kind of database says it."""

    rows: str
    """The temporary table."""
    differs: str
    """Whether two values are not the same, nothing being one of them."""
    generated: str = ""
    """In an INSERT: values are given also for what the database could number itself."""
    text: str = "{}"
    """A value that has no equality, as text."""


class Upsert:
    """The rows of the temporary table, merged into the real one."""

    def __init__(self, connection: Connection, target: Target, task: Task, dialect: Dialect) -> None:
        self._connection = connection
        self._target = target
        self._task = task
        self._dialect = dialect
        self._table = target.sql(connection)
        self._quote = connection.dialect.identifier_preparer.quote_identifier
        self._key = [self._quote(name) for name in target.key]
        self._lives = f"{MARK} {dialect.differs} '{VANISHED}'" if target.is_marked else "true"

    def columns(self) -> str:
        """What makes the temporary table, after SELECT."""
        return ", ".join(
            f"CAST(NULL AS text) AS {MARK}" if column.name == MARK else self._quote(column.name)
            for column in self._target.columns
        )

    def carry_out(self) -> Mapping[str, int]:
        """The figures for a report. Raises `DeliveryRefused` for keys that several rows have."""
        self._refuse_doubles()
        rows, key = self._dialect.rows, ", ".join(self._key)
        same = " AND ".join(f"known.{name} = given.{name}" for name in self._key)
        deleted = self._delete(same) if self._target.is_marked else 0
        total = self._run(f"SELECT count(*) FROM {rows} WHERE {self._lives}").scalar_one()
        known = self._run(
            f"SELECT count(*) FROM {rows} AS given WHERE {self._lives} "
            f"AND EXISTS (SELECT 1 FROM {self._table} AS known WHERE {same})"
        ).scalar_one()
        listed = ", ".join(self._target.names(self._connection))
        written = self._run(
            f"INSERT INTO {self._table} AS old ({listed}) {self._dialect.generated} "
            f"SELECT {listed} FROM {rows} WHERE {self._lives} ON CONFLICT ({key}) {self._on_conflict()}"
        ).rowcount
        inserted = total - known
        updated = max(written - inserted, 0)
        return {
            "inserted": inserted,
            "updated": updated,
            "unchanged": max(known - updated, 0),
            "deleted": deleted,
        }

    def _run(self, statement: str) -> Any:
        found = self._connection.exec_driver_sql(statement)
        self._task.watch.alive()
        return found

    def _delete(self, same: str) -> int:
        count: int = self._run(
            f"DELETE FROM {self._table} AS known WHERE EXISTS "
            f"(SELECT 1 FROM {self._dialect.rows} AS given WHERE given.{MARK} = '{VANISHED}' AND {same})"
        ).rowcount
        return count

    def _refuse_doubles(self) -> None:
        key = ", ".join(self._key)
        double = f"SELECT count(*), {key} FROM {self._dialect.rows} GROUP BY {key} HAVING count(*) > 1 LIMIT 3"
        if found := self._run(double).all():
            raise faults.doubles(self._task, self._target, [tuple(row) for row in found])

    def _on_conflict(self) -> str:
        """What is done to a row that is there. One that would not change is left alone: no trigger, no dead row."""
        others = [column for column in self._target.written if column.name not in self._target.key]
        if not others:
            return "DO NOTHING"
        changes = ", ".join(f"{name} = excluded.{name}" for name in (self._quote(each.name) for each in others))
        return f"DO UPDATE SET {changes} WHERE {' OR '.join(map(self._differs, others))}"

    def _differs(self, column: Column) -> str:
        form = "{}" if column.comparable else self._dialect.text
        name = self._quote(column.name)
        return f"{form.format(f'old.{name}')} {self._dialect.differs} {form.format(f'excluded.{name}')}"
