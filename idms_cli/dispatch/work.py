"""The process that does one run's work; everything it has to say goes into the run's directory."""

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from idms_cli.config.crash import write_crash_file
from idms_cli.config.problems import ProblemsFound, format_problem
from idms_cli.config.replacing import replace_file
from idms_cli.config.secrets import mask
from idms_cli.config.settings import Retry, Settings
from idms_cli.dispatch.connections import why_shut
from idms_cli.dispatch.definition import as_recorded, read_job_text
from idms_cli.dispatch.messages import KeptMessages
from idms_cli.dispatch.outcomes import unfinished_outcome, write_outcome
from idms_cli.dispatch.runlog import run_log
from idms_cli.dispatch.settle import PROGRESS, journal_counts, last_counts, read_progress
from idms_cli.dispatch.sources import KeptSources
from idms_cli.dispatch.steps import KeptSteps
from idms_cli.errors import IdmsError, Interrupted, LoginRefused, Unreachable
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.jobs.job import Job
from idms_cli.modules import DataLock, Outcome, RunContext, Work

PROGRESS_EVERY_S = 0.25

HINT_DISK = "Look at the disk, and at the rights of the state directory."


@dataclass
class Stop:
    """Set by Ctrl-C, SIGTERM or the time limit: end after the record in hand."""

    asked: bool = False

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked = True


@dataclass
class Progress:
    """The counts so far, told to whoever looks at the run's directory; a few times a second at most."""

    path: Path
    _next: float = field(default=0.0)

    def __call__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PROGRESS_EVERY_S
        with suppress(OSError):  # on a full disk nobody sees how far it is; that must not end the run
            replace_file(self.path, json.dumps(dict(counts())).encode(), durable=False)


def work(store: Store, settings: Settings, run: Run) -> Outcome:
    """Do a run's work and leave its outcome.

    Raises when not even the journal or the outcome could be written: there is none then, and the run goes on later.
    """
    stop = Stop()
    stop.listen()
    directory = store.run_directory(run.id)
    log = run_log(directory)
    log(f"attempt {run.attempt} begins" if run.attempt > 1 else "begins")
    outcome = (
        unfinished_outcome(directory) or _waits(settings, run, directory) or _outcome(store, settings, run, log, stop)
    )
    if outcome.exit_code in (LoginRefused.exit_code, Unreachable.exit_code):
        outcome = _waits(settings, run, directory) or outcome
    if remaining := _aftercare(store, settings, run, log, outcome):
        write_outcome(directory, outcome, over=False)
        outcome = _finished(remaining, outcome, store.state)
    log(": ".join(filter(None, (outcome.status, outcome.reason))))
    write_outcome(directory, outcome)
    return outcome


def _outcome(store: Store, settings: Settings, run: Run, log: Callable[[str], None], stop: Stop) -> Outcome:
    directory = store.run_directory(run.id)
    try:
        path, text = store.runs.definition(run)
        job, todo = read_job_text(run.job, path, text, as_recorded(settings, run), connection=run.connection)
        return _tried(todo, _context(store, run, job, log, stop), job.retry, run)
    except ProblemsFound as found:
        for problem in found.problems:
            log(format_problem(problem).replace("\n    ", "; "))
        reason, hint = _problems_in_words(found, run)
        # Half done, it goes on once they are mended: failed, it would leave rows that nobody can account for.
        status = "interrupted" if _has_records_left(directory) and not run.dry_run else "failed"
        return Outcome(status, reason, hint, found.exit_code, last_counts(directory))
    except IdmsError as error:  # once writing began, the module tells the outcome, if the disk lets it
        if isinstance(error.__cause__, OSError | sqlite3.Error) and _has_records_left(directory):
            raise
        status = "cancelled" if isinstance(error, Interrupted) else "failed"
        return Outcome(status, mask(str(error)), mask(error.hint), error.exit_code, journal_counts(directory) or {})
    except (OSError, sqlite3.Error) as error:
        if _has_records_left(directory):
            raise
        return Outcome("failed", f"the disk failed: {mask(str(error))}", HINT_DISK, 1, last_counts(directory))
    except Exception as error:  # a bug must not leave the run without a record
        crash = write_crash_file(store.state, error)
        hint = f"Please report it with {crash}"
        return Outcome("failed", f"a bug in idms: {type(error).__name__}", hint, 3, last_counts(directory))


