"""What a job can do. To add a module: one new file here with `parse`, and one line in `MODULES`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast, runtime_checkable
from zoneinfo import ZoneInfo

from idms_cli.config.documents import Document
from idms_cli.config.matchoptions import Elsewhere
from idms_cli.config.problems import Problem
from idms_cli.config.settings import Settings
from idms_cli.files.spool import Taken
from idms_cli.history.steps import StepRow
from idms_cli.imis.clock import Clock, SystemClock
from idms_cli.jobs.guard import GuardOptions

if TYPE_CHECKING:
    from idms_cli.imis.site import Site


class Entry(NamedTuple):
    """Where a module lives; imported on first use."""

    module: str
    summary: str


MODULES: dict[str, Entry] = {
    "import": Entry("idms_cli.modules.import_file", "the rows of a file become records"),
    "update": Entry("idms_cli.modules.update", "the rows of a query become records"),
    "transfer": Entry("idms_cli.modules.transfer", "rows of the site or of a file go to other systems"),
    "workflow": Entry("idms_cli.modules.workflow", "jobs and actions, one after the other"),
}


class DataLock(NamedTuple):
    """Data that a run reads or writes. Writers exclude each other and readers; readers share."""

    resource: str
    """`imis:live/Activity`, `file:/srv/drop/completions.csv`."""
    write: bool


@dataclass(frozen=True)
class Outcome:
    """How a run ended, as the module saw it."""

    status: str
    """completed, partial, failed, held, cancelled or skipped; `waiting` from a worker that found its connection shut at
    once."""
    reason: str = ""
    hint: str = ""
    exit_code: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    again_in_s: float | None = None
    """It failed for what can pass, and goes on in so many seconds; what was not decided is still to be done."""
    attempts: int = 1
    """How many attempts there are, when it goes on."""


class ReadBefore(NamedTuple):
    """What an earlier run of the job took."""

    run: int
    good: bool
    """It was of the same job file, its rows were imported, all of them, and it was not taken back."""
    files: tuple[Taken, ...]


class SourceLog(Protocol):
    """What the history knows of the files that runs of this job take."""

    assigned: tuple[str, ...]
    """The names of the files that this run is for; empty when it has yet to choose."""

    def take(self, files: Sequence[Taken], *, rest: Sequence[str] | None = None) -> None:
        """This run takes these; the `rest` get a run each, one after the other, once it has ended however it ends."""

    def before(self) -> Sequence[ReadBefore]:
        """The last runs that took something, newest first."""

    def correct(self, run: int, files: Sequence[Taken]) -> None:
        """What became of the files of an earlier run since."""


class NoSourceLog:
    """For a run that nobody keeps a history of."""

    assigned: tuple[str, ...] = ()

    def take(self, files: Sequence[Taken], *, rest: Sequence[str] | None = None) -> None:
        """Forgotten."""

    def before(self) -> Sequence[ReadBefore]:
        return ()

    def correct(self, run: int, files: Sequence[Taken]) -> None:
        """Forgotten."""


class StepLog(Protocol):
    """What the history is told of the steps of a workflow. May be used from several threads."""

    def note(self, *rows: StepRow) -> None:
        """How steps stand; in the history, durably, when this returns."""

    def sources(self, row: StepRow) -> SourceLog:
        """Of the job that a `run` step does; `row` is how the step stands."""

    def usual_rows(self, job: str) -> int | None:
        """What the last good runs of a job read, in a workflow or by themselves."""


class NoStepLog:
    """For a run that nobody keeps a history of."""

    def note(self, *rows: StepRow) -> None:
        """Forgotten."""

    def sources(self, row: StepRow) -> SourceLog:
        del row
        return NoSourceLog()

    def usual_rows(self, job: str) -> int | None:
        del job
        return None


@dataclass(frozen=True)
class Note:
    """What somebody is told by a step."""

    key: str
    """Of no other message."""
    channels: tuple[str, ...]
    subject: str
    text: str


class Messages(Protocol):
    """Where messages go that a step sends. May be used from several threads."""

    def tell(self, note: Note, *, again: bool) -> None:
        """Let it be sent; in the history, durably, when this returns. `again`: an earlier attempt may have done it."""


class NoMessages:
    """For a run that tells nobody."""

    def tell(self, note: Note, *, again: bool) -> None:
        """Forgotten."""


@dataclass(frozen=True)
class RunContext:
    """What a module is given for one run."""

    run_id: int
    directory: Path
    """The run's own directory. What is in it from an earlier attempt is there to go on with."""
    state: Path
    slot: datetime | None
    earlier: Mapping[str, int]
    """The counts that an interrupted attempt at this run told last."""
    dry_run: bool
    row_limit: int | None
    log: Callable[[str], None]
    progress: Callable[[Callable[[], Mapping[str, int]]], None]
    """Tell the counts so far. Called for every row with what computes them, which is done a few times a second."""
    stopping: Callable[[], bool]
    """Whether to end cleanly after the record in hand (Ctrl-C, SIGTERM, the time limit)."""
    guard: GuardOptions = field(default_factory=GuardOptions)
    usual_rows: int | None = None
    """What the last good runs of this job read, if there were any."""
    approved: bool = False
    """Somebody has seen the plan: carry out exactly that."""
    approval: str = ""
    """Tells this approval from an earlier one of the same run; empty for none."""
    patient: bool = False
    """Nobody looks on: a connection that is known not to work is not asked. Hand it on to `site_access`."""
    intent: str = "run"
    """run; or what to do with another run: retry its rejects, do the rest of it, undo it."""
    of_directory: Path | None = None
    """The directory of that other run."""
    tries_again: bool = False
    """What ends in `Unreachable` goes on later: leave undecided what is, as if the process died there."""
    sources: SourceLog = field(default_factory=NoSourceLog)
    steps: StepLog = field(default_factory=NoStepLog)
    messages: Messages = field(default_factory=NoMessages)
    job: str = ""
    """Its name."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of a workflow, as they were given."""
    locks: frozenset[DataLock] | None = None
    """What the run holds; None when it holds nothing, since it changes nothing."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """By whose clock the job goes."""
    created_at: datetime | None = None
    """When the run was created: the time of a run by hand, which has no slot."""
    clock: Clock = field(default_factory=SystemClock)


SiteOf = Callable[[str], "Site"]
"""The open site of a connection, shared with whoever else asks. Raises `IdmsError` when it does not answer."""


@dataclass(frozen=True)
class OnlineCheck:
    """What the sites of a job say of it, each at its place in the job file."""

    problems: tuple[Problem, ...] = ()
    """All that a run would tell before it writes."""
    warnings: tuple[Problem, ...] = ()
    """What no run would stop at, and somebody should know."""


class Work(Protocol):
    """The checked `with:` of one job."""

    def describe(self) -> str:
        """What the job will do, in one sentence."""

    def check_online(self, site_of: SiteOf) -> OnlineCheck:
        """What its sites say against it. Writes nothing.

        Raises `IdmsError` when a site cannot be asked.
        """

    def locks(self) -> tuple[DataLock, ...]:
        """What it reads and writes."""

    def refuse_changed(self, directory: Path) -> Sequence[Taken]:
        """What the run in this directory read, as it is now; `InputError` when its content has changed."""

    def looks_first(self) -> bool:
        """Whether a record that may be there already is looked for before it is written."""

    def close(self, directory: Path, why: str) -> None:
        """Leave no row undecided of a run that will not be gone on with, and write its rejects. Asks nobody."""

    def run(self, context: RunContext) -> Outcome:
        """Do it, or go on with it. Raises `IdmsError` for what ends the whole run."""

    def aftercare(self, context: RunContext, outcome: Outcome) -> Callable[[], Outcome] | None:
        """What is to be done once the run is over and that is durable, if anything; doing it twice does no harm."""


@runtime_checkable
class Matching(Protocol):
    """A work that matches rows with records, and so obeys `options:`."""

    def options_from_elsewhere(self) -> Elsewhere:
        """The options in force that the job does not say itself: from idms.yaml, or the command line."""


@runtime_checkable
class Delivering(Protocol):
    """A work that delivers to others what it cannot take back, and of which a later run can do what was left."""

    def refuse_nothing_left(self, source: Path) -> None:
        """Raises `InputError` when the run in this directory left nothing that could be delivered."""

    def take_over(self, source: Path, target: Path) -> None:
        """Give the run in the directory `target` what the one in `source` did not deliver. Raises as above."""


@runtime_checkable
class Parametrised(Protocol):
    """A work that takes parameters."""

    def refuse_parameters(self, given: Mapping[str, Any]) -> None:
        """Raises `InputError` for names that it does not know, and for those that are missing."""


@runtime_checkable
class Composed(Protocol):
    """A work that runs other jobs."""

    @property
    def texts(self) -> Mapping[str, tuple[str, str]]:
        """Path and text of the file of each, by its name."""


class Module(Protocol):
    """A file in this folder."""

    def parse(self, document: Document, settings: Settings, connection: str) -> Work:
        """Check the job's `with:`. Raises `ProblemsFound` with all problems."""


def load_module(name: str) -> Module:
    """Raises KeyError for a name that is not in `MODULES`."""
    return cast(Any, import_module(MODULES[name].module))  # type: ignore[no-any-return]
