"""Incidents: the stretches in which nobody called run-due."""

from typing import Any

from idms_cli.history.database import Database
from idms_cli.history.rows import Incident

NEWEST = "SELECT * FROM incident WHERE until >= ? ORDER BY id DESC LIMIT ?"
AT = "SELECT * FROM incident WHERE since < ? AND until >= ? ORDER BY id DESC LIMIT 1"


class Incidents:
    """The incidents in the history; `Ticks.record` files them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, *, since: float | None = None, limit: int = 20) -> list[Incident]:
        """Newest first; with `since` those that ended later."""
        return self._list(NEWEST, (since or 0, limit))

    def at(self, moment: int) -> Incident | None:
        """The incident in which a moment lies."""
        return next(iter(self._list(AT, (moment, moment))), None)

    def _list(self, sql: str, parameters: tuple[Any, ...]) -> list[Incident]:
        return [Incident.of(row) for row in self._database.connection.execute(sql, parameters)]