def _problems_in_words(found: ProblemsFound, run: Run) -> tuple[str, str]:
    """Reason and hint: of several problems the first, since the log has them all, each in its line."""
    first, *others = found.problems
    reason = f"{first.file}:{first.line}:{first.column}: {first.message}"
    if not others:
        return reason, first.hint
    more = f"{len(others)} more problem" + ("s" if len(others) > 1 else "")
    return f"{reason}; and {more}", f"{first.hint}; `idms log {run.id}` has all of them".removeprefix("; ")


def _waits(settings: Settings, run: Run, directory: Path) -> Outcome | None:
    """The outcome of a run that did nothing yet and whose connection does not work: it waits for that."""
    if run.foreground or journal_counts(directory):
        return None
    reason = why_shut(settings, run, time.time())
    return Outcome("waiting", reason) if reason else None


def _tried(todo: Work, context: RunContext, retry: Retry, run: Run) -> Outcome:
    """The work's outcome; with the time of the next attempt, if it failed for what can pass and there is one."""
    if not context.tries_again:
        return todo.run(context)
    try:
        outcome = todo.run(context)
    except Unreachable as error:
        counts = last_counts(context.directory)
        outcome = Outcome("failed", mask(str(error)), mask(error.hint), error.exit_code, counts)
    if (outcome.status, outcome.exit_code) != ("failed", Unreachable.exit_code):
        return outcome
    return replace(outcome, again_in_s=retry.delay_s(run.retried + 1), attempts=retry.attempts)


def _tries_again(retry: Retry, run: Run) -> bool:
    """A run that somebody waits for is not tried again: that person decides."""
    return not run.foreground and not run.dry_run and retry.delay_s(run.retried + 1) is not None


def _context(store: Store, run: Run, job: Job, log: Callable[[str], None], stop: Stop) -> RunContext:
    directory = store.run_directory(run.id)
    return RunContext(
        run_id=run.id,
        directory=directory,
        state=store.state,
        slot=run.due,
        earlier={**read_progress(directory), **run.counts} if run.attempt > 1 or run.decided_by else {},
        dry_run=run.dry_run,
        row_limit=run.row_limit,
        log=log,
        progress=Progress(directory / PROGRESS),
        stopping=lambda: stop.asked,
        guard=job.guard,
        usual_rows=store.runs.usual_rows(run.job),
        approved=run.decided_by is not None or run.intent == "apply",
        approval=run.decided_at.isoformat() if run.decided_at else "",
        intent=run.intent,
        patient=not run.foreground,
        of_directory=None if run.of_run is None else store.run_directory(run.of_run),
        tries_again=_tries_again(job.retry, run),
        sources=KeptSources(store, run),
        steps=KeptSteps(store, run),
        messages=KeptMessages(store.state, run),
        parameters=run.parameters,
        locks=None if run.dry_run else frozenset(DataLock(**lock) for lock in run.locks),
        job=run.job,
        zone=job.zone,
        created_at=run.created_at,
    )


def _aftercare(
    store: Store, settings: Settings, run: Run, log: Callable[[str], None], outcome: Outcome
) -> Callable[[], Outcome] | None:
    """What the module has to do once the outcome is durable."""
    try:
        path, text = store.runs.definition(run)
        job, todo = read_job_text(run.job, path, text, as_recorded(settings, run), connection=run.connection)
    except ProblemsFound:
        return None  # that is the outcome
    return todo.aftercare(_context(store, run, job, log, Stop()), outcome)


def _finished(remaining: Callable[[], Outcome], outcome: Outcome, state: Path) -> Outcome:
    """The outcome after that. Raises when the disk fails: the run goes on later, at this point."""
    try:
        return remaining()
    except (OSError, sqlite3.Error):
        raise
    except Exception as error:  # a bug must not leave the run without a record
        reason = "; ".join(filter(None, (outcome.reason, f"a bug in idms: {type(error).__name__}")))
        hint = f"Please report it with {write_crash_file(state, error)}"
        return replace(outcome, status="partial", reason=reason, hint=hint, exit_code=3)


def _has_records_left(directory: Path) -> bool:
    """Whether the journal did not take the end of the run, as far as one can tell: it has to go on later then."""
    counts = journal_counts(directory)
    return counts is None or bool(counts.get("left") or counts.get("steps_left"))
