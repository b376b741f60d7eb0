"""A file that was read goes into the archive under the run's id: once, whole, and only the one that was read."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count

from idms_cli.errors import Unreachable
from idms_cli.files.origins import FileChanged, NameTaken, Origin
from idms_cli.files.spool import Taken

DUE = "due"
MOST_NAMES = 100


def archive(origin: Origin, file: Taken, run: int, *, done_ending: str = "") -> Taken:
    """Put the file into the archive, if it is still what the run read; what is told says where it is.

    The file beside it that said it was complete (`done_ending`) goes first, so that it cannot vouch for the next one.
    Done again, it finds what was done. Raises `Unreachable` and `LoginRefused`.
    """
    for name in _names(run, file.name):
        there = origin.archived(name)
        if there is not None and there.is_like(file.found):
            origin.finish(file.found, name)
            return replace(file, archive=origin.archive_address(name))
        now = origin.look(file.name)
        if now is None or not now.is_like(file.found):
            return replace(file, archive="")
        try:
            _move_marker(origin, file.name, name, done_ending)
            origin.move(now, name)
        except NameTaken:
            continue
        except FileChanged:
            return replace(file, archive="")
        return replace(file, archive=origin.archive_address(name))
    raise Unreachable(f"{file.address}: the archive has {MOST_NAMES} files of its name", hint="Clear it up.")


def _move_marker(origin: Origin, name: str, archived: str, ending: str) -> None:
    marker = origin.look(f"{name}{ending}") if ending else None
    if marker is not None:
        with suppress(NameTaken, FileChanged):
            origin.move(marker, f"{archived}{ending}")


def _names(run: int, name: str) -> Iterator[str]:
    """`12-scores.csv`; where that is taken, `12.2-scores.csv`."""
    yield f"{run}-{name}"
    for number in count(2):
        if number > MOST_NAMES:
            return
        yield f"{run}.{number}-{name}"
