"""What a step of a workflow can do. To add a kind: one new file here with `Options` and `check`; a line in `STEPS`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, cast, runtime_checkable

from pydantic import AfterValidator, Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import PositiveDuration
from idms_cli.config.problems import BadValue
from idms_cli.config.settings import Retry
from idms_cli.files.writers import Rows
from idms_cli.modules import DataLock, OnlineCheck, RunContext, SiteOf
from idms_cli.modules.deadline import Deadline
from idms_cli.modules.part import Part
from idms_cli.modules.workflows.scope import ALWAYS, RowsOf, Scope
from idms_cli.modules.workflows.shapes import Condition

_HERE = "idms_cli.modules.steps"


class Entry(NamedTuple):
    """Where a kind of step lives, imported on first use."""

    module: str
    summary: str
    beside: frozenset[str] = frozenset()
    """Words of other kinds that are keys of this one: a step with both is of this kind."""
    is_inward: bool = False
    """It changes nothing outside of its folder: when its time is over, it is broken off at once."""


STEPS: dict[str, Entry] = {
    "run": Entry(f"{_HERE}.run", "another job, in this run"),
    "query": Entry(f"{_HERE}.query", "rows of a query of the site"),
    "select": Entry(f"{_HERE}.select", "columns are chosen, renamed, added, dropped", is_inward=True),
    "filter": Entry(f"{_HERE}.filter", "rows for which a condition holds", is_inward=True),
    "delta": Entry(f"{_HERE}.delta", "rows that are new or changed since the workflow last succeeded", is_inward=True),
    "gate": Entry(f"{_HERE}.gate", "a condition: end, fail, go to a later step, or go on", is_inward=True),
    "http": Entry(f"{_HERE}.http", "a call of any web service"),
    "imis": Entry(f"{_HERE}.imis", "a call of the site's own API"),
    "file": Entry(f"{_HERE}.file", "rows become a file"),
    "deliver": Entry(f"{_HERE}.deliver", "rows go to any destination of a transfer"),
    "wait": Entry(f"{_HERE}.wait", "for a file, a time, or a condition of a query"),
    "notify": Entry(f"{_HERE}.notify", "a message by the channels of idms.yaml"),
    "exec": Entry(f"{_HERE}.exec", "a program"),
    "parallel": Entry(f"{_HERE}.parallel", "branches of steps at the same time"),
    "for-each": Entry(f"{_HERE}.for_each", "steps for each row"),
}
"""The key that stands in a step and says what it does -> what that is."""

SUCCEEDED, PARTIAL, FAILED, SKIPPED, HELD, REHEARSED = (
    "succeeded", "partial", "failed", "skipped", "held", "rehearsed"
)  # fmt: skip
"""How a step is over; `held` waits for somebody. Before that it is `running`, in the history also `cancelled`."""


def _step_name(text: str) -> str:
    if not text.isidentifier() or not text.isascii() or text.startswith("_") or len(text) > 60:
        raise BadValue("a step's name is one word of letters, digits and _", hint="it is a name in templates: new_rows")
    if text in ALWAYS or text in ("row", "item", "loop", "range", "true", "false", "none", "not", "and", "or", "is"):
        raise BadValue(f"'{text}' means something else in templates", hint="name the step otherwise")
    return text


StepName = Annotated[str, AfterValidator(_step_name)]


class Goto(Section):
    """A jump to a later step of the same list."""

    goto: StepName = Field(description="The name of a later step.")


class StepOptions(Section):
    """The keys of every step. Each kind adds its own, the one that is its name in `STEPS` among them."""

    name: StepName | None = Field(default=None, description="Its name in templates, jumps and reports.")
    enabled: bool = Field(default=True, description="false: it is skipped, which is no failure.")
    when: str | None = Field(default=None, description="A condition; the step is skipped unless it holds.")
    on_error: Literal["fail", "succeed", "ignore"] | Goto = Field(
        default="fail", description="What its failure means: the workflow fails, ends as a success, goes on, or jumps."
    )
    retry: Retry = Field(default=Retry(attempts=1), description="When what can pass is tried again within the run.")
    timeout: PositiveDuration | None = Field(default=None, description="How long it may take, with all tries.")


@dataclass(frozen=True)
class StepResult:
    """What a step gave. A failure is an `IdmsError` instead, unless there is something to keep of it."""

    output: Any = None
    """A JSON value, as templates see it under the step's name; where there are rows, those are what they see."""
    rows: Path | None = None
    """The spool of its rows, in the step's folder or in that of a step before it. See rows/spool.py."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Its figures, for the history and for templates (`steps.NAME.counts.updated`)."""
    status: str = SUCCEEDED
    reason: str = ""
    hint: str = ""
    exit_code: int = 0
    then: Literal["", "succeed", "fail"] | Goto = ""
    """What of a gate: the list of steps ends here, or goes on there."""
    unknown: bool = False
    """A dry run cannot tell what it would give: later steps that ask for it are told so."""
    sums: bool = False
    """Its counts of rows are counts of the run: it did the work of a job."""


