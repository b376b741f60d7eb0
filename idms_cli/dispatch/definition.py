"""A job file read whole: the job, and the work its module will do."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from idms_cli.config.documents import Document, parse_document, read_document
from idms_cli.config.foreign import shortened
from idms_cli.config.matchoptions import GIVEN, SITE, said_by
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.config.trust import untrusted_reason
from idms_cli.history.rows import Run
from idms_cli.jobs.job import Job, check_name, parse_job
from idms_cli.modules import MODULES, Composed, Work, load_module
from idms_cli.modules.frozen import frozen_jobs


def read_job_file(name: str, paths: tuple[str, ...], settings: Settings) -> tuple[Job, Work]:
    """Read and check one job. Raises `ProblemsFound` with all its problems."""
    problems = check_name(name, paths)
    path = Path(paths[0])
    problems += _distrust(path)
    if problems:
        raise ProblemsFound(problems)
    return read_job(name, read_document(path), settings)


def _distrust(path: Path) -> list[Problem]:
    reason = untrusted_reason(path)
    if reason is None:
        return []
    if path.is_symlink() and not path.exists():
        hint = "Mend the link, or remove it."
        return [Problem(str(path), 1, 1, "the link leads nowhere", hint, shortened(str(path.readlink())))]
    hint = "Put a YAML file in its place, or remove it."
    if path.is_file():
        hint = "A job runs with this account's rights: only its owner and root may be able to change it."
    return [Problem(str(path), 1, 1, f"the file {reason}", hint)]


def read_job_text(name: str, path: str, text: str, settings: Settings, *, connection: str = "") -> tuple[Job, Work]:
    """The same for a text that was read before: a run uses the job as it was when the run was created.

    `connection` is used instead of the job's own, if it is given.
    """
    return read_job(name, parse_document(text.encode(), path), settings, connection=connection)


def read_work_text(path: str, text: str, settings: Settings, *, connection: str) -> Work:
    """The work alone, of a run that is to be closed: what is wrong with the rest of its job counts no more."""
    return _parse_work(parse_document(text.encode(), path), settings, connection=connection)


def as_recorded(settings: Settings, run: Run) -> Settings:
    """The settings with the options that were in force when the run was created, and the jobs that it has frozen."""
    defaults = settings.defaults.model_copy(update={"options": said_by(run.options, SITE)})
    of = run.of_run if run.intent == "undo" and run.of_run is not None else run.id
    frozen = frozen_jobs(settings.state / "runs" / str(of))
    return replace(settings, defaults=defaults, given=said_by(run.options, GIVEN), frozen_jobs=frozen)


def read_job(name: str, document: Document, settings: Settings, *, connection: str = "") -> tuple[Job, Work]:
    """Check a job's own keys and its module's together, so that all mistakes are told at once."""
    problems: list[Problem] = []
    job = work = None
    try:
        job = parse_job(name, document, settings)
        job = replace(job, connection=connection or job.connection)
    except ProblemsFound as found:
        problems += found.problems
    try:
        work = _parse_work(document, settings, connection=job.connection if job else "")
    except ProblemsFound as found:
        problems += found.problems
    if job is None or work is None or problems:
        raise ProblemsFound(sorted(set(problems), key=lambda problem: (problem.line, problem.column)))
    return replace(job, digest=_with_others(job.digest, work)), work


def _with_others(digest: str, work: Work) -> str:
    """A workflow that passed its test is another one when a job that it runs is."""
    texts = work.texts if isinstance(work, Composed) else {}
    return sha256(json.dumps([digest, texts]).encode()).hexdigest() if texts else digest


def _parse_work(document: Document, settings: Settings, *, connection: str) -> Work:
    module = document.data.get("module")
    if not isinstance(module, str) or not isinstance(document.data.get("with"), dict):
        raise ProblemsFound([])  # told already, as the job's own mistake
    if module not in MODULES:
        hint = did_you_mean(module, MODULES) or f"Modules: {', '.join(MODULES)}."
        raise ProblemsFound([document.problem(("module",), "there is no such module", hint=hint)])
    return load_module(module).parse(document, settings, connection)
