"""Rows on their way into a site: planned, then applied, with counts that add up whatever happens."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

from idms_cli.errors import Interrupted, PlanOutdated
from idms_cli.files import BrokenRow, Row
from idms_cli.files.places import in_words
from idms_cli.imis.kinds import Choosy, Kind
from idms_cli.records.apply import Absent, Applier, nothing_known
from idms_cli.records.contacts import ContactFinder
from idms_cli.records.counts import Counts
from idms_cli.records.doubles import Doubles
from idms_cli.records.entry import LEFT, Verdict, word_for
from idms_cli.records.faults import Fault
from idms_cli.records.journal import Journal
from idms_cli.records.lookup import Lookup
from idms_cli.records.mapping import BoundMapping
from idms_cli.records.matching import Rules
from idms_cli.records.plan import Planner, Sources
from idms_cli.records.undo import TakeBack, UndoPlanner
from idms_cli.records.window import Window

Tell = Callable[[Mapping[str, int]], None]


@dataclass(frozen=True)
class Steering:
    """How a load is watched and stopped."""

    tell: Tell
    """Given the counts so far, often."""
    stopping: Callable[[], bool]


class Load:
    """One pass of rows into one kind of record."""

    def __init__(self, kind: Kind, rules: Rules, journal: Journal, steering: Steering) -> None:
        self._kind = kind
        self._rules = rules
        self._journal = journal
        self._steering = steering

    def plan(
        self,
        rows: Iterable[Row | BrokenRow],
        mapping: BoundMapping,
        window: Window,
        lookup: Lookup,
        *,
        contacts: ContactFinder | None = None,
    ) -> None:
        """Classify every row into the journal; writes nothing to the site. For `contacts` see `Planner`.

        Raises `Interrupted` when asked to stop, and whatever ends the run; the plan is then incomplete and worthless.
        """
        self._journal.begin()
        with closing(Doubles(self._journal.directory, self._rules)) as doubles:
            choosy = self._kind if isinstance(self._kind, Choosy) else None
            planner = Planner(Sources(lookup, mapping, contacts, choosy), self._rules, self._journal, doubles)
            planner.plan(rows, window, tell=self._tell_read)
            self._journal.finish_plan(doubles.corrections(self._journal.faults), doubles.corrections_of_records())

    def plan_undo(self, older: Journal, window: Window, take_back: TakeBack) -> None:
        """Plan what takes the run back whose journal is given. Raises as `plan` does."""
        self._journal.begin()
        planner = UndoPlanner(self._kind, older, self._journal, take_back)
        planner.plan(window, tell=self._tell_read)
        self._journal.finish_plan(())

    def refuse_if_changed(self, window: Window, *, absent: Absent = nothing_known) -> None:
        """Look at every record that the plan wants to write. Raises `PlanOutdated` if any is not as it was planned."""
        applier = Applier(self._kind, self._rules, self._journal, settle_s=0)
        found = [verdict for verdict in applier.check(window, absent=absent) if verdict.faults]
        if found:
            first = "; ".join(f"{in_words(each.line)}: {each.faults[0].message}" for each in found[:3] if each.faults)
            raise PlanOutdated(
                f"records are no longer as they were planned ({len(found):,}), nothing was written: {first}",
                hint="Make a new plan.",
            )

    def apply(
        self, window: Window, *, settle_s: float, is_old_plan: bool = False, absent: Absent = nothing_known
    ) -> None:
        """Write what is planned. Raises what ends it early: see `end_early`; for the rest see `Applier`."""
        counts = self._journal.counts()
        applier = Applier(self._kind, self._rules, self._journal, settle_s=settle_s, is_old_plan=is_old_plan)

        def tell(verdicts: list[Verdict]) -> None:
            nonlocal counts
            for verdict in verdicts:
                if (word := word_for(verdict.state, verdict.action)) != LEFT:
                    counts = counts.after(word)
            self._steering.tell(counts.as_dict())
            self._stop_if_asked()

        applier.apply(window, tell=tell, absent=absent)

    def _tell_read(self, read: int) -> None:
        self._steering.tell(Counts(read=read).as_dict())
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self._steering.stopping():
            raise Interrupted("the run was stopped")


def end_early(journal: Journal, error: Exception) -> None:
    """No record is left undecided by a run that will not be gone on with: what was not sent is rejected as such."""
    reason = str(error).rstrip(".")
    message = f"The run ended before the site's answer: {reason}. It may have been stored: look first."
    unknown = Fault("send", "", "unknown", message)
    journal.reject_rest("sending", unknown)
    journal.reject_resent(unknown)
    journal.reject_rest("planned", Fault("send", "", "not-sent", f"Not sent: {reason}."))
