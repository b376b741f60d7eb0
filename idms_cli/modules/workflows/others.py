"""Jobs that workflows run: read from the jobs folder by their name, and as they were when the run began."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from idms_cli.config.checked import Section
from idms_cli.config.documents import Document, parse_document, read_document
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.config.trust import untrusted_reason
from idms_cli.errors import InputError
from idms_cli.history.runs import definition_hash
from idms_cli.jobs.folder import list_jobs
from idms_cli.jobs.guard import GuardOptions
from idms_cli.jobs.job import parse_job
from idms_cli.modules import MODULES, Parametrised, Work, load_module
from idms_cli.modules.frozen import Text
from idms_cli.modules.part import Part
from idms_cli.modules.workflows.scope import Scope

CIRCLE = "the workflows run one another in a circle"


class InlineJob(Section):
    """A job that stands in the step which runs it."""

    module: str
    with_: dict[str, Any] = Field(alias="with")
    connection: str | None = None
    guard: GuardOptions = GuardOptions()


@dataclass(frozen=True)
class OtherJob:
    """A checked job that a step runs."""

    name: str
    """Of its file; of one that stands in the step: JOB.STEP."""
    definition: str
    """Hash of its text."""
    work: Work
    guard: GuardOptions
    connection: str
    document: Document = field(repr=False)
    locks: tuple[str, ...] = ()
    zone: ZoneInfo | None = None
    texts: Mapping[str, Text] = field(default_factory=dict, repr=False)
    is_inline: bool = False

    @property
    def runs(self) -> set[str]:
        """Itself, and all jobs that it runs by name, whatever the way."""
        return {self.name, *self.texts}

    @property
    def takes_parameters(self) -> bool:
        """Whether it is a workflow, whose `parameters:` say what it takes."""
        return isinstance(self.work, Parametrised)

    def check_parameters(self, given: Mapping[str, Any], part: Part) -> None:
        """Tells `part`, the step, what is wrong with the names of its parameters."""
        if isinstance(self.work, Parametrised):
            try:
                self.work.refuse_parameters(given)
            except InputError as wrong:
                part.tell_key(("parameters",), str(wrong), wrong.hint)
        elif given and not isinstance(self.document.at(("with", "source", "query")), str):
            hint = "A workflow takes what its `parameters:` say; a job with a query, the answers to its prompts."
            part.tell_key(("parameters",), f"the job {self.name} takes no parameters", hint)

    def with_prompts(self, answers: Mapping[str, Any], settings: Settings) -> Work:
        """The same with other `parameters:` of its query. Raises `ProblemsFound`."""
        data = {**self.document.data, "with": dict(self.document.data["with"])}
        source = dict(data["with"]["source"])
        said = source.get("parameters")
        source["parameters"] = {**(said if isinstance(said, dict) else {}), **answers}
        data["with"]["source"] = source
        document = parse_document(json.dumps(data, default=str).encode(), self.document.path)
        return load_module(data["module"]).parse(document, settings, self.connection)


class CannotRun(NamedTuple):
    """Why no step can run a job. Who is in a circle, or leads to one, is so whatever way one comes to it."""

    message: str
    hint: str


_checked: ContextVar[dict[tuple[str, str], OtherJob | CannotRun]] = ContextVar("checked")
"""What came of jobs in the check under way, so that none is read as often as it is named."""


@contextmanager
def one_check() -> Iterator[None]:
    """Within it, which may be within another one, a job is checked once."""
    token = None if _checked.get(None) is not None else _checked.set({})
    try:
        yield
    finally:
        if token is not None:
            _checked.reset(token)


def check_named(name: str, part: Part, scope: Scope) -> OtherJob | None:
    """The job of this name; None when it cannot be run, which `part`, the step, is told."""
    checked, key = _checked.get(), (name, scope.connection if scope.is_elsewhere else "")
    known = checked.get(key)
    if known is None or (isinstance(known, OtherJob) and known.runs & set(scope.chain)):
        known = checked[key] = _check_anew(name, scope)
    if isinstance(known, OtherJob):
        return known
    part.tell(("run",), known.message, known.hint)
    return None


def _check_anew(name: str, scope: Scope) -> OtherJob | CannotRun:
    if name in scope.chain:
        path = " -> ".join((*scope.chain[scope.chain.index(name) :], name))
        return CannotRun(f"{CIRCLE}: {path}", "A job cannot run itself, by whatever way: take one of these steps out.")
    try:
        document = find_document(name, scope.settings)
        job = parse_job(name, document, scope.settings)
        connection = scope.connection if scope.is_elsewhere else job.connection
        work = _module_of(document, scope.settings, connection)
    except ProblemsFound as found:
        first, *others = found.problems
        if first.message.startswith(CIRCLE):
            return CannotRun(first.message, first.hint)
        more = f" (and {len(others)} more)" if others else ""
        place = f"{first.file}:{first.line}:{first.column}"
        return CannotRun(f"the job {shortened(name)} cannot run: {place}: {first.message}{more}", first.hint)
    except InputError as wrong:
        return CannotRun(str(wrong), wrong.hint)
    return OtherJob(
        name,
        definition_hash(document.path, document.text),
        work,
        job.guard,
        connection,
        document,
        locks=job.locks,
        zone=job.zone,
        texts={name: Text(document.path, document.text), **getattr(work, "texts", {})},
    )


def check_inline(part: Part, scope: Scope) -> OtherJob | None:
    """The job that stands at `run:` of the step `part`."""
    document = part.document.below((*part.at, "run"))
    options = part.below("run").check(InlineJob)
    if options is None:
        return None
    if options.module == "workflow":
        part.tell(("run", "module"), "a workflow cannot stand in a step", "Give it a file, or write its steps here.")
        return None
    known = scope.settings.connections
    connection = options.connection or scope.connection
    if options.connection is not None and connection not in known:
        hint = did_you_mean(connection, known) or f"Known: {', '.join(known) or 'none'}."
        part.tell(("run", "connection"), f"there is no connection '{shortened(connection)}'", hint)
        return None
    try:
        work = _module_of(document, scope.settings, connection)
    except ProblemsFound as found:
        part.problems.extend(found.problems)
        return None
    step = part.document.at((*part.at, "name")) or part.at[-1]
    name = f"{scope.job}.{step}"
    definition = definition_hash(document.path, json.dumps(document.data, sort_keys=True, default=str))
    texts = getattr(work, "texts", {})
    return OtherJob(name, definition, work, options.guard, connection, document, texts=texts, is_inline=True)


def _module_of(document: Document, settings: Settings, connection: str) -> Work:
    name = document.data.get("module")
    if name not in MODULES:
        hint = did_you_mean(str(name), MODULES) or f"Modules: {', '.join(MODULES)}."
        raise ProblemsFound([document.problem(("module",), "there is no such module", hint=hint)])
    return load_module(name).parse(document, settings, connection)


def find_document(name: str, settings: Settings) -> Document:
    """The job file of this name: as the run has frozen it, else as it is now.

    Raises `InputError` for a name that there is not, and `ProblemsFound` for a file that cannot be read or trusted.
    """
    frozen = settings.frozen_jobs.get(name)
    if frozen is not None:
        return parse_document(frozen[1].encode(), frozen[0])
    paths = _paths(name, settings)
    path = Path(paths[0])
    if len(paths) > 1:
        raise ProblemsFound([Problem(paths[1], 1, 1, f"two files make the job {name}", "Remove one of them.")])
    if reason := untrusted_reason(path):
        hint = "A job runs with this account's rights: only its owner and root may be able to change it."
        raise ProblemsFound([Problem(str(path), 1, 1, f"the file {reason}", hint)])
    return read_document(path)


def _paths(name: str, settings: Settings) -> tuple[str, ...]:
    try:
        jobs = list_jobs(os.fspath(settings.jobs))
    except OSError as error:
        raise InputError(f"{settings.jobs}: the jobs cannot be read: {error.strerror}") from error
    if name not in jobs:
        raise InputError(f"there is no job '{shortened(name)}'", hint=_known(name, jobs))
    return jobs[name][0]


def _known(name: str, jobs: Iterable[str]) -> str:
    return did_you_mean(name, jobs) or "`idms jobs` lists them."
