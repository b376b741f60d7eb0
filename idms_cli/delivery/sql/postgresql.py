"""PostgreSQL: rows go in by COPY, an upsert by way of a temporary table."""

import os
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import certifi
import psycopg
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from idms_cli.delivery.sql import faults
from idms_cli.delivery.sql.cells import Column
from idms_cli.delivery.sql.copytext import CellRefused, blocks
from idms_cli.delivery.sql.making import make_table
from idms_cli.delivery.sql.pgfaults import explain, is_cut
from idms_cli.delivery.sql.target import Target
from idms_cli.delivery.sql.task import CONNECT_TIMEOUT_S, Task
from idms_cli.delivery.sql.upsert import Dialect, Upsert
from idms_cli.errors import IdmsError, InputError

SOCKETS = "/run/postgresql"
CANCEL_S = 3.0
ROWS = "idms_rows"
"""The temporary table of an upsert."""

_DIALECT = Dialect(f"pg_temp.{ROWS}", "IS DISTINCT FROM", generated="OVERRIDING SYSTEM VALUE", text="{}::text")

# Only those that the server has; for this transaction alone, so that a pool in between (pgbouncer) does no harm.
_SETTINGS = """\
SELECT set_config(wanted.name, wanted.value, true)
FROM unnest(%s::text[], %s::text[]) AS wanted(name, value) JOIN pg_settings USING (name)"""
_DURABLE = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
_TIMEOUT = "SELECT set_config('statement_timeout', %s, true)"


class PostgreSQL:
    """See `Backend`."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._options = task.options

    def open_engine(self) -> Engine:
        return create_engine(
            "postgresql+psycopg://", creator=self._connect, poolclass=NullPool, use_native_hstore=False
        )

    def _connect(self) -> "psycopg.Connection[Any]":
        driver = psycopg.connect(prepare_threshold=None, **self._parameters())
        self._task.watch.over(lambda over: _break_off(driver, over))
        return driver

    def _parameters(self) -> dict[str, Any]:
        """What libpq is told. https://www.postgresql.org/docs/current/libpq-connect.html"""
        to, password = self._options.to, self._task.password()
        named = {
            "host": to.host or to.query.get("host", SOCKETS),  # never left to $PGHOST
            "port": to.port,
            "user": to.user,
            "dbname": to.database,
            "password": password.reveal() if password else None,
            **self._tls(),
        }
        return {
            **{key: value for key, value in named.items() if value is not None},
            "connect_timeout": CONNECT_TIMEOUT_S,
            "client_encoding": "UTF8",
            "application_name": "idms",
            "gssencmode": "disable",
            # A peer that is gone is noticed within a minute; a server that is there and silent, by the watch.
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
        }

    def _tls(self) -> dict[str, Any]:
        mode = self._options.tls_mode if self._options.to.host else "off"
        if mode == "verify":
            return {"sslmode": "verify-full", "sslrootcert": str(self._authorities())}
        told = {"sslmode": {"encrypt": "require", "off": "disable", "prefer": "prefer"}[mode]}
        if not self._options.to.is_here and psycopg.pq.version() >= 160000:
            told["require_auth"] = "!password"  # not in the clear to nobody knows whom
        return told

    def _authorities(self) -> Path:
        """The private one; else the system's, or certifi's where it has none: psycopg's libpq knows none."""
        private = self._task.ca_file()
        if private is None:
            return _system_authorities()
        if not private.is_file():
            raise InputError(
                f"The authority file {private} cannot be used: there is no such file.",
                hint="It must be a readable file with certificates in PEM form.",
            )
        return private

    def begin(self, connection: Connection) -> None:
        settings = {
            "lock_timeout": _ms(self._options.lock_timeout.total_seconds()),
            "statement_timeout": _ms(self._options.statement_timeout.total_seconds()),
            "TimeZone": self._task.zone(),
            "DateStyle": "ISO, YMD",
            # If this machine is lost, the server notices, and lets go of what is locked.
            "tcp_keepalives_idle": "60",
            "tcp_keepalives_interval": "15",
            "tcp_keepalives_count": "4",
        }
        connection.exec_driver_sql(_SETTINGS, (list(settings), list(settings.values())))
        connection.exec_driver_sql(_DURABLE)

    def create(self, connection: Connection, target: Target) -> Target:
        return make_table(connection, target, self._task)

    def load(self, connection: Connection, target: Target) -> Mapping[str, int]:
        if self._options.mode == "upsert":
            return self._upsert(connection, target)
        table, deleted = target.sql(connection), 0
        if self._options.mode == "replace":
            # Nobody else writes until the commit: rows that came in meanwhile would stay. Readers see the old ones.
            connection.exec_driver_sql(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            deleted = connection.exec_driver_sql(f"DELETE FROM {table}").rowcount
            self._task.watch.alive()
        if target.columns:
            self._copy(connection, table, target.columns)
        return {"inserted": self._task.rows.count, "deleted": deleted}

    def _copy(self, connection: Connection, table: str, columns: Sequence[Column]) -> None:
        driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        names = map(connection.dialect.identifier_preparer.quote_identifier, (column.name for column in columns))
        statement = f"COPY {table} ({', '.join(names)}) FROM STDIN".replace("%%", "%")
        # The server's limit would count the whole of it; each piece is watched from here.
        connection.exec_driver_sql(_TIMEOUT, ("0",))
        sent = 0
        try:
            with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                for rows, lines in blocks(self._task.rows, columns):
                    copy.write(lines)
                    sent += rows
                    self._task.moved(sent)
        except CellRefused as refused:
            raise faults.cell_refused(self._task, refused) from refused
        self._task.watch.alive()
        connection.exec_driver_sql(_TIMEOUT, (_ms(self._options.statement_timeout.total_seconds()),))

    def _upsert(self, connection: Connection, target: Target) -> Mapping[str, int]:
        quote, run = connection.dialect.identifier_preparer.quote_identifier, connection.exec_driver_sql
        upsert = Upsert(connection, target, self._task, _DIALECT)
        table = target.sql(connection)
        run(f"CREATE TEMPORARY TABLE {ROWS} ON COMMIT DROP AS SELECT {upsert.columns()} FROM {table} WITH NO DATA")
        # COPY says which row it is that has nothing where something must be.
        needed = [
            f"ALTER {quote(column.name)} SET NOT NULL"
            for column in target.columns
            if column.name in target.key or not (column.blank or target.is_marked)
        ]
        run(f"ALTER TABLE pg_temp.{ROWS} {', '.join(needed)}")
        self._copy(connection, f"pg_temp.{ROWS}", target.columns)
        run(f"ANALYZE pg_temp.{ROWS} ({', '.join(map(quote, target.key))})")
        return upsert.carry_out()

    def explain(self, error: Exception, *, connected: bool, target: Target | None) -> IdmsError:
        return explain(error, self._task, target, connected=connected, rows=ROWS)

    def is_cut(self, error: Exception) -> bool:
        return is_cut(error)


def _ms(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _system_authorities() -> Path:
    found = ssl.get_default_verify_paths()
    named = [Path(path) for path in (found.cafile, found.openssl_cafile) if path]
    return next((path for path in named if path.is_file()), Path(certifi.where()))


def _break_off(driver: "psycopg.Connection[Any]", over: threading.Event) -> None:
    """Ask the server to stop; where nothing comes of that, cut the connection."""
    with suppress(psycopg.Error):
        driver.cancel_safe(timeout=CANCEL_S)
    if not over.wait(CANCEL_S):
        with closing(socket.socket(fileno=os.dup(driver.fileno()))) as ours:
            ours.shutdown(socket.SHUT_RDWR)
