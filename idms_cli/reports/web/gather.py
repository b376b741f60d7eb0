"""What the page tells, gathered from the history: how each job stands, the day around now, the year, the rejects."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from markupsafe import Markup

from idms_cli.dispatch.coming import Asked, coming
from idms_cli.errors import IdmsError
from idms_cli.files.places import briefly
from idms_cli.history.rows import JobRow, Run
from idms_cli.history.statistics import Totals
from idms_cli.history.store import Store
from idms_cli.reports.rejected import rejected_rows
from idms_cli.reports.standing import Standing, standings
from idms_cli.reports.web.charts import Bar, bars, worst, year
from idms_cli.reports.wording import Clock, duration

RECENT = 30
"""Runs in a row of bars."""
TOTAL_DAYS = 30
AROUND = timedelta(hours=24)
LANES = 40
PER_JOB = 24 * 60
"""Coming slots of a job: one each minute."""
SLOT = 10 * 60
"""Seconds that share one mark in a lane."""


@dataclass(frozen=True)
class JobCard:
    """One job on the page."""

    state: Standing
    totals: Totals | None
    durations: Markup
    rows: Markup


@dataclass(frozen=True)
class Mark:
    """Something on a lane of the day around now. `left` and `width` are percent."""

    left: float
    width: float
    status: str
    told: str


@dataclass(frozen=True)
class Lane:
    """What one job did in the last 24 hours, and will do in the coming 24."""

    job: str
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Reason:
    """Why rows were rejected in the jobs' newest runs."""

    code: str
    rows: int
    jobs: str
    example: str


@dataclass(frozen=True)
class WebReport:
    """All that is on the page."""

    clock: Clock
    banner: str
    jobs: Sequence[JobCard]
    lanes: Sequence[Lane]
    lanes_more: int
    year: Markup
    reasons: Sequence[Reason]

    def of(self, group: str) -> list[JobCard]:
        """The jobs in a group of `reports.standing.GROUPS`."""
        return [card for card in self.jobs if card.state.group == group]


def gather(store: Store, jobs: Mapping[str, JobRow], banner: str, clock: Clock) -> WebReport:
    """Read the history once for each part of the page."""
    now = clock.now
    totals = store.statistics.totals((now - timedelta(days=TOTAL_DAYS)).timestamp())
    states = standings(store, jobs, clock)
    lanes = _lanes(store, jobs, clock)
    return WebReport(
        clock=clock,
        banner=banner,
        jobs=[_card(store, state, totals.get(state.job.name)) for state in states],
        lanes=lanes[:LANES],
        lanes_more=max(0, len(lanes) - LANES),
        year=year(_days(store, clock), now.astimezone(clock.zone).date()),
        reasons=_reasons(store, [state.last for state in states if state.last]),
    )


def _card(store: Store, state: Standing, totals: Totals | None) -> JobCard:
    recent = [run for run in store.statistics.recent(state.job.name, RECENT) if run.duration_s is not None]
    took = [Bar(run.duration_s or 0, _is_well(run)) for run in recent]
    rows = [Bar(run.counts.get("read", 0), _is_well(run)) for run in recent]
    longest = duration(max((bar.value for bar in took), default=None))
    most = max((bar.value for bar in rows), default=0)
    return JobCard(
        state,
        totals,
        bars(took, f"Time taken by the last {len(took)} runs, at most {longest}"),
        bars(rows, f"Rows read by the last {len(rows)} runs, at most {most:,.0f}"),
    )


def _is_well(run: Run) -> bool:
    return run.status in ("completed", "skipped")


def _days(store: Store, clock: Clock) -> dict[date, Counter[str]]:
    days: dict[date, Counter[str]] = {}
    for hour in store.statistics.by_hour((clock.now - timedelta(days=372)).timestamp()):
        day = datetime.fromtimestamp(hour.at, UTC).astimezone(clock.zone).date()
        days.setdefault(day, Counter())[hour.status] += hour.runs
    return days


def _lanes(store: Store, jobs: Mapping[str, JobRow], clock: Clock) -> list[Lane]:
    begin = (clock.now - AROUND).timestamp()
    buckets: dict[str, dict[int, list[Run]]] = {}
    for run in store.statistics.since(begin):
        start = (run.started_at or run.created_at).timestamp()
        buckets.setdefault(run.job, {}).setdefault(max(0, int((start - begin) // SLOT)), []).append(run)
    lanes = {job: [_past(bucket, runs, clock) for bucket, runs in found.items()] for job, found in buckets.items()}
    for name, mark in _coming(store, jobs, clock):
        lanes.setdefault(name, []).append(mark)
    first = {name: min(mark.left for mark in marks) for name, marks in lanes.items()}
    return [Lane(name, lanes[name]) for name in sorted(lanes, key=lambda name: (_calm(lanes[name]), first[name], name))]


def _calm(marks: Iterable[Mark]) -> bool:
    """Jobs in trouble come first."""
    return worst(Counter(mark.status for mark in marks)) in ("completed", "skipped", "coming")


def _past(bucket: int, runs: Sequence[Run], clock: Clock) -> Mark:
    statuses = Counter(run.status for run in runs)
    took = max(run.duration_s or 0 for run in runs)
    when = clock.moment(runs[0].started_at or runs[0].created_at)
    told = f"{when}: " + (
        f"run {runs[0].id} {runs[0].status}, {duration(runs[0].duration_s)}"
        if len(runs) == 1
        else ", ".join(f"{number} {status}" for status, number in statuses.items())
    )
    return Mark(_percent(bucket * SLOT), max(0.5, _percent(took)), worst(statuses), told)


def _coming(store: Store, jobs: Mapping[str, JobRow], clock: Clock) -> Iterator[tuple[str, Mark]]:
    """The slots of the coming day that will run as far as is known now; those that share a mark, once."""
    asked = Asked(clock.now, clock.now + AROUND, limit=0, per_job=PER_JOB)
    pauses = store.pauses.not_over(int(clock.now.timestamp()))
    seen: set[tuple[str, int]] = set()
    for slot in coming(store, jobs.values(), asked, pauses):
        acts_at = slot.occurrence.acts_at
        bucket = int((acts_at - clock.now + AROUND).total_seconds() // SLOT)
        if not slot.skip and (slot.job, bucket) not in seen:
            seen.add((slot.job, bucket))
            yield slot.job, Mark(_percent(bucket * SLOT), 0.5, "coming", f"due {clock.moment(acts_at)}")


def _percent(seconds: float) -> float:
    return round(100 * seconds / (2 * AROUND.total_seconds()), 2)


def _reasons(store: Store, runs: Iterable[Run]) -> list[Reason]:
    """Counted in the journals of the newest runs; a journal that is gone or broken is passed over."""
    rows: Counter[str] = Counter()
    jobs: dict[str, dict[str, None]] = {}
    example: dict[str, str] = {}
    for run in runs:
        directory = store.run_directory(run.id)
        if not run.counts.get("rejected"):
            continue
        with suppress(IdmsError):
            for line, faults in rejected_rows(directory):
                for fault in faults:
                    rows[fault.code] += 1
                    jobs.setdefault(fault.code, {})[run.job] = None
                    example.setdefault(fault.code, f"line {briefly(line)}: {fault.message}")
    return [Reason(code, number, ", ".join(jobs[code]), example[code]) for code, number in rows.most_common()]
