"""A file is packed whole or not there; what gpg sealed, gpg opens, and nothing of the keys is left."""

import gzip
import io
import os
import resource
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from idms_cli.config.checked import check
from idms_cli.config.documents import parse_document
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.secret_sources import SecretSource, resolve
from idms_cli.errors import InputError
from idms_cli.files.writers.openpgp import EncryptOptions, SignOptions
from idms_cli.files.writers.packing import Packing, opened_packer
from tests.files.writers.keys import PASSPHRASE, Gpg, gpg_home, living_with

CONTENT = "ID,Name\r\n101,Zoë\r\n".encode() * 10_000


@pytest.fixture(scope="module")
def partner() -> Iterator[Gpg]:
    """Who is to read the files."""
    with gpg_home() as gpg:
        yield gpg


@pytest.fixture(scope="module")
def reader(partner: Gpg) -> str:
    return partner.make("Reader <reader@example.net>")


@pytest.fixture(scope="module")
def us() -> Iterator[Gpg]:
    """Who sends them."""
    with gpg_home() as gpg:
        yield gpg


@pytest.fixture(scope="module")
def signer(us: Gpg, partner: Gpg) -> str:
    made = us.make("Sender <sender@example.org>", passphrase=PASSPHRASE, usage="sign")
    partner.run("--import", given=us.public(made))
    return made


def encrypt(text: str) -> EncryptOptions:
    return check(EncryptOptions, parse_document(text.encode(), "job.yaml"))


def sign(text: str) -> SignOptions:
    return check(SignOptions, parse_document(text.encode(), "job.yaml"))


def fill(stream: BinaryIO) -> None:
    stream.write(CONTENT)


def packed(folder: Path, packing: Packing, name: str = "m.csv", fill_it: Any = fill) -> bytes:
    def secret(source: SecretSource) -> str:
        return resolve(source, folder).reveal()

    step = folder / "step"
    step.mkdir(exist_ok=True)
    with opened_packer(packing, step, folder, secret) as packer:
        packer.write(step / "made", name, fill_it)
        held = {path.name for path in step.iterdir()} - {"gnupg"}
    assert held == {"made"}
    assert [path.name for path in step.iterdir()] == ["made"]
    assert (step / "made").stat().st_mode & 0o777 == 0o600
    return (step / "made").read_bytes()


def refused(folder: Path, packing: Packing) -> str:
    with pytest.raises(InputError) as caught:
        packed(folder, packing)
    assert caught.value.hint
    assert list((folder / "step").iterdir()) == []
    return f"{caught.value} | {caught.value.hint}"


def kept(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


def test_what_is_not_packed_is_as_it_was_written(tmp_path: Path) -> None:
    assert packed(tmp_path, Packing()) == CONTENT


def test_gzip_and_zip_make_the_same_bytes_each_time(tmp_path: Path) -> None:
    zipped = packed(tmp_path, Packing("gzip"))
    (tmp_path / "step" / "made").unlink()
    assert packed(tmp_path, Packing("gzip"), "other.csv") == zipped
    assert gzip.decompress(zipped) == CONTENT
    (tmp_path / "step" / "made").unlink()
    archived = packed(tmp_path, Packing("zip"), "members.csv.zip")
    with zipfile.ZipFile(io.BytesIO(archived)) as archive:
        assert archive.namelist() == ["members.csv"]
        assert archive.read("members.csv") == CONTENT
    (tmp_path / "step" / "made").unlink()
    assert packed(tmp_path, Packing("zip"), "members.csv.zip") == archived


@pytest.mark.parametrize("packing", [Packing(), Packing("gzip"), Packing("zip")], ids=["plain", "gzip", "zip"])
def test_a_file_that_fails_is_not_there(tmp_path: Path, packing: Packing) -> None:
    def broken(stream: BinaryIO) -> None:
        stream.write(CONTENT)
        raise InputError("row 2 is too long")

    with pytest.raises(InputError, match="row 2"):
        packed(tmp_path, packing, fill_it=broken)
    assert list((tmp_path / "step").iterdir()) == []


@pytest.mark.parametrize("how", ["plain", "gzip", "encrypted"])
def test_a_disk_that_takes_no_more_leaves_no_file(tmp_path: Path, partner: Gpg, reader: str, how: str) -> None:
    """The limit of a file's size stands for the disk; gpg does not survive it."""
    kept(tmp_path, "keys.asc", partner.public())
    sealed = Packing(None, encrypt(f"{{recipients: [{reader}], keys: keys.asc}}"))
    packing = {"plain": Packing(), "gzip": Packing("gzip"), "encrypted": sealed}[how]
    noise = os.urandom(1 << 20)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises((OSError, InputError)):
            packed(tmp_path, packing, fill_it=lambda stream: stream.write(noise))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "step").iterdir()) == []


