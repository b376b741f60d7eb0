"""`run`: another job, by its name or as it stands here, does its work within this run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from idms_cli.config.matchoptions import Elsewhere
from idms_cli.config.settings import Settings
from idms_cli.errors import IdmsError, Interrupted, Unreachable
from idms_cli.files.spool import Taken, read_listing
from idms_cli.modules import DataLock, Matching, OnlineCheck, Outcome, RunContext, SiteOf, Work
from idms_cli.modules.frozen import Text
from idms_cli.modules.part import Part
from idms_cli.modules.steps import FAILED, HELD, PARTIAL, REHEARSED, SUCCEEDED, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.batches import FilesOfStep, folders, point_at, together
from idms_cli.modules.workflows.notes import read_json, write_json
from idms_cli.modules.workflows.others import InlineJob, OtherJob, check_inline, check_named
from idms_cli.modules.workflows.outputs import figures_of, rows_of
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import Shape
from idms_cli.modules.workflows.steplog import Nested

OUTCOME, ASKED = "outcome.json", "asked.json"
"""How the job ended; which approval of the run there was already when the job was held, and so is none for it."""

_STATUS = {"completed": SUCCEEDED, "skipped": SUCCEEDED, "partial": PARTIAL, "held": HELD, "failed": FAILED}


class Options(StepOptions):
    """A step that runs a job."""

    run: str | InlineJob = Field(description="The name of a job, or {module: ..., with: ...}.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Of a workflow its parameters; of a job with a query its prompts."
    )
    rows: Literal["rejected", "written"] | None = Field(
        default=None, description="The rows that it gives: those that the job rejected, or the records it wrote."
    )


@dataclass(frozen=True)
class RunJob:
    """See `Action`."""

    other: OtherJob
    parameters: Shape | None
    rows: Literal["rejected", "written"] | None
    settings: Settings = field(repr=False)

    @property
    def makes_rows(self) -> bool:
        return self.rows is not None

    @property
    def job_and_definition(self) -> tuple[str, str]:
        """Whose files it takes, for the history."""
        return self.other.name, self.other.definition

    @property
    def texts(self) -> Mapping[str, Text]:
        """The job files that it needs, whole."""
        return self.other.texts

    def describe(self) -> str:
        return f"{self.other.name}: {self.other.work.describe()}"

    def locks(self) -> tuple[DataLock, ...]:
        return (*self.other.work.locks(), *(DataLock(f"lock:{name}", write=True) for name in self.other.locks))

    def check_online(self, site_of: SiteOf) -> OnlineCheck:
        return self.other.work.check_online(site_of) if self.other.is_inline else OnlineCheck()

    def options_from_elsewhere(self) -> Elsewhere:
        """See `Matching`."""
        work = self.other.work
        return work.options_from_elsewhere() if isinstance(work, Matching) else {}

    def close(self, folder: Path, why: str) -> None:
        """As `Closing`."""
        for inner, _ in folders(folder):
            self.other.work.close(inner, why)

    def undo(self, context: RunContext) -> Outcome:
        """As `Undoing`; of several files, the last one first."""
        source, target = context.of_directory or context.directory, context.directory
        outcomes = []
        for inner, _ in reversed(list(folders(source))):
            ours = target / inner.relative_to(source)
            ours.mkdir(mode=0o700, parents=True, exist_ok=True)
            given = replace(context, directory=ours, of_directory=inner, job=self.other.name, guard=self.other.guard)
            outcomes.append(self.other.work.run(replace(given, locks=None)))
        return together(outcomes)

    def run(self, context: StepContext) -> StepResult:
        work, outcomes, done = self._work(context), [], []
        for folder, assigned in _growing(context.folder):
            nested = self._context(context, folder, assigned)
            outcomes.append(self._one(work, nested))
            done.append(folder)
            if outcomes[-1].status == "held":
                point_at(context.folder, folder)
            if outcomes[-1].status not in ("completed", "partial", "skipped"):
                break
        return self._result(together(outcomes), context, done)

    def rehearse(self, context: StepContext) -> StepResult:
        """The job's own dry run, of the first file where there are several; its figures are those of its plan."""
        outcome = _outcome(self._work(context), self._context(context, context.folder, ()))
        if outcome.status == "cancelled":
            raise Interrupted(outcome.reason or "the run was stopped")
        result = self._result(outcome, context, [context.folder])
        return result if result.status in (FAILED, PARTIAL) else replace(result, status=REHEARSED)

    def _one(self, work: Work, nested: RunContext) -> Outcome:
        """The job on one source, and what is to be done after it; not again, where it was done."""
        outcome = _kept_outcome(nested.directory)
        if outcome is None:
            outcome = _outcome(work, nested)
            if outcome.status == "cancelled":
                raise Interrupted(outcome.reason or "the run was stopped")
            if nested.tries_again and outcome.exit_code == Unreachable.exit_code and outcome.status == "failed":
                raise Unreachable(outcome.reason, hint=outcome.hint)
            if outcome.status == "held":
                write_json(nested.directory / ASKED, nested.approval)
            else:
                write_json(nested.directory / OUTCOME, asdict(replace(outcome, counts=dict(outcome.counts))))
        remaining = work.aftercare(nested, outcome)
        return remaining() if remaining else outcome

    def _work(self, context: StepContext) -> Work:
        if self.parameters is None or self.other.takes_parameters:
            return self.other.work
        return self.other.with_prompts(self.parameters.render(context.values), self.settings)

    def _context(self, context: StepContext, folder: Path, assigned: tuple[str, ...]) -> RunContext:
        run, name = context.run, self.other.name
        row = Nested.row(context, *self.job_and_definition)
        return replace(
            run,
            directory=folder,
            earlier={},
            guard=self.other.guard,
            usual_rows=run.steps.usual_rows(name),
            approved=context.approved and _is_for(context.run, folder),
            intent="run",
            of_directory=None,
            tries_again=context.tries_again,
            sources=FilesOfStep(
                run.steps.sources(row), context.folder, assigned=assigned, before=_taken_before(context.folder, folder)
            ),
            steps=Nested(run.steps, f"{context.path}/"),
            job=name,
            parameters=self._given(context),
            zone=self.other.zone or run.zone,
            locks=None,
        )

    def _given(self, context: StepContext) -> Mapping[str, Any]:
        if self.parameters is None or not self.other.takes_parameters:
            return {}
        found: Mapping[str, Any] = self.parameters.render(context.values)
        return found

    def _result(self, outcome: Outcome, context: StepContext, done: Sequence[Path]) -> StepResult:
        counts = figures_of(outcome, context.folder)
        shown = figures_of(outcome, context.folder, is_dry=context.run.dry_run)
        path = rows_of(done, self.rows) if self.rows and outcome.status != "held" else None
        return StepResult(
            output={"status": outcome.status, "reason": outcome.reason, **shown},
            rows=path,
            counts=counts,
            status=_STATUS[outcome.status],
            reason=outcome.reason,
            hint=outcome.hint,
            exit_code=outcome.exit_code,
            sums=True,
        )


