"""Values of the history: a job as last read, a run, a slot."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

REFUSED_BY = "rejected by {}"
"""The reason of a run that was held, and that somebody did not approve."""

QUESTIONS = "questions"
"""Beside the counts of a run that asks: how many records may or may not be stored. They count as left."""

AT_LEAST = "at_least"
"""Beside the counts of a run whose process told no outcome: what it called last is not known to the last call."""

OPEN = ("pending", "running", "interrupted")
"""States of a run that is not over."""


def moment(seconds: float | None) -> datetime | None:
    """UTC seconds as an aware datetime."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class JobRow:
    """A job file as it was last read. `problems` are the fields of each `Problem`."""

    name: str
    path: str
    fingerprint: str
    description: str = ""
    module: str = ""
    enabled: bool = True
    schedule: str = ""
    timezone: str = "UTC"
    upstream: str = ""
    """The job that it comes after; empty for one with times of its own."""
    first_seen: int = 0
    since: int = 0
    """The schedule is what it is since then; UTC seconds."""
    decided_until: int = 0
    next_due: int | None = None
    digest: str = ""
    require_test: bool = False
    problems: tuple[Mapping[str, Any], ...] = ()
    notify: Mapping[str, Any] = field(default_factory=dict)
    """Who is told of what, as `stored_notify` says it; empty for nobody."""
    disabled: str = ""
    """Why no slot of it runs, whatever its file says: `disabled after 5 failures in a row`."""

    @classmethod
    def of(cls, row: sqlite3.Row) -> "JobRow":
        fields: dict[str, Any] = dict(row)
        fields["enabled"] = bool(row["enabled"])
        fields["require_test"] = bool(row["require_test"])
        fields["problems"] = () if row["problems"] == "[]" else tuple(json.loads(row["problems"]))
        fields["notify"] = {} if row["notify"] == "{}" else json.loads(row["notify"])
        return cls(**fields)


@dataclass(frozen=True)
class Run:
    """One execution of a job."""

    id: int
    job: str
    due: datetime | None
    by_hand: bool
    foreground: bool
    dry_run: bool
    intent: str
    of_run: int | None
    row_limit: int | None
    connection: str
    options: Mapping[str, Mapping[str, Any]]
    """In force though the job does not say them: name -> `value`, `from`."""
    definition: str
    locks: tuple[Mapping[str, Any], ...]
    timeout_s: float | None
    start_by: datetime | None
    """The end of its slot's grace: a run that waits for its connection is skipped then."""
    priority: int
    pool: str
    wait_s: float | None
    disable_after: int | None
    late_s: int
    """So long after its moment its slot was taken; 0 on time."""
    status: str
    reason: str
    hint: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempt: int
    retried: int
    not_before: datetime | None
    """Pending, and put off until then after a failure that can pass."""
    stop_reason: str
    stop_force: bool
    exit_code: int | None
    decided_by: str | None
    decided_at: datetime | None
    source: tuple[Mapping[str, Any], ...] = ()
    """The files that it reads."""
    to_follow: tuple[str, ...] = ()
    """Files that get a run each when this one has ended."""
    batch: int | None = None
    """The first of the runs that read one file each of several; None when there was only one."""
    counts: Mapping[str, int] = field(default_factory=dict)
    module: str = ""
    """What kind of work; empty where nobody knows it any more."""
    sites: str = ""
    """The connections that it uses, with commas between them."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of a workflow, as they were given."""

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Run":
        fields: dict[str, Any] = dict(row)
        for name in ("due", "start_by", "created_at", "started_at", "ended_at", "not_before", "decided_at"):
            fields[name] = moment(row[name])
        for name in ("by_hand", "foreground", "dry_run", "stop_force"):
            fields[name] = bool(row[name])
        for name in ("locks", "source", "to_follow"):
            fields[name] = tuple(json.loads(row[name]))
        fields["counts"] = json.loads(row["counts"])
        fields["options"] = json.loads(row["options"])
        fields["parameters"] = json.loads(row["parameters"])
        return cls(**fields)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def deaths(self) -> int:
        """How often its process has died, if it is interrupted."""
        return self.attempt - self.retried

    @property
    def is_refused(self) -> bool:
        """Whether `decided_by` ended it, rather than let it go on."""
        return self.status == "cancelled" and self.reason == REFUSED_BY.format(self.decided_by)

    @property
    def asks(self) -> bool:
        """Whether it stopped in the middle, and waits for somebody who says what became of a record."""
        return self.status == "held" and bool(self.counts.get(QUESTIONS))

    @property
    def is_good(self) -> bool:
        """Over, and nobody has to look at it: also when there was nothing new to read."""
        return self.status in ("completed", "skipped")

    @property
    def duration_s(self) -> float | None:
        """From start to end, in seconds; None while it has not ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class NewRun:
    """What is known of a run when it is created."""

    job: str
    definition: str
    """Hash of the job file's text, see `Runs.remember`."""
    due: int | None = None
    by_hand: bool = False
    foreground: bool = False
    dry_run: bool = False
    intent: str = "run"
    """run, backfill, test; or what it does with the run `of_run`: retry, rest, undo, apply."""
    of_run: int | None = None
    row_limit: int | None = None
    connection: str = ""
    """Instead of the job's own."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    locks: tuple[Mapping[str, Any], ...] = ()
    timeout_s: float | None = None
    start_by: float | None = None
    """UTC seconds."""
    priority: int = 0
    pool: str = ""
    wait_s: float | None = None
    disable_after: int | None = None
    late_s: int = 0
    module: str = ""
    sites: str = ""
    """The connections that it uses, with commas between them."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of a workflow, as they were given."""


