"""`run`: another job, by its name or as it stands here, does its work within this run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from idms_cli.config.settings import Settings
from idms_cli.errors import IdmsError, Interrupted, Unreachable
from idms_cli.modules import DataLock, OnlineCheck, Outcome, RunContext, SiteOf, Work
from idms_cli.modules.frozen import Text
from idms_cli.modules.part import Part
from idms_cli.modules.steps import FAILED, HELD, PARTIAL, REHEARSED, SUCCEEDED, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.notes import read_json, write_json
from idms_cli.modules.workflows.others import InlineJob, OtherJob, check_inline, check_named
from idms_cli.modules.workflows.outputs import figures_of, rows_of
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import Shape
from idms_cli.modules.workflows.steplog import Nested

OUTCOME = "outcome.json"

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

    def close(self, folder: Path, why: str) -> None:
        """As `Closing`."""
        self.other.work.close(folder, why)

    def undo(self, context: RunContext) -> Outcome:
        """As `Undoing`."""
        return self.other.work.run(replace(context, job=self.other.name, guard=self.other.guard, locks=None))

    def run(self, context: StepContext) -> StepResult:
        work, nested = self._work(context), self._context(context)
        outcome = _kept_outcome(context.folder)
        if outcome is None:
            outcome = _outcome(work, nested)
            if outcome.status == "cancelled":
                raise Interrupted(outcome.reason or "the run was stopped")
            if nested.tries_again and outcome.exit_code == Unreachable.exit_code and outcome.status == "failed":
                raise Unreachable(outcome.reason, hint=outcome.hint)
            if outcome.status != "held":
                write_json(context.folder / OUTCOME, asdict(replace(outcome, counts=dict(outcome.counts))))
        if remaining := work.aftercare(nested, outcome):
            outcome = remaining()
        return self._result(outcome, context)

    def rehearse(self, context: StepContext) -> StepResult:
        """The job's own dry run; its figures are those of its plan."""
        outcome = _outcome(self._work(context), self._context(context))
        if outcome.status == "cancelled":
            raise Interrupted(outcome.reason or "the run was stopped")
        result = self._result(outcome, context)
        return result if result.status in (FAILED, PARTIAL) else replace(result, status=REHEARSED)

    def _work(self, context: StepContext) -> Work:
        if self.parameters is None or self.other.takes_parameters:
            return self.other.work
        return self.other.with_prompts(self.parameters.render(context.values), self.settings)

    def _context(self, context: StepContext) -> RunContext:
        run, name = context.run, self.other.name
        row = Nested.row(context, *self.job_and_definition)
        return replace(
            run,
            directory=context.folder,
            earlier={},
            guard=self.other.guard,
            usual_rows=run.steps.usual_rows(name),
            approved=context.approved,
            intent="run",
            of_directory=None,
            tries_again=context.tries_again,
            sources=run.steps.sources(row),
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

    def _result(self, outcome: Outcome, context: StepContext) -> StepResult:
        counts = figures_of(outcome, context.folder, is_dry=context.run.dry_run)
        path = rows_of(context.folder, self.rows) if self.rows and outcome.status != "held" else None
        return StepResult(
            output={"status": outcome.status, "reason": outcome.reason, **counts},
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


def _outcome(work: Work, nested: RunContext) -> Outcome:
    """How the job ended; what it raises is its failure."""
    try:
        return work.run(nested)
    except (Interrupted, Unreachable):
        raise
    except IdmsError as error:
        return Outcome("failed", str(error), error.hint, error.exit_code)


def _kept_outcome(folder: Path) -> Outcome | None:
    """How the job ended, where the process died after that."""
    try:
        return Outcome(**read_json(folder / OUTCOME))
    except FileNotFoundError:
        return None