@pytest.mark.parametrize(
    ("packing", "given", "name"),
    [
        (Packing(), "m.csv", "m.csv"),
        (Packing("gzip"), "m.csv", "m.csv.gz"),
        (Packing("gzip"), "m.csv.GZ", "m.csv.GZ"),
        (Packing("zip"), "m", "m.zip"),
        (Packing("gzip", encrypt(f"recipients: [{'A' * 40}]")), "m.csv", "m.csv.gz.pgp"),
        (Packing("gzip", encrypt(f"recipients: [{'A' * 40}]")), "m.csv.gz", "m.csv.gz.pgp"),
        (Packing("gzip", encrypt(f"recipients: [{'A' * 40}]")), "m.gpg", "m.gpg"),
        (Packing(None, encrypt(f"{{recipients: [{'A' * 40}], ascii: true}}")), "m.csv", "m.csv.asc"),
        (Packing(None, encrypt(f"{{recipients: [{'A' * 40}], ending: .gpg}}")), "m.csv", "m.csv.gpg"),
        (Packing("gzip", encrypt(f"{{recipients: [{'A' * 40}], ending: ''}}")), "F.DAT", "F.DAT.gz"),
        (Packing(None, encrypt(f"{{recipients: [{'A' * 40}], ending: ''}}")), "F.DAT", "F.DAT"),
        (Packing(None, None, sign(f"key: {'A' * 40}")), "m.csv", "m.csv.pgp"),
    ],
)
def test_the_name_tells_how_the_file_is_packed(packing: Packing, given: str, name: str) -> None:
    assert packing.name(given) == name


def test_only_the_recipients_can_read_what_is_encrypted(tmp_path: Path, partner: Gpg, reader: str, us: Gpg) -> None:
    kept(tmp_path, "keys.asc", partner.public())
    data = packed(tmp_path, Packing("gzip", encrypt(f"{{recipients: [{reader}], keys: keys.asc}}")))
    assert CONTENT[:20] not in data
    content, signed_by = partner.opened(data)
    assert (gzip.decompress(content), signed_by) == (CONTENT, "")
    assert us.opens(data) is False


def test_ascii_is_text(tmp_path: Path, partner: Gpg, reader: str) -> None:
    kept(tmp_path, "keys.asc", partner.public())
    grouped = " ".join(reader[at : at + 4] for at in range(0, 40, 4)).lower()
    data = packed(tmp_path, Packing(None, encrypt(f"{{recipients: ['{grouped}'], keys: keys.asc, ascii: true}}")))
    assert data.startswith(b"-----BEGIN PGP MESSAGE-----\n")
    assert partner.opened(data)[0] == CONTENT


def _signing(folder: Path, us: Gpg, signer: str) -> str:
    kept(folder, "sign.key", us.secret(signer, PASSPHRASE))
    kept(folder, "phrase", PASSPHRASE)
    return "{key: {file: sign.key}, passphrase: {file: phrase}}"


