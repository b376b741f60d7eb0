"""How a transfer ended, from what became of its steps and rows: partial where something arrived, and not all."""

from collections.abc import Iterator, Mapping

from idms_cli.delivery.journal import StepRow, Steps
from idms_cli.jobs.guard import GuardOptions
from idms_cli.modules import Outcome
from idms_cli.records.counts import Counts
from idms_cli.records.guard import tripped


def outcome_of(journal: Steps) -> Outcome:
    """The outcome once every step is over. What a `when: failure` step sent is no delivery of the rows."""
    counts = journal.counts()
    bad = [step for step in journal.steps if step.state in ("failed", "unknown") or step.refused]
    reasons = [*map(_why, bad), *_rejects(journal)]
    if not reasons:
        return Outcome("completed", counts=counts)
    hint = next((step.hint for step in bad if step.hint), "")
    told = "; ".join(reasons)
    if bad and not is_delivered(journal):
        return Outcome("failed", told, hint, bad[0].exit_code or 1, counts)
    return Outcome("partial", told, hint, 1, counts)


def is_delivered(journal: Steps) -> bool:
    """Whether anything certainly arrived where the rows are meant to go, or would in a dry run."""
    return any(step.has_delivered or step.state == "rehearsed" for step in journal.steps if step.when != "failure")


def has_arrived(journal: Steps) -> bool:
    """Whether every step that was done delivered, but for rows that were refused, and told one by one."""
    return all(step.has_delivered or step.state == "skipped" for step in journal.steps)


def not_delivered(journal: Steps) -> set[int] | None:
    """The places of rows that a step refused, where all others are certainly delivered everywhere; else None."""
    refused: set[int] = set()
    for step in journal.steps:
        if step.state == "skipped":
            continue
        if not step.has_delivered or step.refused_rows is None:
            return None
        refused.update(step.refused_rows)
    return refused


def _why(step: StepRow) -> str:
    reason = step.reason.rstrip(".")
    if step.state == "unknown":
        return f"step {step.name}: nobody knows whether it arrived: {reason}"
    if step.state == "failed":
        return f"step {step.name} failed: {reason}"
    return f"step {step.name}: {step.refusals}"


def _rejects(journal: Steps) -> list[str]:
    rejected, read = journal.rows.get("rejected", 0), journal.rows.get("read", 0)
    return [f"{rejected:,} of {read:,} rows rejected"] if rejected else []


def tripped_by_rows(guard: GuardOptions, rows: Mapping[str, int], usual_rows: int | None) -> Iterator[str]:
    """Why the rows must not be delivered before somebody has approved it. Percentages are of the rows read."""
    read = rows["read"]
    of_reading = guard.model_copy(update={"max_changes": None, "max_deletes": None})
    yield from tripped(of_reading, Counts(read=read, rejected=rows["rejected"]), {}, usual_rows)
    changed, vanished = rows.get("new", 0) + rows.get("changed", 0), rows.get("vanished", 0)
    if guard.max_changes is not None and guard.max_changes.exceeded(changed, read):
        yield f"{changed:,} of {read:,} rows are new or changed, max_changes is {guard.max_changes}"
    if guard.max_deletes is not None and guard.max_deletes.exceeded(vanished, read):
        yield f"vanished rows: {vanished:,}, beside {read:,} that are there; max_deletes is {guard.max_deletes}"
