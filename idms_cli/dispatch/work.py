"""The process that does one run's work; everything it has to say goes into the run's directory."""

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from idms_cli.config.crash import write_crash_file
from idms_cli.config.foreign import harmless
from idms_cli.config.problems import ProblemsFound, format_problem
from idms_cli.config.replacing import replace_file
from idms_cli.config.secrets import mask
from idms_cli.config.settings import Settings
from idms_cli.dispatch.definition import read_job_text
from idms_cli.dispatch.outcomes import write_outcome
from idms_cli.dispatch.settle import PROGRESS, journal_counts, last_counts, read_progress
from idms_cli.errors import IdmsError, Interrupted
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.modules import Outcome, RunContext

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
    log = _log(directory / "log.txt")
    log(f"attempt {run.attempt} begins" if run.attempt > 1 else "begins")
    outcome = _outcome(store, settings, run, log, stop)
    log(": ".join(filter(None, (outcome.status, outcome.reason))))
    write_outcome(directory, outcome)
    return outcome


def _outcome(store: Store, settings: Settings, run: Run, log: Callable[[str], None], stop: Stop) -> Outcome:
    directory = store.run_directory(run.id)
    try:
        path, text = store.runs.definition(run)
        job, todo = read_job_text(run.job, path, text, settings)
        context = RunContext(
            run_id=run.id,
            directory=directory,
            state=store.state,
            slot=run.due,
            earlier=read_progress(directory) if run.attempt > 1 or run.decided_by else {},
            dry_run=run.dry_run,
            row_limit=run.row_limit,
            log=log,
            progress=Progress(directory / PROGRESS),
            stopping=lambda: stop.asked,
            guard=job.guard,
            usual_rows=store.runs.usual_rows(run.job),
            approved=run.decided_by is not None or run.intent == "apply",
            intent=run.intent,
            of_directory=None if run.of_run is None else store.run_directory(run.of_run),
        )
        return todo.run(context)
    except ProblemsFound as found:
        for problem in found.problems:
            log(format_problem(problem).replace("\n    ", "; "))
        places = [f"{problem.file}:{problem.line}:{problem.column}: {problem.message}" for problem in found.problems]
        hints = dict.fromkeys(problem.hint for problem in found.problems if problem.hint)
        return Outcome("failed", "; ".join(places), "; ".join(hints), found.exit_code)
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


def _has_records_left(directory: Path) -> bool:
    """Whether the journal did not take the end of the run, as far as one can tell: it has to go on later then."""
    counts = journal_counts(directory)
    return counts is None or bool(counts.get("left"))


def _log(path: Path) -> Callable[[str], None]:
    def log(message: str) -> None:
        line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {harmless(mask(message))}\n"
        with suppress(OSError), path.open("a", encoding="utf-8") as file:  # a full disk must not end the run for a line
            file.write(line)

    return log
