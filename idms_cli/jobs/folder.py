"""The job files in jobs.d: their names, and a fingerprint that changes when they do.

Kept light: an idle tick loads this.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ENDINGS = (".yaml", ".yml")


def fingerprint(status: os.stat_result, salt: str = "") -> str:
    """A text that is another one after any change of the file; `salt` adds what else the reading depends on."""
    return f"{status.st_mtime_ns}.{status.st_ctime_ns}.{status.st_size}.{status.st_ino}{salt}"


def same_file(one: str, other: str) -> bool:
    """Whether two fingerprints are of one file, untouched, whose name may have changed: that moves only its ctime."""
    return one.count(".") >= 3 and _without_ctime(one) == _without_ctime(other)


def _without_ctime(mark: str) -> list[str]:
    parts = mark.split(".", 2)
    return [parts[0], *parts[2:]]


def settings_mark(config: str, version: str, calendar_files: "Iterable[str]", year: int) -> str:
    """A text that is another one after any change of idms.yaml, of an .ics file that it names, or of the version.

    With .ics files also each year, because their events are counted out for the years around the present one.
    """
    mark = fingerprint(os.stat(config), version)
    files = [path for path in calendar_files if path]
    for path in files:
        try:
            mark += "|" + fingerprint(os.stat(path))
        except OSError:
            mark += "|missing"
    return f"{mark}|{year}" if files else mark


def list_jobs(folder: str, salt: str = "") -> dict[str, tuple[tuple[str, ...], str]]:
    """Job name -> (its files, their fingerprint), by name. More than one file is a problem for the reader to tell.

    Hidden files and files with other endings are not jobs. Raises OSError when the folder cannot be read.
    """
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            stem, ending = os.path.splitext(entry.name)
            if ending not in ENDINGS or stem.startswith("."):
                continue
            name = stem.encode("utf-8", "backslashreplace").decode()
            paths, mark = found.get(name, ((), ""))
            found[name] = ((*paths, entry.path), mark + _mark(entry, salt))
    return found


def list_marks(folder: str, salt: str = "") -> dict[str, str]:
    """Job name -> the fingerprint of its files: the same as `list_jobs` tells, in three quarters of its time.

    Raises OSError when the folder cannot be read.
    """
    found: dict[str, str] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            file = entry.name
            stem = file[:-5] if file.endswith(".yaml") else file[:-4] if file.endswith(".yml") else ""
            if not stem or file.startswith("."):
                continue
            name = stem if stem.isascii() else stem.encode("utf-8", "backslashreplace").decode()
            if name in found:  # two files make one job
                return {name: mark for name, (_, mark) in list_jobs(folder, salt).items()}
            found[name] = _mark(entry, salt)
    return found


def _mark(entry: "os.DirEntry[str]", salt: str) -> str:
    try:
        return fingerprint(entry.stat(), salt)
    except OSError:  # a dangling link: the reader will say so
        return f"unreadable{salt}"
