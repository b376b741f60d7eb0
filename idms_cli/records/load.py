"""Rows on their way into a site: planned, then applied, with counts that add up whatever happens."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from idms_cli.errors import IdmsError, Interrupted
from idms_cli.files import BrokenRow, Row
from idms_cli.imis.kinds import Kind
from idms_cli.records.apply import Applier
from idms_cli.records.counts import Counts
from idms_cli.records.entry import Verdict, word_for
from idms_cli.records.faults import Fault
from idms_cli.records.journal import Journal
from idms_cli.records.mapping import BoundMapping
from idms_cli.records.matching import Rules
from idms_cli.records.plan import Planner
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

    def plan(self, rows: Iterable[Row | BrokenRow], mapping: BoundMapping, window: Window, **notes: str) -> None:
        """Classify every row into the journal; writes nothing to the site.

        Raises `Interrupted` when asked to stop, and whatever ends the run; the plan is then incomplete and worthless.
        """
        self._journal.begin()
        planner = Planner(self._kind, mapping, self._rules, self._journal)
        planner.plan(rows, window, tell=self._tell_read)
        self._journal.finish_plan(planner.corrections(), **notes)

    def apply(self, window: Window, *, settle_s: float) -> IdmsError | None:
        """Write what is planned; the error that ended it early, or None.

        However it ended, no record is left undecided: what was not sent is rejected as such, and told.
        """
        counts = self._journal.counts()
        applier = Applier(self._kind, self._rules, self._journal, settle_s=settle_s)

        def tell(verdicts: list[Verdict]) -> None:
            nonlocal counts
            for verdict in verdicts:
                if verdict.state != "planned":
                    counts = counts.after(word_for(verdict.state, verdict.action))
            self._steering.tell(counts.as_dict())
            self._stop_if_asked()

        ended: IdmsError | None = None
        try:
            applier.apply(window, tell=tell)
        except IdmsError as error:
            ended = error
            self._journal.reject_rest("planned", Fault("send", "", "not-sent", f"Not sent: {error}"))
            message = f"The run ended before the site's answer: {error}. It may be stored: look first."
            self._journal.reject_rest("sending", Fault("send", "", "unknown", message))
        return ended

    def _tell_read(self, read: int) -> None:
        self._steering.tell(Counts(read=read).as_dict())
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self._steering.stopping():
            raise Interrupted("the run was stopped")
