"""An account on an SSH server: who logs in, where, and by what the server is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import SecretSource, resolve

SSH_PORT = 22


@dataclass(frozen=True)
class Account:
    """What a job says of it. Relative paths start from `directory`."""

    host: str
    port: int | None
    user: str
    directory: Path
    place: str
    """Where its keys stand, for hints: "`source:`"."""
    password: SecretSource | None = None
    key: SecretSource | None = None
    passphrase: SecretSource | None = None
    host_key: str | None = None
    """The fingerprint of the server's key."""
    known_hosts: Path | None = None

    @property
    def netloc(self) -> str:
        """Host and, where one is named, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def known_port(self) -> int | None:
        """Files of known hosts name only a port that is not the usual one."""
        return None if self.port in (None, SSH_PORT) else self.port

    def secret(self, source: SecretSource | None) -> str | None:
        """Raises `InputError` when it cannot be had."""
        return None if source is None else resolve(source, self.directory).reveal()


def _fingerprint(value: str) -> str:
    if not value.startswith("SHA256:"):
        raise BadValue("this is no fingerprint of a key", hint="write it as `ssh-keygen -lf` does: SHA256:...")
    return value.rstrip("=")


Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
"""Of a server's key, as `ssh-keygen -lf` shows it."""
