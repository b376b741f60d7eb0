"""The copy of a source in a run's directory: a source is read once, and a resume reads the very same bytes."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from idms_cli.errors import InputError, Interrupted, Unreachable
from idms_cli.files.moving import sync_folder
from idms_cli.files.origins import FileChanged, Found, Origin

LISTING = "taken.json"
TRIES = 3
"""A file that changes while it is copied is copied anew so often at most."""


@dataclass(frozen=True)
class Taken:
    """A file that a run reads: what it was at its place, and its copy in the run's directory."""

    name: str
    address: str
    """As people know it."""
    size: int
    modified: str = ""
    """ISO 8601; empty when the place did not tell."""
    etag: str = ""
    sha256: str = ""
    spool: str = ""
    """The name of the copy."""
    rows: int | None = None
    """How many rows were read of a query, which `name` and `address` are of; None for a file."""
    archive: str = ""
    """`due` once the run ended so that the file is to be archived; then where it is."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Taken":
        return cls(**data)

    @property
    def found(self) -> Found:
        """What it was at its place."""
        modified = datetime.fromisoformat(self.modified) if self.modified else None
        return Found(self.name, self.size, modified, self.etag)

    def seen_as(self, found: Found) -> "Taken":
        """The same content, as it is at its place now."""
        modified = found.modified.isoformat() if found.modified else ""
        return replace(self, modified=modified, etag=found.etag)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Limits:
    """When copying is given up."""

    max_size: int
    """In bytes."""
    stopping: Callable[[], bool] = lambda: False


def fetch(origin: Origin, found: Found, address: str, path: Path, limits: Limits) -> Taken:
    """Copy one file to `path`, whole and on disk when this returns.

    Raises `Unreachable` for a file that cannot be had, is gone, or changes again and again; `InputError` for one that
    is too large, `OSError` when the disk does not take it.
    """
    for _ in range(TRIES):
        _refuse_large(found.size, address, limits)
        try:
            size, digest = _copied(origin, found, address, path, limits)
        except FileChanged:
            now = origin.look(found.name)
            if now is None:
                raise Unreachable(f"missing: {address} was taken away while it was copied") from None
            found = now
            continue
        modified = found.modified.isoformat() if found.modified else ""
        return Taken(found.name, address, size, modified, found.etag, digest, path.name)
    hint = "Have its writer use another name until the file is complete, or say `expect: {stable_for: 1m}`."
    raise Unreachable(f"growing: {address} changes while it is copied", hint=hint)


def digest_of(origin: Origin, found: Found, address: str, limits: Limits) -> str:
    """The SHA-256 (hexadecimal) of a file where it is; raises as `fetch` does."""
    _refuse_large(found.size, address, limits)
    digest = hashlib.sha256()
    try:
        for chunk in origin.read(found):
            digest.update(chunk)
    except FileChanged:
        raise Unreachable(f"growing: {address} changes while it is read") from None
    return digest.hexdigest()


def together(files: Sequence[Taken]) -> str:
    """One digest for all that a run read; of a single file it is the file's own."""
    if len(files) == 1:
        return files[0].sha256
    return hashlib.sha256("".join(f"{file.sha256}\n" for file in files).encode()).hexdigest()


def keep_listing(directory: Path, files: Sequence[Taken]) -> None:
    """Say which files were taken, on disk when this returns: from now on a resume does not ask the source again."""
    text = json.dumps([file.as_dict() for file in files])
    beside = directory / f".{LISTING}.new"
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(directory / LISTING)
    sync_folder(directory)


def read_listing(directory: Path) -> tuple[Taken, ...]:
    """The files that a run took; empty when it has not taken them all yet."""
    try:
        text = (directory / LISTING).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    return tuple(Taken.of(each) for each in json.loads(text))


def require_listing(directory: Path) -> tuple[Taken, ...]:
    """Raises `InputError` when there is no copy of the source (any more)."""
    files = read_listing(directory)
    if not files or not all((directory / file.spool).exists() for file in files):
        raise InputError(f"{directory} has no copy of the source")
    return files


def copy_spool(source: Path, target: Path, files: Sequence[Taken]) -> None:
    """Give a run what another one has read, and what is kept beside it under its name (`NAME.*`)."""
    for file in files:
        for path in (source / file.spool, *source.glob(f"{file.spool}.*")):
            shutil.copyfile(path, target / path.name)
            (target / path.name).chmod(0o600)
    keep_listing(target, files)


def _copied(origin: Origin, found: Found, address: str, path: Path, limits: Limits) -> tuple[int, str]:
    """Size and digest."""
    part = path.with_name(f".{path.name}.part")
    digest, size = hashlib.sha256(), 0
    part.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with _removed_if_half(part), os.fdopen(os.open(part, flags, 0o600), "wb") as file:
        for chunk in origin.read(found):
            size += len(chunk)
            _refuse_large(size, address, limits)
            if limits.stopping():
                raise Interrupted("the run was stopped")
            digest.update(chunk)
            file.write(chunk)
        if found.size not in (None, size):
            raise FileChanged
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return size, digest.hexdigest()


@contextmanager
def _removed_if_half(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _refuse_large(size: int | None, address: str, limits: Limits) -> None:
    if size is not None and size > limits.max_size:
        raise InputError(
            f"{address} is larger than {limits.max_size:,} bytes",
            hint="If it has to be, write a larger `max_size:` in `source:`, such as 10GB.",
        )
