"""Whether the SSH server is the one that is meant: its key is pinned in the job, or in a file of known hosts."""

from pathlib import Path

import asyncssh

from idms_cli.errors import InputError
from idms_cli.remote.account import Account

SYSTEM = Path("/etc/ssh/ssh_known_hosts")


class HostKeys:
    """What is known of the keys of one server, and what to say of another one."""

    def __init__(self, account: Account) -> None:
        self._account = account
        own = Path.home() / ".ssh/known_hosts"
        named = account.directory / account.known_hosts if account.known_hosts else None
        self._files = [named] if named else [path for path in (own, SYSTEM) if path.is_file()]
        self._to_write = named or own
        self.known = asyncssh.SSHKnownHosts() if account.host_key else self._read()
        self.refusal: InputError | None = None
        """Why the key was not accepted, once it was not."""

    def accepts(self, addr: str, key: asyncssh.SSHKey) -> bool:
        """Asked for a key that is not among the `known` ones of this server."""
        shown = key.get_fingerprint()
        if self._account.host_key:
            if shown.rstrip("=") == self._account.host_key:
                return True
            self.refusal = self._changed(shown, f"`host_key:` is {self._account.host_key}")
            return False
        trusted = self.known.match(self._account.host, addr, self._account.known_port)[0]
        if trusted:
            fingerprints = ", ".join(one.get_fingerprint() for one in trusted)
            files = " and ".join(map(str, self._files))
            self.refusal = self._changed(shown, f"{files} knows it by {fingerprints}")
        else:
            self.refusal = self._unknown(shown, key)
        return False

    def _read(self) -> asyncssh.SSHKnownHosts:
        try:
            return asyncssh.read_known_hosts([str(path) for path in self._files])
        except (OSError, ValueError) as error:
            raise InputError(
                f"the known keys of servers cannot be read ({', '.join(map(str, self._files))}): {error}",
                hint=f"Mend the file, or write `host_key: SHA256:...` in {self._account.place}.",
            ) from error

    def _changed(self, shown: str, before: str) -> InputError:
        return InputError(
            f"{self._account.netloc} IS NOT WHO IT WAS: it shows the key {shown}, but {before}. Somebody may be "
            "listening in between; nothing was sent",
            hint="Ask its owner, by another way than this, whether the key was changed. Only then write the new one.",
        )

    def _unknown(self, shown: str, key: asyncssh.SSHKey) -> InputError:
        account = self._account
        host = account.host if account.known_port is None else f"[{account.host}]:{account.known_port}"
        line = " ".join([host, *key.export_public_key().decode().split()[:2]])
        return InputError(
            f"{account.netloc} is not known here: it shows the key {shown}",
            hint=f"Ask its owner whether that is its key. If it is, write `host_key: {shown}` in {account.place}, or "
            f"add this line to {self._to_write}: {line}",
        )
