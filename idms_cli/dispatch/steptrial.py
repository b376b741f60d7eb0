"""One step of a workflow is tried on the data of a run that is kept; nothing is recorded."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from idms_cli.errors import InputError
from idms_cli.history.rows import Run, Wanted
from idms_cli.history.store import Store
from idms_cli.jobs.job import Job
from idms_cli.modules import RunContext, Work
from idms_cli.modules.workflow import Workflow
from idms_cli.modules.workflows.trying import Tried, read_given, step_named, try_step
from idms_cli.modules.workplaces import STEPS

LOOKED_AT = 200
"""So many of the newest runs are looked at for their data."""


@dataclass(frozen=True)
class Wish:
    """Which step is tried, and on what."""

    step: str
    run: int | None = None
    """The newest with data, if unset."""
    input: Path | None = None
    """A file with data."""


@contextmanager
def trial_of(store: Store, job: Job, work: Work, wish: Wish, now: datetime) -> Iterator[tuple[Tried, Path, int | None]]:
    """What came of it, the folder it was tried in, which is gone after the block, and the run whose data it had.

    Raises `InputError` for a job that is no workflow, for names that there are not, and when there is no data.
    """
    if not isinstance(work, Workflow):
        raise InputError(f"{job.name} is no workflow: it has no steps to try", hint="Leave out --step.")
    step_named(work.steps, wish.step)
    given: Mapping[str, Any] = read_given(wish.input) if wish.input else {}
    run = _run_with_data(store, job.name, wish.run)
    if run is None and wish.input is None:
        hint = "Run it, also with --dry-run; or give the data: --input FILE."
        raise InputError(f"no run of {job.name} has its data any more", hint=hint)
    with TemporaryDirectory(prefix="trying-", dir=store.state) as folder:
        directory = Path(folder)
        context = _context(store, job, directory, now)
        source = None if run is None else store.run_directory(run)
        yield try_step(work, wish.step, context, source=source, given=given), directory, run


def _run_with_data(store: Store, job: str, wanted: int | None) -> int | None:
    if wanted is not None:
        run = store.runs.one(wanted)
        if run is None or run.job != job:
            raise InputError(f"run {wanted} is no run of {job}", hint=f"idms history {job}")
        if not _has_data(store, run):
            raise InputError(f"run {wanted} has no data of steps", hint="`journals:` in `retention:` says how long.")
        return wanted
    runs = [run for run in store.runs.history(Wanted(job=job, limit=LOOKED_AT)) if _has_data(store, run)]
    real = [run.id for run in runs if not run.dry_run]
    return next(iter([*real, *(run.id for run in runs)]), None)


def _has_data(store: Store, run: Run) -> bool:
    """A run that takes another one back has folders of steps, and nothing that they gave."""
    return run.intent != "undo" and (store.run_directory(run.id) / STEPS).is_dir()


def _context(store: Store, job: Job, directory: Path, now: datetime) -> RunContext:
    return RunContext(
        run_id=0,
        directory=directory,
        state=store.state,
        slot=None,
        earlier={},
        dry_run=True,
        row_limit=None,
        log=lambda _: None,
        progress=lambda _: None,
        stopping=lambda: False,
        job=job.name,
        zone=job.zone,
        created_at=now,
    )
