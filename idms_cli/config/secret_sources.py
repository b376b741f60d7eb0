"""Where a secret is kept, as a file says it, and how it is fetched from there."""

import errno
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf, RelativePath
from idms_cli.config.problems import BadValue
from idms_cli.config.programs import first_output
from idms_cli.config.secrets import Secret
from idms_cli.errors import InputError

FORMS = "{env: NAME}, {file: PATH}, {credential: NAME} or {command: [PROGRAM, ...]}"
MAX_BYTES = 64 * 1024
COMMAND_TIMEOUT_S = 30.0

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class SecretSource(Section):
    """Exactly one place where a secret is kept; the secret itself is never in the file."""

    confidential: ClassVar[bool] = True

    env: str | None = None
    file: RelativePath | None = None
    credential: str | None = None
    command: ListOf[str] | None = Field(None, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _refuse_plain_text(cls, value: Any) -> Any:
        if isinstance(value, Mapping | SecretSource):
            return value
        message = "the place of a secret is missing" if value is None else "a secret cannot stand here itself"
        raise BadValue(message, hint=f"say where it is kept: {FORMS}")

    @field_validator("env")
    @classmethod
    def _check_env(cls, name: str | None) -> str | None:
        if name is not None and not _ENV_NAME.fullmatch(name):
            raise BadValue("this is not the name of an environment variable", hint="write it as in IDMS_LIVE_PASSWORD")
        return name

    @field_validator("credential")
    @classmethod
    def _check_credential(cls, name: str | None) -> str | None:
        if name is not None and not _CREDENTIAL_NAME.fullmatch(name):
            raise BadValue("this is not the name of a credential", hint="use letters, digits, '.', '_' and '-' only")
        return name

    @model_validator(mode="after")
    def _need_exactly_one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise BadValue("exactly one place for the secret is wanted here", hint=f"write one of {FORMS}")
        return self


def resolve(
    source: SecretSource,
    base: Path,
    *,
    environ: Mapping[str, str] = os.environ,
    timeout_s: float = COMMAND_TIMEOUT_S,
) -> Secret:
    """The secret from where it is kept. Relative paths and programs start from the directory `base`.

    One line end at its end is dropped. Raises `InputError` with a hint when it cannot be had or is empty; neither the
    secret nor what a program wrote to stderr is ever part of a message.
    """
    if source.env is not None:
        return Secret(_from_environment(source.env, environ))
    if source.credential is not None:
        return Secret(_from_credential(source.credential, environ))
    if source.file is not None:
        return Secret(_from_file(base / source.file))
    return Secret(_from_command(list(source.command or ()), base, timeout_s))


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "")
    if not value:
        raise InputError(
            f"the environment variable {name} is not set",
            hint=f"set {name} where idms runs (cron and systemd do not read your shell's files)",
        )
    return value


def _from_credential(name: str, environ: Mapping[str, str]) -> str:
    """systemd guards that directory itself (https://systemd.io/CREDENTIALS/); modes differ between its versions."""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory:
        raise InputError(
            f"there are no credentials here, so the secret '{name}' cannot be read",
            hint=f"start idms as a systemd service with LoadCredential={name}:PATH; by hand, use systemd-run",
        )
    return _text(_read_regular(Path(directory) / name, private=False), f"the credential '{name}'")


def _from_file(path: Path) -> str:
    return _text(_read_regular(path, private=True), f"the secret file {path}")


def _from_command(arguments: list[str], base: Path, timeout_s: float) -> str:
    output = first_output(arguments, directory=base, timeout_s=timeout_s, max_bytes=MAX_BYTES)
    return _text(output, f"the output of '{arguments[0]}'")


def _read_regular(path: Path, *, private: bool) -> bytes:
    """The bytes of a regular file, no link; `private` also asks for its mode and owner, as ssh does for keys."""
    try:
        with open(path, "rb", opener=_open_no_link) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"the secret file {path} is not a regular file", hint="name a regular file")
            if private:
                _refuse_shared(path, status)
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise InputError(
            f"the secret file {path} cannot be read: {reason}",
            hint="name a regular file that the account of idms may read",
        ) from None


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY)


def _refuse_shared(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~0o600:
        raise InputError(f"the secret file {path} has mode {mode:04o}, so others may read it", hint=f"chmod 600 {path}")
    if status.st_uid not in (0, os.geteuid()):
        raise InputError(
            f"the secret file {path} belongs to another account (uid {status.st_uid})",
            hint="give it to root or to the account that runs idms",
        )


def _text(data: bytes, what: str) -> str:
    if len(data) > MAX_BYTES:
        raise InputError(f"{what} is larger than {MAX_BYTES // 1024} KiB", hint="a secret alone must be in it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{what} is not UTF-8 text", hint="save the secret as plain text") from None
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise InputError(f"{what} is empty", hint="put the secret there")
    return value
