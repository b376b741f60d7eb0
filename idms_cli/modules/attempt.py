"""One attempt at loading rows: plan if that was not done yet, apply what is left, tell how it ended."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from idms_cli.errors import Held, IdmsError, Interrupted, PlanOutdated, RunFailed, Unreachable, Unsure
from idms_cli.files import BrokenRow, Row, Table
from idms_cli.files.places import in_words
from idms_cli.files.spool import Taken, read_listing
from idms_cli.history.rows import QUESTIONS
from idms_cli.imis.counts import Calls
from idms_cli.imis.kinds import Kind
from idms_cli.modules import Outcome, RunContext
from idms_cli.modules.finding import Finding
from idms_cli.records.contacts import ContactFinder
from idms_cli.records.counts import Counts
from idms_cli.records.guard import for_some_rows, tripped
from idms_cli.records.journal import Journal, open_journal
from idms_cli.records.load import Load, Steering, end_early
from idms_cli.records.mapping import BoundMapping
from idms_cli.records.matching import Rules
from idms_cli.records.mended import fed_back
from idms_cli.records.rejects import RejectsFile
from idms_cli.records.undo import TakeBack
from idms_cli.records.window import Window

if TYPE_CHECKING:
    from idms_cli.imis.site import Site

REJECTS = "rejects.csv"

MOST_NAMED = 3

HINT_REST = "Rows that were not sent are in the rejects file, which can be imported as it is."


@dataclass(frozen=True)
class Task:
    """What an attempt needs to know of its job."""

    opened: Callable[[Path], AbstractContextManager[Table]]
    """Opens the copy of the source in a run's directory, or the rows that a retry was given."""
    bound: Callable[[Table], BoundMapping]
    """The map, bound to a table's columns. Raises `ProblemsFound`."""
    contacts: Callable[[Table], ContactFinder | None]
    """Finds the contacts of a table's rows, where the file does not know their IDs. Raises `ProblemsFound`."""
    rules: Callable[[], Rules]
    """Asks the site for its metadata, so it may raise what `Kind.properties` raises."""
    tells_numbers: bool
    """Whether cells of the job's own format know if they are numbers."""
    read: str
    """record, snapshot or auto: how the records are found that the rows match."""
    take_back: TakeBack
    """What of such records cannot be taken back."""
    settle_s: float
    calls: Callable[[], Calls]
    """How often the run's sites were asked so far."""


