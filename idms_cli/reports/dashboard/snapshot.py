"""What the dashboard shows at one moment, read from the history at once."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from idms_cli.config.foreign import harmless
from idms_cli.config.settings import Settings
from idms_cli.dispatch.coming import Asked, coming
from idms_cli.dispatch.refresh import refresh
from idms_cli.dispatch.settle import read_progress, settle
from idms_cli.history.rows import JobRow, Run, Wanted
from idms_cli.history.store import Store
from idms_cli.reports.connections import away_page
from idms_cli.reports.dashboard.pace import Pace, Speed
from idms_cli.reports.dashboard.timeline import Lane, Timeline
from idms_cli.reports.incidents import silence
from idms_cli.reports.page import Line
from idms_cli.reports.stage import Stage, stage_of
from idms_cli.reports.standing import GROUPS, NEEDS_YOU, Standing, standings
from idms_cli.reports.status import RECENT_S
from idms_cli.reports.trend import Trend, trend_of
from idms_cli.reports.undelivered import undelivered_page
from idms_cli.reports.wording import Clock, duration

AHEAD = timedelta(hours=24)
AT_LEAST_BACK = timedelta(hours=3)
"""Just after midnight what was before it is still to be seen."""
PER_JOB = 100
"""Coming slots of a job that are placed one by one."""
BAR = 10
"""Cells of a bar."""
SKIPPED_SHOWN = 2000
TROUBLE = frozenset({"partial", "held", "failed", "interrupted"})


@dataclass(frozen=True)
class JobLine:
    """One job."""

    name: str
    group: str
    state: str
    next: str
    durations: str
    rows: str
    told: str
    run: int | None = None
    """Its newest run, or the one that is not over."""
    is_open: bool = False
    asks: bool = False
    """It is held in the middle: somebody has to say which records were stored."""
    is_paused: bool = False


@dataclass(frozen=True)
class Progress:
    """A run that is not over: how far it is."""

    run: int
    job: str
    since: str
    stage: Stage | None
    speed: Speed
    waits: str = ""

    @property
    def told(self) -> str:
        """`[##........] writing 1,200 of 5,000, 40/s, 1m35s left`."""
        if self.stage is None:
            return self.waits or "starting"
        per_s, left_s = self.speed
        rate = "" if per_s is None else f"{per_s:,.0f}/s" if per_s >= 10 else f"{per_s:.1f}/s"
        left = "" if left_s is None else f"{duration(left_s)} left"
        return self._bar + ", ".join(filter(None, (str(self.stage), rate, left)))

    @property
    def _bar(self) -> str:
        if self.stage is None or not self.stage.total:
            return ""
        done = min(BAR, BAR * self.stage.done // self.stage.total)
        return f"[{'#' * done}{'.' * (BAR - done)}] "


@dataclass(frozen=True)
class Snapshot:
    """All of it."""

    clock: Clock
    jobs: Sequence[JobLine]
    """Those that need somebody first."""
    running: Sequence[Progress]
    timeline: Timeline
    notices: Sequence[str] = ()
    """What is wrong with idms itself: silence, connections, messages."""

    @property
    def summary(self) -> str:
        """`1 needs you, 2 running, 8 fine`."""
        numbers = {group: sum(job.group == group for job in self.jobs) for group in GROUPS}
        words = {NEEDS_YOU: "needs you" if numbers[NEEDS_YOU] == 1 else "need you"}
        return ", ".join(f"{number} {words.get(group, group)}" for group, number in numbers.items() if number)


@dataclass
class Watcher:
    """Looks again and again, and remembers how far each run was, and what is to come within a minute."""

    settings: Settings
    _paces: dict[int, Pace] = field(default_factory=dict)
    _coming: tuple[object, Mapping[str, Lane]] = (None, {})

    def look(self, now: datetime) -> Snapshot:
        """Raises what the history or `idms.yaml` raises. Opens the history anew: it may be called in any thread."""
        clock = Clock(self.settings.timezone, now)
        with Store(self.settings.state) as store:
            settle(store, now.timestamp())
            jobs = refresh(store, self.settings, now).jobs
            states = standings(store, jobs, clock)
            trends = {each.job.name: trend_of(store.statistics.newest(each.job.name)) for each in states}
            ordered = sorted(states, key=lambda each: (GROUPS.index(each.group), each.job.name))
            return Snapshot(
                clock,
                [_job_line(each, trends[each.job.name], clock) for each in ordered],
                self._running(store, clock),
                self._timeline(store, jobs, clock),
                _notices(store, self.settings, clock),
            )

    def _running(self, store: Store, clock: Clock) -> list[Progress]:
        runs = store.runs.open()
        self._paces = {run.id: self._paces.get(run.id, Pace()) for run in runs}
        return [self._progress(store, run, clock) for run in sorted(runs, key=lambda run: run.status != "running")]

    def _progress(self, store: Store, run: Run, clock: Clock) -> Progress:
        stage = stage_of(read_progress(store.run_directory(run.id))) if run.status == "running" else None
        speed = self._paces[run.id].see(stage, time.monotonic()) if stage else Speed()
        waits = "" if run.status == "running" else harmless(": ".join(filter(None, (run.status, run.reason))))
        return Progress(run.id, run.job, clock.moment(run.started_at or run.created_at), stage, speed, waits)

    def _timeline(self, store: Store, jobs: Mapping[str, JobRow], clock: Clock) -> Timeline:
        midnight = clock.now.astimezone(clock.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        begin = min(midnight, (clock.now - AT_LEAST_BACK).replace(minute=0, second=0, microsecond=0))
        marks: dict[str, list[tuple[float, str]]] = {}
        for run in store.statistics.since(begin.timestamp()):
            marks.setdefault(run.job, []).append((run.at, run.status))
        for slot in store.slots.skipped(Wanted(since=begin.timestamp(), limit=SKIPPED_SHOWN)):
            marks.setdefault(slot.job, []).append((slot.due.timestamp(), "skipped"))
        upcoming = self._upcoming(store, jobs, clock)
        lanes = []
        for name in marks.keys() | upcoming.keys():
            lane = upcoming.get(name, Lane(name))
            past = marks.get(name, [])
            is_calm = not any(status in TROUBLE for _, status in past)
            lanes.append(Lane(name, [*past, *lane.marks], lane.goes_on, is_calm))
        lanes.sort(key=lambda lane: (lane.is_calm, min(at for at, _ in lane.marks), lane.job))
        return Timeline(begin, clock.now, clock.now + AHEAD, clock.zone, lanes)

    def _upcoming(self, store: Store, jobs: Mapping[str, JobRow], clock: Clock) -> Mapping[str, Lane]:
        """Counted once a minute, and when a job or a pause changes."""
        pauses = store.pauses.not_over(int(clock.now.timestamp()))
        known = (int(clock.now.timestamp()) // 60, tuple(jobs.values()), tuple(pauses.values()))
        if self._coming[0] != known:
            found: dict[str, list[tuple[float, str]]] = {}
            asked = Asked(clock.now, clock.now + AHEAD, limit=0, per_job=PER_JOB)
            for one in coming(store, jobs.values(), asked, pauses):
                mark = "skipped" if one.skip else "coming"
                found.setdefault(one.job, []).append((one.occurrence.acts_at.timestamp(), mark))
            self._coming = known, {name: Lane(name, m, goes_on=len(m) > PER_JOB) for name, m in found.items()}
        return self._coming[1]


def _job_line(state: Standing, trend: Trend, clock: Clock) -> JobLine:
    run = state.current or state.last
    streak = "" if state.word in ("broken", "running") else trend.streak(clock)
    return JobLine(
        harmless(state.job.name),
        state.group,
        state.word,
        state.next(clock),
        trend.durations,
        trend.rows,
        harmless("; ".join(filter(None, (streak, state.told(clock))))),
        run=run.id if run else None,
        is_open=state.current is not None,
        asks=bool(run and run.asks),
        is_paused=state.pause is not None,
    )


def _notices(store: Store, settings: Settings, clock: Clock) -> list[str]:
    undelivered = undelivered_page(store.outbox.given_up(clock.now.timestamp() - RECENT_S), clock)
    parts = [*away_page(store, settings, clock).parts, *undelivered.parts]
    told = [silence(store, clock), *(part.text for part in parts if isinstance(part, Line))]
    return [harmless(text) for text in told if text]
