"""What the page tells, gathered from the history: how each job stands, the day around now, the year, the rejects."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median

from markupsafe import Markup

from idms_cli.dispatch.rejected import rejected_rows
from idms_cli.errors import IdmsError
from idms_cli.files.places import briefly
from idms_cli.history.rows import JobRow, Run
from idms_cli.history.statistics import Totals
from idms_cli.history.store import Store
from idms_cli.reports.standing import GROUPS, Standing, standings
from idms_cli.reports.web.charts import Bar, bars, year
from idms_cli.reports.web.lanes import Lanes, lanes
from idms_cli.reports.wording import Clock, duration

RECENT = 30
"""Runs in a row of bars."""
TOTAL_DAYS = 30


@dataclass(frozen=True)
class Chart:
    """A row of bars, and in words what it shows."""

    drawn: Markup
    usual: str
    most: str


@dataclass(frozen=True)
class JobCard:
    """One job on the page."""

    state: Standing
    totals: Totals | None
    durations: Chart
    rows: Chart


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
    notices: Sequence[str]
    """What keeps more than one job from its work: nobody calls run-due, a connection is down."""
    jobs: Sequence[JobCard]
    """Those that need somebody first."""
    lanes: Lanes
    year: Markup
    reasons: Sequence[Reason]

    def of(self, group: str) -> list[JobCard]:
        """The jobs in a group of `reports.standing.GROUPS`."""
        return [card for card in self.jobs if card.state.group == group]


def gather(store: Store, jobs: Mapping[str, JobRow], notices: Sequence[str], clock: Clock) -> WebReport:
    """Read the history once for each part of the page."""
    now = clock.now
    totals = store.statistics.totals((now - timedelta(days=TOTAL_DAYS)).timestamp())
    states = standings(store, jobs, clock)
    states.sort(key=lambda state: (GROUPS.index(state.group), state.job.name))
    return WebReport(
        clock=clock,
        notices=notices,
        jobs=[_card(store, state, totals.get(state.job.name)) for state in states],
        lanes=lanes(store, jobs, clock),
        year=year(_days(store, clock), now.astimezone(clock.zone).date()),
        reasons=_reasons(store, [state.last for state in states if state.last]),
    )


def _card(store: Store, state: Standing, totals: Totals | None) -> JobCard:
    recent = [run for run in store.statistics.recent(state.job.name, RECENT) if run.duration_s is not None]
    took = [Bar(run.duration_s or 0, _is_well(run)) for run in recent]
    rows = [Bar(run.counts.get("read", 0), _is_well(run)) for run in recent]
    return JobCard(
        state,
        totals,
        _chart("Time taken", took, [duration(value) for value in _told(took)]),
        _chart("Rows read", rows, [f"{value:,.0f}" for value in _told(rows)]),
    )


def _told(values: Sequence[Bar]) -> tuple[float, float]:
    """What is usual, of the runs that went well where there are some, and the most."""
    well = [bar.value for bar in values if bar.is_well] or [bar.value for bar in values] or [0]
    return median(well), max((bar.value for bar in values), default=0)


def _chart(what: str, values: Sequence[Bar], told: Sequence[str]) -> Chart:
    usual, most = told
    label = f"{what} by the last {len(values)} runs: usually {usual}, at most {most}"
    return Chart(bars(values, label), usual, most)


def _is_well(run: Run) -> bool:
    return run.status in ("completed", "skipped")


def _days(store: Store, clock: Clock) -> dict[date, Counter[str]]:
    days: dict[date, Counter[str]] = {}
    for hour in store.statistics.by_hour((clock.now - timedelta(days=372)).timestamp()):
        day = datetime.fromtimestamp(hour.at, UTC).astimezone(clock.zone).date()
        days.setdefault(day, Counter())[hour.status] += hour.runs
    return days


def _reasons(store: Store, runs: Iterable[Run]) -> list[Reason]:
    """Counted in the journals of the newest runs; a journal that is gone or broken is passed over."""
    rows: Counter[str] = Counter()
    jobs: dict[str, dict[str, None]] = {}
    example: dict[str, str] = {}
    for run in runs:
        directory = store.run_directory(run.id)
        if not run.counts.get("rejected"):
            continue
        with suppress(IdmsError, OSError):
            for line, faults in rejected_rows(directory):
                rows.update({fault.code for fault in faults})
                for fault in faults:
                    jobs.setdefault(fault.code, {})[run.job] = None
                    example.setdefault(fault.code, f"line {briefly(line)}: {fault.message}")
    return [Reason(code, number, ", ".join(jobs[code]), example[code]) for code, number in rows.most_common()]
