"""Looks at the totals of a plan before anything is written: pure, no I/O."""

from collections.abc import Iterator, Mapping

from idms_cli.jobs.guard import GuardOptions
from idms_cli.records.counts import Counts


def for_some_rows(guard: GuardOptions) -> GuardOptions:
    """What is left of a guard for a run that takes only some rows: nothing is said of how many those must be."""
    return guard.model_copy(update={"min_rows": None, "usual": None})


def tripped(guard: GuardOptions, counts: Counts, planned: Mapping[str, int], usual_rows: int | None) -> list[str]:
    """Why the plan must not be carried out before somebody has approved it; empty when it may.

    `planned` is the number of records for each action; percentages are of the rows read.
    """
    return list(_reasons(guard, counts, planned, usual_rows))


def _reasons(guard: GuardOptions, counts: Counts, planned: Mapping[str, int], usual_rows: int | None) -> Iterator[str]:
    if guard.min_rows is not None and counts.read < guard.min_rows:
        yield f"{_rows(counts.read)} read, min_rows is {guard.min_rows:,}"
    if guard.usual is not None and usual_rows and counts.read * 100 < guard.usual * usual_rows:
        yield f"{_rows(counts.read)} read, usual are {usual_rows:,}: less than {guard.usual:g}%"
    limits = (
        ("max_rejects", guard.max_rejects, counts.rejected, "records rejected" if counts.further else "rows rejected"),
        ("max_changes", guard.max_changes, sum(planned.values()), "records to write"),
        ("max_deletes", guard.max_deletes, planned.get("delete", 0), "records to delete"),
    )
    for name, limit, number, what in limits:
        if limit is not None and limit.exceeded(number, counts.read):
            of = f"{what} for {counts.read:,} rows" if counts.further else f"of {counts.read:,} {what}"
            yield f"{number:,} {of}, {name} is {limit}"


def _rows(number: int) -> str:
    return "1 row was" if number == 1 else f"{number:,} rows were"
