"""Whether the SSH server is the one that is meant: its key is pinned in the job, or in a file of known hosts."""

from pathlib import Path

import asyncssh

from idms_cli.errors import InputError
from idms_cli.files.origins import Access

SYSTEM = Path("/etc/ssh/ssh_known_hosts")
SSH_PORT = 22


class HostKeys:
    """What is known of the keys of one server, and what to say of another one."""

    def __init__(self, access: Access) -> None:
        self._address = access.address
        self._pinned = access.options.host_key
        own = Path.home() / ".ssh/known_hosts"
        named = access.path(access.options.known_hosts)
        self._files = [named] if named else [path for path in (own, SYSTEM) if path.is_file()]
        self._to_write = named or own
        self.known = asyncssh.SSHKnownHosts() if self._pinned else self._read()
        self.refusal: InputError | None = None
        """Why the key was not accepted, once it was not."""

    def accepts(self, addr: str, key: asyncssh.SSHKey) -> bool:
        """Asked for a key that is not among the `known` ones of this server."""
        shown = key.get_fingerprint()
        if self._pinned:
            if shown.rstrip("=") == self._pinned:
                return True
            self.refusal = self._changed(shown, f"`host_key:` is {self._pinned}")
            return False
        trusted = self.known.match(self._address.host, addr, self._known_port)[0]
        if trusted:
            fingerprints = ", ".join(one.get_fingerprint() for one in trusted)
            files = " and ".join(map(str, self._files))
            self.refusal = self._changed(shown, f"{files} knows it by {fingerprints}")
        else:
            self.refusal = self._unknown(shown, key)
        return False

    @property
    def _known_port(self) -> int | None:
        """Files of known hosts name only a port that is not the usual one."""
        return None if self._address.port in (None, SSH_PORT) else self._address.port

    def _read(self) -> asyncssh.SSHKnownHosts:
        try:
            return asyncssh.read_known_hosts([str(path) for path in self._files])
        except (OSError, ValueError) as error:
            raise InputError(
                f"the known keys of servers cannot be read ({', '.join(map(str, self._files))}): {error}",
                hint="Mend the file, or write `host_key: SHA256:...` in `source:`.",
            ) from error

    def _changed(self, shown: str, before: str) -> InputError:
        return InputError(
            f"{self._address.netloc} IS NOT WHO IT WAS: it shows the key {shown}, but {before}. Somebody may be "
            "listening in between; nothing was sent",
            hint="Ask its owner, by another way than this, whether the key was changed. Only then write the new one.",
        )

    def _unknown(self, shown: str, key: asyncssh.SSHKey) -> InputError:
        host = self._address.host if self._known_port is None else f"[{self._address.host}]:{self._known_port}"
        line = " ".join([host, *key.export_public_key().decode().split()[:2]])
        return InputError(
            f"{self._address.netloc} is not known here: it shows the key {shown}",
            hint=f"Ask its owner whether that is its key. If it is, write `host_key: {shown}` in `source:`, or add "
            f"this line to {self._to_write}: {line}",
        )
