"""An installation whose transfers are run in this process, against a sandbox over HTTP; folders are destinations."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idms_cli.config.documents import parse_document
from idms_cli.config.settings import read_settings
from idms_cli.delivery.journal import StepRow, Steps, read_steps
from idms_cli.errors import IdmsError
from idms_cli.modules import Outcome
from idms_cli.modules.goods import rejected_in
from idms_cli.modules.transfer import Transfer, parse
from tests.modules.imports.office import Office

HEAD = "module: transfer\nwith:\n"


@dataclass(frozen=True)
class Sent:
    """What a run left behind."""

    outcome: Outcome
    directory: Path
    log: tuple[str, ...]

    @property
    def journal(self) -> Steps:
        found = read_steps(self.directory)
        assert found is not None
        return found

    @property
    def steps(self) -> Sequence[StepRow]:
        return self.journal.steps

    @property
    def states(self) -> list[str]:
        return [step.state for step in self.steps]

    @property
    def rejected(self) -> dict[int, str]:
        """Line -> what is wrong with it."""
        return {row.line: " ".join(fault.message for fault in faults) for row, faults in rejected_in(self.directory)}

    @property
    def summary(self) -> dict[str, int]:
        """The counts of rows that are not nought."""
        return {name: number for name, number in self.journal.rows.items() if number}


class Dock(Office):
    """As the office of imports, for transfers."""

    def transfer(self, text: str) -> Transfer:
        """The checked job; `text` is what stands under `with:`, or a whole job file."""
        self._write_settings()
        settings = read_settings(self.directory / "idms.yaml")
        whole = text if text.startswith("module:") else HEAD + "".join(f"  {line}\n" for line in text.splitlines())
        return parse(parse_document(whole.encode(), "jobs.d/feed.yaml"), settings, "test")

    def problems(self, text: str) -> list[tuple[int, int, str, str]]:
        """As `wrong_with`."""
        return self.wrong_with(lambda: self.transfer(text))

    def send(self, text: str, *, again: Path | None = None, **context: Any) -> Sent:
        """Run a transfer, or go on with one; raises what the module raises."""
        self.out.mkdir(exist_ok=True)
        work = self.transfer(text)
        directory = again or self._new_directory()
        log: list[str] = []
        given = {"job": "feed", **context}
        outcome = work.run(self.context(directory, log=log.append, **given))
        _refuse_wrong_sums(read_steps(directory))
        return Sent(outcome, directory, tuple(log))

    def fails_to_send(self, text: str, **context: Any) -> IdmsError:
        """The error of a run that ends before it comes to its steps."""
        try:
            done = self.send(text, **context)
        except IdmsError as error:
            return error
        raise AssertionError(done.outcome)


def _refuse_wrong_sums(journal: Steps | None) -> None:
    if journal is None:
        return
    rows, counts = journal.rows, journal.counts()
    gone = [rows.get(name, 0) for name in ("rejected", "older", "unchanged", "selected")]
    assert rows["read"] + rows.get("vanished", 0) == sum(gone), rows
    over = [counts[f"steps_{state}"] for state in ("delivered", "failed", "skipped", "unknown", "left")]
    assert journal.is_dry or counts["steps"] == sum(over), counts
