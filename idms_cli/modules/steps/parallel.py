"""`parallel`: branches of steps at the same time, joined: the step ends when the last of them has ended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import Field

from idms_cli.modules import DataLock
from idms_cli.modules.part import Part
from idms_cli.modules.steps import (
    FAILED,
    REHEARSED,
    SUCCEEDED,
    InnerResult,
    Inward,
    Step,
    StepContext,
    StepName,
    StepOptions,
    StepResult,
)
from idms_cli.modules.workflows.branches import kept, summed, together, worst
from idms_cli.modules.workflows.engine import all_steps
from idms_cli.modules.workflows.scope import Scope

SITE = "imis:"
"""How the names of a site's data begin: `imis:live/Activity`."""


class Options(StepOptions):
    """The step."""

    parallel: dict[StepName, list[dict[str, Any]]] = Field(
        min_length=1, max_length=32, description="A list of steps for each branch, by the branch's name."
    )
    concurrency: int = Field(default=8, ge=1, le=32, description="Branches at the same time at most.")


def check(options: Options, part: Part, scope: Scope) -> "_Parallel | None":
    """As `Kind.check`. The steps of a branch see those before this one and their own, and none of other branches."""
    before = len(part.problems)
    branches = {name: tuple(scope.check_steps(part.below("parallel", name), scope)) for name in options.parallel}
    for (one, mine), (other, theirs) in combinations(branches.items(), 2):
        for resource in sorted(_in_the_way(_data_of_jobs(mine), _data_of_jobs(theirs))):
            message = f"the branches {one} and {other} both use {resource}, and at least one writes it"
            part.tell_key(("parallel", other), message, "Put these jobs into one branch, one after the other.")
    return _Parallel(branches, options.concurrency) if len(part.problems) == before else None


def _data_of_jobs(steps: Sequence[Step]) -> set[DataLock]:
    """What jobs in a branch use of a site. The run holds all of it: nothing else keeps two branches apart."""
    jobs = (step for _, step in all_steps(steps) if step.kind == "run")
    return {lock for job in jobs for lock in job.action.locks() if lock.resource.startswith(SITE)}


def _in_the_way(mine: set[DataLock], theirs: set[DataLock]) -> set[str]:
    return {
        f"{one.resource.removeprefix(SITE).partition('/')[2]} of {one.resource.removeprefix(SITE).partition('/')[0]}"
        for one in mine
        for other in theirs
        if one.resource == other.resource and (one.write or other.write)
    }


class _Parallel(Inward):
    """See `Action` and `Containing`."""

    def __init__(self, branches: Mapping[str, Sequence[Step]], width: int) -> None:
        self._branches = branches
        self._width = min(width, len(branches))

    def describe(self) -> str:
        return f"at the same time: {', '.join(self._branches)}"

    def inside(self) -> Iterator[tuple[str, Sequence[Step]]]:
        yield from self._branches.items()

    def run(self, context: StepContext) -> StepResult:
        """A branch that fails lets the others end. Done again, what is over in a branch is not repeated."""
        found: dict[str, InnerResult] = {}

        def ended(name: str, result: InnerResult) -> bool:
            found[name] = result
            return True

        work = ((name, partial(context.inner, steps, name, {})) for name, steps in self._branches.items())
        together(work, self._width, ended=ended)
        return _joined({name: found[name] for name in self._branches}, context.run.directory)

    def rehearse(self, context: StepContext) -> StepResult:
        """The same: the steps within are told that this is a dry run."""
        result = self.run(context)
        if result.status != SUCCEEDED:
            return result
        return replace(result, status=REHEARSED)


def _joined(results: Mapping[str, InnerResult], directory: Path) -> StepResult:
    output = {name: kept(result.outputs, directory) for name, result in results.items()}
    bad = worst({name: result.status for name, result in results.items()})
    if not bad:
        return StepResult(output, counts=summed(results), sums=True)
    told = results[bad]
    failed = sum(result.status == FAILED for result in results.values())
    more = f" ({failed} of {len(results)} branches failed)" if failed > 1 else ""
    return StepResult(
        output,
        counts=summed(results),
        status=told.status,
        reason=f"branch {bad}: {told.reason}{more}",
        hint=told.hint,
        exit_code=told.exit_code,
        sums=True,
    )
