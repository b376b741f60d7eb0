"""Changed job files are read, and what they say is kept for the next tick."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from idms_cli import __version__
from idms_cli.config.channels import stored_notify
from idms_cli.config.foreign import harmless
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.dispatch.alarms import forget_gone
from idms_cli.dispatch.calendars import calendar_files, calendars_of, heeded
from idms_cli.dispatch.chains import NO_SCHEDULE, chain_problems
from idms_cli.dispatch.definition import read_job_file
from idms_cli.dispatch.owed import Settled, settle_owed
from idms_cli.dispatch.planning import occurrences_of
from idms_cli.errors import InputError
from idms_cli.history.rows import JobRow
from idms_cli.history.runs import definition_hash
from idms_cli.history.store import Store
from idms_cli.jobs.calendars import Calendars
from idms_cli.jobs.folder import list_jobs, list_marks, same_file, settings_mark
from idms_cli.jobs.job import Job
from idms_cli.jobs.stored import Stored, same_rules


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
    files = calendar_files(settings)
    config_mark = _config_mark(settings, files, now)
    known = store.catalog.all()
    if known and _marks(settings, config_mark) == {row.name: row.fingerprint for row in known.values()}:
        _save_config(store, settings, config_mark, files)
        return Refreshed(known, (), ())
    calendars = calendars_of(settings, now)
    listing = list_files(settings, config_mark)
    changed = [name for name, (_, mark) in listing.items() if name not in known or known[name].fingerprint != mark]
    removed = [name for name in known if name not in listing]
    moment = int(now.timestamp())
    settled = [_let_go(store, known[name], listing, known, moment) for name in removed]
    touched = {*changed, *removed}
    changed += [
        name for name, row in known.items() if row.upstream in touched and name in listing and name not in touched
    ]
    read = {
        name: _read(_base(name, listing[name], known, moment), listing[name], settings, calendars) for name in changed
    }
    store.catalog.save_calendars(calendars.texts())
    upstreams = {row.name: _upstream(row) for row in [*known.values(), *(row for row, _ in read.values())]}
    upstreams = {name: upstreams[name] for name in listing}
    rows = []
    for row, job in read.values():
        problems = chain_problems(job, upstreams) if job else []
        is_enabled = job is not None and _enable_changed(store, job, moment)
        old, now_said = known.get(row.name), _broken(row, problems) if problems else row
        reason = _why_not_owed(store, old, now_said, is_enabled=is_enabled) if old else ""
        if old and reason:
            settled.append(settle_owed(store, old, moment, reason=reason))
        rows.append(_planned(store, now_said, old, moment, owes_nothing=bool(reason)))
        _settle_one_time_in_the_past(store, rows[-1], moment)
    store.catalog.forget(removed)
    forget_gone(store, removed, moment)
    store.catalog.save(rows)
    _save_config(store, settings, config_mark, files)
    jobs = store.catalog.all() if rows or removed else known
    return Refreshed(jobs, tuple(changed), tuple(filter(None, settled)))


def unchanged(settings: Settings, rows: Iterable[JobRow], now: datetime) -> list[JobRow]:
    """Those of these jobs whose files, and what idms.yaml says, are as they were when they were last read."""
    marks = _marks(settings, _config_mark(settings, calendar_files(settings), now))
    return [row for row in rows if marks.get(row.name) == row.fingerprint]


def _config_mark(settings: Settings, calendar_files: Iterable[str], now: datetime) -> str:
    return settings_mark(str(settings.path), __version__, calendar_files, now.astimezone(UTC).year)


def _marks(settings: Settings, config_mark: str) -> dict[str, str]:
    """The job files' fingerprints by the names of the jobs; none where the folder cannot be read."""
    try:
        return list_marks(str(settings.jobs), config_mark)
    except OSError:
        return {}


def _save_config(store: Store, settings: Settings, config_mark: str, files: Iterable[str]) -> None:
    store.catalog.save_config(
        str(settings.path),
        config_mark,
        jobs=str(settings.jobs),
        max_parallel=settings.max_parallel,
        calendar_files=files,
    )


def list_files(settings: Settings, config_mark: str) -> dict[str, tuple[tuple[str, ...], str]]:
    """The job files; raises `InputError` when the folder cannot be read."""
    try:
        return list_jobs(str(settings.jobs), config_mark)
    except OSError as error:
        raise InputError(
            f"{settings.jobs}: the folder of job files cannot be read: {error.strerror}",
            hint=f"Make it, or correct `jobs:` in {settings.path}.",
        ) from None


def _base(name: str, found: tuple[tuple[str, ...], str], known: Mapping[str, JobRow], moment: int) -> JobRow:
    """What is known of a job before its file is read: for a new one, that it owes nothing from before now."""
    new = JobRow(name, harmless(found[0][0]), found[1], first_seen=moment, since=moment, decided_until=moment)
    return known.get(name, new)


