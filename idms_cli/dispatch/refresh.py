"""Changed job files are read, and what they say is kept for the next tick."""

from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from idms_cli import __version__
from idms_cli.config.foreign import harmless
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.dispatch.definition import read_job_file
from idms_cli.dispatch.owed import Settled, settle_owed
from idms_cli.dispatch.planning import occurrences_of
from idms_cli.errors import InputError
from idms_cli.history.rows import JobRow
from idms_cli.history.runs import definition_hash
from idms_cli.history.store import Store
from idms_cli.jobs.folder import fingerprint, list_jobs, same_file
from idms_cli.jobs.job import Job, schedule_from


@dataclass(frozen=True)
class Refreshed:
    """The jobs as they stand now."""

    jobs: dict[str, JobRow]
    changed: tuple[str, ...]
    """Names of jobs that are new or were read again."""
    settled: tuple[Settled, ...]


def refresh(store: Store, settings: Settings, now: datetime) -> Refreshed:
    """Read the job files that changed since they were last read. One broken file stops nobody.

    What a job owed until now by what its file said before is written down as skipped, before that is forgotten.
    """
    config_mark = fingerprint(settings.path.stat(), __version__)
    listing = list_files(settings, config_mark)
    known = store.catalog.all()
    changed = [name for name, (_, mark) in listing.items() if name not in known or known[name].fingerprint != mark]
    removed = [name for name in known if name not in listing]
    moment = int(now.timestamp())
    settled = [_let_go(store, known[name], listing, known, moment) for name in removed]
    rows = []
    for name in changed:
        row, job = _read(name, listing[name], settings, known.get(name), moment)
        row = _with_next_due(store, row)
        settled.append(_tell_what_is_no_longer_owed(store, known.get(name), row, moment))
        if job and store.switches.enable_changed(name, definition_hash(job.path, job.document.text), moment):
            settled.append(settle_owed(store, known[name], moment, reason=known[name].disabled))
            row = replace(row, decided_until=moment)
        rows.append(row)
    store.catalog.forget(removed)
    store.catalog.save(rows)
    store.catalog.save_config(
        str(settings.path), config_mark, jobs=str(settings.jobs), max_parallel=settings.max_parallel
    )
    return Refreshed(store.catalog.all(), tuple(changed), tuple(filter(None, settled)))


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
    base = old or JobRow(name, harmless(paths[0]), mark, first_seen=moment, since=moment, decided_until=moment)
    try:
        job, _ = read_job_file(name, paths, settings)
    except ProblemsFound as broken:
        # The last good schedule stays: the slots of a broken job are told as skipped, not forgotten.
        problems = tuple(map(_as_dict, broken.problems))
        return replace(base, path=harmless(paths[0]), fingerprint=mark, problems=problems), None
    return _row(job, base, mark, moment), job


def _row(job: Job, base: JobRow, mark: str, moment: int) -> JobRow:
    same_schedule = (base.schedule, base.timezone) == (job.schedule_text, str(job.zone))
    return replace(
        base,
        path=job.path,
        fingerprint=mark,
        description=job.description,
        module=job.module,
        enabled=job.enabled,
        schedule=job.schedule_text,
        timezone=str(job.zone),
        since=base.since if same_schedule else moment,
        decided_until=base.decided_until if same_schedule and base.enabled == job.enabled else moment,
        digest=job.digest,
        require_test=job.require_test,
        problems=(),
    )


def _with_next_due(store: Store, row: JobRow) -> JobRow:
    if row.problems:
        return row
    after = datetime.fromtimestamp(row.decided_until, UTC)
    upcoming = occurrences_of(store, row).next_after(after) if row.schedule else None
    return replace(row, next_due=None if upcoming is None else int(upcoming.acts_at.timestamp()))


def _let_go(
    store: Store, row: JobRow, listing: Mapping[str, tuple[tuple[str, ...], str]], known: Container[str], moment: int
) -> Settled | None:
    """A job whose file is gone. Under a new name it is a new job, which a pause of the old one still holds for."""
    renamed = [name for name, (_, mark) in listing.items() if name not in known and same_file(mark, row.fingerprint)]
    if len(renamed) == 1:
        store.pauses.move(row.name, renamed[0], moment)
        return settle_owed(store, row, moment, reason=f"removed: its file is {renamed[0]}.yaml now, another job")
    return settle_owed(store, row, moment, reason="removed: the job file is gone")


def _tell_what_is_no_longer_owed(store: Store, old: JobRow | None, new: JobRow, moment: int) -> Settled | None:
    settled = None
    if old is not None and (old.schedule, old.timezone) != (new.schedule, new.timezone):
        settled = settle_owed(store, old, moment, reason=f"schedule changed: it was {_in_words(store, old)}")
    elif old is not None and old.enabled != new.enabled:
        said = "says" if old.enabled else "said"
        settled = settle_owed(store, old, moment, reason=f"disabled: the job file {said} enabled: false")
    if new.next_due is None and new.schedule and not new.problems:
        _settle_one_time_in_the_past(store, new, moment)
    return settled


def _settle_one_time_in_the_past(store: Store, row: JobRow, moment: int) -> None:
    now = datetime.fromtimestamp(moment, UTC)
    due = schedule_from(row.schedule, row.timezone).due(datetime(1970, 1, 2, tzinfo=UTC), now, newest=1)
    slots = [int(slot.timestamp()) for slot in due.slots]
    store.slots.skip(row.name, slots, moment, reason="past: it was over when the job was first seen")


def _in_words(store: Store, row: JobRow) -> str:
    return occurrences_of(store, row).describe() if row.schedule else "none"


def _as_dict(problem: Problem) -> dict[str, str | int]:
    return asdict(problem)