class Attempt:
    """See the module."""

    def __init__(self, task: Task, context: RunContext, journal: Journal, site: "Site", kind: Kind) -> None:
        self._task = task
        self._context = context
        self._journal = journal
        self._site = site
        self._kind = kind
        undone = context.of_directory if context.intent == "undo" else None
        self._folder = undone or context.directory

    def run(self) -> Outcome:
        """However it ends, once there is a plan each of its rows is told: written, left alone, or a reject."""
        ended = None
        try:
            self._load()
        except Unsure as unsure:
            self._write_rejects()
            return self._asks(unsure)
        except Held as held:  # every row keeps its place in the plan
            self._write_rejects()
            return self._told("held", held)
        except PlanOutdated as outdated:
            return Outcome("failed", str(outdated), outdated.hint, outdated.exit_code, self._calls())
        except Exception as error:
            if not self._journal.is_planned:
                raise  # nothing was written, and what is known of the rows is worth nothing
            if self._context.tries_again and isinstance(error, Unreachable):
                self._journal.reopen()
            else:
                end_early(self._journal, error)
            if not isinstance(error, IdmsError):
                self._write_rejects()
                raise
            ended = error
        try:
            self._write_rejects()
        except IdmsError as error:
            ended = ended or error
        return self._outcome(ended)

    def _load(self) -> None:
        steering = Steering(tell=self._tell, stopping=self._context.stopping)
        load = Load(self._kind, self._rules, self._journal, steering)
        with Window(self._site.access.concurrency) as window:
            is_old_plan = self._journal.is_planned
            if not is_old_plan:
                self._plan(load, window)
            self._context.log(f"planned: {_in_words(self._journal.counts())}")
            self._look_at_totals()
            with self._finding.absent(self._looked_for_again(is_old_plan=is_old_plan)) as absent:
                if self._context.intent == "apply" and not self._context.earlier:
                    load.refuse_if_changed(window, absent=absent)
                if not self._context.dry_run:
                    load.apply(window, settle_s=self._task.settle_s, is_old_plan=is_old_plan, absent=absent)

    def _looked_for_again(self, *, is_old_plan: bool) -> int:
        """How many inserts are: since the plan somebody else may have made the record."""
        is_due = (is_old_plan or self._rules.exactly) and not self._context.dry_run
        return self._journal.planned_counts().get("insert", 0) if is_due else 0

    @cached_property
    def _finding(self) -> Finding:
        read, page_size = self._task.read, self._site.page_size
        return Finding(self._kind, self._rules, self._context, read=read, page_size=page_size)

    @cached_property
    def _rules(self) -> Rules:
        if self._context.intent == "undo":  # exactly what was there before is put back, and over nobody's change
            return replace(self._task.rules(), exactly=True, appended={})
        is_fresh = self._context.intent != "retry"  # the rows of a retry say what was stored when they were read
        return replace(self._task.rules(), exactly=self._context.approved, trusts_rows=is_fresh)

    def _look_at_totals(self) -> None:
        if self._context.approved or self._context.intent == "undo" or self._journal.note("guarded"):
            return  # somebody has seen the plan, or it was looked at before the process died
        counts, planned = self._journal.counts(), self._journal.planned_counts()
        guard = self._context.guard
        if self._context.row_limit is not None or self._context.intent != "run":
            guard = for_some_rows(guard)
        reasons = "; ".join(tripped(guard, counts, planned, self._context.usual_rows))
        run = self._context.run_id
        if reasons and self._context.dry_run:
            self._context.log(f"A real run would be held: {reasons}")
            self._journal.keep_note("held", reasons)
        elif reasons:
            hint = f"`idms show {run}` shows the plan; then `idms approve {run}`, or `idms reject {run}`."
            raise Held(f"{reasons}. Nothing was written", hint=hint)
        self._journal.keep_note("guarded", "yes")

    def _plan(self, load: Load, window: Window) -> None:
        if self._context.intent == "undo" and self._context.of_directory:
            with open_journal(self._context.of_directory) as older:
                load.plan_undo(older, window, self._task.take_back)
            return
        with self._open() as opened:
            table = fed_back(opened, told_numbers=self._task.tells_numbers)
            with self._finding.lookup(table, lambda: self._task.bound(table)) as lookup:
                bound, contacts = self._task.bound(table), self._task.contacts(table)
                load.plan(self._rows(table), bound, window, lookup, contacts=contacts)
            for note in table.notes:
                self._context.log(note)

    def _rows(self, table: Table) -> Iterator[Row | BrokenRow]:
        return islice(table.rows(), self._context.row_limit)

    def _open(self) -> AbstractContextManager[Table]:
        return self._task.opened(self._folder)

    def _write_rejects(self) -> None:
        with self._open() as opened:
            _write_rejects(self._context.directory, self._journal, opened, read_listing(self._folder))

    def _tell(self, counts: Mapping[str, int]) -> None:
        self._context.progress(lambda: {**counts, **self._calls()})

    def _calls(self) -> dict[str, int]:
        return call_figures(self._task.calls(), self._context.earlier)

    def _outcome(self, ended: IdmsError | None) -> Outcome:
        if isinstance(ended, Interrupted):
            return self._told("cancelled", Interrupted(str(ended), hint=HINT_REST))
        if ended is not None:
            return self._told("failed", ended)
        counts = self._journal.counts()
        if not counts.rejected:
            return self._told("completed")
        status = "failed" if counts.rejected == counts.records else "partial"
        noun = "records" if counts.further else "rows"
        return self._told(status, RunFailed(f"{counts.rejected:,} of {counts.records:,} {noun} rejected"))

    def _asks(self, unsure: Unsure) -> Outcome:
        """The run stops where it is, and a person has to say what became of the records in question."""
        asked, run = self._journal.in_question(), self._context.run_id
        where = ", ".join(in_words(one.line) for one in asked[:MOST_NAMED]) + (
            ", ..." if len(asked) > MOST_NAMED else ""
        )
        what = "the record is there" if len(asked) == 1 else "the records are there"
        hint = (
            f"Look at the site whether {what}: `idms show {run}` has the numbers. Then `idms approve {run} --stored "
            f"NUMBERS --not-stored NUMBERS` (or all) goes on; `idms reject {run}` ends it."
        )
        why = str(unsure).rstrip(".")
        reason = f"{where}: sent, perhaps stored, and nothing finds it again: somebody has to look. {why}"
        told = self._told("held", Held(reason, hint=hint))
        return replace(told, counts={**told.counts, QUESTIONS: len(asked)})

    def _told(self, status: str, why: IdmsError | None = None) -> Outcome:
        counts = self._journal.counts()
        if not counts.add_up:  # a bug of ours, and nothing that may go unseen
            raise RuntimeError(f"the counts of the run do not add up: {counts}")
        figures = {**counts.as_dict(), **self._calls(), **(self._expected(status) if counts.left else {})}
        if why is None:
            return Outcome(status, counts=figures)
        return Outcome(status, str(why), why.hint, why.exit_code, figures)

    def _expected(self, status: str) -> dict[str, int]:
        """Calls and seconds that the plan will take: a write each, and a look before it at what is there.

        An insert was looked for by the plan; where somebody approves that, it is looked for once more.
        """
        planned = self._journal.planned_counts()
        inserts = planned.get("insert", 0)
        calls = sum(planned.values()) * 2 - inserts + (self._finding.looks(inserts) if status == "held" else 0)
        so_far, access = self._task.calls(), self._site.access
        sent = so_far.get + so_far.post + so_far.put
        at_speed = calls * so_far.seconds / max(sent, 1) / access.concurrency
        at_rate = calls / access.rate_per_s if access.rate_per_s else 0.0
        return {"expected_calls": calls, "expected_s": round(max(at_speed, at_rate))}


