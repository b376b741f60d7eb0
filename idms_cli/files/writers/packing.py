"""A file is packed while it is written: gzip or zip, then OpenPGP; it is complete and on disk, or not there."""

import errno
import gzip
import io
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from idms_cli.config.foreign import shortened
from idms_cli.config.replacing import sync_folder
from idms_cli.errors import InputError
from idms_cli.files.writers.keyring import Seal, SecretOf, missing_program, opened_seal, read_keys
from idms_cli.files.writers.openpgp import EncryptOptions, SignOptions

COMPRESSED = {"gzip": ".gz", "zip": ".zip"}
SEALED = (".pgp", ".gpg", ".asc")
ENDINGS = (*COMPRESSED.values(), *SEALED)
"""Of names, that stand behind the one that tells the format."""

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the first that zip knows; so the same rows make the same bytes
_MEDIA_TYPES = {"gzip": "application/gzip", "zip": "application/zip"}


@dataclass(frozen=True)
class Packing:
    """How a file is packed."""

    compress: Literal["gzip", "zip"] | None = None
    encrypt: EncryptOptions | None = None
    sign: SignOptions | None = None

    @property
    def seals(self) -> bool:
        """Whether OpenPGP has anything to do with it."""
        return self.encrypt is not None or self.sign is not None

    @property
    def ascii(self) -> bool:
        """Whether what OpenPGP makes is text."""
        return bool((self.encrypt and self.encrypt.ascii) or (self.sign and self.sign.ascii))

    def media_type(self, inner: str) -> str:
        """Of a file whose content has the type `inner`."""
        if self.seals:
            return "application/pgp-encrypted" if self.encrypt else "application/octet-stream"
        return _MEDIA_TYPES[self.compress] if self.compress else inner

    def name(self, given: str) -> str:
        """The name with the endings that tell how the file is packed, where it has not got them already.

        `members.csv` becomes `members.csv.gz.pgp`; so does `members.csv.gz`, while `members.gpg` stays.
        """
        wanted = [COMPRESSED[self.compress]] if self.compress else []
        sealed = self._sealed_ending()
        if sealed:
            wanted.append(sealed)
        if not wanted or given.lower().endswith(SEALED if sealed in SEALED else wanted[-1]):
            return given
        if len(wanted) == 2 and given.lower().endswith(wanted[0]):
            return given + wanted[1]
        return given + "".join(wanted)

    def member(self, given: str) -> str:
        """The name of the file inside a zip file."""
        inner = given
        for ending in (*SEALED, ".zip"):
            if inner.lower().endswith(ending) and len(inner) > len(ending):
                inner = inner[: -len(ending)]
        return inner

    def examine(self, directory: Path) -> None:
        """Raises `InputError` for what is missing on this machine: a library, gpg, the file of public keys."""
        if missing := to_install(self):
            raise InputError("Files cannot be encrypted or signed here.", hint=missing)
        if self.encrypt and self.encrypt.keys:
            read_keys(directory / self.encrypt.keys)

    def _sealed_ending(self) -> str:
        options = self.encrypt or self.sign
        if options is None:
            return ""
        return (".asc" if self.ascii else ".pgp") if options.ending is None else options.ending


