"""What a file is by its first bytes, so that a workbook named .csv is told instead of read as text."""

from idms_cli.errors import InputError
from idms_cli.files.source import Source, unreadable

# https://www.garykessler.net/library/file_sigs.html; none of them can begin a text file
_SIGNATURES = (
    (b"PK\x03\x04", "a zip file or a workbook"),
    (b"PK\x05\x06", "an empty zip file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook (.xls) or another file of old Office programs"),
    (b"\x1f\x8b", "a file packed by gzip"),
    (b"%PDF-", "a PDF document"),
    (b"7z\xbc\xaf\x27\x1c", "a file packed by 7-Zip"),
    (b"Rar!\x1a\x07", "a file packed by RAR"),
    (b"\xfd7zXZ\x00", "a file packed by xz"),
    (b"\x28\xb5\x2f\xfd", "a file packed by zstd"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_PAGES = (b"<!doctype html", b"<html")


def what_it_is(start: bytes) -> str:
    """What a file that starts so is, in words; empty when it may well be text."""
    for signature, meaning in _SIGNATURES:
        if start.startswith(signature):
            return meaning
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "an HTML page" if text.startswith(_PAGES) else ""


def refuse_foreign(source: Source, wanted: str) -> None:
    """Raise `InputError` for a file that is clearly something else than `wanted`. The stream is left at its start."""
    try:
        source.stream.seek(0)
        found = what_it_is(source.stream.read(512))
        source.stream.seek(0)
    except OSError as error:
        raise unreadable(source.path, error) from error
    if found:
        raise InputError(
            f"{source.path}: this is {found}, not {wanted}.",
            hint="Give the file the ending that it should have, or say `format:`.",
        )
