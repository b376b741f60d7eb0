"""What is to be written, and what a kind of database has to know how to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine

from idms_cli.config.secrets import Secret
from idms_cli.delivery import Delivery
from idms_cli.delivery.sql.options import DatabaseOptions
from idms_cli.delivery.sql.target import Target
from idms_cli.delivery.sql.watch import Watch
from idms_cli.errors import IdmsError, Interrupted
from idms_cli.files.writers import Rows

CONNECT_TIMEOUT_S = 20
AS_IT_WAS = "The table is as it was."


class CommitUnanswered(Exception):
    """The connection was lost while the commit was under way: nobody here knows whether it took place."""


@dataclass(frozen=True)
class Task:
    """One attempt at one delivery."""

    options: DatabaseOptions
    directory: Path
    """Where relative paths start."""
    rows: Rows
    delivery: Delivery
    watch: Watch

    @property
    def shown(self) -> str:
        """The database, as people know it."""
        return self.options.to.shown

    @property
    def table(self) -> str:
        return self.options.table

    def password(self) -> Secret | None:
        """Raises `InputError` when it cannot be had."""
        auth = self.options.auth
        return None if auth is None else Secret(self.delivery.secret(auth.password))

    def ca_file(self) -> Path | None:
        return None if self.options.ca_file is None else self.directory / self.options.ca_file

    def zone(self) -> str:
        """By whose clock a time is meant that has no offset: the job's."""
        now = self.delivery.values.get("now")
        return getattr(getattr(now, "tzinfo", None), "key", "UTC")

    def moved(self, rows: int) -> None:
        """So many rows are sent. Raises `Interrupted` when the run is to end."""
        self.watch.alive()
        self.delivery.progress({"rows": rows})
        self.refuse_to_end()

    def refuse_to_end(self) -> None:
        """Raises `Interrupted` when the run is to end."""
        if self.watch.is_asked_to_end:
            raise Interrupted("the run was stopped")


class Backend(Protocol):
    """One kind of database. All but `open_engine` may raise errors of its driver, which `explain` understands."""

    def open_engine(self) -> Engine:
        """Connects when it is first used, and is watched from then on."""

    def begin(self, connection: Connection) -> None:
        """At the beginning of each transaction."""

    def create(self, connection: Connection, target: Target) -> Target:
        """Make the table from the rows, in the transaction; with its columns as they are now."""

    def load(self, connection: Connection, target: Target) -> Mapping[str, int]:
        """Write all rows, in the transaction; the figures for a report. Raises `DeliveryRefused`."""

    def explain(self, error: Exception, *, connected: bool, target: Target | None) -> IdmsError:
        """What an error of the driver means for people."""

    def is_cut(self, error: Exception) -> bool:
        """Whether an error is none of the database's answers: the connection is gone."""
