"""How things stand, for monitoring systems: one line with performance data, and a level.

The form is that of the monitoring plugins (https://www.monitoring-plugins.org/doc/guidelines.html): 0 OK, 1 WARNING,
2 CRITICAL, 3 UNKNOWN.
"""

from collections.abc import Sequence
from typing import NamedTuple

from idms_cli.dispatch.connections import ShutConnection
from idms_cli.reports.page import Line, Page
from idms_cli.reports.standing import GROUPS, Standing
from idms_cli.reports.wording import Clock, some

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
LEVELS = {
    **dict.fromkeys(("broken", "failed"), CRITICAL),
    **dict.fromkeys(("partial", "held", "interrupted", "untested"), WARNING),
}
"""Of a job in a state; every other state is well, but for a job that was disabled because it failed."""

WARN_TICK_S, CRITICAL_TICK_S = 180, 600


class Finding(NamedTuple):
    """Something that a person should look at."""

    level: int
    text: str


class Verdict(NamedTuple):
    """What a monitoring system is told."""

    level: int
    page: Page


def verdict(
    states: Sequence[Standing],
    away: Sequence[ShutConnection],
    *,
    tick_s: float | None,
    clock: Clock,
    job: str | None = None,
) -> Verdict:
    """All jobs and connections, or one job. `tick_s`: how long ago run-due was called; None if never."""
    found = [*_jobs(states, clock)]
    if job is None:
        found += [*_connections(away)]
    found += [*_silence(tick_s)]
    level = max((each.level for each in found), default=OK)
    worst = sorted(found, key=lambda each: -each.level)
    told = "; ".join(each.text for each in worst) or _well(states, job, clock)
    figures = _of_one(states[0]) if job is not None else _of_all(states)
    if tick_s is not None:
        figures.append(f"tick_age={tick_s:.0f}s;{WARN_TICK_S};{CRITICAL_TICK_S}")
    line = f"IDMS {NAMES[level]} - {told.replace('|', '/')} | {' '.join(figures)}"
    data = {"level": level, "state": NAMES[level], "found": [each.text for each in worst], "performance": figures}
    return Verdict(level, Page({"check": data}, [Line(line)]))


def unknown(message: str) -> Page:
    """Nobody can tell how things stand."""
    line = f"IDMS UNKNOWN - {message.replace('|', '/')}"
    data = {"level": UNKNOWN, "state": "UNKNOWN", "found": [message], "performance": []}
    return Page({"check": data}, [Line(line)])


def _jobs(states: Sequence[Standing], clock: Clock) -> list[Finding]:
    found = []
    for each in states:
        given_up = each.word == "disabled" and bool(each.job.disabled)
        level = CRITICAL if given_up else LEVELS.get(each.word, OK)
        if level:
            found.append(Finding(level, f"{each.job.name} {each.word}: {each.told(clock)}"))
    return found


def _connections(away: Sequence[ShutConnection]) -> list[Finding]:
    return [
        Finding(
            CRITICAL if each.waiting or each.outage.kind == "refused" else WARNING,
            f"connection {each.connection} {each.outage.kind}: {each.outage.reason}",
        )
        for each in away
        if each.outage.kind in ("down", "refused")
    ]


def _silence(tick_s: float | None) -> list[Finding]:
    if tick_s is None:
        return [Finding(CRITICAL, "run-due has never been called")]
    if tick_s < WARN_TICK_S:
        return []
    level = CRITICAL if tick_s >= CRITICAL_TICK_S else WARNING
    return [Finding(level, f"run-due has not been called for {int(tick_s // 60)} minutes")]


def _well(states: Sequence[Standing], job: str | None, clock: Clock) -> str:
    if job is None:
        return f"{some(len(states), 'job')} well"
    return f"{job} {states[0].word}: {states[0].told(clock)}"


def _of_all(states: Sequence[Standing]) -> list[str]:
    groups = {group: sum(each.group == group for each in states) for group in GROUPS}
    return [f"jobs={len(states)}", *(f"{group.replace(' ', '_')}={number}" for group, number in groups.items())]


def _of_one(state: Standing) -> list[str]:
    run = state.last
    if run is None:
        return []
    took = [] if run.duration_s is None else [f"duration={run.duration_s:.1f}s"]
    return [*took, *(f"{name}={number}" for name, number in sorted(run.counts.items()))]
