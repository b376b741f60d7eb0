"""The occurrences of a job as the history knows it, without a look at its file."""

from idms_cli.history.rows import JobRow
from idms_cli.history.store import Store
from idms_cli.jobs.job import schedule_from
from idms_cli.jobs.occurrences import Occurrences, Plain


def occurrences_of(store: Store, row: JobRow) -> Occurrences:
    """When this job's slots act, and which of them will be skipped, and why; rebuilt from what the history keeps."""
    del store  # what a schedule alone does not know, such as holidays, is in there
    return Plain(schedule_from(row.schedule, row.timezone))
