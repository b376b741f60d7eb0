"""One delivery into a table: looked at, then written in one transaction, at most once."""

import logging
import math
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from idms_cli.delivery import Delivery, Receipt
from idms_cli.delivery.sql import faults
from idms_cli.delivery.sql.commitmark import CommitMark
from idms_cli.delivery.sql.ledger import NAME, Entry, Ledger, delivery_id, is_there_already
from idms_cli.delivery.sql.options import OWN, DatabaseOptions
from idms_cli.delivery.sql.target import Target, find_target, schema_of
from idms_cli.delivery.sql.task import AS_IT_WAS, Backend, CommitUnanswered, Task
from idms_cli.delivery.sql.watch import Watch
from idms_cli.errors import DeliveryRefused, IdmsError, Interrupted, OutcomeUnknown, Unreachable
from idms_cli.files.writers import Rows

ANSWER_S = 10.0
"""How much longer than the server's own limit its silence may last: that is when it says why."""

_BACKENDS: Mapping[str, tuple[str, str]] = {
    "postgresql": ("idms_cli.delivery.sql.postgresql", "PostgreSQL"),
    "sqlite": ("idms_cli.delivery.sql.sqlite", "SQLite"),
}
_OTHERS = ("idms_cli.delivery.sql.others", "Others")


