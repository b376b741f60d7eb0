"""The keys that files are sealed with: a keyring of gpg's for one step, of its own and gone afterwards."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from idms_cli.config.foreign import harmless, shortened
from idms_cli.config.secret_sources import SecretSource
from idms_cli.errors import InputError
from idms_cli.files.writers.openpgp import EncryptOptions, SignOptions

SecretOf = Callable[[SecretSource], str]
"""The secret from where it is kept; raises `InputError`."""

_HOME = "gnupg"
_LONGEST_HOME = 80
"""Characters of a path at which gpg-agent can still have its sockets: the kernel takes 107, and names come to it."""

_QUIET = ("--no-auto-key-locate", "--no-encrypt-to", "--disable-dirmngr")
"""Nobody is asked for keys, and nobody gets to read a file whom the job does not name."""

# Else the agent works on the passphrase for half a second with each file. The key is kept here for minutes only.
_AGENT = "disable-scdaemon\ns2k-count 1048576\n"

_TRUST = {"e": "has expired", "r": "has been revoked", "d": "is disabled", "i": "is not valid"}


@dataclass(frozen=True)
class Seal:
    """All that is needed to encrypt or sign, checked."""

    gpg: Any
    """A `gnupg.GPG`."""
    recipients: tuple[str, ...]
    signer: str | None
    passphrase: str | None = field(repr=False)
    arguments: tuple[str, ...]
    """For each call that seals."""


@contextmanager
def opened_seal(
    encrypt: EncryptOptions | None, sign: SignOptions | None, folder: Path, directory: Path, secret: SecretOf
) -> Iterator[Seal]:
    """The keys, for as long as the block lasts; of what is imported nothing is left afterwards, no agent either.

    `folder` is the step's own, `directory` where relative paths start. Raises `InputError` for a key that is not
    there, cannot be read, or has expired or been revoked.
    """
    with _home(folder, agent=sign is not None) as home:
        yield _seal(encrypt, sign, home, directory, secret)


def missing_program() -> str:
    """What to do before anything can be sealed here; empty when nothing is missing."""
    return "" if shutil.which("gpg") else "Install GnuPG, the program gpg: apt install gnupg"


def _seal(
    encrypt: EncryptOptions | None, sign: SignOptions | None, home: Path, directory: Path, secret: SecretOf
) -> Seal:
    private = _gpg(str(home), ["--no-options"])
    signs_with_own = sign is not None and isinstance(sign.key, str)
    own = _gpg(None, []) if signs_with_own or (encrypt and encrypt.keys is None) else None
    recipients = () if encrypt is None else _recipients(encrypt, private, own, directory)
    signer = passphrase = None
    if sign is not None:
        passphrase = None if sign.passphrase is None else secret(sign.passphrase)
        signer = _signer(sign, private, own, secret)
    return Seal(
        own if signs_with_own else private, recipients, signer, passphrase, _arguments(home, signs_with_own, passphrase)
    )


def _recipients(encrypt: EncryptOptions, private: Any, own: Any, directory: Path) -> tuple[str, ...]:
    """The keys to encrypt with, which are in the private keyring afterwards."""
    if encrypt.keys is not None:
        _import(private, read_keys(directory / encrypt.keys), f"the keys in {harmless(str(encrypt.keys))}")
        return tuple(_usable(private, one, "E", "encrypt with") for one in encrypt.recipients)
    usable = tuple(_usable(own, one, "E", "encrypt with") for one in encrypt.recipients)
    _import(private, own.export_keys(usable, armor=False), "the keyring of this account")
    return usable


def _arguments(home: Path, with_own: bool, passphrase: str | None) -> tuple[str, ...]:
    keyring = home / "pubring.kbx"
    more = ("--keyring", str(keyring)) if with_own and keyring.exists() else ()
    # Without a passphrase nobody is asked for one: there is nobody.
    return (*_QUIET, *more, *(() if passphrase else ("--pinentry-mode", "error")))


def _signer(sign: SignOptions, private: Any, own: Any, secret: SecretOf) -> str:
    if isinstance(sign.key, str):
        return _usable(own, sign.key, "S", "sign with", secret=True)
    found = _import(private, secret(sign.key).encode(), "the key to sign with")
    secrets = [key["fingerprint"] for key in private.list_keys(True) if key["fingerprint"] in found]
    if len(secrets) != 1:
        raise InputError(
            f"What is kept as the key to sign with holds {len(secrets)} secret keys; it has to be one.",
            hint="Export it: gpg --armor --export-secret-keys FINGERPRINT",
        )
    return _usable(private, secrets[0], "S", "sign with", secret=True)


def _usable(gpg: Any, fingerprint: str, ability: str, what: str, *, secret: bool = False) -> str:
    keys: Sequence[Mapping[str, Any]] = gpg.list_keys(secret, keys=[fingerprint])
    if not keys:
        kind = "secret key" if secret else "key"
        raise InputError(
            f"The {kind} {fingerprint} to {what} is not there.",
            hint="Put it into the file that `keys:` names, or import it into the keyring of idms' account.",
        )
    key = keys[0]
    whose = f"The key {fingerprint} ({shortened(', '.join(key['uids']), 80)})"
    if key["fingerprint"] != fingerprint:
        raise InputError(f"{whose} is a subkey.", hint=f"Name the key that it belongs to: {key['fingerprint']}")
    if why := _TRUST.get(key["trust"]):
        when = f" on {_day(key['expires'])}" if key["trust"] == "e" and key["expires"] else ""
        raise InputError(f"{whose} {why}{when}.", hint="Get the new one from its owner, and name its fingerprint.")
    if ability not in key["cap"]:
        raise InputError(
            f"{whose} has nothing to {what}: it is not made for that, or that part of it has expired.",
            hint="Get another one from its owner, and name its fingerprint.",
        )
    return fingerprint


def _import(gpg: Any, data: bytes, what: str) -> set[str]:
    result = gpg.import_keys(data)
    found = {one["fingerprint"] for one in result.results if one.get("fingerprint")}
    if not found:
        raise InputError(
            f"There is no OpenPGP key in {what}.", hint="It has to be what gpg --export or --export-secret-keys makes."
        )
    return found


def read_keys(path: Path) -> bytes:
    """A file of public keys. Raises `InputError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{harmless(str(path))}: the file of public keys cannot be read: {error.strerror}.",
            hint="Name a file that the account of idms may read.",
        ) from None


def _day(seconds: str) -> str:
    with suppress(ValueError, OverflowError):
        return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d}"
    return "a day that is over"


def _gpg(home: str | None, options: list[str]) -> Any:
    from gnupg import GPG  # noqa: PLC0415 - an extra

    try:
        gpg = GPG(gnupghome=home, options=options)
    except (OSError, ValueError):
        raise InputError("The program gpg cannot be started.", hint=missing_program() or "Try: gpg --version") from None
    gpg.encoding = "utf-8"  # of the passphrase, whatever cron's locale is
    return gpg


@contextmanager
def _home(folder: Path, *, agent: bool) -> Iterator[Path]:
    """A folder for gpg that nobody else may look into."""
    home = folder / _HOME
    _remove(home, home)  # what a killed attempt left
    home.mkdir(mode=0o700)
    (home / "gpg-agent.conf").write_text(_AGENT)
    with _short(home) as path:
        try:
            yield path
        finally:
            _remove(home, path if agent else home)


@contextmanager
def _short(home: Path) -> Iterator[Path]:
    """The same folder by a path that is short enough for sockets."""
    if len(os.fsencode(home)) <= _LONGEST_HOME:
        yield home
        return
    with TemporaryDirectory(prefix="idms-") as folder:
        link = Path(folder) / "gpg"
        link.symlink_to(home.absolute(), target_is_directory=True)
        yield link


def _remove(home: Path, path: Path) -> None:
    if not home.exists():
        return
    if (home / "S.gpg-agent").exists() or any(home.glob("private-keys-v1.d/*")):
        with suppress(OSError):  # no gpgconf: then the agent leaves by itself, once its folder is gone
            subprocess.run(
                ["gpgconf", "--homedir", str(path), "--kill", "gpg-agent"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=30,
            )  # fmt: skip
    shutil.rmtree(home, ignore_errors=True)
