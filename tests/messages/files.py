"""Files that are refused, each made anew and really opened; what is said of them."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from idms_cli.errors import InputError
from idms_cli.files import open_table, packing
from idms_cli.files.options import FileOptions

BOOKS = Path(__file__).parent.parent / "files" / "workbooks"
Case = Callable[[Path], str]


def refused(folder: Path, name: str, content: str | bytes, **options: Any) -> str:
    """What is said of such a file, without its path."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught, open_table(path, FileOptions(**options)) as table:
        list(table.rows())
    return str(caught.value).removeprefix(str(path)).lstrip(":0123456789 ")


def _file(name: str, content: str | bytes, **options: Any) -> Case:
    return lambda folder: refused(folder, name, content, **options)


def _zip(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return made.getvalue()


def _locked_zip() -> bytes:
    """A zip file that says its member is encrypted."""
    changed = bytearray(_zip(m_csv=b"id\n1\n"))
    changed[6] |= 1
    changed[changed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def _book(*rows: list[object]) -> bytes:
    made, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        made.active.append(row)
    made.save(file)
    return file.getvalue()


def _macros(folder: Path) -> str:
    """Not refused: they are never run, and that is noted."""
    content = io.BytesIO(_book(["id"], [1]))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"Shell 1")
    path = folder / "m.xlsm"
    path.write_bytes(content.getvalue())
    with open_table(path, FileOptions()) as table:
        return table.notes[0]


def _too_large(folder: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "UNPACKED_LIMIT", 1024**2)
        return refused(folder, "m.csv.gz", gzip.compress(b"id\n" + b"12345\n" * 400_000))


def _missing(folder: Path) -> str:
    with pytest.raises(InputError) as caught, open_table(folder / "m.csv", FileOptions()):
        pass
    return str(caught.value).removeprefix(f"{folder}/m.csv: ")


def _changing(folder: Path) -> str:
    path = folder / "m.csv"
    path.write_text("id\n1\n")
    with open_table(path, FileOptions()) as table:
        path.write_text("id\n1\n2\n")
        with pytest.raises(InputError) as caught:
            list(table.rows())
    return str(caught.value).removeprefix(f"{path}: ")


_DEEP = "<l>" + "<r>" * 40 + "</r>" * 40 + "</l>"

FILES: dict[str, Case] = {
    "it is not there": _missing,
    "somebody still writes to it": _changing,
    "an ending that tells no format": _file("m.docx", "id\n"),
    "it is not what its ending says": _file("m.csv", "%PDF-1.7"),
    "a workbook with a password": _file("m.xlsx", (BOOKS / "encrypted.xlsx").read_bytes()),
    "a workbook with macros": _macros,
    "a binary workbook": _file("m.xlsx", _zip(xl__workbook_bin=b"")),
    "a workbook that ends in the middle": _file("m.xlsx", _book(["id"])[:2000]),
    "a workbook that is a bomb": _file("m.xlsx", _zip(xl__workbook_xml=b"<x/>", xl__big_xml=b"<c/>" * 10_000_000)),
    "a sheet that is not there": _file("m.xlsx", _book(["id"]), sheet="Shete"),
    "a header in another row": _file("m.xlsx", _book([], [], ["id"])),
    "cells under no name": _file("m.xlsx", _book(["id", None, "name"], [1, "x", "Ann"])),
    "a zip file with several files": _file("m.csv.zip", _zip(a_csv=b"id\n", b_csv=b"id\n")),
    "a zip file with a password": _file("m.csv.zip", _locked_zip()),
    "a packed file that ends in the middle": _file("m.csv.gz", gzip.compress(b"id\n" + bytes(range(256)) * 90)[:-30]),
    "a bomb, by its ratio": _file("m.csv.gz", gzip.compress(b"id\n" + b"1\n" * 35_000_000)),
    "a bomb, by its size": _too_large,
    "an encoding that is not the one that was said": _file("m.csv", b"id\nJos\xe9\n", encoding="utf-8"),
    "UTF-16 without its mark": _file("m.csv", "id,name\n1,Ann\n".encode("utf-16-le")),
    "no header": _file("m.csv", "\nid,name\n"),
    "a column without a name": _file("m.csv", "id,,name\n"),
    "a name twice": _file("m.csv", "id,name,id\n"),
    "several possible delimiters": _file("m.csv", "id;name, first\n"),
    "a quote that is never closed": _file("m.csv", 'id,name\n1,"Ann\n2,Bob\n'),
    "a line without an end": _file("m.csv", "id\n" + "x" * 1_100_000),
    "JSON that is not a list": _file("m.json", '{"data": {"members": []}}'),
    "JSON that ends in the middle": _file("m.json", '[{"id": 1}, {"id"'),
    "JSON that is nested too deep": _file("m.json", '[{"id": ' + "[" * 100_000),
    "XML with a DOCTYPE (entities, anything from outside)": _file(
        "m.xml", '<!DOCTYPE l [<!ENTITY e SYSTEM "file:///etc/passwd">]><l><r>&e;</r></l>', record="r"
    ),
    "XML that is nested too deep": _file("m.xml", _DEEP, record="x"),
    "XML without the record": _file("m.xml", "<members><membre/></members>", record="members/member"),
    "XML that ends in the middle": _file("m.xml", "<l><r>", record="r"),
    "no record that would tell the columns": _file("m.jsonl", ""),
}
"""By the first column of README's table."""
