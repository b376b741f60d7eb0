"""The jobs: what they will do and when; and what is wrong with those that are wrong."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from idms_cli.config.problems import Problem, format_problem
from idms_cli.dispatch.reading import Checked
from idms_cli.jobs.job import Job
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import Clock

NEXT = 3


def check_page(checked: Sequence[Checked], clock: Clock) -> Page:
    """For each job all its problems, or what it will do and its next due times."""
    parts: list[Line | Table] = []
    for each in checked:
        if each.problems:
            parts += [Line(format_line) for problem in each.problems for format_line in _lines(problem)]
        elif each.job and each.work:
            parts.append(Line(f"{each.name}: ok", "green"))
            parts.append(Line(f"    {each.work.describe()}"))
            parts += [Line(f"    {line}") for line in _when(each.job, clock)]
    broken = sum(bool(each.problems) for each in checked)
    parts.append(Line(_total(len(checked), broken), "bold red" if broken else "bold"))
    data = [_data(each, clock.now) for each in checked]
    return Page({"jobs": data, "broken": broken}, parts)


def jobs_page(checked: Sequence[Checked], clock: Clock) -> Page:
    """A line for each job."""
    rows = [
        (each.name, each.job.module, _state(each.job), _schedule(each.job), each.job.description)
        if each.job and not each.problems
        else (each.name, "-", "broken", "-", f"{len(each.problems)} problems; see idms check {each.name}")
        for each in checked
    ]
    if not rows:
        return Page({"jobs": []}, [Line("There are no jobs yet. A YAML file in jobs.d/ makes one.")])
    table = Table(("job", "module", "state", "schedule", "description"), rows)
    return Page({"jobs": [_data(each, clock.now) for each in checked]}, [table])


def upcoming(job: Job, now: datetime, number: int = NEXT) -> list[datetime]:
    """The next due times of a job; empty for one that is disabled or has no schedule."""
    found: list[datetime] = []
    after: datetime | None = now
    while job.schedule and job.enabled and after and len(found) < number:
        after = job.schedule.next_after(after)
        if after:
            found.append(after)
    return found


def _when(job: Job, clock: Clock) -> list[str]:
    if not job.enabled:
        return ["disabled: it does not run on its own"]
    if job.schedule is None:
        return ["no schedule: it runs when somebody starts it with idms run"]
    in_zone = Clock(job.zone, clock.now)
    times = ", ".join(in_zone.moment(moment) for moment in upcoming(job, clock.now))
    return [job.schedule.describe(), f"next: {times or 'never again'}"]


def _state(job: Job) -> str:
    return "ok" if job.enabled else "disabled"


def _schedule(job: Job) -> str:
    return job.schedule.describe() if job.schedule else "-"


def _lines(problem: Problem) -> list[str]:
    return format_problem(problem).split("\n")


def _total(jobs: int, broken: int) -> str:
    if not jobs:
        return "There are no jobs yet. A YAML file in jobs.d/ makes one."
    plural = "job" if jobs == 1 else "jobs"
    return f"{broken} of {jobs} {plural} cannot run." if broken else f"{jobs} {plural}, all well."


def _data(each: Checked, now: datetime) -> dict[str, object]:
    data: dict[str, object] = {"job": each.name, "problems": [asdict(problem) for problem in each.problems]}
    if each.job and each.work:
        data |= {
            "description": each.job.description,
            "module": each.job.module,
            "enabled": each.job.enabled,
            "schedule": _schedule(each.job),
            "does": each.work.describe(),
            "next": [moment.isoformat() for moment in upcoming(each.job, now)],
        }
    return data
