"""What becomes of the earlier runs of a job when a slot of it is taken: they go on, or make room."""

from idms_cli.history.queue import StopRequest
from idms_cli.history.store import Store
from idms_cli.jobs.job import Job


def make_room(store: Store, job: Job, run_id: int, now: float) -> list[int]:
    """Let the new run of a slot take the place of those before it, as `overlap:` says.

    Of several that wait only the newest stays. Returns the runs that were asked to stop, to be woken after the commit.
    Runs that somebody started by hand are left alone: the new one waits for them.
    """
    asked = []
    for other in store.queue.open_slots(job.name, run_id):
        reason = f"replaced by a newer one: run {run_id}"
        if store.queue.drop(other.id, now, status="skipped", reason=reason):
            continue
        if job.overlap == "replace" and store.queue.ask_to_stop(other.id, StopRequest(reason)):
            asked.append(other.id)
    return asked
