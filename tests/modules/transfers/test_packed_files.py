"""The files of a step are made as the step says: format, name, packing; whole, before anything is delivered."""

import gzip
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.files.writers.keys import Gpg, gpg_home
from tests.modules.transfers.dock import Dock

ROWS = "ID,Name\n" + "".join(f"{number},Zoë {number}\n" for number in range(1, 6))


def job(dock: Dock, step: str) -> str:
    dock.write(ROWS, "rows.csv")
    return f"source: {{path: rows.csv}}\nsteps:\n- {{to: out, {step}}}\n"


def problem(dock: Dock, step: str) -> str:
    (found,) = dock.problems(job(dock, step))
    return f"{found[0]}:{found[1]} {found[2]} | {found[3]}"


@pytest.fixture(scope="module")
def partner() -> Iterator[Gpg]:
    with gpg_home() as gpg:
        yield gpg


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("file: m.csv, compress: gzip", "m.csv.gz"),
        ("file: m.csv.gz", "m.csv.gz"),
        ("file: M.gz, format: csv", "M.gz"),
    ],
)
def test_a_file_is_packed_as_its_step_or_its_name_says(dock: Dock, step: str, name: str) -> None:
    assert dock.send(job(dock, step)).outcome.status == "completed"
    (made,) = dock.out.iterdir()
    assert made.name == name
    assert gzip.decompress(made.read_bytes()).decode() == ROWS.replace("\n", "\r\n")


def test_several_files_have_their_number_in_name_and_envelope(dock: Dock) -> None:
    envelope = '\'{"batch": {{ batch }}, "of": {{ run.id }}, "rows": {{ rows }}}\''
    step = f"file: 'm-{{{{ batch }}}}.json', batch: 2, compress: zip, format: {{json: {{envelope: {envelope}}}}}"
    assert dock.send(job(dock, step)).outcome.status == "completed"
    found = {}
    for path in sorted(dock.out.iterdir()):
        with zipfile.ZipFile(path) as archive:
            found[path.name] = json.loads(archive.read(path.name.removesuffix(".zip")))
    assert {name: (one["batch"], [row["ID"] for row in one["rows"]]) for name, one in found.items()} == {
        "m-1.json.zip": (1, ["1", "2"]),
        "m-2.json.zip": (2, ["3", "4"]),
        "m-3.json.zip": (3, ["5"]),
    }


def test_files_are_encrypted_and_signed_with_keys_of_the_job(dock: Dock, partner: Gpg) -> None:
    reader, signer = partner.make("R <r@example.net>"), partner.make("S <s@example.net>", passphrase="geheim")
    (dock.directory / "keys.asc").write_bytes(partner.public(reader))
    for name, content in (("sign.key", partner.secret(signer, "geheim")), ("phrase", b"geheim\n")):
        path = dock.directory / name
        path.write_bytes(content)
        path.chmod(0o600)
    sealed = (
        f"file: 'm-{{{{ batch }}}}.csv', batch: 3, compress: gzip, "
        f"encrypt: {{recipients: [{reader}], keys: keys.asc}}, "
        "sign: {key: {file: sign.key}, passphrase: {file: phrase}}"
    )
    sent = dock.send(job(dock, sealed))
    assert sent.outcome.status == "completed"
    assert {path.name for path in dock.out.iterdir()} == {"m-1.csv.gz.pgp", "m-2.csv.gz.pgp"}
    content, signed_by = partner.opened((dock.out / "m-2.csv.gz.pgp").read_bytes())
    assert (gzip.decompress(content).decode(), signed_by) == ("ID,Name\r\n4,Zoë 4\r\n5,Zoë 5\r\n", signer)
    assert [path for path in sent.directory.rglob("*") if path.name == "gnupg"] == []
    kept = [path for path in sent.directory.rglob("*") if path.is_file() and b"geheim" in path.read_bytes()]
    assert kept == []


def test_a_key_that_is_not_there_ends_the_step_before_anything_is_delivered(dock: Dock, partner: Gpg) -> None:
    (dock.directory / "keys.asc").write_bytes(partner.public(partner.make("R2 <r2@example.net>")))
    sent = dock.send(job(dock, f"file: m.csv, encrypt: {{recipients: [{'F' * 40}], keys: keys.asc}}"))
    assert sent.states == ["failed"]
    assert f"The key {'F' * 40} to encrypt with is not there" in str(sent.steps[0])
    assert list(dock.out.iterdir()) == []


def test_rows_that_a_format_cannot_hold_end_the_step_before_anything_is_delivered(dock: Dock) -> None:
    columns = "[{name: ID, width: 1}, {name: Name, width: 5}]"
    step = f"file: 'm-{{{{ batch }}}}.fwf', batch: 2, format: {{fixed: {{columns: {columns}}}}}"
    dock.write(ROWS, "rows.csv")
    long_last = job(dock, step)
    dock.write(ROWS + "6,Bartholomew\n", "rows.csv")
    sent = dock.send(long_last)
    assert sent.states == ["failed"]
    assert "Row 2, column Name: 'Bartholomew' has 11 characters; its place has 5" in str(sent.steps[0])
    assert list(dock.out.iterdir()) == []


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("file: m.csv.gpg",
         "5:21 a file whose name ends in .gpg is encrypted or signed, and this one is not | say for whom: "
         "encrypt: {recipients: [...]}; or name it otherwise"),
        (f"file: m.csv, encrypt: {{recipients: [{'A' * 40}], keys: none.asc}}",
         "none.asc: the file of public keys cannot be read: No such file or directory | Name a file that the"),
        ("file: m.csv, encrypt: {recipients: [ABC]}", "'ABC' is no whole fingerprint of a key"),
        ("file: m.csv, encrypt: {recipient: [ABC]}", "the key 'recipient' is not known here"),
        ("file: m.csv, sign: {key: {file: x}, pass: y}", "the key 'pass' is not known here"),
        ("file: m.txt, format: {text: {file: none.j2}}", "this template cannot be read: No such file or directory"),
        ("file: m.txt, format: {text: {template: '{{ x }}'}}", "there is no 'x' here"),
        ("file: m.fwf", "the key 'fixed' is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_told_before_any_run(dock: Dock, step: str, told: str) -> None:
    assert told in "\n".join(f"{one[0]}:{one[1]} {one[2]} | {one[3]}" for one in dock.problems(job(dock, step)))


def test_a_text_without_a_name_gets_one(dock: Dock, tmp_path: Path) -> None:
    step = "format: {text: {template: '{% for row in rows %}{{ row.Name }};{% endfor %}'}}"
    dock.send(job(dock, step))
    (made,) = dock.out.iterdir()
    assert made.suffix == ".txt"
    assert made.read_text(encoding="utf-8") == "Zoë 1;Zoë 2;Zoë 3;Zoë 4;Zoë 5;"
