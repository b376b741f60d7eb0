"""A run that will not be gone on with, and told no outcome: its journal is closed, and its rejects are written."""

from collections.abc import Mapping

from idms_cli.config.settings import Settings
from idms_cli.dispatch.definition import read_job_text
from idms_cli.dispatch.settle import last_counts
from idms_cli.errors import IdmsError
from idms_cli.history.rows import Run
from idms_cli.history.store import Store


def close_run(store: Store, settings: Settings, run: Run, why: str) -> Mapping[str, int]:
    """Leave no row of the run undecided; returns its counts. Best effort: the run ends in any case."""
    directory = store.run_directory(run.id)
    try:
        path, text = store.runs.definition(run)
        _, work = read_job_text(run.job, path, text, settings, connection=run.connection)
        work.close(directory, why)
    except (IdmsError, OSError):
        pass  # the job's connection may be gone, or the disk full: the journal says what it says
    return last_counts(directory)