def call_figures(calls: Calls, earlier: Mapping[str, int]) -> dict[str, int]:
    """The calls of a run so far, with those that an interrupted attempt told last; and how long the site took."""
    sent = {"get": calls.get, "post": calls.post, "put": calls.put, "delete": calls.delete, "token": calls.token}
    total = {verb: number + earlier.get(verb, 0) for verb, number in sent.items()}
    site_ms = round(calls.seconds * 1000) + earlier.get("site_ms", 0)
    return {**total, "calls": sum(total.values()), "site_ms": site_ms}


def close_attempt(directory: Path, open_copy: Callable[[Path], AbstractContextManager[Table]], why: str) -> None:
    """Settle what an attempt left that will not be gone on with: rows not sent become rejects, and are written."""
    with open_journal(directory) as journal:
        if not journal.is_planned:
            return
        end_early(journal, IdmsError(why))
        with open_copy(directory) as opened:
            _write_rejects(directory, journal, opened, read_listing(directory))


def _write_rejects(directory: Path, journal: Journal, opened: Table, files: Sequence[Taken]) -> None:
    """The rejected rows as they came, found again in the copy of the source."""
    table, names = fed_back(opened), [file.name for file in files]
    with RejectsFile(directory / REJECTS, table.columns, dialect=table.dialect, files=names) as rejects:
        rows = table.rows()
        for line, faults in journal.rejected():
            rejects.add(_row_at(line, rows), faults)


def _row_at(line: int, rows: Iterator[Row | BrokenRow]) -> Row | BrokenRow:
    return next(row for row in rows if row.line == line)


def _in_words(counts: Counts) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.as_dict().items() if number)
