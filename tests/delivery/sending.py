"""One step to a web server, delivered as a transfer would."""

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idms_cli.config.problems import ProblemsFound
from idms_cli.delivery import BadStep, Cargo, Receipt
from idms_cli.delivery.calls.journal import FILE_NAME
from idms_cli.errors import IdmsError
from tests.delivery.cargo import ListRows, SampleCargo, delivery, destination
from tests.delivery.receiver import Receiver

EACH = {"each": True}


def rows(count: int, *, first: int = 101) -> SampleCargo:
    """Members with a number and a name."""
    cells = [(str(number), f"Zoë {number}") for number in range(first, first + count)]
    return SampleCargo(rows=ListRows(cells=cells))


@dataclass
class Sending:
    """A step to a server, and the folder in which it goes on."""

    web: Receiver
    directory: Path
    log: list[str] = field(default_factory=list)

    def step(self, path: str = "/in", **keys: Any) -> str:
        """As in a job file. JSON is YAML."""
        authority = str(self.web.ca_file) if self.web.url.startswith("https") else None
        given = {"to": f"{self.web.url}{path}", "ca_file": authority, **keys}
        return json.dumps({key: value for key, value in given.items() if value is not None})

    def deliver(
        self,
        cargo: Cargo,
        path: str = "/in",
        *,
        stopping: Callable[[], bool] = lambda: False,
        values: dict[str, object] | None = None,
        **keys: Any,
    ) -> Receipt:
        made = destination(self.step(path, **keys), self.directory)
        return made.deliver(cargo, delivery(self.directory, told=self.log, stopping=stopping, values=values))

    def fails(self, cargo: Cargo, path: str = "/in", **keys: Any) -> IdmsError:
        try:
            receipt = self.deliver(cargo, path, **keys)
        except IdmsError as error:
            return error
        raise AssertionError(f"it was delivered: {receipt}")

    def refused(self, path: str = "/in", **keys: Any) -> str:
        """What is said of a step that cannot be."""
        try:
            destination(self.step(path, **keys), self.directory)
        except ProblemsFound as found:
            return "; ".join(problem.message for problem in found.problems)
        except BadStep as bad:
            return f"{'.'.join(map(str, bad.key))}: {bad}"
        raise AssertionError("the step is right")

    def secret(self, text: str) -> dict[str, str]:
        path = self.directory / f"secret{len(list(self.directory.glob('secret*')))}"
        path.write_text(text)
        path.chmod(0o600)
        return {"file": str(path)}

    def states(self) -> list[str]:
        """Of all requests in the journal, by number."""
        with closing(sqlite3.connect(self.directory / "step" / FILE_NAME)) as journal:
            return [state for (state,) in journal.execute("SELECT state FROM request ORDER BY number")]

    def table(self, name: str) -> list[dict[str, str]]:
        """A CSV file of the step's folder; empty when it is not there."""
        path = self.directory / "step" / name
        if not path.exists():
            return []
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