def test_what_is_encrypted_and_signed_tells_by_whom(
    tmp_path: Path, partner: Gpg, reader: str, us: Gpg, signer: str
) -> None:
    kept(tmp_path, "keys.asc", partner.public(reader))
    told = _signing(tmp_path, us, signer)
    packing = Packing("zip", encrypt(f"{{recipients: [{reader}], keys: keys.asc}}"), sign(told))
    content, signed_by = partner.opened(packed(tmp_path, packing))
    assert signed_by == signer
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("m.csv") == CONTENT
    assert living_with(str(tmp_path)) == []


@pytest.mark.parametrize("ascii_too", [True, False])
def test_what_is_only_signed_anybody_can_read(
    tmp_path: Path, partner: Gpg, us: Gpg, signer: str, ascii_too: bool
) -> None:
    told = _signing(tmp_path, us, signer).replace("{key:", f"{{ascii: {str(ascii_too).lower()}, key:", 1)
    data = packed(tmp_path, Packing(None, None, sign(told)))
    assert data.isascii() is ascii_too
    assert partner.opened(data) == (CONTENT, signer)


def test_keys_may_be_in_the_keyring_of_the_account(
    tmp_path: Path, partner: Gpg, reader: str, us: Gpg, signer: str
) -> None:
    us.run("--import", given=partner.public(reader))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GNUPGHOME", str(us.home))
        _seal_with_own(tmp_path, partner, reader, us, signer)


def _seal_with_own(tmp_path: Path, partner: Gpg, reader: str, us: Gpg, signer: str) -> None:
    kept(tmp_path, "phrase", PASSPHRASE)
    kept(tmp_path, "keys.asc", partner.public(reader))
    by_us = sign(f"{{key: {signer}, passphrase: {{file: phrase}}}}")
    for text in (f"recipients: [{reader}]", f"{{recipients: [{reader}], keys: keys.asc}}"):
        assert partner.opened(packed(tmp_path, Packing(None, encrypt(text), by_us))) == (CONTENT, signer)
        (tmp_path / "step" / "made").unlink()
    own = sign(_signing(tmp_path, us, signer))
    assert partner.opened(packed(tmp_path, Packing(None, encrypt(f"recipients: [{reader}]"), own))) == (CONTENT, signer)


def test_a_folder_with_a_long_name_will_do(tmp_path: Path, partner: Gpg, us: Gpg, signer: str) -> None:
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    data = packed(deep, Packing(None, None, sign(_signing(deep, us, signer))))
    assert partner.opened(data) == (CONTENT, signer)


def test_a_key_that_cannot_be_used_is_told_before_anything_is_made(tmp_path: Path, partner: Gpg, reader: str) -> None:
    unknown = "F" * 40
    kept(tmp_path, "keys.asc", partner.public(reader))
    assert refused(tmp_path, Packing(None, encrypt(f"{{recipients: [{unknown}], keys: keys.asc}}"))) == (
        f"The key {unknown} to encrypt with is not there. | Put it into the file that `keys:` names, or import it into "
        "the keyring of idms' account."
    )
    with gpg_home() as gpg:
        expired = gpg.make("Old <old@example.net>", expired=True)
        revoked = gpg.make("Gone <gone@example.net>")
        gpg.run("--import", given=_revocation(gpg, revoked))
        no_use = gpg.make("Signs <signs@example.net>", usage="sign")
        kept(tmp_path, "keys.asc", gpg.public())
        for fingerprint, told in [
            (expired, f"The key {expired} (Old <old@example.net>) has expired on 2020-01-02. | Get the new one"),
            (revoked, f"The key {revoked} (Gone <gone@example.net>) has been revoked. | Get the new one"),
            (no_use, f"The key {no_use} (Signs <signs@example.net>) has nothing to encrypt with: it is not made"),
        ]:
            packing = Packing(None, encrypt(f"{{recipients: [{reader}, {fingerprint}], keys: keys.asc}}"))
            kept(tmp_path, "keys.asc", gpg.public() + partner.public(reader))
            assert refused(tmp_path, packing).startswith(told)


