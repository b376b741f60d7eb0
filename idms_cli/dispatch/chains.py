"""Which job comes after which, over all job files: what is wrong with a chain is told at the job that names it."""

from collections.abc import Mapping

from idms_cli.config.problems import Problem
from idms_cli.config.spelling import did_you_mean, some_of
from idms_cli.jobs.job import Job

NO_SCHEDULE = ""
"""In place of an upstream: this job has no schedule, and so no slots."""


def chain_problems(job: Job, upstreams: Mapping[str, str | None]) -> list[Problem]:
    """What is wrong with the `after:` of a job. `upstreams` has every job: the one it comes after, or None.

    A job without a schedule has NO_SCHEDULE there.
    """
    if not job.upstream:
        return []
    loc = ("schedule", "after", "job") if job.document.has(("schedule", "after", "job")) else ("schedule", "after")
    if job.upstream not in upstreams:
        known = f"Jobs: {some_of(sorted(upstreams))}."
        hint = did_you_mean(job.upstream, [name for name in upstreams if name != job.name]) or known
        return [job.document.problem(loc, f"there is no job '{job.upstream}' to come after", hint=hint)]
    if cycle := _cycle(job.name, job.upstream, upstreams):
        message = f"these jobs wait for each other: {' -> '.join(cycle)}"
        return [job.document.problem(loc, message, hint="Give one of them times of its own.")]
    if upstreams[job.upstream] == NO_SCHEDULE:
        hint = "Give it a schedule: a run that somebody starts by hand is of no period."
        return [job.document.problem(loc, f"'{job.upstream}' has no schedule to come after", hint=hint)]
    return []


def _cycle(name: str, upstream: str, upstreams: Mapping[str, str | None]) -> list[str]:
    """The way from a job over its upstreams back to itself; empty when there is none."""
    way = [name]
    following: str | None = upstream
    while following and following not in way[1:]:
        way.append(following)
        if following == name:
            return way
        following = upstreams.get(following)
    return []
