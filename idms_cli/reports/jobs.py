"""The jobs: what they will do and when; and what is wrong with those that are wrong."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from idms_cli.config.problems import format_problem
from idms_cli.dispatch.reading import Asked, Checked
from idms_cli.jobs.job import Job
from idms_cli.jobs.meetings import Forecast
from idms_cli.reports.meetings import meeting_lines, meetings_data
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.status import NO_JOBS
from idms_cli.reports.wording import Clock, some

NEXT = 3
MOST_SKIPPED = 1000
"""So many slots that will be skipped are looked over for one that runs."""


@dataclass(frozen=True)
class Known:
    """What the history knows of the jobs that are checked."""

    tested: Collection[tuple[str, str]] = ()
    """Job and digest of each definition that has passed its test."""
    usual_s: Mapping[str, float] = field(default_factory=dict)
    """How long a job's runs usually take."""
    meetings: Forecast = field(default_factory=Forecast)

    def has_passed(self, job: Job) -> bool:
        return (job.name, job.digest) in self.tested


def check_page(checked: Sequence[Checked], clock: Clock, known: Known) -> Page:
    """For each job all its problems, or what it will do and its next due times; then whom it will meet."""
    parts: list[Line | Table] = []
    for each in checked:
        if each.problems:
            parts += [Line(line) for problem in each.problems for line in format_problem(problem).split("\n")]
        elif each.job and each.work:
            parts.append(Line(f"{each.name}: ok", "green"))
            parts.append(Line(f"    {each.work.describe()}"))
            parts += [Line(f"    {line}") for line in _when(each, each.job, clock)]
            if not known.has_passed(each.job):
                parts.append(Line(f"    {_untested(each.job)}", "yellow"))
        parts += _warnings(each)
        parts += _silence(each)
    parts += meeting_lines(known.meetings, clock, guessed={each.name for each in checked} - known.usual_s.keys())
    broken = sum(bool(each.problems) for each in checked)
    parts.append(Line(_total(checked, broken), "bold red" if broken else "bold"))
    data = [
        {
            **_data(each, clock.now),
            "tested": each.job and known.has_passed(each.job),
            "online": _online(each.asked),
        }
        for each in checked
    ]
    return Page({"jobs": data, "broken": broken, **meetings_data(known.meetings)}, parts)


def jobs_page(checked: Sequence[Checked], clock: Clock, disabled: Collection[str]) -> Page:
    """A line for each job; `disabled` are those that were disabled other than by their file."""
    rows = [
        (each.name, each.job.module, _state(each.job, disabled), _schedule(each) or "-", each.job.description)
        if each.job
        else (each.name, "-", "broken", "-", f"{some(len(each.problems), 'problem')}; see idms check {each.name}")
        for each in checked
    ]
    if not rows:
        return Page({"jobs": []}, [Line(NO_JOBS)])
    table = Table(("job", "module", "state", "schedule", "description"), rows)
    return Page({"jobs": [_data(each, clock.now) for each in checked]}, [table])


def upcoming(checked: Checked, now: datetime, number: int = NEXT) -> list[datetime]:
    """When a job starts next; empty for one that is broken, disabled or has no times of its own."""
    found: list[datetime] = []
    occurrences = checked.occurrences if checked.job and checked.job.enabled else None
    after = occurrences.next_after(now) if occurrences else None
    for _ in range(MOST_SKIPPED):
        if occurrences is None or after is None or len(found) == number:
            break
        if not after.skip:
            found.append(after.acts_at)
        after = occurrences.next_after(after.acts_at)
    return found


def _when(checked: Checked, job: Job, clock: Clock) -> list[str]:
    if not job.enabled:
        return ["disabled: it does not run on its own"]
    if checked.occurrences is None:
        return ["no schedule: it runs when somebody starts it with idms run"]
    if job.upstream:
        return [checked.occurrences.describe()]
    in_zone = Clock(job.zone, clock.now)
    times = ", ".join(in_zone.moment(moment) for moment in upcoming(checked, clock.now))
    return [checked.occurrences.describe(), f"next: {times or 'never again'}"]


def _untested(job: Job) -> str:
    then = ", and it does not run on its own before it has passed" if job.require_test else ""
    return f"untested as it is now: idms test {job.name}{then}"


def _state(job: Job, disabled: Collection[str]) -> str:
    return "ok" if job.enabled and job.name not in disabled else "disabled"


def _schedule(each: Checked) -> str | None:
    return each.occurrences.describe() if each.occurrences else None


def _warnings(each: Checked) -> list[Line]:
    told = each.asked.warnings if each.asked else ()
    lines = [line for warning in told for line in f"warning: {format_problem(warning)}".splitlines()]
    return [Line(line, "yellow") for line in lines]


def _silence(each: Checked) -> list[Line]:
    silent = each.asked.silent if each.asked else None
    if silent is None:
        return []
    lines = [Line(f"{each.name}: its site could not be asked: {silent}", "yellow")]
    return [*lines, Line(f"    hint: {silent.hint}")] if silent.hint else lines


def _total(checked: Sequence[Checked], broken: int) -> str:
    jobs = some(len(checked), "job")
    unasked = sum(bool(each.asked and each.asked.silent) for each in checked)
    but = f" Of {unasked} the site could not be asked." if unasked else ""
    warnings = sum(len(each.asked.warnings) for each in checked if each.asked)
    but += f" {some(warnings, 'warning')}." if warnings else ""
    if not checked:
        return NO_JOBS
    if broken:
        return f"{broken} of {jobs} {'has' if broken == 1 else 'have'} problems.{but}"
    agreed = ", and the sites have what they name" if any(each.asked for each in checked) and not unasked else ""
    return f"{jobs}, all well{agreed}.{but}"


def _data(each: Checked, now: datetime) -> dict[str, object]:
    """The same fields for every job; what a broken file does not tell is null."""
    job = each.job
    return {
        "job": each.name,
        "problems": [asdict(problem) for problem in each.problems],
        "description": job.description if job else None,
        "module": job.module if job else None,
        "enabled": job.enabled if job else None,
        "schedule": _schedule(each),
        "does": each.work.describe() if each.work else None,
        "next": [moment.isoformat() for moment in upcoming(each, now)],
    }


def _online(asked: Asked | None) -> dict[str, object] | None:
    """Whether the site was asked, where that was wanted, and why not; what it said is among the problems."""
    if asked is None:
        return None
    silent = asked.silent
    return {
        "asked": silent is None,
        "reason": str(silent or ""),
        "hint": silent.hint if silent else "",
        "warnings": [asdict(warning) for warning in asked.warnings],
    }