def _read(
    base: JobRow, found: tuple[tuple[str, ...], str], settings: Settings, calendars: Calendars
) -> tuple[JobRow, Job | None]:
    """The row of a job as its file says now, from what it was before; and the job, unless it is broken."""
    name, (paths, mark) = base.name, found
    try:
        job, _ = read_job_file(name, paths, settings)
        marks = {each: calendar.mark for each, calendar in heeded(job, calendars).items()}
    except ProblemsFound as broken:
        # The last good schedule stays: the slots of a broken job are told as skipped, not forgotten.
        return _broken(replace(base, path=harmless(paths[0]), fingerprint=mark), broken.problems), None
    return replace(_row(job, base, mark, marks), notify=stored_notify(job.notify, settings.channels)), job


def _broken(row: JobRow, problems: Sequence[Problem]) -> JobRow:
    """A job as it was, and what is wrong with its file now."""
    return replace(row, problems=tuple(map(_as_dict, problems)))


def _row(job: Job, base: JobRow, mark: str, marks: Mapping[str, str]) -> JobRow:
    return replace(
        base,
        path=job.path,
        fingerprint=mark,
        description=job.description,
        module=job.module,
        enabled=job.enabled,
        schedule=Stored.from_text(job.schedule_text).to_text(marks) if job.schedule_text else "",
        timezone=str(job.zone),
        upstream=job.upstream,
        digest=job.digest,
        require_test=job.require_test,
        problems=(),
    )


def _planned(store: Store, row: JobRow, old: JobRow | None, moment: int, *, owes_nothing: bool) -> JobRow:
    """The row with what it owes: nothing from before its schedule was changed, or it was switched on or off."""
    if row.problems:
        return row
    since = row.decided_until
    if owes_nothing:
        since = moment
    elif old is not None and old.schedule != row.schedule:
        # Only a calendar says something else. All that acted before the old next_due has its verdict; what acts from
        # then on goes by what the calendar says now.
        since = moment if old.next_due is None else min(moment, old.next_due - 1)
    upcoming = occurrences_of(store, row).next_after(datetime.fromtimestamp(since, UTC)) if row.schedule else None
    next_due = None if upcoming is None else int(upcoming.acts_at.timestamp())
    has_changed = old is not None and not _has_same_rules(old, row)
    return replace(row, since=moment if has_changed else row.since, decided_until=since, next_due=next_due)


def _has_same_rules(one: JobRow, other: JobRow) -> bool:
    """Whether the job files say the same of when the job is due, whatever the calendars say that they name."""
    return one.timezone == other.timezone and same_rules(one.schedule, other.schedule)


def _upstream(row: JobRow) -> str | None:
    return row.upstream or (None if row.schedule else NO_SCHEDULE)


def _let_go(
    store: Store, row: JobRow, listing: Mapping[str, tuple[tuple[str, ...], str]], known: Container[str], moment: int
) -> Settled | None:
    """A job whose file is gone. Under a new name it is a new job, which a pause of the old one still holds for."""
    renamed = [name for name, (_, mark) in listing.items() if name not in known and same_file(mark, row.fingerprint)]
    if len(renamed) == 1:
        store.pauses.move(row.name, renamed[0], moment)
        return settle_owed(store, row, moment, reason=f"removed: its file is {renamed[0]}.yaml now, another job")
    return settle_owed(store, row, moment, reason="removed: the job file is gone")


def _enable_changed(store: Store, job: Job, moment: int) -> bool:
    """Whether the change of its file ends that failures disabled the job."""
    return store.switches.enable_changed(job.name, definition_hash(job.path, job.document.text), moment)


def _why_not_owed(store: Store, old: JobRow, new: JobRow, *, is_enabled: bool) -> str:
    """Why a job whose file was changed owes nothing from before; empty where it still does."""
    if new.problems:
        return ""
    if not _has_same_rules(old, new):
        return f"schedule changed: it was {occurrences_of(store, old).describe() if old.schedule else 'none'}"
    if old.enabled != new.enabled:
        return f"disabled: the job file {'says' if old.enabled else 'said'} enabled: false"
    return old.disabled if is_enabled else ""


def _settle_one_time_in_the_past(store: Store, row: JobRow, moment: int) -> None:
    if row.next_due is not None or not row.schedule or row.upstream or row.problems:
        return
    now = datetime.fromtimestamp(moment, UTC)
    due = occurrences_of(store, row).due(datetime(1970, 1, 2, tzinfo=UTC), now, newest=1)
    for one in due.occurrences:
        reason = one.skip or "past: it was over when the job was first seen"
        store.slots.skip(row.name, [int(one.slot.timestamp())], moment, reason=reason)


def _as_dict(problem: Problem) -> dict[str, str | int]:
    return asdict(problem)
