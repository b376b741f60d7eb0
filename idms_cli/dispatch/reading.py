"""Job files read on demand, whatever was read before: for commands that look at jobs, or start one by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.dispatch.definition import read_job_file
from idms_cli.dispatch.refresh import list_files
from idms_cli.errors import InputError
from idms_cli.jobs.job import Job, check_naming
from idms_cli.modules import Work


@dataclass(frozen=True)
class Checked:
    """One job file, read: the job and its work, or its problems."""

    name: str
    job: Job | None
    work: Work | None
    problems: tuple[Problem, ...] = ()


def check_jobs(settings: Settings, names: Sequence[str] = ()) -> list[Checked]:
    """Read the named jobs, or all. Raises `InputError` for a name that no file has."""
    files = list_files(settings, "")
    return [_check(name, files[_known(name, files)][0], settings) for name in names or sorted(files)]


def require_job(settings: Settings, name: str) -> None:
    """Raises `InputError`, with a near match, for a name that no file has."""
    _known(name, list_files(settings, ""))


def told_if_past(checked: Checked, now: datetime, has_run: Callable[[str], bool]) -> Checked:
    """With the problem added that the job's one time is past, if it is and `has_run` says that it did not run then."""
    job = checked.job
    if job is None or job.schedule is None or not job.enabled or job.schedule.next_after(now):
        return checked
    if has_run(job.name):
        return checked
    hint = "Write a time that is still to come, or leave the schedule out and start the job with `idms run`."
    past = job.document.problem(("schedule", "at"), "this time is past: the job will never run on its own", hint=hint)
    return replace(checked, problems=(*checked.problems, past))


def find_job(settings: Settings, name: str) -> tuple[Job, Work]:
    """One job, to be run. Raises `InputError` for a name that no file has, `ProblemsFound` for a broken one."""
    files = list_files(settings, "")
    return read_job_file(name, files[_known(name, files)][0], settings)


def _check(name: str, paths: tuple[str, ...], settings: Settings) -> Checked:
    try:
        job, work = read_job_file(name, paths, settings)
    except ProblemsFound as found:
        return Checked(name, None, None, found.problems)
    return Checked(name, job, work, tuple(check_naming(job, settings)))


def _known(name: str, files: dict[str, tuple[tuple[str, ...], str]]) -> str:
    if name in files:
        return name
    known = f"Jobs: {', '.join(list(files)[:12]) or 'none'}."
    raise InputError(f"there is no job '{name}'", hint=did_you_mean(name, files) or known)
