"""The verdict of a test: a dry run of some rows that says whether a job as it is now may run on its own."""

from dataclasses import dataclass

from idms_cli.errors import LoginRefused, Unreachable
from idms_cli.history.rows import Run
from idms_cli.jobs.guard import GuardOptions


@dataclass(frozen=True)
class Verdict:
    """Whether a test passed, and why."""

    passed: bool
    reason: str
    says_nothing: bool = False
    """It was stopped, or the site or the login failed: the job was not tried, and an earlier verdict stands."""


def judge(run: Run, guard: GuardOptions) -> Verdict:
    """Judge a test by how its run ended. It passes when rows were read and no more rejected than the guard allows.

    Without `max_rejects` some rows may be rejected, but not all of them.
    """
    read, rejected = run.counts.get("read", 0), run.counts.get("rejected", 0)
    rows = f"{read:,} row{'' if read == 1 else 's'}"
    if run.status not in ("completed", "partial"):
        not_its_fault = run.status == "cancelled" or run.exit_code in (LoginRefused.exit_code, Unreachable.exit_code)
        return Verdict(False, run.reason or run.status, says_nothing=not_its_fault)
    if "steps_rehearsed" in run.counts:
        failed = run.counts.get("steps_failed", 0)
        done = sum(run.counts.get(f"steps_{word}", 0) for word in ("rehearsed", "succeeded", "partial"))
        tried = f"{done:,} of {run.counts['steps']:,} steps tried"
        return Verdict(not failed, f"{failed:,} failed, {tried}" if failed else tried)
    if not read:
        return Verdict(False, "the source has no rows, so nothing was tried")
    if guard.max_rejects is not None and guard.max_rejects.exceeded(rejected, read):
        return Verdict(False, f"{rejected:,} of {rows} rejected, max_rejects is {guard.max_rejects}")
    return Verdict(True, f"{rejected:,} of {rows} rejected" if rejected else rows)