@dataclass(frozen=True)
class Wanted:
    """What of the history is asked for; None means any."""

    job: str | None = None
    status: str | None = None
    since: float | None = None
    """UTC seconds."""
    limit: int = 20
    until: float | None = None
    """UTC seconds; that moment included."""
    module: str | None = None
    connection: str | None = None
    by_hand: bool | None = None


@dataclass(frozen=True)
class Verdict:
    """What is decided about one slot: its run, or the reason why it is skipped."""

    job: str
    due: int
    run: NewRun | None = None
    reason: str = ""
    until: int | None = None
    """The last one, where one row stands for a long stretch of skipped slots."""


@dataclass(frozen=True)
class Slot:
    """A moment at which a job was due, and what became of it."""

    job: str
    due: datetime
    until: datetime | None
    verdict: str
    reason: str
    run: int | None
    decided_at: datetime
    made_up_by: int | None = None
    """The run of a backfill that did its work after all."""

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Slot":
        fields: dict[str, Any] = dict(row)
        for name in ("due", "until", "decided_at"):
            fields[name] = moment(row[name])
        return cls(**fields)

    @property
    def code(self) -> str:
        """The word that says why it was skipped: overlap, paused, missed...; empty for one that ran."""
        return self.reason.partition(":")[0]


@dataclass(frozen=True)
class Pause:
    """A stretch in which somebody wants a job not to run."""

    job: str
    since: datetime
    until: datetime | None
    """When it ends by itself."""
    why: str
    who: str
    ended_at: datetime | None
    ended_by: str | None

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Pause":
        fields: dict[str, Any] = {name: row[name] for name in row.keys() if name != "id"}  # noqa: SIM118 - not a dict
        for name in ("since", "until", "ended_at"):
            fields[name] = moment(row[name])
        return cls(**fields)

    def covers(self, at: datetime) -> bool:
        """Whether it holds at that moment."""
        ends = [end for end in (self.until, self.ended_at) if end is not None]
        return self.since <= at and all(at < end for end in ends)

    @property
    def reason(self) -> str:
        """As the verdict of a slot has it."""
        return f"paused: {self.why} (by {self.who})" if self.why else f"paused: by {self.who}"


@dataclass(frozen=True)
class Incident:
    """A stretch in which nobody called run-due."""

    id: int
    since: datetime
    """The last call before it."""
    until: datetime
    """The first call after it."""

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Incident":
        return cls(row["id"], datetime.fromtimestamp(row["since"], UTC), datetime.fromtimestamp(row["until"], UTC))

    @property
    def duration_s(self) -> float:
        return (self.until - self.since).total_seconds()
