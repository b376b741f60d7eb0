"""Keys of OpenPGP for tests, made by the real gpg."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSPHRASE = 'Nebel "9%\\ über'


@dataclass(frozen=True)
class Gpg:
    """A home of gpg's with a short name, so that its agent can listen there."""

    home: Path

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        done = subprocess.run(
            ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--pinentry-mode", "loopback", *arguments],
            input=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def make(self, name: str, *, passphrase: str = "", usage: str = "default", expired: bool = False) -> str:
        """The fingerprint of a new key."""
        algorithm = "ed25519" if usage == "sign" else "future-default"
        past, expires = (["--faked-system-time", "20200101T000000"], "1d") if expired else ([], "never")
        self.run(*past, "--passphrase", passphrase, "--quick-generate-key", name, algorithm, usage, expires)
        return self.fingerprint(name)

    def fingerprint(self, name: str) -> str:
        lines = self.run("--with-colons", "--list-keys", f"={name}").decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))

    def public(self, *fingerprints: str) -> bytes:
        return self.run("--armor", "--export", *fingerprints)

    def secret(self, fingerprint: str, passphrase: str = "") -> bytes:
        return self.run("--passphrase", passphrase, "--armor", "--export-secret-keys", fingerprint)

    def opened(self, data: bytes) -> tuple[bytes, str]:
        """What is in a sealed file, and who signed it."""
        done = subprocess.run(
            ["gpg", "--homedir", str(self.home), "--batch", "--status-fd", "2", "--decrypt"],
            input=data,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        signer = [line.split()[2] for line in done.stderr.decode().splitlines() if "VALIDSIG" in line]
        return done.stdout, signer[0] if signer else ""

    def opens(self, data: bytes) -> bool:
        """Whether a sealed file can be read here."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--decrypt"]
        return subprocess.run(command, input=data, capture_output=True, check=False).returncode == 0


@contextmanager
def gpg_home() -> Iterator[Gpg]:
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    home.chmod(0o700)
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")  # a passphrase that is soon tried
    try:
        yield Gpg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, env=os.environ)
        shutil.rmtree(home, ignore_errors=True)


def living_with(text: str) -> list[str]:
    """The programs that run with this text among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended
            continue
        if text in line and "pytest" not in line:
            found.append(line)
    return found
