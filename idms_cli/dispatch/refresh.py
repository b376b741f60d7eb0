"""Changed job files are read, and what they say is kept for the next tick."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from idms_cli import __version__
from idms_cli.config.foreign import harmless
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.dispatch.definition import read_job_file
from idms_cli.errors import InputError
from idms_cli.history.rows import JobRow
from idms_cli.history.runs import definition_hash
from idms_cli.history.store import Store
from idms_cli.jobs.folder import fingerprint, list_jobs
from idms_cli.jobs.job import Job, schedule_from


@dataclass(frozen=True)
class Refreshed:
    """The jobs as they stand now."""

    jobs: dict[str, JobRow]
    changed: tuple[str, ...]
    """Names of jobs that are new or were read again."""
    removed: tuple[str, ...]


def refresh(store: Store, settings: Settings, now: datetime) -> Refreshed:
    """Read the job files that changed since they were last read. One broken file stops nobody."""
    config_mark = fingerprint(settings.path.stat(), __version__)
    listing = list_files(settings, config_mark)
    known = store.catalog.all()
    changed = [name for name, (_, mark) in listing.items() if name not in known or known[name].fingerprint != mark]
    removed = [name for name in known if name not in listing]
    moment = int(now.timestamp())
    for name in removed:
        _settle_old_slots(store, known[name], moment, reason="the job file was removed")
    rows = []
    for name in changed:
        row, job = _read(name, listing[name], settings, known.get(name), moment)
        if job:
            store.switches.enable_changed(name, definition_hash(job.path, job.document.text), moment)
        _tell_what_is_no_longer_owed(store, known.get(name), row, moment)
        rows.append(row)
    store.catalog.forget(removed)
    store.catalog.save(rows)
    store.catalog.save_config(
        str(settings.path), config_mark, jobs=str(settings.jobs), max_parallel=settings.max_parallel
    )
    return Refreshed(store.catalog.all(), tuple(changed), tuple(removed))


def list_files(settings: Settings, config_mark: str) -> dict[str, tuple[tuple[str, ...], str]]:
    """The job files; raises `InputError` when the folder cannot be read."""
    try:
        return list_jobs(str(settings.jobs), config_mark)
    except OSError as error:
        raise InputError(
            f"{settings.jobs}: the folder of job files cannot be read: {error.strerror}",
            hint=f"Make it, or correct `jobs:` in {settings.path}.",
        ) from None


def _read(
    name: str, found: tuple[tuple[str, ...], str], settings: Settings, old: JobRow | None, moment: int
) -> tuple[JobRow, Job | None]:
    paths, mark = found
    base = old or JobRow(name=name, path=harmless(paths[0]), fingerprint=mark, first_seen=moment, decided_until=moment)
    try:
        job, _ = read_job_file(name, paths, settings)
    except ProblemsFound as broken:
        # The last good schedule stays: the slots of a broken job are told as skipped, not forgotten.
        problems = tuple(map(_as_dict, broken.problems))
        return replace(base, path=harmless(paths[0]), fingerprint=mark, problems=problems), None
    return _row(job, base, mark, moment), job


def _row(job: Job, base: JobRow, mark: str, moment: int) -> JobRow:
    same = (base.schedule, base.timezone) == (job.schedule_text, str(job.zone))
    since = base.decided_until if same else moment
    upcoming = job.schedule.next_after(datetime.fromtimestamp(since, UTC)) if job.schedule else None
    return replace(
        base,
        path=job.path,
        fingerprint=mark,
        description=job.description,
        module=job.module,
        enabled=job.enabled,
        schedule=job.schedule_text,
        timezone=str(job.zone),
        decided_until=since,
        next_due=None if upcoming is None else int(upcoming.timestamp()),
        digest=job.digest,
        require_test=job.require_test,
        problems=(),
    )


def _tell_what_is_no_longer_owed(store: Store, old: JobRow | None, new: JobRow, moment: int) -> None:
    if old is not None and (old.schedule, old.timezone) != (new.schedule, new.timezone):
        _settle_old_slots(store, old, moment, reason="the schedule was changed")
    if new.next_due is None and new.schedule and not new.problems:
        _settle_one_time_in_the_past(store, new, moment)


def _settle_one_time_in_the_past(store: Store, row: JobRow, moment: int) -> None:
    now = datetime.fromtimestamp(moment, UTC)
    due = schedule_from(row.schedule, row.timezone).due(datetime(1970, 1, 2, tzinfo=UTC), now, newest=1)
    for slot in due.slots:
        store.runs.skip(row.name, int(slot.timestamp()), moment, reason="past: it was over when the job was first seen")


def _settle_old_slots(store: Store, row: JobRow, moment: int, *, reason: str) -> None:
    if row.next_due is not None and row.next_due <= moment:
        until = None if row.next_due == moment else moment
        store.runs.skip(row.name, row.next_due, moment, reason=reason, until=until)


def _as_dict(problem: Problem) -> dict[str, str | int]:
    return asdict(problem)