def _revocation(gpg: Gpg, fingerprint: str) -> bytes:
    """gpg makes the certificate with each key, and a colon before it against accidents."""
    return (gpg.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes().replace(b":-----BEGIN", b"-----BEGIN")


def test_files_without_keys_are_told(tmp_path: Path, reader: str) -> None:
    kept(tmp_path, "keys.asc", "no key")
    told = f"{{recipients: [{reader}], keys: keys.asc}}"
    assert refused(tmp_path, Packing(None, encrypt(told))).startswith(
        "There is no OpenPGP key in the keys in keys.asc."
    )
    assert "cannot be read: No such file or directory" in refused(
        tmp_path, Packing(None, encrypt(told.replace("keys.asc", "none.asc")))
    )


def test_a_passphrase_that_is_wrong_or_missing_is_told(tmp_path: Path, us: Gpg, signer: str) -> None:
    told = _signing(tmp_path, us, signer)
    kept(tmp_path, "phrase", "wrong")
    assert refused(tmp_path, Packing(None, None, sign(told))) == (
        "The passphrase does not open the key to sign with. | Correct `passphrase:`."
    )
    assert refused(tmp_path, Packing(None, None, sign("key: {file: sign.key}"))) == (
        "The key to sign with has a passphrase. | Say where it is kept: `passphrase:`."
    )


def test_what_a_killed_attempt_left_is_taken_away(tmp_path: Path, us: Gpg, signer: str, partner: Gpg) -> None:
    home = tmp_path / "step" / "gnupg"
    home.mkdir(parents=True, mode=0o700)
    Gpg(home).run("--import", given=us.secret(signer, PASSPHRASE))
    (tmp_path / "step" / ".made.new").write_bytes(b"half")
    data = packed(tmp_path, Packing(None, None, sign(_signing(tmp_path, us, signer))))
    assert partner.opened(data) == (CONTENT, signer)
    assert living_with(str(home)) == []


def test_the_passphrase_is_no_argument_of_a_program(
    tmp_path: Path, us: Gpg, signer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gpg before the real one keeps what it is called with."""
    by_us = sign(_signing(tmp_path, us, signer))
    seen = tmp_path / "seen"
    real = subprocess.run(["which", "gpg"], capture_output=True, text=True, check=True).stdout.strip()
    program = kept(tmp_path, "gpg", f'#!/bin/sh\nprintf "%s\\n" "$@" >> {seen}\nenv >> {seen}\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    packed(tmp_path, Packing(None, None, by_us))
    assert "--local-user" in seen.read_text()
    assert PASSPHRASE not in seen.read_text()


def test_gpg_that_ends_early_leaves_no_file(
    tmp_path: Path, partner: Gpg, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = subprocess.run(["which", "gpg"], capture_output=True, text=True, check=True).stdout.strip()
    script = f'#!/bin/sh\ncase "$*" in *--encrypt*) head -c 9 >/dev/null; exit 2;; esac\nexec {real} "$@"\n'
    kept(tmp_path, "gpg", script).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    kept(tmp_path, "keys.asc", partner.public(reader))
    packing = Packing(None, encrypt(f"{{recipients: [{reader}], keys: keys.asc}}"))
    assert refused(tmp_path, packing).startswith("gpg did not make the file: it ended early. | Try it by hand")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("recipients: []", "nobody could read the file | name the fingerprint of each recipient's key"),
        (
            "recipients: [DEADBEEF]",
            "'DEADBEEF' is no whole fingerprint of a key | gpg --fingerprint shows it: 40 digits",
        ),
        ("{}", "the key 'recipients' is missing | needed here: recipients"),
        (
            f"{{recipients: [{'A' * 40}], ending: a/b}}",
            "'a/b' is no ending of a name | write it as in .gpg; \"\" adds none",
        ),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_told(text: str, told: str) -> None:
    with pytest.raises(ProblemsFound) as caught:
        encrypt(text)
    (problem,) = caught.value.problems
    assert f"{problem.message} | {problem.hint}" == told
