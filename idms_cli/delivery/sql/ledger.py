"""Deliveries that were committed, noted in the database itself by the same transaction: none is done twice."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, DateTime, MetaData, String, Table, func, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from idms_cli.config.replacing import replace_file

NAME = "idms_deliveries"
_ID = "delivery.id"
_INSERTS: Mapping[str, Callable[[Table], Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


@dataclass(frozen=True)
class Entry:
    """What is noted of a delivery."""

    delivery: str
    """Of this delivery alone, whatever else writes into the database: run numbers begin anew with each installation."""
    run: int
    step: str
    job: str
    target: str
    rows: int


class Ledger:
    """The table of deliveries, beside the one that is written to."""

    def __init__(self, schema: str | None) -> None:
        self._table = Table(
            NAME,
            MetaData(),
            Column("delivery", String(36), primary_key=True),
            Column("run", BigInteger, nullable=False),
            Column("step", String(200), nullable=False),
            Column("job", String(200), nullable=False),
            Column("target", String(400), nullable=False),
            Column("rows", BigInteger, nullable=False),
            Column("at", DateTime(timezone=True), nullable=False),
            schema=schema,
            mysql_engine="InnoDB",  # has transactions, whatever the server's default is
            mariadb_engine="InnoDB",
        )

    def has(self, connection: Connection, delivery: str) -> bool:
        """Whether this delivery was committed; an attempt that is still at work is not waited for."""
        if not inspect(connection).has_table(NAME, self._table.schema):
            return False
        known = select(self._table.c.run).where(self._table.c.delivery == delivery)
        return connection.execute(known).first() is not None

    def make(self, connection: Connection) -> None:
        """See that the table is there, in a transaction of its own. Raises an error of the driver."""
        if not inspect(connection).has_table(NAME, self._table.schema):
            connection.execute(CreateTable(self._table, if_not_exists=True))
        connection.commit()

    def statement(self, connection: Connection) -> str:
        """The SQL that makes the table, on one line."""
        return f"{' '.join(str(CreateTable(self._table).compile(connection)).split())};"

    def name(self, connection: Connection) -> str:
        """As a statement has it."""
        return connection.dialect.identifier_preparer.format_table(self._table)

    def enter(self, connection: Connection, entry: Entry) -> bool:
        """Note it, first of all in its transaction; False when it is there: the delivery was committed before.

        Where an earlier attempt is still at work in the database, this waits for how it ends.
        """
        values = {**vars(entry), "at": func.current_timestamp()}
        if into := _INSERTS.get(connection.dialect.name):
            statement = into(self._table).values(values).on_conflict_do_nothing()
            return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1
        if self.has(connection, entry.delivery):
            return False
        connection.execute(insert(self._table).values(values))
        return True


def delivery_id(folder: Path) -> str:
    """The same at each attempt at a delivery, and of no other one. Durable before it is first used."""
    path = folder / _ID
    if not path.exists():
        replace_file(path, str(uuid.uuid4()).encode())
    return path.read_text()


def is_there_already(error: Exception) -> bool:
    """Whether the ledger could not be made because another run made it in that moment."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in ("42P07", "23505", "42710")
