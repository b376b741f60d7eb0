"""An installation whose imports are run in this process, against a sandbox over HTTP; and jobs to give it."""

import csv
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idms_cli.config.documents import parse_document
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import read_settings
from idms_cli.errors import IdmsError
from idms_cli.modules import Outcome, RunContext, Work, load_module
from idms_cli.records.counts import Counts
from idms_cli.records.journal import Journal
from idms_cli.sandbox import Sandbox

Job = Mapping[str, Any]

REASONS = ("_line", "_stage", "_field", "_code", "_message", "_raw")


def job(**options: Any) -> dict[str, Any]:
    """The `with:` of an import of data.csv. Records are looked for one by one, unless `options` say otherwise."""
    careful = {"read": "record", **options.pop("options", {})}
    given = {"source": {"path": "data.csv"}, "destination": "contact", "action": "upsert", **options}
    return {**given, "options": careful}


def scores(**options: Any) -> dict[str, Any]:
    """Course results into the multi-instance panel: columns member, course, grade, hours, score, taken."""
    columns = {"ID": "member", "Course": "course", "Grade": "grade", "Hours": "hours", "Score": "score"}
    mapped = {**columns, "TakenOn": "taken"}
    return job(**{"destination": {"panel": "ABC_Scores"}, "match": ["ID", "Course"], "map": mapped, **options})


def graded(**options: Any) -> dict[str, Any]:
    """The shortest course results: columns member, course, grade."""
    return scores(**{"map": {"ID": "member", "Course": "course", "Grade": "grade"}, **options})


def grades(rows: int, *, course: str = "Bookbinding", grade: str = "A", first: int = 101) -> str:
    """A file for `graded`: as many members, who all are in the sandbox."""
    lines = [f"{first + number},{course},{grade}" for number in range(rows)]
    return "\n".join(["member,course,grade", *lines, ""])


@dataclass(frozen=True)
class Done:
    """What a run left behind."""

    outcome: Outcome
    directory: Path
    log: tuple[str, ...]

    @property
    def counts(self) -> Counts:
        return Counts.of(dict(self.outcome.counts))

    @property
    def summary(self) -> dict[str, int]:
        """The counts of rows that are not nought."""
        return {name: number for name, number in self.counts.as_dict().items() if number}

    @property
    def rejects(self) -> list[dict[str, str]]:
        """The rows of the file of rejects; none when there is no such file."""
        if not self.rejects_file.exists():
            return []
        with self.rejects_file.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream))

    @property
    def rejects_file(self) -> Path:
        return self.directory / "rejects.csv"

    @property
    def codes(self) -> dict[int, str]:
        """Line -> codes of every rejected row."""
        return {int(row["_line"]): row["_code"] for row in self.rejects}

    @property
    def messages(self) -> dict[int, str]:
        """Line -> reasons of every rejected row."""
        return {int(row["_line"]): row["_message"] for row in self.rejects}

    @property
    def skipped(self) -> dict[int, str]:
        """Line -> why it was skipped."""
        with closing(Journal(self.directory)) as journal:
            return {line: " ".join(fault.message for fault in faults) for line, faults in journal.skipped()}

    @property
    def planned(self) -> list[tuple[int, str, dict[str, tuple[Any, Any]]]]:
        """Line, action and changes of all that is yet to be written."""
        with closing(Journal(self.directory)) as journal:
            return [(entry.line, entry.action, dict(entry.changes)) for entry in journal.planned(1000)]


