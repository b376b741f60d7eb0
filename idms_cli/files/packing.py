"""Packed files (.gz, .zip) are unpacked while they are read: never on disk, never more than is allowed."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from idms_cli.errors import IdmsError, InputError
from idms_cli.files.signatures import refuse_foreign
from idms_cli.files.source import Source, open_source, unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UNPACKED_LIMIT = 4 * 1024**3
"""Most bytes that a packed file may have in it."""

HARMLESS = 64 * 1024**2
"""So many bytes may come out of a file of any size: they are soon read, and not kept."""

RATIO = 200
"""What unpacks to more than `HARMLESS` may be at most so many times as large as it was.

Tables packed by gzip are 3 to 50 times as large; a bomb is near 1,032, which is the most that deflate can do
(https://zlib.net/zlib_tech.html, "Maximum Compression Factor").
"""

_ENCRYPTED = (
    0x1  # general purpose bit flag 0: APPNOTE.TXT 4.4.4, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
)
_BY_THE_WAY = ("__MACOSX/", ".DS_Store")
"""What macOS adds to a zip file beside what was packed."""


@contextmanager
def open_content(path: Path, *, shown: Path | None = None) -> Iterator[Source]:
    """Open a file for what is in it: unpacked, where its name ends in `.gz` or `.zip`. The fingerprint is the file's.

    Raises as `open_source` does, and `InputError` for what cannot be unpacked, for a zip file with more or less than
    one file in it, and, while it is read, for a bomb.
    """
    with open_source(path, shown=shown) as source:
        match path.suffix.lower():
            case ".gz":
                with gzip.GzipFile(fileobj=source.stream) as unpacked:
                    yield _unpacked(source, unpacked, source.fingerprint.size)
            case ".zip":
                with _archive(source) as archive:
                    member = _only_member(source.path, archive)
                    with _member_stream(source.path, archive, member) as unpacked:
                        yield _unpacked(source, unpacked, member.compress_size)
            case _:
                yield source


@contextmanager
def open_text(path: Path, wanted: str, *, shown: Path | None = None) -> Iterator[Source]:
    """Like `open_content`, for a file of text; one that is clearly something else than `wanted` is refused."""
    with open_content(path, shown=shown) as source:
        refuse_foreign(source, wanted)
        yield source


class _Unpacking(io.RawIOBase):
    """The bytes that come out of a packed file, as far as they are allowed."""

    def __init__(self, source: Source, unpacked: IO[bytes] | gzip.GzipFile, packed_size: int) -> None:
        self._path = source.path
        self._unpacked = unpacked
        self._limit = min(UNPACKED_LIMIT, max(HARMLESS, RATIO * packed_size))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._unpacked.seek(offset, whence)

    def tell(self) -> int:
        return self._unpacked.tell()

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        try:
            data = self._unpacked.read(len(view))
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise _damaged(self._path, error) from error
        except OSError as error:
            raise unreadable(self._path, error) from error
        if self._unpacked.tell() > self._limit:
            raise _bomb(self._path, self._limit)
        view[: len(data)] = data
        return len(data)


def _unpacked(source: Source, unpacked: IO[bytes] | gzip.GzipFile, packed_size: int) -> Source:
    return replace(source, stream=io.BufferedReader(_Unpacking(source, unpacked, packed_size)))


def _archive(source: Source) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source.stream)
    except zipfile.BadZipFile as error:
        raise _damaged(source.path, error) from error
    except OSError as error:
        raise unreadable(source.path, error) from error


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not member.filename.startswith(_BY_THE_WAY[0])
        and _BY_THE_WAY[1] not in member.filename
    ]
    if len(members) == 1:
        return members[0]
    found = f"are {len(members):,} files" if members else "is no file"
    raise InputError(f"{path}: there {found} in this zip file, and one is wanted.", hint="Pack each file by itself.")


def _member_stream(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    if member.flag_bits & _ENCRYPTED:
        raise InputError(
            f"{path}: the file in this zip file is encrypted.",
            hint="Have it sent without a password, or decrypt it in a step before.",
        )
    try:
        return archive.open(member)
    except NotImplementedError as error:
        raise InputError(
            f"{path}: the file in this zip file is packed in a way that is not known here: {error}.",
            hint="Pack it again with the usual method (deflate).",
        ) from error
    except zipfile.BadZipFile as error:
        raise _damaged(path, error) from error
    except OSError as error:
        raise unreadable(path, error) from error


def _damaged(path: Path, error: Exception) -> IdmsError:
    kind = "gzip" if path.suffix.lower() == ".gz" else "zip"
    if isinstance(error, EOFError):
        what = f"this {kind} file ends in the middle"
    elif isinstance(error, gzip.BadGzipFile | zipfile.BadZipFile) and "not a" in str(error).lower():
        what = f"this is no {kind} file, or not the whole of one"
    else:
        what = f"this {kind} file is damaged: {error}"
    return InputError(
        f"{path}: {what}.", hint="Check that it was copied to its end, and that its ending says how it is packed."
    )


def _bomb(path: Path, limit: int) -> InputError:
    size = f"{limit / 1024**2:,.0f} MiB"
    why = "" if limit == UNPACKED_LIMIT else f" and more than {RATIO} times its size, as a decompression bomb is"
    return InputError(
        f"{path}: unpacked, this file is larger than {size}{why}.",
        hint="If its sender can be trusted, unpack it in a step before and name the unpacked file.",
    )
