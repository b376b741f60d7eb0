"""A folder of this machine, or of whatever is mounted on it: written beside, on disk, then renamed."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from idms_cli.config.fields import parse_path
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.delivery import Cargo, Delivery, Destination, Parcel, Receipt
from idms_cli.delivery.marks import mark_of
from idms_cli.delivery.numbering import numbered
from idms_cli.delivery.placing import Placed, Placing
from idms_cli.delivery.renaming import rename_to_free
from idms_cli.delivery.steps import FileStepOptions
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, Interrupted, Unreachable

CHUNK = 1 << 20

_SCHEME = "file://"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def _folder(text: object) -> Path:
    path = parse_path(text.removeprefix(_SCHEME) if isinstance(text, str) else text)
    if isinstance(text, str) and text.startswith(_SCHEME) and not path.is_absolute():
        raise BadValue(
            "a file:// address names a folder of this machine", hint="write file:///srv/out, or just the path"
        )
    return path


def _mode(text: object) -> int:
    if not isinstance(text, str) or len(text) not in (3, 4) or not set(text) <= set("01234567"):
        raise BadValue("the rights of a file are wanted here", hint='write them in quotes, as for chmod: "0640"')
    mode = int(text, 8)
    if not mode & stat.S_IRUSR or mode & ~0o777:
        raise BadValue("this file could not be read, or would run as somebody else", hint='write "0640", or "0644"')
    return mode


class Options(FileStepOptions):
    """A step to a folder."""

    to: Annotated[Path, PlainValidator(_folder), WithJsonSchema({"type": "string"})] = Field(
        description="A folder, relative to the directory of idms.yaml."
    )
    overwrite: Literal["replace", "refuse", "number"] = Field(
        default="replace", description="When there is a file of that name: replace it, fail, or take NAME-2, NAME-3..."
    )
    mode: Annotated[int, PlainValidator(_mode), WithJsonSchema({"type": "string"})] = Field(
        default=0o640, description='The rights of the file, as for chmod: "0640".'
    )
    create: bool = Field(default=False, description="Make the folder if it is not there.")


def open_destination(options: Options, directory: Path) -> Destination:
    """As `Offer.open_destination`."""
    return _Folder(options, directory / options.to)


class _Folder:
    """See `Destination`."""

    def __init__(self, options: Options, path: Path) -> None:
        self._options = options
        self._path = path

    def describe(self) -> str:
        return f"{self._path}/"

    def resource(self) -> str:
        return f"file:{self._path}/"

    def rehearse(self, cargo: Cargo, delivery: Delivery) -> str:
        del delivery
        names = [parcel.name for parcel in cargo.parcels()]
        shown = ", ".join(map(shortened, names[:3])) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
        if self._options.create and not self._path.exists():
            return f"would make {self._path} and put {shown} there"
        self._refuse_unfit()
        there = [name for name in names if os.path.lexists(self._path / name)]
        for name in there:
            self._refuse_what_is_there(name)
        if not os.access(self._path, os.W_OK | os.X_OK):
            raise self._translated(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        verb = {"replace": "replacing", "number": "under another name beside"}.get(self._options.overwrite, "")
        return f"would put {shown} into {self._path}" + (f", {verb} what is there" if there else "")

    def deliver(self, cargo: Cargo, delivery: Delivery) -> Receipt:
        parcels = cargo.parcels()
        placing = Placing(delivery.folder)
        with self._opened() as folder:
            for index in range(placing.number, len(parcels)):
                if delivery.stopping():
                    raise Interrupted("the run was stopped")
                self._place(folder, parcels[index], index, delivery, placing)
                delivery.progress({"items": placing.number})
        done = placing.done
        address = str(self._path / done[0].name) if len(done) == 1 else f"{self._path}/"
        return Receipt(address, items=len(done), size=sum(one.size for one in done))

    def _place(self, folder: int, parcel: Parcel, index: int, delivery: Delivery, placing: Placing) -> None:
        """One file, whole under its final name; when an earlier attempt died over it, that is found out first."""
        part = f".idms-{mark_of(delivery)}-{index + 1}.part"
        told = placing.intent
        if told is not None and not _is_there(folder, part, told.inode):
            placing.has_placed()  # it was renamed; whoever took it away since meant to
            return
        with _removed_if_half(folder, part, placing):
            if told is None:
                inode = self._copied(folder, parcel, part, delivery)
                told = placing.intend(Placed(parcel.name, parcel.path.stat().st_size, inode))
            self._named(folder, part, parcel.name, placing)
            os.fsync(folder)
        placing.has_placed()

    def _copied(self, folder: int, parcel: Parcel, part: str, delivery: Delivery) -> int:
        """The file beside its final name, whole and on disk; returns its inode."""
        _unlink(folder, part)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with parcel.path.open("rb") as source, os.fdopen(os.open(part, flags, 0o600, dir_fd=folder), "wb") as copy:
            while chunk := source.read(CHUNK):
                if delivery.stopping():
                    raise Interrupted("the run was stopped")
                copy.write(chunk)
            copy.flush()
            os.fchmod(copy.fileno(), self._options.mode)
            os.fsync(copy.fileno())
            return os.fstat(copy.fileno()).st_ino

    def _named(self, folder: int, part: str, name: str, placing: Placing) -> None:
        if self._options.overwrite == "replace":
            if _exists(folder, name):
                self._refuse_what_is_there(name)
            os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
            return
        if os.stat(part, dir_fd=folder).st_nlink > 1:  # it has its name, by a second link, and died right then
            _unlink(folder, part)
            return
        for final in numbered(name) if self._options.overwrite == "number" else [name]:
            placing.rename(final)
            try:
                rename_to_free(part, final, folder=folder)
            except FileExistsError:
                continue
            return
        raise self._taken(name)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The folder, as a descriptor: whoever puts another in its place meanwhile does not get the files."""
        with self._said_clearly():
            if self._options.create:
                self._path.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._refuse_unfit()
            folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                yield folder
            finally:
                os.close(folder)

    def _refuse_unfit(self) -> None:
        try:
            status = self._path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            hint = "Make it, say create: true, or correct `to:`; is something not mounted?"
            raise Unreachable(f"there is no folder {self._path}", hint=hint) from None
        except OSError as error:
            raise self._translated(error) from error
        if stat.S_ISLNK(status.st_mode):
            hint = f"Write the folder itself: {shortened(os.path.realpath(self._path), 200)}."
            raise InputError(f"{self._path} is a link, which may lead anywhere", hint=hint)
        if not stat.S_ISDIR(status.st_mode):
            raise InputError(f"{self._path} is no folder", hint="`to:` names a folder; `file:` the file in it.")

    def _refuse_what_is_there(self, name: str) -> None:
        path = self._path / name
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISREG(mode):
            what = "a link" if stat.S_ISLNK(mode) else "no regular file"
            raise DeliveryRefused(
                f"{path} is {what}, and is not replaced", hint="Remove it, or name the file otherwise."
            )
        if self._options.overwrite == "refuse":
            raise self._taken(name)

    def _taken(self, name: str) -> IdmsError:
        hint = "Put {{ slot.date }} or {{ run.id }} into `file:`, or say overwrite: replace, or number."
        return DeliveryRefused(f"{self._path / name} is there already", hint=hint)

    @contextmanager
    def _said_clearly(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._translated(error) from error

    def _translated(self, error: OSError) -> IdmsError:
        reason = error.strerror or str(error)
        is_named = isinstance(error.filename, str) and error.filename.startswith("/")
        place = error.filename if is_named else self._path  # it may be the run's own directory that is full
        if error.errno in _FULL:
            hint = "Make room, or raise the quota; then `idms retry RUN` delivers what is left."
            return DeliveryRefused(f"{place}: the disk does not take it: {reason}", hint=hint)
        if error.errno in _FORBIDDEN:
            hint = "The account of idms needs the right to write into this folder."
            return DeliveryRefused(f"{place}: nothing can be written there: {reason}", hint=hint)
        if error.errno == errno.ENAMETOOLONG:
            return InputError(f"{self._path}: the name of the file is too long there", hint="Shorten `file:`.")
        return Unreachable(f"{place}: {reason}", hint="Look at the disk, or at what is mounted there.")


@contextmanager
def _removed_if_half(folder: int, part: str, placing: Placing) -> Iterator[None]:
    """A copy that did not get its name goes, and the note of it before: else it would be taken for renamed."""
    try:
        yield
    except BaseException:
        try:
            is_without_name = os.stat(part, dir_fd=folder, follow_symlinks=False).st_nlink == 1
        except FileNotFoundError:
            is_without_name = False
        if is_without_name:
            if placing.intent is not None:
                placing.forget()
            _unlink(folder, part)
        raise


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _is_there(folder: int, name: str, inode: int) -> bool:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_ino == inode
    except FileNotFoundError:
        return False


def _unlink(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
