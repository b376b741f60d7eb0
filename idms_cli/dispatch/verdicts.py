"""Which of the slots that are due run, and why the others do not: a table of rules, without clock and without I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from idms_cli.config.durations import format_duration
from idms_cli.history.rows import JobRow, Pause, Run
from idms_cli.history.ticks import SILENT_AFTER_S
from idms_cli.jobs.job import Job
from idms_cli.jobs.occurrences import Occurrence

ON_TIME = timedelta(seconds=SILENT_AFTER_S)
"""A slot that is taken within this is on time: run-due may be called a little late."""


@dataclass(frozen=True)
class Case:
    """A job with slots that are due, and all that their verdicts depend on."""

    row: JobRow
    job: Job | None
    """None for a job file that is broken."""
    now: datetime
    pauses: Sequence[Pause] = ()
    open_run: Run | None = None
    """The job's run that is not over."""
    is_untested: bool = False
    """It asks for a test, and has not passed one as it is now."""

    def late(self, occurrence: Occurrence) -> timedelta:
        """So long ago it was to act; nothing where it is on time."""
        late = self.now - occurrence.acts_at
        return late if late > ON_TIME else timedelta(0)


def _broken(case: Case, occurrence: Occurrence) -> str:
    del occurrence
    for problem in case.row.problems[:1]:
        return f"broken: {problem['file']}:{problem['line']}: {problem['message']}"
    return ""


def _disabled(case: Case, occurrence: Occurrence) -> str:
    del occurrence
    return case.row.disabled or ("" if case.row.enabled else "disabled: the job file says enabled: false")


def _paused(case: Case, occurrence: Occurrence) -> str:
    """Nothing starts while somebody wants it not to, and what falls into a pause is not owed."""
    holds = (pause.reason for pause in case.pauses if pause.covers(case.now) or pause.covers(occurrence.acts_at))
    return next(holds, "")


def _untested(case: Case, occurrence: Occurrence) -> str:
    del occurrence
    return f"untested: run idms test {case.row.name}" if case.is_untested else ""


def _over_the_grace(case: Case, occurrence: Occurrence) -> str:
    if case.job is None or case.now - occurrence.acts_at <= case.job.grace:
        return ""
    return f"missed: over the grace of {format_duration(case.job.grace)}"


def _not_made_up_for(case: Case, occurrence: Occurrence) -> str:
    if case.job is None or case.job.missed != "skip" or not case.late(occurrence):
        return ""
    return "missed: nobody called run-due in time, and the job says missed: skip"


def _called_off(case: Case, occurrence: Occurrence) -> str:
    del case
    return occurrence.skip


RULES: tuple[Callable[[Case, Occurrence], str], ...] = (
    _broken,
    _disabled,
    _paused,
    _called_off,
    _over_the_grace,
    _untested,
    _not_made_up_for,
)
"""Each says why a slot does not run, or nothing. The first that speaks decides."""

REPLACED = "missed: a later one took its place"


def why_not(case: Case, occurrence: Occurrence) -> str:
    """Why a slot of this job does not run, whatever else is due; empty when nothing is against it."""
    return next(filter(None, (rule(case, occurrence) for rule in RULES)), "")


def decide(case: Case, occurrences: Sequence[Occurrence]) -> Mapping[Occurrence, str]:
    """The verdict of each slot (ascending): empty for one that runs, else why it does not.

    With `missed: all` each slot that nothing is against has its run; else the latest of them takes the place of all.
    """
    verdicts = {occurrence: why_not(case, occurrence) for occurrence in occurrences}
    able = [occurrence for occurrence, reason in verdicts.items() if not reason]
    if not able or (case.job is not None and case.job.missed == "all"):
        return verdicts
    latest = able[-1]
    return {**verdicts, **dict.fromkeys(able, REPLACED), latest: _overlap(case, latest)}


def _overlap(case: Case, occurrence: Occurrence) -> str:
    other = case.open_run
    if other is None or case.job is None or case.job.overlap != "skip" or other.due == occurrence.slot:
        return ""  # in the last case another tick was faster, and the claim will tell
    if other.not_before is not None:
        return f"overlap: run {other.id} {other.reason.partition(': ')[0]}"
    return f"overlap: run {other.id} is still {other.status}"