@dataclass
class Office:
    """A directory with idms.yaml and data.csv, and runs numbered from 1."""

    directory: Path
    url: str
    password: str = "sandbox"
    connection: str = "rate: 100000/s, settle: 0s"
    others: dict[str, str] = field(default_factory=dict)
    """Further connections: name -> url."""
    further: str = ""
    """More of idms.yaml."""
    runs: int = 0
    log: list[str] = field(default_factory=list)

    def write(self, text: str | bytes, name: str = "data.csv") -> Path:
        path = self.directory / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    @property
    def out(self) -> Path:
        """A folder to deliver into."""
        folder = self.directory / "out"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def delivered(self) -> dict[str, str]:
        """The files in `out`, by name."""
        return {path.name: path.read_bytes().decode() for path in sorted(self.out.iterdir())}

    def wrong_with(self, check: Callable[[], object]) -> list[tuple[int, int, str, str]]:
        """Line, column, message and hint of everything that is wrong with a job."""
        try:
            check()
        except ProblemsFound as found:
            return [(one.line, one.column, one.message, one.hint) for one in found.problems]
        return []

    def parse(self, options: Job | str) -> Work:
        """The checked job; `options` as text is a whole job file, named in messages as jobs.d/job.yaml."""
        self._write_settings()
        settings = read_settings(self.directory / "idms.yaml")
        module = "update" if not isinstance(options, str) and "query" in options["source"] else "import"
        text = options if isinstance(options, str) else json.dumps({"module": module, "with": options})
        document = parse_document(text.encode(), "jobs.d/job.yaml")
        return load_module(document.data.get("module", module)).parse(document, settings, "test")

    def run(
        self, options: Job | str, rows: str | bytes | None = None, *, again: Path | None = None, **context: Any
    ) -> Done:
        """Run a job, on a data.csv with these rows; `again` goes on in the directory of an earlier run.

        Raises what the module raises; the count of rows is checked for every run that returns.
        """
        if rows is not None:
            self.write(rows)
        work = self.parse(options)
        directory = again or self._new_directory()
        log: list[str] = []
        outcome = work.run(self.context(directory, log=log.append, **context))
        done = Done(outcome, directory, tuple(log))
        assert done.counts.add_up, outcome.counts
        unfinished = context.get("dry_run") or context.get("tries_again") or outcome.status == "held"
        assert done.counts.left == 0 or unfinished, outcome.counts
        assert len(done.rejects) == done.counts.rejected or done.counts.further > 0
        return done

    def fails(self, options: Job | str, rows: str | bytes | None = None, **context: Any) -> IdmsError:
        """The error of a run that ends before it has a plan."""
        try:
            done = self.run(options, rows, **context)
        except IdmsError as error:
            return error
        raise AssertionError(done.outcome)

    def run_or_error(self, options: Job | str, rows: str | bytes | None = None, **context: Any) -> Done | None:
        """As `run`; None when the run ended before it had a plan."""
        try:
            return self.run(options, rows, **context)
        except IdmsError:
            return None

    def context(
        self,
        directory: Path,
        *,
        log: Callable[[str], None] = lambda _: None,
        dry_run: bool = False,
        row_limit: int | None = None,
        progress: Callable[[dict[str, int]], None] = lambda _: None,
        **more: Any,
    ) -> RunContext:
        """What a module is given for one run; `progress` is told the counts themselves."""
        given: dict[str, Any] = {
            "run_id": self.runs,
            "directory": directory,
            "state": self.directory / ".idms",
            "slot": None,
            "earlier": {},
            "dry_run": dry_run,
            "row_limit": row_limit,
            "log": log,
            "progress": lambda counts: progress(counts()),
            "stopping": lambda: False,
            **more,
        }
        return RunContext(**given)

    def _new_directory(self) -> Path:
        self.runs += 1
        directory = self.directory / f"run{self.runs}"
        directory.mkdir()
        return directory

    def _write_settings(self) -> None:
        secret = self.directory / "password"
        secret.write_text(self.password)
        secret.chmod(0o600)
        login = f"username: idms-background, password: {{file: {secret}}}"
        urls = {"test": self.url, **self.others}
        lines = [f'  {name}: {{url: "{url}", {login}, {self.connection}}}\n' for name, url in urls.items()]
        (self.directory / "idms.yaml").write_text("".join(["connections:\n", *lines, self.further]))


def writes(site: Sandbox) -> int:
    """How many POST and PUT requests came, refused or not, but for logins."""
    calls: Mapping[str, int] = site.calls["calls"]
    return sum(number for name, number in calls.items() if name.startswith(("POST ", "PUT ")) and name != "POST token")


def found(site: Sandbox, entity: str, **wanted: Any) -> list[dict[str, Any]]:
    """The rows of an entity that have these values."""
    rows = [dict(row) for row in site.rows(entity)]
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]