class MisnamedFile(ValueError):
    """A file's name says that it is sealed, and it is not."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def packing_of(
    name: str,
    compress: Literal["gzip", "zip"] | None,
    encrypt: EncryptOptions | None,
    sign: SignOptions | None,
) -> Packing:
    """The packing of a file with that name, whose ending counts where nothing is said. Raises `MisnamedFile`."""
    lower = name.lower()
    if encrypt is None and sign is None:
        if lower.endswith(SEALED[:2]):  # .asc is other text as well
            message = f"a file whose name ends in {lower[-4:]} is encrypted or signed, and this one is not"
            raise MisnamedFile(message, hint="say for whom: encrypt: {recipients: [...]}; or name it otherwise")
    else:
        lower = lower.removesuffix(next(filter(lower.endswith, SEALED), ""))
    if compress is None and lower.endswith((".gz", ".zip")):
        compress = "gzip" if lower.endswith(".gz") else "zip"
    return Packing(compress, encrypt, sign)


def to_install(packing: Packing) -> str:
    """What to do before files can be packed so; empty when nothing is missing."""
    if not packing.seals:
        return ""
    if find_spec("gnupg") is None:
        return "Install what seals them: pip install 'idms-cli[pgp]'"
    return missing_program()


class Packer:
    """Packs files, all with the same keys."""

    def __init__(self, packing: Packing, seal: Seal | None) -> None:
        self._packing = packing
        self._seal = seal

    def write(self, path: Path, name: str, fill: Callable[[BinaryIO], None]) -> None:
        """The file at `path`, which was not there: packed and on disk with all that `fill` writes, or still not there.

        `name` is what it will be called. Raises `OSError` when the disk does not take it, `InputError` when gpg does
        not do it, and what `fill` raises.
        """
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)
        try:
            with self._stream(beside, name) as stream:
                fill(stream)
            with beside.open("rb") as made:
                os.fsync(made.fileno())
            beside.rename(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    @contextmanager
    def _stream(self, path: Path, name: str) -> Iterator[BinaryIO]:
        with ExitStack() as stack:
            if self._seal is None:
                outer = stack.enter_context(_created(path))
            else:
                outer = stack.enter_context(_sealed(path, self._seal, self._packing))
            yield stack.enter_context(self._compressed(outer, name))

    @contextmanager
    def _compressed(self, outer: BinaryIO, name: str) -> Iterator[BinaryIO]:
        match self._packing.compress:
            case "gzip":
                with gzip.GzipFile("", "wb", 6, outer, mtime=0) as stream:
                    yield cast("BinaryIO", stream)
            case "zip":
                member = zipfile.ZipInfo(self._packing.member(name), _FIXED_TIME)
                member.compress_type = zipfile.ZIP_DEFLATED
                member.external_attr = 0o644 << 16
                with zipfile.ZipFile(outer, "w") as archive, archive.open(member, "w", force_zip64=True) as entry:
                    yield cast("BinaryIO", entry)
            case _:
                yield outer


@contextmanager
def opened_packer(packing: Packing, folder: Path, directory: Path, secret: SecretOf) -> Iterator[Packer]:
    """What packs the files of a step. `folder` is the step's own, `directory` where relative paths start.

    Raises `InputError` for a key that cannot be used.
    """
    if not packing.seals:
        yield Packer(packing, None)
        return
    packing.examine(directory)
    with opened_seal(packing.encrypt, packing.sign, folder, directory, secret) as seal:
        yield Packer(packing, seal)


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        yield stream


@contextmanager
def _sealed(path: Path, seal: Seal, packing: Packing) -> Iterator[BinaryIO]:
    """A stream to gpg, which writes the file. Raises `InputError` when it does not."""
    with _created(path):  # gpg writes into it; nobody else may read it
        pass
    reading, writing = os.pipe()
    results: list[Any] = []

    def work() -> None:
        # Closed when gpg has ended, however: who still writes to it is told, and does not wait for ever.
        with os.fdopen(reading, "rb", buffering=0) as stream:
            try:
                results.append(_ask(seal, packing, stream, path))
            except (OSError, ValueError) as error:
                results.append(error)

    thread = threading.Thread(target=work, name="gpg")
    thread.start()
    broken = False
    try:
        with io.BufferedWriter(io.FileIO(writing, "wb"), 1 << 16) as stream:
            yield stream
    except BrokenPipeError:
        broken = True
    finally:
        thread.join()
    _refuse_failed(results[0], broken=broken)


def _ask(seal: Seal, packing: Packing, stream: Any, path: Path) -> Any:
    arguments = list(seal.arguments)
    if seal.signer:
        arguments += ["--local-user", seal.signer]
    if packing.compress:
        arguments += ["--compress-algo", "none"]
    if packing.encrypt is None:
        return seal.gpg.sign_file(
            stream, passphrase=seal.passphrase, clearsign=False, binary=not packing.ascii, output=str(path),
            extra_args=arguments,
        )  # fmt: skip
    return seal.gpg.encrypt_file(
        stream, list(seal.recipients), sign=bool(seal.signer), always_trust=True, passphrase=seal.passphrase,
        armor=packing.ascii, output=str(path), extra_args=arguments,
    )  # fmt: skip


def _refuse_failed(result: Any, *, broken: bool) -> None:
    told = str(getattr(result, "stderr", result))
    if os.strerror(errno.ENOSPC) in told:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if not isinstance(result, Exception) and result.returncode == 0 and not broken:
        return
    if any(words in told for words in ("BAD_PASSPHRASE", "Bad passphrase", "Invalid passphrase")):
        raise InputError("The passphrase does not open the key to sign with.", hint="Correct `passphrase:`.")
    if "MISSING_PASSPHRASE" in told or "No pinentry" in told:
        raise InputError("The key to sign with has a passphrase.", hint="Say where it is kept: `passphrase:`.")
    last = next((line for line in reversed(told.splitlines()) if line.startswith("gpg: ")), "gpg: it ended early")
    raise InputError(
        f"gpg did not make the file: {shortened(last.removeprefix('gpg: '), 150)}.",
        hint="Try it by hand, as the account of idms.",
    )
