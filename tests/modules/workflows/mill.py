"""An installation whose workflows run in this process, and what they left behind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idms_cli.config.documents import parse_document
from idms_cli.config.settings import read_settings
from idms_cli.errors import IdmsError
from idms_cli.history.steps import StepRow
from idms_cli.modules import NoStepLog, Outcome
from idms_cli.modules.workflow import Workflow, parse
from idms_cli.modules.workflows.notes import Note, read_note
from idms_cli.rows.spool import Spooled
from tests.modules.imports.office import Office

HEAD = "module: workflow\nwith:\n"


class Told(NoStepLog):
    """A history that remembers how each step stood last, in the order in which they were told."""

    def __init__(self) -> None:
        self.rows: dict[str, StepRow] = {}

    def note(self, *rows: StepRow) -> None:
        self.rows |= {row.path: row for row in rows}


@dataclass(frozen=True)
class Ground:
    """What a run left behind."""

    outcome: Outcome
    directory: Path
    log: tuple[str, ...]
    told: dict[str, StepRow] = field(default_factory=dict)

    @property
    def states(self) -> dict[str, str]:
        return {path: row.status for path, row in self.told.items()}

    @property
    def reasons(self) -> dict[str, str]:
        return {path: row.reason for path, row in self.told.items() if row.reason}

    def note(self, step: str) -> Note:
        found = read_note(self.directory / "steps" / step)
        assert found is not None
        return found

    def output(self, step: str) -> Any:
        return self.note(step).output

    def rows(self, step: str) -> list[dict[str, Any]]:
        spool = Spooled(self.directory / self.note(step).rows)
        return [dict(zip(spool.columns, cells, strict=True)) for cells in spool]


class Mill(Office):
    """As the office of imports, for workflows."""

    def job(self, name: str, text: str) -> Path:
        """A job file beside."""
        path = self.directory / "jobs.d" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def workflow(self, text: str, name: str = "flow", *, connection: str = "test") -> Workflow:
        """The checked job; `text` is what stands under `with:`, or a whole job file."""
        self._write_settings()
        (self.directory / "jobs.d").mkdir(exist_ok=True)
        settings = read_settings(self.directory / "idms.yaml")
        whole = text if text.startswith(("module:", "connection:")) else HEAD + _indented(text)
        return parse(parse_document(whole.encode(), f"jobs.d/{name}.yaml"), settings, connection)

    def problems(self, text: str) -> list[tuple[int, int, str, str]]:
        """As `wrong_with`."""
        return self.wrong_with(lambda: self.workflow(text))

    def grind(self, text: str, *, again: Path | None = None, **context: Any) -> Ground:
        """Run a workflow, or go on with one; raises what the module raises."""
        self.out.mkdir(exist_ok=True)
        work = self.workflow(text)
        directory = again or self._new_directory()
        log: list[str] = []
        told = Told()
        given = {"job": "flow", "steps": told, **context}
        outcome = work.run(self.context(directory, log=log.append, **given))
        return Ground(outcome, directory, tuple(log), told.rows)

    def fails_to_grind(self, text: str, **context: Any) -> IdmsError:
        """The error of a run that raises one."""
        try:
            done = self.grind(text, **context)
        except IdmsError as error:
            return error
        raise AssertionError(done.outcome)


def steps(*given: str) -> str:
    """The `with:` of these steps, each as YAML without its dash."""
    return "steps:\n" + "".join(f"  - {one.replace(chr(10), chr(10) + '    ')}\n" for one in given)


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def names(rows: Sequence[dict[str, Any]], column: str) -> list[Any]:
    """One column of rows."""
    return [row[column] for row in rows]
