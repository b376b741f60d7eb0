"""Packed files are read as what is in them; bombs, damage and what nobody could mean are told."""

import gzip
import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from idms_cli.files import Row, open_table, packing
from idms_cli.files.options import FileOptions
from idms_cli.files.source import open_source
from tests.files.reading import read, refusal, written

CSV = "id,name\n1,Zoë\n2,Bob\n".encode()


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return content.getvalue()


def workbook() -> bytes:
    made, content = openpyxl.Workbook(), io.BytesIO()
    for row in [["id", "name"], [1, "Zoë"], [2, "Bob"]]:
        made.active.append(row)
    made.save(content)
    return content.getvalue()


EVERY_FORMAT = [
    pytest.param("m.csv", CSV, {}, id="csv"),
    pytest.param("m.tsv", CSV.replace(b",", b"\t"), {}, id="tsv"),
    pytest.param(
        "m.fwf",
        "1Zoë\n2Bob\n".encode(),
        {"columns": [{"name": "id", "width": 1}, {"name": "name", "width": 3}]},
        id="fixed",
    ),
    pytest.param("m.xlsx", workbook(), {}, id="excel"),
    pytest.param("m.json", json.dumps([{"id": 1, "name": "Zoë"}, {"id": 2, "name": "Bob"}]).encode(), {}, id="json"),
    pytest.param("m.jsonl", b'{"id": 1, "name": "Zo\xc3\xab"}\n{"id": 2, "name": "Bob"}\n', {}, id="jsonl"),
    pytest.param(
        "m.xml",
        "<l><r id='1'><name>Zoë</name></r><r id='2'><name>Bob</name></r></l>".encode(),
        {"record": "r"},
        id="xml",
    ),
]


@pytest.mark.parametrize(("name", "content", "options"), EVERY_FORMAT)
@pytest.mark.parametrize("packed", ["plain", "gz", "zip"])
def test_every_format_is_read_plain_and_packed(
    tmp_path: Path, name: str, content: bytes, options: dict[str, Any], packed: str
) -> None:
    if packed == "gz":
        name, content = f"{name}.GZ", gzip.compress(content)
    if packed == "zip":
        name, content = f"{name}.zip", zipped(("in/a folder/whatever.dat", content))
    path = written(tmp_path, name, content)
    found = read(path, **options)
    assert found.cells == [("1", "Zoë"), ("2", "Bob")]
    assert found.notes == ()
    with open_table(path, FileOptions(**options)) as table, open_source(path) as source:
        assert table.fingerprint == source.fingerprint


@pytest.mark.parametrize(("name", "content", "options"), EVERY_FORMAT)
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, name: str, content: bytes, options: dict[str, Any]
) -> None:
    path = written(tmp_path, name, content)
    with open_table(path, FileOptions(**options)) as table:
        with path.open("ab") as stream:
            stream.write(b" ")
        with pytest.raises(Exception, match="the file changed while it was being read"):
            list(table.rows())


def test_the_pieces_of_several_gzip_files_are_one(tmp_path: Path) -> None:
    path = written(tmp_path, "m.csv.gz", gzip.compress(CSV[:10]) + gzip.compress(CSV[10:]))
    assert read(path).rows == [Row(2, ("1", "Zoë")), Row(3, ("2", "Bob"))]


def test_what_macos_adds_to_a_zip_file_is_not_counted(tmp_path: Path) -> None:
    members = [("m/", b""), ("m/m.csv", CSV), ("__MACOSX/m/._m.csv", b"\x00"), ("m/.DS_Store", b"\x00")]
    assert len(read(written(tmp_path, "m.csv.zip", zipped(*members))).rows) == 2


def with_flag(content: bytes) -> bytes:
    """A zip file that says its member is encrypted."""
    central = content.index(b"PK\x01\x02")
    changed = bytearray(content)
    changed[6] |= 1
    changed[central + 8] |= 1
    return bytes(changed)


def with_method(content: bytes, method: int) -> bytes:
    central = content.index(b"PK\x01\x02")
    changed = bytearray(content)
    changed[8] = changed[central + 10] = method
    return bytes(changed)


LONG = CSV + b"".join(b"%d,somebody\n" % (number * 7919 % 10007) for number in range(20_000))
WRONG_SUM = bytearray(gzip.compress(LONG))
WRONG_SUM[-6] ^= 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("m.csv.gz", CSV, "this is no gzip file, or not the whole of one.", id="not gzip"),
        pytest.param("m.csv.gz", gzip.compress(LONG)[:-200], "this gzip file ends in the middle.", id="gzip cut"),
        pytest.param("m.csv.gz", bytes(WRONG_SUM), "this gzip file is damaged: CRC check failed", id="gzip wrong"),
        pytest.param("m.csv.zip", CSV, "this is no zip file, or not the whole of one.", id="not zip"),
        pytest.param("m.csv.zip", zipped(("m", LONG))[:-200], "this is no zip file, or not the whole of", id="zip cut"),
        pytest.param("m.csv.zip", zipped(), "there is no file in this zip file", id="no member"),
        pytest.param(
            "m.csv.zip", zipped(("a", CSV), ("b", CSV)), "there are 2 files in this zip file", id="two members"
        ),
        pytest.param(
            "m.csv.zip", with_flag(zipped(("a", CSV))), "the file in this zip file is encrypted.", id="encrypted"
        ),
        pytest.param(
            "m.csv.zip", with_method(zipped(("a", CSV)), 9), "the file in this zip file is packed in a way", id="method"
        ),
    ],
)
def test_what_cannot_be_unpacked_is_told(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    assert refusal(written(tmp_path, name, content)).startswith(message)


def test_a_gzip_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = written(tmp_path, "m.csv.gz", gzip.compress(b"id\n" + b"1\n" * 35_000_000))
    assert path.stat().st_size < 100_000
    assert refusal(path).startswith("unpacked, this file is larger than 64 MiB and more than 200 times its size, as a")


def test_a_bomb_without_lines_is_not_even_unpacked(tmp_path: Path) -> None:
    path = written(tmp_path, "m.csv.gz", gzip.compress(bytes(100_000_000)))
    tracemalloc.start()
    text = refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert text.startswith("1: this line is longer than 1,048,576 characters.")
    assert peak < 12_000_000


def test_a_zip_bomb_of_short_lines_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = written(tmp_path, "m.csv.zip", zipped(("m.csv", b"id\n" + b"1\n" * 35_000_000)))
    assert refusal(path).startswith("unpacked, this file is larger than 64 MiB and more than 200 times its size")


def test_a_packed_file_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "UNPACKED_LIMIT", 1000)
    path = written(tmp_path, "m.csv.gz", gzip.compress(LONG))
    assert refusal(path).startswith("unpacked, this file is larger than 0 MiB.")


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = written(tmp_path, "m.csv.gz", gzip.compress(b"id,name\n" + b"12345,somebody with a name\n" * 200_000))
    tracemalloc.start()
    with open_table(path, FileOptions()) as table:
        count = sum(1 for _ in table.rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 200_000
    assert peak < 16_000_000
