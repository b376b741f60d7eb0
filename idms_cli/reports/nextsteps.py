"""What to do next about a run: the commands that fit how it stands."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from idms_cli.config.matchoptions import GIVEN
from idms_cli.history.rows import Run
from idms_cli.modules.given import mended_file
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import as_written

REJECTS = "rejects.csv"
DONE = ("inserted", "updated", "deleted")
NOT_DELIVERED = ("steps_failed", "steps_unknown", "steps_left")


class Step(NamedTuple):
    """A command, and what it is good for."""

    command: str
    why: str


def next_steps_page(run: Run, directory: Path, *, kept: str = "") -> Page:
    """Nothing for a run about which nothing is to be done; `kept` is the file that keeps its plan."""
    steps = list(_steps(run, directory, kept))
    if not steps:
        return Page({"next": []}, [])
    data = [step._asdict() for step in steps]
    return Page({"next": data}, [Line(""), Line("What to do next", "bold"), Table(("", ""), steps)])


def _steps(run: Run, directory: Path, kept: str) -> Iterator[Step]:
    if run.is_open:
        yield from _while_open(run)
    elif run.status == "held":
        if not run.asks:  # what it asks is told with how to answer
            yield Step(f"idms approve {run.id}", "carry out exactly this plan")
            yield Step(f"idms reject {run.id}", "end it; nothing is written")
    elif run.dry_run:
        yield from _after_dry_run(run, directory, kept)
    else:
        yield from _after(run, directory)


def _while_open(run: Run) -> Iterator[Step]:
    if run.status == "interrupted" or run.not_before:
        yield Step(f"idms resume {run.id}", "go on now; else the next tick does, in its time")
    elif run.status == "running":
        yield Step(f"idms log {run.id} -f", "watch it")
    yield Step(f"idms stop {run.id}", "end it; what was not sent is in its rejects file")


def _after_dry_run(run: Run, directory: Path, kept: str) -> Iterator[Step]:
    """The command that does what was planned: with the same options, parameters and rows."""
    if not run.counts.get("left") and not run.counts.get("selected"):
        return
    mended = mended_file(directory)
    given = f" --file {shlex.quote(mended)}" if mended else ""
    carry_out = {
        "run": f"idms run {run.job}{_as_given(run)}",
        "undo": f"idms undo {run.of_run} --apply",
        "retry": f"idms retry {run.of_run} --rejected{given}",
        "rest": f"idms retry {run.of_run}",
    }
    if kept:
        yield Step(f"idms apply {shlex.quote(kept)}", "carry out exactly this plan")
    elif run.intent in carry_out and run.row_limit is None:
        yield Step(carry_out[run.intent], "carry it out")


def _as_given(run: Run) -> str:
    """The options and parameters of its command line, to be written again."""
    options = {name: one["value"] for name, one in run.options.items() if one["from"] == GIVEN}
    words = [f"-o {shlex.quote(f'{name}={as_written(value)}')}" for name, value in options.items()]
    words += [f"-p {shlex.quote(f'{name}={value}')}" for name, value in run.parameters.items()]
    return "".join(f" {word}" for word in words)


def _after(run: Run, directory: Path) -> Iterator[Step]:
    if run.module != "workflow":  # beside the steps of one stands at which of them it can go on
        yield from _the_rest(run, directory)
    if any(run.counts.get(name) for name in DONE) and directory.exists():
        yield Step(f"idms changes {run.id}", "what it wrote, field by field")
        yield Step(f"idms undo {run.id}", "take that back; shows its plan first")


def _the_rest(run: Run, directory: Path) -> Iterator[Step]:
    counts = run.counts
    if any(counts.get(name) for name in NOT_DELIVERED):
        yield Step(f"idms retry {run.id}", "deliver what it did not, with the rows it has read")
    elif counts.get("rejected") and (directory / REJECTS).exists() and "selected" not in counts:
        mended = f"{run.job}-mended.csv"
        yield Step(f"idms rejects {run.id} --csv {mended}", "the rejected rows with their reasons, to be mended")
        yield Step(f"idms retry {run.id} --rejected --file {mended}", "import them when they are mended")
    elif run.status in ("failed", "cancelled") and run.intent in ("run", "backfill"):
        yield Step(f"idms run {run.job}", "once more, when that is put right")
