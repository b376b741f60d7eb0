"""Moves a local file to a free name, so that whenever the machine stops it is whole at one of the two places."""

import errno
import filecmp
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from idms_cli.files.origins import NameTaken

Mark = tuple[int, int]
"""Size and time of the last change (ns): what tells a file from the one that took its place."""


def mark(path: Path) -> Mark:
    """Of the file itself; a link is not followed."""
    status = path.lstat()
    return status.st_size, status.st_mtime_ns


def move(source: Path, target: Path) -> bool:
    """Move `source` to `target`; False when it was changed in the same moment, and is where it was.

    Raises `NameTaken` when there is a file at `target`, and `OSError`. Nothing is ever overwritten. Onto another file
    system the file is copied, synced, and only then removed.
    """
    known = mark(source)
    holder = _reserve(target)
    try:
        return _move(source, target, known)
    finally:
        with suppress(OSError):
            if target.lstat().st_ino == holder:
                target.unlink()


def finish(source: Path, target: Path) -> None:
    """Remove what is left of `source`, where a move onto another file system was cut off after the copy was whole."""
    aside = _aside(source, target)
    if not aside.exists() and source.exists() and _is_copy(source, target):
        source.rename(aside)
    if aside.exists() and _is_copy(aside, target):
        aside.unlink()
    elif aside.exists():
        _put_back(aside, source)


def sync_folder(folder: Path) -> None:
    """What was made, renamed or removed in it is on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reserve(target: Path) -> int:
    """The inode of an empty file that holds the name; one that an earlier attempt left has nothing to lose."""
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        status = target.lstat()
        if status.st_size or not stat.S_ISREG(status.st_mode):
            raise NameTaken(str(target)) from None
        return status.st_ino
    try:
        return os.fstat(descriptor).st_ino
    finally:
        os.close(descriptor)


def _move(source: Path, target: Path, known: Mark) -> bool:
    try:
        source.rename(target)  # takes the place of the empty file
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return _move_across(source, target, known)
    if mark(target) != known:
        _put_back(target, source)
        return False
    sync_folder(target.parent)
    sync_folder(source.parent)
    return True


def _move_across(source: Path, target: Path, known: Mark) -> bool:
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    with source.open("rb") as reading, part.open("xb") as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)
        writing.flush()
        shutil.copystat(source, part)
        os.fsync(writing.fileno())
    if mark(source) != known or mark(part)[0] != known[0]:
        part.unlink()
        return False
    part.replace(target)
    sync_folder(target.parent)
    aside = _aside(source, target)
    source.rename(aside)  # a file that takes its place from now on is safe
    if mark(aside) != known:
        _put_back(aside, source)
        target.unlink()
        return False
    aside.unlink()
    sync_folder(source.parent)
    return True


def _is_copy(path: Path, target: Path) -> bool:
    return mark(path) == mark(target) and filecmp.cmp(path, target, shallow=False)


def _aside(source: Path, target: Path) -> Path:
    return source.with_name(f".{target.name}.going")


def _put_back(path: Path, source: Path) -> None:
    """Another file was moved than was meant: back, unless a third one has come meanwhile."""
    with suppress(FileExistsError):
        os.link(path, source, follow_symlinks=False)
        path.unlink()
