"""Cells of an .xlsx sheet that look blank and are not: errors such as #N/A, and formulas that were never computed."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple
from xml.etree import ElementTree

_CHUNK = 1024 * 1024

# ECMA-376 part 1, 18.3.1.4: <c r="B7" t="e"><f>..</f><v>#N/A</v></c>; without a value, <v/> or no <v>
_CELL = re.compile(rb"<c\s(?P<attributes>[^>]*[^/>])>(?P<inside>.*?)</c>", re.DOTALL)
_REFERENCE = re.compile(rb"""\br=["'](?P<column>[A-Z]+)(?P<row>[0-9]+)["']""")
_IS_ERROR = re.compile(rb"""\bt=["']e["']""")
_IS_TEXT = re.compile(rb"""\bt=["']str["']""")
_VALUE = re.compile(rb"<v[^>]*>([^<]*)</v>")


class Uncomputed(NamedTuple):
    """A cell without a value of its own."""

    row: int
    """From 1."""
    column: int
    """From 0."""
    what: str
    """In words."""


def uncomputed(archive: zipfile.ZipFile, sheet: str) -> Iterator[Uncomputed]:
    """All such cells of a sheet, in the order of the file. Raises `KeyError` where its part cannot be found."""
    with archive.open(_part(archive, sheet)) as stream:
        rest = b""
        while chunk := stream.read(_CHUNK):
            text = rest + chunk
            cut = text.rfind(b"<c ") if len(text) < 4 * _CHUNK else len(text)
            rest, text = (text[cut:], text[:cut]) if cut >= 0 else (b"", text)
            yield from _found(text)
        yield from _found(rest)


def _found(text: bytes) -> Iterator[Uncomputed]:
    if b"<f" not in text and _IS_ERROR.search(text) is None:
        return
    for cell in _CELL.finditer(text):
        what = _what(cell["attributes"], cell["inside"])
        place = _REFERENCE.search(cell["attributes"])
        if what and place:
            yield Uncomputed(int(place["row"]), _index(place["column"]), what)


def _index(letters: bytes) -> int:
    """Which column this is, from 0: A is 0, AA is 26."""
    index = 0
    for letter in letters:
        index = index * 26 + letter - ord("A") + 1
    return index - 1


def _what(attributes: bytes, inside: bytes) -> str:
    found = _VALUE.search(inside)
    value = found[1].decode("utf-8", "replace") if found else ""
    if _IS_ERROR.search(attributes):
        return f"holds the error {value or 'of a formula'}"
    if b"<f" in inside and not value and not _IS_TEXT.search(attributes):
        return "holds a formula that was never computed"
    return ""


def _part(archive: zipfile.ZipFile, sheet: str) -> str:
    """The name of the part in which a sheet is kept."""
    sheets = _tree(archive, "xl/workbook.xml")
    identities = {node.get("name"): _identity(node) for node in sheets.iter() if node.tag.endswith("}sheet")}
    targets = {node.get("Id"): node.get("Target", "") for node in _tree(archive, "xl/_rels/workbook.xml.rels")}
    return str(PurePosixPath("/xl", targets[identities[sheet]]))[1:]


def _tree(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    return ElementTree.fromstring(archive.read(part))  # noqa: S314  (in a process of its own that has limits)


def _identity(node: ElementTree.Element) -> str:
    return next((value for name, value in node.attrib.items() if name.endswith("}id")), "")
