"""A run that will not be gone on with, and told no outcome: its journal is closed, and its rejects are written.

Each supervisor loads this module, and few need what it does: what that takes is loaded when it is done.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from idms_cli.config.settings import Settings
from idms_cli.dispatch.settle import last_counts
from idms_cli.errors import IdmsError
from idms_cli.history.rows import AT_LEAST, Run
from idms_cli.history.store import Store


def close_run(store: Store, settings: Settings, run: Run, why: str) -> Mapping[str, int]:
    """Leave no row of the run undecided; returns its counts. Best effort: the run ends in any case.

    Where the job can no longer be read at all, its rejects are in the journal and not in a file.
    """
    from idms_cli.dispatch.definition import as_recorded, read_work_text  # noqa: PLC0415 - see the module
    from idms_cli.records.journal import FILE_NAME  # noqa: PLC0415

    directory = store.run_directory(run.id)
    try:
        path, text = store.runs.definition(run)
        read_work_text(path, text, as_recorded(settings, run), connection=run.connection).close(directory, why)
    except (IdmsError, OSError):  # the disk may be full: the journal says what it says then
        if (directory / FILE_NAME).exists():
            _close_journal(directory, why)
    return {**last_counts(directory), AT_LEAST: 1}


def _close_journal(directory: Path, why: str) -> None:
    from idms_cli.records.journal import open_journal  # noqa: PLC0415 - see the module
    from idms_cli.records.load import end_early  # noqa: PLC0415

    with suppress(IdmsError, OSError), open_journal(directory) as journal:
        if journal.is_planned:
            end_early(journal, IdmsError(why))
