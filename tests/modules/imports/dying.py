"""Runs a job in a process of its own, which dies at a chosen moment: `python -m ...dying OFFICE RUN MOMENT`.

A moment is a word and a number: `after-insert 3` dies when the third POST was answered and nothing was noted yet.
"""

import os
import sys
from pathlib import Path
from typing import Any

from idms_cli.config.documents import read_document
from idms_cli.config.settings import read_settings
from idms_cli.imis.site import Site
from idms_cli.modules import load_module, loading
from idms_cli.records.journal import Journal
from tests.modules.imports.office import Office


class Moment:
    """When the process dies."""

    def __init__(self, word: str, number: int) -> None:
        self._word = word
        self._left = number

    def reached(self, word: str) -> None:
        if word == self._word:
            self._left -= 1
            if not self._left:
                os._exit(99)


class Dying:
    """A kind of record whose calls end the process, or go on to the real one."""

    def __init__(self, kind: Any, moment: Moment) -> None:
        self._kind = kind
        self._moment = moment

    def find(self, match: Any, **how: Any) -> Any:
        return self._around("find", match, **how)

    def insert(self, values: Any) -> Any:
        return self._around("insert", values)

    def update(self, record: Any, changes: Any) -> Any:
        return self._around("update", record, changes)

    def delete(self, record: Any) -> Any:
        return self._around("delete", record)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kind, name)

    def _around(self, name: str, *arguments: Any, **how: Any) -> Any:
        self._moment.reached("before-" + name)
        result = getattr(self._kind, name)(*arguments, **how)
        self._moment.reached("after-" + name)
        return result


def main(directory: Path, run: Path, word: str, number: int) -> None:
    module: Any = loading
    opened = module.open_kind
    moment = Moment(word, number)

    def open_kind(site: Site, kind: str, name: str | None) -> Any:
        return Dying(opened(site, kind, name), moment)

    module.open_kind = open_kind
    journals: Any = Journal
    finish = journals.finish_plan

    def finish_plan(journal: Journal, *arguments: Any) -> None:
        moment.reached("before-plan-is-kept")
        finish(journal, *arguments)
        moment.reached("after-plan-is-kept")

    journals.finish_plan = finish_plan
    settings = read_settings(directory / "idms.yaml")
    document = read_document(directory / "job.yaml")
    work = load_module(document.data["module"]).parse(document, settings, "test")
    outcome = work.run(Office(directory, "").context(run))
    sys.exit(f"it did not die: {outcome}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
