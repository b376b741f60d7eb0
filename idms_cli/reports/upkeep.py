"""The history itself: what was let go, whether it is sound, and how large it is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from idms_cli.config.durations import format_duration
from idms_cli.config.settings import RetentionOptions
from idms_cli.dispatch.upkeep import EVERY_S, Tidied
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import Clock, some


def pruned_page(done: Tidied, keep: RetentionOptions, *, dry_run: bool) -> Page:
    """What was let go, or would be."""
    what = [
        some(done.runs, "run") + " of the history",
        *([some(done.slots, "skipped slot")] if done.slots else []),
        f"{some(done.directories, 'run folder')} ({megabytes(done.size)})",
    ]
    kept = f"Kept are runs for {format_duration(keep.runs)}, their directories for {format_duration(keep.journals)}"
    also = [f"at most {keep.count:,} runs"] if keep.count else []
    also += [f"at most {megabytes(keep.size)} of directories"] if keep.size else []
    lines = [
        Line(f"{'Would go' if dry_run else 'Gone'}: {', '.join(what)}.", "bold"),
        Line(", ".join([kept, *also]) + "."),
    ]
    data = {name: value for name, value in asdict(done).items() if name != "more"}
    return Page({"dry_run": dry_run, "pruned": data}, lines)


def checked_page(path: Path, faults: Sequence[str]) -> Page:
    """Whether the files of the history are sound."""
    lines = [Line(fault, "bold red") for fault in faults] or [Line(f"{path} is sound.", "green")]
    return Page({"sound": not faults, "faults": list(faults)}, lines)


@dataclass(frozen=True)
class Dates:
    """Of the history itself."""

    schema: int
    whole_since: datetime | None
    """Nothing of it was let go since."""
    tidied_next: datetime | None
    """When old runs are let go next."""


def stats_page(tables: Mapping[str, int], sizes: Mapping[str, int], dates: Dates, clock: Clock) -> Page:
    """Rows of each table, bytes of what lies in the state directory."""
    rows = [(name, f"{number:,}") for name, number in tables.items()]
    places = [(name, megabytes(size)) for name, size in sizes.items()]
    parts: list[Line | Table] = [
        Table(("table", "rows"), rows, frozenset({"rows"})),
        Line(""),
        Table(("in the state directory", "size"), places, frozenset({"size"})),
        Line(f"schema: {dates.schema}"),
    ]
    if dates.whole_since:
        parts.append(Line(f"whole since: {clock.moment(dates.whole_since)}"))
    if dates.tidied_next:
        next_time = clock.moment(dates.tidied_next)
        parts.append(Line(f"old runs are let go next: {next_time}, then every {EVERY_S // 60} minutes"))
    whole, tidied = (at.isoformat() if at else None for at in (dates.whole_since, dates.tidied_next))
    told = {"schema": dates.schema, "whole_since": whole, "tidied_next": tidied}
    return Page({"tables": dict(tables), "bytes": dict(sizes), **told}, parts)


def megabytes(size: int) -> str:
    """`1.5 MB`; less than that in KB."""
    return f"{size / 1_000_000:,.1f} MB" if size >= 100_000 else f"{size / 1000:,.1f} KB"
