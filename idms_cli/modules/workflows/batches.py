"""A job of a step that takes a run for each of several files: they are taken one after the other, within the step."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from idms_cli.config.replacing import replace_file
from idms_cli.files.spool import Taken
from idms_cli.modules import Outcome, ReadBefore, SourceLog
from idms_cli.modules.workplaces import HELD, STEPS

REST = "rest.json"

_WORSE = ("completed", "skipped", "partial", "failed", "held")


class FilesOfStep:
    """See `SourceLog`: the files that are left over are kept in the step's folder, and the step goes on with them."""

    def __init__(
        self, log: SourceLog, folder: Path, *, assigned: tuple[str, ...] = (), before: Sequence[Taken] = ()
    ) -> None:
        self._log = log
        self._folder = folder
        self.assigned = assigned
        self._earlier = tuple(before)

    def take(self, files: Sequence[Taken], *, rest: Sequence[str] | None = None) -> None:
        if rest is not None:
            replace_file(self._folder / REST, json.dumps(list(rest)).encode())
        self._log.take([*self._earlier, *files])

    def before(self) -> Sequence[ReadBefore]:
        return self._log.before()

    def correct(self, run: int, files: Sequence[Taken]) -> None:
        self._log.correct(run, files)


def files_left(folder: Path) -> list[str]:
    """The names of the files that are taken after the first one."""
    try:
        names: list[str] = json.loads((folder / REST).read_bytes())
    except FileNotFoundError:
        return []
    return names


def folders(folder: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Where each file is worked on, and its name; the first one is chosen there."""
    yield folder, ()
    for number, name in enumerate(files_left(folder), start=2):
        inner = folder / STEPS / str(number)
        inner.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield inner, (name,)


def point_at(folder: Path, inner: Path) -> None:
    """The file that is worked on in `inner` holds the step; the first one is in the step's own folder."""
    if inner != folder:
        replace_file(folder / HELD, inner.name.encode())


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """The sum of their counts, under the worst of them."""
    worst = max(outcomes, key=lambda one: _WORSE.index(one.status) if one.status in _WORSE else len(_WORSE))
    if len(outcomes) > 1 and worst.status == "skipped":
        worst = replace(worst, status="completed")
    counts: dict[str, int] = {}
    for one in outcomes:
        for name, number in one.counts.items():
            counts[name] = counts.get(name, 0) + number
    return replace(worst, counts=counts)
