"""Slots of jobs that come after another job: what their upstreams have done, and who has not answered to it yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idms_cli.history.database import Database
from idms_cli.history.rows import moment
from idms_cli.history.unanswered import OF_JOB, READY


@dataclass(frozen=True)
class UpstreamSlot:
    """A slot of the upstream that the job after it has not answered to."""

    due: datetime
    until: datetime | None
    is_over: bool
    """Its runs have all ended, or there was none; one that is held for approval is not over."""
    over_at: datetime
    status: str
    """Of its run, or the worst of its runs; `skipped` where there was none."""
    reason: str

    @classmethod
    def of(cls, row: Any) -> "UpstreamSlot":
        due, over_at = moment(row["due"]), moment(row["over_at"])
        assert due is not None and over_at is not None  # noqa: S101, PT018 - NOT NULL in the schema
        ran = row["verdict"] == "run"
        return cls(
            due=due,
            until=moment(row["until"]),
            is_over=bool(row["is_over"]),
            over_at=over_at,
            status=row["status"] or "gone" if ran else "skipped",
            reason=(row["run_reason"] or "") if ran else row["reason"],
        )


class Chains:
    """Who comes after whom."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ready(self) -> set[str]:
        """The jobs whose upstream has a slot that is over and that they have not answered to."""
        return {row["name"] for row in self._database.connection.execute(READY)}

    def decided_until(self, upstream: str) -> int:
        """Up to when an upstream has decided its slots (UTC seconds); 0 when there is no such job."""
        row = self._database.connection.execute("SELECT decided_until FROM job WHERE name = ?", (upstream,)).fetchone()
        return 0 if row is None else int(row["decided_until"])

    def unanswered(self, job: str) -> list[UpstreamSlot]:
        """The upstream's slots that this job has not answered to, ascending, over or not."""
        return [UpstreamSlot.of(row) for row in self._database.connection.execute(OF_JOB, (job,))]
