"""One step of a workflow, checked and done by itself through the seam, with real things around it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from idms_cli.config.documents import Document, parse_document
from idms_cli.config.problems import Problem
from idms_cli.config.settings import Settings, read_settings
from idms_cli.files.writers import Rows
from idms_cli.imis.clock import Clock, SystemClock
from idms_cli.modules import RunContext
from idms_cli.modules.access import RunSites
from idms_cli.modules.deadline import Deadline
from idms_cli.modules.part import Part
from idms_cli.modules.steps import STEPS, InnerResult, Step, StepContext, StepResult, load_step
from idms_cli.modules.workflows.scope import RowsOf, Scope
from idms_cli.modules.workflows.views import RowsView
from idms_cli.rows.spool import Spooled, spooling
from idms_cli.templates.moments import occasion

NOW = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)


def check_steps(part: Part, scope: Scope) -> list[Step]:
    """The steps of the list at `part`, each checked by its kind: what the workflow does, without its own rules."""
    found = []
    earlier = dict(scope.earlier)
    for index, one in enumerate(part.document.at(part.at) or ()):
        kind = next(word for word in one if word in STEPS)
        below = part.below(index)
        options = below.check(load_step(kind).Options)
        if options is None:
            continue
        action = load_step(kind).check(options, below, replace(scope, earlier=earlier))
        if action is not None:
            found.append(Step(index + 1, kind, options, action))
        if options.name:
            earlier[options.name] = False
    return found


@dataclass
class QuickClock:
    """The machine's clock, for which no wait takes any time."""

    slept_s: float = 0.0

    def now(self) -> float:
        return SystemClock().now() + self.slept_s

    def ticks(self) -> float:
        return SystemClock().ticks() + self.slept_s

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds


@dataclass
class Stand:
    """An installation in a directory, in which steps are done."""

    directory: Path
    url: str = "http://127.0.0.1:9"
    values: dict[str, Any] = field(default_factory=dict)
    """What earlier steps gave, by name."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    clock: Clock = field(default_factory=QuickClock)
    stopping: Callable[[], bool] = lambda: False
    more: str = ""
    """Further keys of idms.yaml."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Of the `RunContext`."""

    def beside(self, name: str, **changes: Any) -> "Stand":
        """Another one, in which nothing was done yet."""
        return replace(self, directory=self.directory / name, **changes)

    def settings(self) -> Settings:
        path = self.directory / "idms.yaml"
        if not path.exists():
            login = "username: idms-background, password: {env: IDMS_TEST_PASSWORD}, rate: 5000/s, settle: 0s"
            (self.directory / "jobs.d").mkdir(parents=True, exist_ok=True)
            path.write_text(f'connections:\n  test: {{url: "{self.url}", {login}}}\n{self.more}')
        return read_settings(path)

    def rows(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """An earlier step that made these rows."""
        path = self.directory / f"{name}.spool"
        with spooling(path) as spool:
            spool.add_all(rows)
        self.values[name] = RowsView(Spooled(path))

    def part(self, step: Mapping[str, Any] | str) -> Part:
        text = step if isinstance(step, str) else yaml.safe_dump(dict(step), allow_unicode=True, sort_keys=False)
        document: Document = parse_document(text.encode(), "job.yaml")
        return Part(document, ())

    def scope(self) -> Scope:
        earlier = {name: isinstance(value, RowsView) for name, value in self.values.items()}
        return Scope(
            "nightly", "test", self.settings(), frozenset(self.inputs), earlier=earlier, check_steps=check_steps
        )

    def checked(self, step: Mapping[str, Any] | str) -> tuple[Step | None, list[Problem]]:
        """A step as its own document: the keys of one item of `steps:`."""
        part = self.part(step)
        kind = next(word for word in part.document.data if word in STEPS)
        options = part.check(load_step(kind).Options)
        action = load_step(kind).check(options, part, self.scope()) if options is not None else None
        if action is None or part.problems or options is None:
            assert part.problems, "nothing is told"
            return None, part.problems
        return Step(1, kind, options, action), []

    def refused(self, step: Mapping[str, Any] | str) -> str:
        """What is said of a step that cannot be."""
        made, problems = self.checked(step)
        assert made is None
        assert all(problem.hint for problem in problems), problems
        return "; ".join(f"{problem.line}: {problem.message}" for problem in problems)

    def step(self, step: Mapping[str, Any] | str) -> Step:
        made, problems = self.checked(step)
        assert made is not None, problems
        return made

    @property
    def folder(self) -> Path:
        path = self.directory / "run" / "step"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def context(self, step: Step, sites: RunSites, *, dry_run: bool = False, offline: bool = False) -> StepContext:
        zone = ZoneInfo("America/New_York")
        run = RunContext(
            run_id=7,
            directory=self.directory / "run",
            state=self.directory / ".idms",
            slot=NOW,
            earlier={},
            dry_run=dry_run,
            row_limit=None,
            log=self.log.append,
            progress=lambda _: None,
            stopping=self.stopping,
            job="nightly",
            zone=zone,
            created_at=NOW,
            clock=self.clock,
        )
        run = replace(run, **self.changes)
        limit = Deadline(step.options.timeout)
        run = replace(run, stopping=limit.also(run.stopping))
        values = {
            **occasion(job="nightly", run=7, slot=NOW, now=NOW, zone=zone),
            "input": dict(self.inputs),
            "steps": {name: {"status": "succeeded", "counts": {}} for name in self.values},
            **self.values,
        }

        def rows_of(source: RowsOf) -> Rows:
            found = self.values[source.step] if source.shape is None else source.shape.render(values)
            assert isinstance(found, RowsView)
            return found.rows

        def inner(steps: Sequence[Step], under: str, more: Mapping[str, Any], *, told: bool = True) -> InnerResult:
            del told
            return self.inner(context, steps, under, more)

        context = StepContext(
            path="it",
            folder=self.folder,
            directory=self.directory,
            values=values,
            run=run,
            site_of=sites.of,
            deadline=limit,
            rows_of=rows_of,
            inner=inner,
            offline=offline,
        )
        return context

    def inner(self, context: StepContext, steps: Sequence[Step], under: str, more: Mapping[str, Any]) -> InnerResult:
        """What the engine does, as far as the kinds here need it: each step once, its failure told in the result."""
        raise NotImplementedError

    def run(self, step: Mapping[str, Any] | str) -> StepResult:
        """Done, or gone on with: the folder is the same each time."""
        made = self.step(step)
        with RunSites(self.settings()) as sites:
            return made.action.run(self.context(made, sites))

    def rehearse(self, step: Mapping[str, Any] | str, *, offline: bool = False) -> StepResult:
        made = self.step(step)
        with RunSites(self.settings()) as sites:
            return made.action.rehearse(self.context(made, sites, dry_run=True, offline=offline))
