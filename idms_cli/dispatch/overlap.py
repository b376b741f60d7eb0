"""What becomes of a slot while an earlier run of the same job is not over: it is skipped, waits, or takes its place."""

from idms_cli.history.queue import StopRequest
from idms_cli.history.store import Store
from idms_cli.jobs.job import Job


def why_skip(store: Store, job: Job, slot: int) -> str:
    """Why a job with `overlap: skip` does not run now; empty if it does, or if another tick has taken the slot."""
    other = store.runs.open_of(job.name) if job.overlap == "skip" else None
    if other is None or (other.due is not None and int(other.due.timestamp()) == slot):
        return ""
    if other.not_before is not None:
        return f"overlap: run {other.id} {other.reason.partition(':')[0]}"
    return f"overlap: run {other.id} is still {other.status}"


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