def check(options: Options, part: Part, scope: Scope) -> RunJob | None:
    """As `Kind.check`."""
    other = check_named(options.run, part, scope) if isinstance(options.run, str) else check_inline(part, scope)
    if other is None:
        return None
    shape = scope.shape(part, ("parameters",)) if options.parameters else None
    before = len(part.problems)
    other.check_parameters(options.parameters, part)
    if len(part.problems) != before or (options.parameters and shape is None):
        return None
    return RunJob(other, shape, options.rows, scope.settings)


def _growing(folder: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The first source; then what it left over, which is known only once it was chosen."""
    yield folder, ()
    yield from list(folders(folder))[1:]


def _taken_before(first: Path, folder: Path) -> list[Taken]:
    """The files of the sources before this one."""
    before = takewhile(lambda inner: inner != folder, (inner for inner, _ in folders(first)))
    return [file for inner in before for file in read_listing(inner)]


def _outcome(work: Work, nested: RunContext) -> Outcome:
    """How the job ended; what it raises is its failure."""
    try:
        return work.run(nested)
    except (Interrupted, Unreachable):
        raise
    except IdmsError as error:
        return Outcome("failed", str(error), error.hint, error.exit_code)


def _is_for(run: RunContext, folder: Path) -> bool:
    """Whether the approval of a run is for the job in this folder: it was held, and not after that approval."""
    try:
        asked = read_json(folder / ASKED)
    except FileNotFoundError:
        return False
    return not run.approval or asked != run.approval


def _kept_outcome(folder: Path) -> Outcome | None:
    """How the job ended, where the process died after that."""
    try:
        return Outcome(**read_json(folder / OUTCOME))
    except FileNotFoundError:
        return None