class Inner(Protocol):
    """Does steps that stand within a step, as the workflow does its own."""

    def __call__(
        self, steps: "Sequence[Step]", under: str, values: Mapping[str, Any], *, told: bool = True
    ) -> "InnerResult":
        """Do them in the folder `under` of the step's own; what is finished there is not done again.

        They see `values` beside what the step sees, and each other. `told`: each gets a row in the history (as
        STEP/under/NAME). May be called from several threads. Raises `Interrupted`, and `Unreachable` where the whole
        run is to be tried again; any other failure is in the result.
        """


@dataclass(frozen=True)
class InnerResult:
    """How a list of steps ended."""

    status: str
    """As of a step."""
    outputs: Mapping[str, Any]
    """What each of them gave, by name."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """The sums of those that did the work of jobs."""
    reason: str = ""
    hint: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class StepContext:
    """What a step is given when its turn comes."""

    path: str
    """Its name, or its number where it has none; within steps: `tell/left/2`."""
    folder: Path
    """Its own, in the run's directory, there and durable. What is in it from an earlier attempt is there to go on
    with; it is empty when the step is done for the first time."""
    directory: Path
    """Where relative paths of the job start."""
    values: Mapping[str, Any]
    """What templates see."""
    run: RunContext
    """Of the workflow: log, progress, dry_run, clock... `stopping` is also true once the step's time is over."""
    site_of: SiteOf
    """Sites of this run; a thread of its own asks through it as well."""
    deadline: Deadline
    rows_of: Callable[[RowsOf], Rows]
    """The rows that a `RowsOf` names. Raises `InputError`, and `NotKnown` in a dry run."""
    inner: Inner
    attempt: int = 1
    """1, and one more each time it was begun, in this process or an earlier one."""
    approved: bool = False
    """Somebody has seen what it held the run for."""
    tries_again: bool = False
    """What ends in `Unreachable` is tried again: leave undecided what is."""
    offline: bool = False
    """A rehearsal that asks nobody, not even for what it could read."""


class Action(Protocol):
    """What one checked step does."""

    def describe(self) -> str:
        """What it will do, in a few words: the end of `step NAME: `."""

    def locks(self) -> tuple[DataLock, ...]:
        """What it reads and writes."""

    def check_online(self, site_of: SiteOf) -> OnlineCheck:
        """What its sites say against it. Writes nothing. Raises `IdmsError` when a site cannot be asked."""

    def run(self, context: StepContext) -> StepResult:
        """Do it, or go on with it; what it gives is on disk when this returns. Done again after a crash at any moment
        its effect happens once; where that cannot be known it raises `OutcomeUnknown`.

        Raises `IdmsError`: `Unreachable` for what can pass and is tried again, `Interrupted` when it was stopped.
        """

    def rehearse(self, context: StepContext) -> StepResult:
        """The same for a dry run: what it would do, with no change anywhere."""


class NoSite:
    """For actions that no site knows anything of."""

    def check_online(self, site_of: SiteOf) -> OnlineCheck:  # noqa: ARG002 - see the class
        """As `Action`."""
        return OnlineCheck()


class Inward(NoSite):
    """And for those that nobody else can be in the way of; what stands within them is asked by itself."""

    def locks(self) -> tuple[DataLock, ...]:
        """As `Action`."""
        return ()


@runtime_checkable
class MakesRows(Protocol):
    """An action of which later steps can take rows."""

    makes_rows: bool


@runtime_checkable
class Remembering(Protocol):
    """An action with something to keep once the workflow has succeeded."""

    def commit(self, context: StepContext) -> None:
        """Done again, it does no harm."""


@runtime_checkable
class Containing(Protocol):
    """An action with steps within."""

    def inside(self) -> "Iterator[tuple[str, Sequence[Step]]]":
        """Its lists of steps, each with the folder it is done in (the branch's name; '' where that varies)."""


@runtime_checkable
class Closing(Protocol):
    """An action that leaves nothing undecided of a run that will not be gone on with."""

    def close(self, folder: Path, why: str) -> None:
        """Asks nobody; see `Work.close`."""


@dataclass(frozen=True)
class Step:
    """One checked step."""

    number: int
    """From 1, in its list."""
    kind: str
    """The key in `STEPS`."""
    options: StepOptions
    action: Action
    when: Condition | None = None

    @property
    def name(self) -> str:
        """What reports, jumps and folders call it."""
        return self.options.name or str(self.number)


class Kind(Protocol):
    """What a file in this folder offers."""

    Options: ClassVar[type[StepOptions]]
    """All that a step of this kind may say."""

    def check(self, options: Any, part: Part, scope: Scope) -> Action | None:
        """The action of a step whose keys were checked; None when something is wrong, which `part` is told."""


def load_step(kind: str) -> Kind:
    """Raises KeyError for a word that is not in `STEPS`."""
    return cast("Kind", import_module(STEPS[kind].module))
