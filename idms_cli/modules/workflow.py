"""Workflow: named steps in order; what each gives, the later ones see."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from idms_cli.config.checked import Section
from idms_cli.config.documents import Document
from idms_cli.config.matchoptions import Elsewhere
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.errors import Held, InputError
from idms_cli.files.spool import Taken
from idms_cli.modules import DataLock, Matching, OnlineCheck, Outcome, RunContext, SiteOf
from idms_cli.modules.access import RunSites
from idms_cli.modules.frozen import Text, freeze
from idms_cli.modules.occasion import kept_values
from idms_cli.modules.part import Part
from idms_cli.modules.steps import FAILED, HELD, PARTIAL, SUCCEEDED, Closing, InnerResult, Step
from idms_cli.modules.workflows.checking import check_list
from idms_cli.modules.workflows.engine import Walk, all_steps
from idms_cli.modules.workflows.flow import Flow, Place
from idms_cli.modules.workflows.leftovers import refuse_nothing_left, take_over
from idms_cli.modules.workflows.notes import read_json, read_note, write_json
from idms_cli.modules.workflows.others import one_check
from idms_cli.modules.workflows.parameters import (
    Parameter,
    ParametersOption,
    check_parameters,
    input_of,
    refuse_unknown,
)
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.undoing import undo
from idms_cli.modules.workplaces import HELD as POINTER

STEPS, INPUT = "steps", "input.json"

_STATUS = {SUCCEEDED: "completed", PARTIAL: "partial", FAILED: "failed", HELD: "held"}

chain: ContextVar[tuple[str, ...]] = ContextVar("chain", default=())
"""The workflows that are just being checked, each run by the one before it."""


class WorkflowOptions(Section):
    """The `with:` of a workflow."""

    parameters: ParametersOption = Field(default_factory=dict, description="What a run may be given: -p NAME=VALUE.")
    steps: list[dict[str, Any]] = Field(min_length=1, description="What is done, one after the other.")


@dataclass(frozen=True)
class Workflow:
    """A checked workflow."""

    steps: Sequence[Step]
    parameters: Mapping[str, Parameter]
    settings: Settings = field(repr=False)
    document: Document = field(repr=False)

    def describe(self) -> str:
        kinds: dict[str, int] = {}
        for step in self.steps:
            kinds[step.kind] = kinds.get(step.kind, 0) + 1
        several = ", ".join(kind if number == 1 else f"{number:,} {kind}" for kind, number in kinds.items())
        noun = "step" if len(self.steps) == 1 else "steps"
        return f"{len(self.steps):,} {noun}: {several}"

    def check_online(self, site_of: SiteOf) -> OnlineCheck:
        problems: list[Problem] = []
        warnings: list[Problem] = []
        for _, step in all_steps(self.steps):
            said = step.action.check_online(site_of)
            problems += said.problems
            warnings += said.warnings
        return OnlineCheck(tuple(problems), tuple(warnings))

    def locks(self) -> tuple[DataLock, ...]:
        """Of all steps together. What one step writes and another reads is written."""
        found = dict.fromkeys(lock for _, step in all_steps(self.steps) for lock in step.action.locks())
        return tuple(lock for lock in found if lock.write or DataLock(lock.resource, write=True) not in found)

    def refuse_changed(self, directory: Path) -> Sequence[Taken]:  # noqa: ARG002 - there is no plan in it
        raise InputError("the plan of a workflow is not kept", hint="`idms run` does what is to be done then.")

    def looks_first(self) -> bool:
        return False

    def refuse_nothing_left(self, source: Path) -> None:
        refuse_nothing_left(source, self.steps)

    def take_over(self, source: Path, target: Path) -> None:
        """What a failed run has done, for a run that goes on from there; see `Delivering`."""
        take_over(source, target, self.steps)

    def close(self, directory: Path, why: str) -> None:
        for path, step in all_steps(self.steps):
            folder = directory / STEPS / path
            note = read_note(folder) if "*" not in path else None
            if note is not None and not note.is_over and isinstance(step.action, Closing):
                step.action.close(folder, why)

    def run(self, context: RunContext) -> Outcome:
        if context.intent == "undo":
            return undo(self.steps, context)
        freeze(context.directory, self.texts)
        self._refuse_new_locks(context)
        values = {**kept_values(context), "input": self._input(context)}
        (context.directory / POINTER).unlink(missing_ok=True)
        with RunSites(self.settings, log=context.log, patient=context.patient) as sites:
            flow = self._flow(context, sites)
            walk = Walk(flow, Place(context.directory / STEPS), self.steps, values)
            result = walk.run()
        if result.status == SUCCEEDED and not context.dry_run:
            for action, at in walk.remembering():
                action.commit(at)
        return _outcome(result, flow, context)

    def aftercare(self, context: RunContext, outcome: Outcome) -> Callable[[], Outcome] | None:  # noqa: ARG002
        return None

    def _flow(self, context: RunContext, sites: RunSites) -> Flow:
        positions = {path: number for number, (path, _) in enumerate(all_steps(self.steps), start=1)}
        words = ("succeeded", "partial", "failed", "skipped", "rehearsed", "held")
        tally = {"steps": len(self.steps), **{f"steps_{word}": 0 for word in words}, "steps_left": len(self.steps)}
        return Flow(context, sites.of, self.settings.directory, positions, approved=context.approved, tally=tally)

    def _input(self, context: RunContext) -> Mapping[str, Any]:
        """The parameters of this run, settled when it first asks."""
        path = context.directory / INPUT
        if not path.exists():
            write_json(path, input_of(self.parameters, context.parameters, kept_values(context)))
        found: Mapping[str, Any] = read_json(path)
        return found

    def options_from_elsewhere(self) -> Elsewhere:
        """See `Matching`: those of the jobs that its steps run."""
        found: dict[str, Any] = {}
        for _, step in all_steps(self.steps):
            if isinstance(step.action, Matching):
                found |= step.action.options_from_elsewhere()
        return found

    def refuse_parameters(self, given: Mapping[str, Any]) -> None:
        """See `Parametrised`."""
        refuse_unknown(self.parameters, given)
        for name, one in self.parameters.items():
            if name not in given and one.default is None:
                raise InputError(f"the parameter {name} is missing", hint=f"{name}: {one.description or one.type}")
            if isinstance(given.get(name), str) and "{" not in given[name]:
                one.value(given[name])

    @property
    def texts(self) -> dict[str, Text]:
        """The job files that steps run, whole."""
        found: dict[str, Text] = {}
        for _, step in all_steps(self.steps):
            found |= getattr(step.action, "texts", {})
        return found

    def _refuse_new_locks(self, context: RunContext) -> None:
        """A job that a step runs may have been changed between the creation of the run and its begin."""
        for lock in self.locks() if context.locks is not None else ():
            held = context.locks or frozenset()
            if lock not in held and DataLock(lock.resource, write=True) not in held:
                hint = "A job that it runs was changed meanwhile. Run it again."
                raise InputError(f"the run does not hold {lock.resource}, which its steps use", hint=hint)


def _outcome(result: InnerResult, flow: Flow, context: RunContext) -> Outcome:
    counts = {**flow.tally, **result.counts}
    if result.status == HELD:
        hint = result.hint or f"`idms show {context.run_id}` says more."
        return Outcome("held", result.reason, hint, Held.exit_code, counts)
    return Outcome(_STATUS[result.status], result.reason, result.hint, result.exit_code, counts)


def parse(document: Document, settings: Settings, connection: str) -> Workflow:
    """Check a workflow's `with:`. Raises `ProblemsFound` with all problems, of all steps and of the jobs they run."""
    part = Part(document, ("with",))
    options = part.check(WorkflowOptions)
    job = Path(os.fspath(document.path)).stem
    token = chain.set((*chain.get(), job))
    try:
        scope = Scope(job, connection, settings, check_steps=check_list, chain=chain.get())
        with one_check():
            found = _checked(part, options, replace(scope, is_elsewhere=_is_elsewhere(document, settings, connection)))
    finally:
        chain.reset(token)
    if part.problems or found is None:
        raise ProblemsFound(dict.fromkeys(part.problems))
    return found


def _is_elsewhere(document: Document, settings: Settings, connection: str) -> bool:
    """Whether the whole of it goes to another site than its file says, for a test."""
    own = document.data.get("connection") or settings.defaults.connection
    return bool(own and connection) and connection != own


def _checked(part: Part, options: WorkflowOptions | None, scope: Scope) -> Workflow | None:
    given = options.parameters if options else {}
    parameters = check_parameters(given, part.below("parameters"), scope)
    if part.document.has(("schedule",)):
        for name, one in parameters.items():
            if one.default is None:
                hint = "Give it a default: nobody is there to say it."
                part.tell_key(("parameters", name), "a scheduled run would not know this parameter", hint)
    if part.document.has(("guard",)):
        hint = "Write it into the jobs that it runs: their guards hold the run."
        part.problems.append(
            part.document.problem(("guard",), "a workflow has no guard of its own", hint=hint, on_key=True, value="")
        )
    steps = check_list(part.below("steps"), replace(scope, inputs=frozenset(given)))
    return Workflow(steps, parameters, scope.settings, part.document) if options else None