def deliver(options: DatabaseOptions, directory: Path, rows: Rows, delivery: Delivery) -> Receipt:
    """See `Destination.deliver`."""
    for logger in ("psycopg", "sqlalchemy.pool"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # what matters is raised, and told with a hint
    if is_unaided(options):
        mark = CommitMark(delivery.folder)
        if mark.is_unknown:
            raise _unknown(options)
        if mark.is_done:
            return _receipt(options, rows, {"inserted": rows.count})
    try:
        return _attempted(options, directory, rows, delivery)
    except CommitUnanswered as lost:
        if is_unaided(options):
            raise _unknown(options) from lost
        delivery.log("the answer to the commit was lost: the database is asked whether it took place")
    try:
        return _attempted(options, directory, rows, delivery)
    except (CommitUnanswered, Unreachable) as error:
        raise _not_told(options, error) from error
    except DeliveryRefused as error:
        if options.keeps_ledger:  # it was looked at, and the first commit did not take place
            raise
        raise _not_told(options, error) from error


def _attempted(options: DatabaseOptions, directory: Path, rows: Rows, delivery: Delivery) -> Receipt:
    may_be_silent = "statement_timeout" not in options.to.kind.keys
    silence_s = math.inf if may_be_silent else options.statement_timeout.total_seconds() + ANSWER_S
    with Watch(delivery.stopping, silence_s=silence_s) as watch:
        task = Task(options, directory, rows, delivery, watch)
        task.refuse_to_end()
        module, name = _BACKENDS.get(options.to.scheme, _OTHERS)
        return _Attempt(task, getattr(import_module(module), name)(task)).carry_out()


class _Attempt:
    """One connection, from its beginning to its end."""

    def __init__(self, task: Task, backend: Backend) -> None:
        self._task = task
        self._backend = backend
        self._id = delivery_id(task.delivery.folder)
        self._mark = CommitMark(task.delivery.folder) if is_unaided(task.options) else None
        self._target: Target | None = None
        self._connected = False

    def carry_out(self) -> Receipt:
        engine = self._told(self._backend.open_engine)
        try:
            with closing(self._told(engine.connect)) as connection:
                self._connected = True
                try:
                    return self._written(connection)
                except BaseException:
                    # No goodbye: a rollback could wait for ever, and the server does it by itself.
                    with suppress(Exception):
                        connection.invalidate()
                    raise
        finally:
            engine.dispose()

    def _written(self, connection: Connection) -> Receipt:
        self._told(lambda: self._backend.begin(connection))
        ledger = self._told(lambda: self._ledger(connection))
        if ledger and self._told(lambda: ledger.has(connection, self._id)):
            return self._known_already()
        self._look(connection, ledger)
        self._told(lambda: self._backend.begin(connection))
        if ledger and not self._told(lambda: ledger.enter(connection, self._entry())):
            return self._known_already()
        counts = self._told(lambda: self._load(connection))
        self._commit(connection)
        return self._receipt(counts)

    def _ledger(self, connection: Connection) -> Ledger | None:
        options = self._task.options
        return Ledger(schema_of(connection, options)) if options.keeps_ledger else None

    def _look(self, connection: Connection, ledger: Ledger | None) -> None:
        """See that all is there and fits, in a transaction of its own, before anything is sent."""
        task, wanted = self._task, self._task.rows.columns if self._task.rows.count else ()
        target = self._target = self._told(lambda: find_target(connection, task.options, wanted))
        if ledger:
            self._make(ledger, connection)
        if not target.exists and task.options.to.scheme not in OWN:  # elsewhere, to make a table is to commit
            self._target = self._told(lambda: self._backend.create(connection, target))
        self._told(connection.commit)

    def _load(self, connection: Connection) -> Mapping[str, int]:
        target = self._target
        assert target is not None  # noqa: S101 - it was looked at
        if not target.exists:
            target = self._target = self._backend.create(connection, target)
        return self._backend.load(connection, target)

    def _make(self, ledger: Ledger, connection: Connection) -> None:
        """Raises `DeliveryRefused` with what somebody else has to do where this account may not make it."""
        try:
            ledger.make(connection)
        except Exception as error:
            if is_there_already(error):
                raise Unreachable(f"{self._task.shown}: another run makes {NAME} now.", hint="Try again.") from error
            told = self._meaning(error)
            if not isinstance(told, DeliveryRefused):
                raise told from error
            raise DeliveryRefused(
                f"{self._task.shown}: {NAME}, by which nothing is appended twice, cannot be made: {_reason(error)}. "
                f"{AS_IT_WAS}",
                hint=f"Have it made once: {ledger.statement(connection)} {self._grant(ledger, connection)}"
                "Or do without: `ledger: false`.",
            ) from error

    def _grant(self, ledger: Ledger, connection: Connection) -> str:
        if connection.dialect.name != "postgresql":
            return ""
        return f'GRANT SELECT, INSERT ON {ledger.name(connection)} TO "{self._task.options.to.user}"; '

    def _entry(self) -> Entry:
        task, job = self._task, self._task.delivery.values.get("job")
        return Entry(
            delivery=self._id,
            run=task.delivery.run_id,
            step=task.delivery.folder.name[:200],
            job=str(job or "")[:200],
            target=task.table[:400],
            rows=task.rows.count,
        )

    def _commit(self, connection: Connection) -> None:
        if not self._task.watch.is_left_alone():
            raise faults.broken_off(self._task) or Interrupted("the run was stopped")
        if self._mark:
            self._mark.asked()
        try:
            connection.commit()
        except Exception as error:
            if self._backend.is_cut(error):
                raise CommitUnanswered from error
            if self._mark:
                self._mark.refused()
            raise self._meaning(error) from error
        if self._mark:
            self._mark.done()

    def _known_already(self) -> Receipt:
        self._task.delivery.log(f"{NAME} says that an earlier attempt committed this: nothing is sent again")
        return self._receipt({"inserted": self._task.rows.count} if self._task.options.mode == "append" else {})

    def _receipt(self, counts: Mapping[str, int]) -> Receipt:
        return _receipt(self._task.options, self._task.rows, counts)

    def _told(self, work: Callable[[], Any]) -> Any:
        """Its result. Errors of the driver become what they mean."""
        self._task.watch.alive()
        try:
            return work()
        except IdmsError:
            raise
        except Exception as error:
            raise self._meaning(error) from error

    def _meaning(self, error: Exception) -> IdmsError:
        return faults.broken_off(self._task) or self._backend.explain(
            error, connected=self._connected, target=self._target
        )


def is_unaided(options: DatabaseOptions) -> bool:
    """Whether nobody but this machine could tell that the rows are there already, and twice would do harm."""
    return options.mode == "append" and not options.keeps_ledger


def _receipt(options: DatabaseOptions, rows: Rows, counts: Mapping[str, int]) -> Receipt:
    told = {name: count for name, count in counts.items() if count}
    return Receipt(f"{options.to.shown}, table {options.table}", items=rows.count, counts=told)


def _reason(error: Exception) -> str:
    return faults.words(str(getattr(error, "orig", error)).splitlines()[0])


def _unknown(options: DatabaseOptions) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{options.to.shown}: the connection was lost during the commit: nobody knows whether the rows are in table "
        f"{options.table}.",
        hint="Look there before they are sent again. With `ledger: true` idms finds out by itself.",
    )


def _not_told(options: DatabaseOptions, error: Exception) -> Unreachable:
    told = "" if isinstance(error, CommitUnanswered) else str(error).removesuffix(AS_IT_WAS).strip(" .")
    why = f" ({told})" if told else ""
    after = "the next attempt of this run finds out" if options.keeps_ledger else "to send them again does no harm"
    return Unreachable(
        f"{options.to.shown}: the connection was lost during the commit, and it could not be found out whether the "
        f"rows are in table {options.table}{why}.",
        hint=f"Let the run go on: {after}.",
    )
