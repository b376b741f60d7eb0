"""`gate`: when a condition holds, the steps end here, as a success or a failure, or go on at a later one."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, StrictBool

from idms_cli.modules.part import Part
from idms_cli.modules.steps import REHEARSED, Goto, Inward, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import Condition, Shape


class Options(StepOptions):
    """A step that decides."""

    gate: StrictBool | str = Field(description='The condition: "{{ completions.changed == 0 }}"; or true, for always.')
    then: Literal["succeed", "fail"] | Goto = Field(
        default="succeed", description="What it does when the condition holds: succeed, fail, or {goto: STEP}."
    )
    why: str | None = Field(default=None, description="The reason that is told; a template.")


@dataclass(frozen=True)
class Gate(Inward):
    """See `Action`."""

    condition: Condition | bool
    then: Literal["succeed", "fail"] | Goto
    why: Shape | None

    def describe(self) -> str:
        said = self.condition if isinstance(self.condition, bool) else self.condition.template.source
        what = f"go on at {self.then.goto}" if isinstance(self.then, Goto) else f"end: {self.then}"
        return f"{what}, if {str(said).lower() if isinstance(said, bool) else said}"

    def run(self, context: StepContext) -> StepResult:
        if not self._holds(context):
            return StepResult(False, reason="the condition does not hold")
        reason = self.why.text(context.values) if self.why else "the condition holds"
        return StepResult(True, reason=reason, then=self.then)

    def rehearse(self, context: StepContext) -> StepResult:
        """A dry run goes on, so that all steps are seen."""
        if not self._holds(context):
            return StepResult(False, status=REHEARSED, reason="the condition does not hold")
        what = f"go on at {self.then.goto}" if isinstance(self.then, Goto) else f"end the steps: {self.then}"
        return StepResult(True, status=REHEARSED, reason=f"would {what}")

    def _holds(self, context: StepContext) -> bool:
        return self.condition if isinstance(self.condition, bool) else self.condition.holds(context.values)


def check(options: Options, part: Part, scope: Scope) -> Gate | None:
    """As `Kind.check`."""
    before = len(part.problems)
    condition = options.gate if isinstance(options.gate, bool) else scope.condition(part, ("gate",))
    why = scope.shape(part, ("why",)) if options.why is not None else None
    if isinstance(options.then, Goto):
        scope.refuse_jump(part, ("then", "goto"), options.then.goto)
    return None if condition is None or len(part.problems) != before else Gate(condition, options.then, why)
