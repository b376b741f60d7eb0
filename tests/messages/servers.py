"""Deliveries that servers do not take, each really tried; what is said of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import pytest
import trustme

from idms_cli.errors import IdmsError
from tests.delivery.cargo import delivery, destination, sample
from tests.delivery.ftpserver import FtpPartner, ftp_partner
from tests.delivery.s3service import Service, moto, service_in_front_of
from tests.delivery.sshserver import Partner, partner

Case = Callable[[Path], str]
LARGE = 100_000


def told(step: str, directory: Path, size: int = 0) -> str:
    """What is said of a delivery that cannot be; with a hint."""
    made = directory / "made"
    made.mkdir()
    with pytest.raises(IdmsError) as caught:
        destination(step, directory).deliver(sample(made, size=size), delivery(directory))
    assert caught.value.hint
    return str(caught.value)


def _ssh(spoil: Callable[[Partner], None] = lambda _: None, step: Callable[[str], str] = str, size: int = 0) -> Case:
    def case(directory: Path) -> str:
        with partner(directory / "partner") as ssh:
            spoil(ssh)
            return told(step(ssh.step(directory).replace("silence: 3s", "silence: 1s")), directory, size)

    return case


def _ftp(spoil: Callable[[FtpPartner], None] = lambda _: None, *, tls: bool = True, other: bool = False) -> Case:
    def case(directory: Path) -> str:
        with ftp_partner(directory / "partner", tls=tls) as ftp:
            spoil(ftp)
            if other:
                trustme.CA().cert_pem.write_to_path(str(ftp.ca_file))
            return told(ftp.step(directory), directory)

    return case


def _s3(status: int, code: str) -> Case:
    def case(directory: Path) -> str:
        with _bucket() as s3:
            s3.faults.status, s3.faults.code = status, code
            return told(s3.step(directory), directory)

    return case


@contextmanager
def _bucket() -> Iterator[Service]:
    with moto() as behind, service_in_front_of(behind) as s3:
        yield s3


def _without_access_key(directory: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
        return told("to: s3://feeds/\nregion: us-east-1\nsilence: 2s\n", directory)


def _unknown(step: str) -> str:
    return "\n".join(line for line in step.splitlines() if not line.startswith("host_key"))


def _changed(step: str) -> str:
    other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
    return f"{_unknown(step)}\nhost_key: {other}\n"


def _broken_key(step: str) -> str:
    return step.replace("{password:", "{key:")


def _old(ssh: Partner) -> None:
    (ssh.inbox / "members.csv").write_text("old")


def _link(ssh: Partner) -> None:
    (ssh.inbox / "members.csv").symlink_to("nowhere")


def _faults(**faults: object) -> Callable[[Partner], None]:
    return lambda ssh: [setattr(ssh.faults, name, value) for name, value in faults.items()] and None


def _refuses(**answers: str) -> Callable[[FtpPartner], None]:
    return lambda ftp: ftp.faults.refuses.update(answers)


SERVERS: dict[str, Case] = {
    "an SSH server that nobody knows here": _ssh(step=_unknown),
    "an SSH server with another key": _ssh(step=_changed),
    "a login that is refused": _ftp(_refuses(PASS="530 Not logged in.")),
    "a private key that cannot be opened": _ssh(step=_broken_key),
    "a certificate that is not trusted": _ftp(other=True),
    "an FTP server without TLS": _ftp(tls=False),
    "no folder": _ssh(step=lambda step: step.replace("/in/", "/out/")),
    "a file that is there, with `overwrite: refuse`": _ssh(_old, lambda step: f"{step}overwrite: refuse\n"),
    "a link or a folder of the file's name": _ssh(_link),
    "a full disk that an SSH server tells of": _ssh(_faults(room=50_000), size=LARGE),
    "a full disk, or a quota": _ftp(_refuses(STOR="552 Quota exceeded.")),
    "no right to write": _ssh(_faults(refuses_renames=True)),
    "a server that is silent": _ssh(_faults(stands_still_after=0)),
    "a file that arrives short": _ssh(_faults(loses=2)),
    "a server that fetches files too early": _ssh(_faults(takes_away=True)),
    "an FTP server that tells no sizes": _ftp(_refuses(SIZE="502 Not implemented.")),
    "a wrong access key": _s3(403, "SignatureDoesNotMatch"),
    "no access key": _without_access_key,
    "an access key without the right": _s3(403, "AccessDenied"),
    "a bucket that is not there": _s3(404, "NoSuchBucket"),
    "a bucket of another region": _s3(301, "PermanentRedirect"),
    "a bucket that is full": _s3(403, "QuotaExceeded"),
}
