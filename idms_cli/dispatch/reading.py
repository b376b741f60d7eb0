"""Job files read on demand, whatever was read before: for commands that look at jobs, or start one by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean, some_of
from idms_cli.dispatch.calendars import calendars_of, planned
from idms_cli.dispatch.chains import NO_SCHEDULE, chain_problems
from idms_cli.dispatch.definition import read_job_file
from idms_cli.dispatch.refresh import list_files
from idms_cli.errors import IdmsError, InputError
from idms_cli.jobs.calendars import Calendars
from idms_cli.jobs.job import Job, check_naming
from idms_cli.jobs.occurrences import Occurrences
from idms_cli.modules import SiteOf, Work


@dataclass(frozen=True)
class Asked:
    """The sites that a job works with were asked; what they said against it is among its problems."""

    silent: IdmsError | None = None
    """Why one of them could not be asked."""
    warnings: tuple[Problem, ...] = ()
    """What they said that no run would stop at."""


@dataclass(frozen=True)
class Checked:
    """One job file, read: the job and its work, or its problems."""

    name: str
    job: Job | None
    work: Work | None
    occurrences: Occurrences | None = None
    """None for a job without a schedule."""
    problems: tuple[Problem, ...] = ()
    asked: Asked | None = None
    """None when no site was asked."""


def check_jobs(settings: Settings, now: datetime) -> list[Checked]:
    """Read all jobs."""
    files = list_files(settings, "")
    calendars = calendars_of(settings, now)
    checked = {name: _check(name, files[name][0], settings, calendars) for name in sorted(files)}
    if any(each.job and each.job.upstream for each in checked.values()):
        upstreams = {name: _upstream(each.job) for name, each in checked.items()}
        checked = {name: _with_chain_problems(each, upstreams) for name, each in checked.items()}
    return list(checked.values())


def asked_online(checked: Checked, site_of: SiteOf) -> Checked:
    """With what the job's sites say of it; a job that cannot be read at all stays as it is."""
    if checked.work is None:
        return checked
    try:
        said = checked.work.check_online(site_of)
    except IdmsError as error:
        return replace(checked, asked=Asked(error))
    problems = tuple(sorted({*checked.problems, *said.problems}))
    return replace(checked, problems=problems, asked=Asked(warnings=tuple(sorted(said.warnings))))


def require_job(settings: Settings, name: str) -> None:
    """Raises `InputError`, with a near match, for a name that no file has."""
    _known(name, list_files(settings, ""))


def told_if_past(checked: Checked, now: datetime, has_run: Callable[[str], bool]) -> Checked:
    """With the problem added that the job's one time is past, if it is and `has_run` says that it did not run then."""
    job = checked.job
    if job is None or checked.occurrences is None or job.upstream or not job.enabled or checked.problems:
        return checked
    if checked.occurrences.next_after(now) or has_run(job.name):
        return checked
    hint = "Write a time that is still to come, or leave the schedule out and start the job with `idms run`."
    at = next((word for word in ("at", "until") if job.document.has(("schedule", word))), "")
    message = "this time is past: the job will never run on its own"
    past = job.document.problem(("schedule", at), message, hint=hint)
    return replace(checked, problems=(*checked.problems, past))


def find_job(settings: Settings, name: str) -> tuple[Job, Work]:
    """One job, to be run. Raises `InputError` for a name that no file has, `ProblemsFound` for a broken one."""
    files = list_files(settings, "")
    return read_job_file(name, files[_known(name, files)][0], settings)


def _check(name: str, paths: tuple[str, ...], settings: Settings, calendars: Calendars) -> Checked:
    try:
        job, work = read_job_file(name, paths, settings)
    except ProblemsFound as found:
        return Checked(name, None, None, problems=found.problems)
    problems = tuple(check_naming(job, settings))
    try:
        return Checked(name, job, work, planned(job, calendars), problems)
    except ProblemsFound as found:
        return Checked(name, job, work, problems=(*problems, *found.problems))


def _upstream(job: Job | None) -> str | None:
    return job.upstream or NO_SCHEDULE if job and (job.upstream or job.schedule is None) else None


def _with_chain_problems(checked: Checked, upstreams: Mapping[str, str | None]) -> Checked:
    problems = chain_problems(checked.job, upstreams) if checked.job else []
    return replace(checked, problems=(*checked.problems, *problems))


def _known(name: str, files: dict[str, tuple[tuple[str, ...], str]]) -> str:
    if name in files:
        return name
    known = f"Jobs: {some_of(files) or 'none'}."
    raise InputError(f"there is no job '{name}'", hint=did_you_mean(name, files) or known)
