"""MySQL, MariaDB, SQL Server and Oracle, by SQLAlchemy's own means: append and replace."""

import ssl
from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Connection, Engine, TableClause, create_engine, event, insert, table, text
from sqlalchemy import column as column_of
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from idms_cli.delivery.sql import faults
from idms_cli.delivery.sql.batches import RowRefused, Values, batches, insert_batches
from idms_cli.delivery.sql.cells import plain
from idms_cli.delivery.sql.copytext import CellRefused
from idms_cli.delivery.sql.faults import words
from idms_cli.delivery.sql.making import make_table
from idms_cli.delivery.sql.target import Target
from idms_cli.delivery.sql.task import AS_IT_WAS, CONNECT_TIMEOUT_S, Task
from idms_cli.errors import DeliveryRefused, IdmsError, LoginRefused, Unreachable
from idms_cli.web.tls import trusted

_LOGIN_REFUSED = (1044, 1045, 1698)  # https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
_LOCKED = (1205, 1213)
_FULL = (1021, 1114)
_MYSQL = ("mysql", "mariadb")
_ENGINE = text(
    "SELECT engine FROM information_schema.tables "
    "WHERE table_schema = coalesce(:schema, database()) AND table_name = :name"
)


class Others:
    """See `Backend`."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def open_engine(self) -> Engine:
        to, password = self._task.options.to, self._task.password()
        url = URL.create(
            f"{to.scheme}+{to.kind.driver}",
            username=to.user,
            password=password.reveal() if password else None,
            host=to.host,
            port=to.port,
            database=to.database or None,
            query=dict(to.query),
        )
        engine = create_engine(url, connect_args=self._arguments(), poolclass=NullPool, hide_parameters=True)
        if to.scheme in _MYSQL:
            event.listen(engine, "connect", self._limit_waiting)
        return engine

    def _arguments(self) -> dict[str, Any]:
        """What PyMySQL is told; the others have it in the address. https://pymysql.readthedocs.io"""
        options = self._task.options
        if options.to.scheme not in _MYSQL:
            return {}
        silence_s = round(options.statement_timeout.total_seconds())
        return {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "read_timeout": silence_s,
            "write_timeout": silence_s,
            "charset": "utf8mb4",
            "ssl": self._tls(),
        }

    def _tls(self) -> ssl.SSLContext | None:
        mode = self._task.options.tls_mode
        if mode == "verify":
            return trusted(self._task.ca_file())
        if mode != "encrypt":
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def _limit_waiting(self, driver: Any, _: object) -> None:
        seconds = max(1, round(self._task.options.lock_timeout.total_seconds()))
        with driver.cursor() as cursor:
            cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}")

    def begin(self, connection: Connection) -> None:
        """SQLAlchemy begins with the first statement."""

    def create(self, connection: Connection, target: Target) -> Target:
        return make_table(connection, target, self._task)

    def load(self, connection: Connection, target: Target) -> Mapping[str, int]:
        self._refuse_without_transactions(connection, target)
        deleted = 0
        if self._task.options.mode == "replace":
            deleted = connection.exec_driver_sql(f"DELETE FROM {target.sql(connection)}").rowcount
        names = [column.name for column in target.columns]
        there: TableClause = table(target.name, *map(column_of, names), schema=target.schema)

        def write(values: list[Values]) -> None:
            connection.execute(insert(there), [dict(zip(names, row, strict=True)) for row in values])

        try:
            found = batches(self._task.rows, target.columns, plain)
            inserted = insert_batches(connection, found, write, self._task.moved)
        except CellRefused as refused:
            raise faults.cell_refused(self._task, refused) from refused
        except RowRefused as refused:
            raise faults.row_refused(self._task, refused.row, None, _said(refused.error)[1]) from refused
        return {"inserted": inserted, "deleted": deleted}

    def _refuse_without_transactions(self, connection: Connection, target: Target) -> None:
        """A table of MySQL's MyISAM keeps what was written of a delivery that failed. Raises `DeliveryRefused`."""
        if self._task.options.to.scheme not in _MYSQL:
            return
        engine = connection.execute(_ENGINE, {"schema": target.schema, "name": target.name}).scalar()
        if engine not in (None, "InnoDB"):
            raise DeliveryRefused(
                f"{self._task.shown}: table {self._task.table} is of the kind {words(str(engine))}, which has no "
                f"transactions. {AS_IT_WAS}",
                hint=f"ALTER TABLE {target.sql(connection)} ENGINE = InnoDB;",
            )

    def explain(self, error: Exception, *, connected: bool, target: Target | None) -> IdmsError:
        del target
        if not isinstance(error, DBAPIError):
            raise error
        code, said = _said(error)
        if not connected:
            return self._no_connection(code, said)
        if code in _LOCKED:
            return faults.locked(self._task)
        if code in _FULL:
            return faults.no_space(self._task, said)
        if error.connection_invalidated:
            return faults.cut(self._task, said)
        hint = "Show this to whoever keeps the database."
        return DeliveryRefused(f"{self._task.shown}: table {self._task.table}: {said}. {AS_IT_WAS}", hint=hint)

    def _no_connection(self, code: object, said: str) -> IdmsError:
        shown = self._task.shown
        if code in _LOGIN_REFUSED:
            hint = "Check `auth:` of the step, and what the account may do there."
            return LoginRefused(f"{shown} refuses the login of {self._task.options.to.user}: {said}", hint=hint)
        if "CERTIFICATE_VERIFY_FAILED" in said:
            hint = "If it has a private authority, name its certificate in `ca_file:`."
            return Unreachable(f"{shown}: the certificate of the server is not trusted: {said}.", hint=hint)
        hint = "Is the server up, the address right, and `auth:`?"
        return Unreachable(f"{shown}: no connection: {said}.", hint=hint)

    def is_cut(self, error: Exception) -> bool:
        return isinstance(error, DBAPIError) and error.connection_invalidated


def _said(error: DBAPIError) -> tuple[object, str]:
    """The number of an error, where it has one, and its words."""
    match getattr(error.orig, "args", ()):
        case (code, str(said), *_):
            return code, words(said)
    return None, words(str(error.orig))
