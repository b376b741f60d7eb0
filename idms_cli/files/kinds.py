"""What kind of workbook a file is, by what is in it; and the ones that are refused before anybody opens them."""

import zipfile
from typing import IO, NamedTuple, Self

from idms_cli.files.signatures import what_it_is

UNPACKED_LIMIT = 2 * 1024**3
"""Most bytes that the parts of a workbook may have, unpacked."""

HARMLESS = 16 * 1024**2
RATIO = 100
"""What unpacks to more than `HARMLESS` may be at most so many times as large as the file; sheets are 5 to 30 times."""

_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_OOXML = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 2.3.4.4
_CHUNK = 1024 * 1024


class Refused(Exception):
    """A workbook that is not read, in words."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint

    @classmethod
    def encrypted(cls) -> Self:
        """For one that wants a password."""
        return cls("this workbook is encrypted", "Have it sent without a password, or saved without one.")

    @classmethod
    def damaged(cls, error: Exception) -> Self:
        """For one that cannot be read though it is a workbook."""
        return cls(f"this workbook is damaged, or not the whole of it: {error}", "Check that it was copied to its end.")


class Kind(NamedTuple):
    """What a workbook is."""

    name: str
    """xlsx, xls or ods."""
    has_macros: bool = False


def kind_of(file: IO[bytes]) -> Kind:
    """What a file is. Raises `Refused` for what is no workbook, encrypted, a bomb, or of a kind that is not read."""
    start = file.read(512)
    file.seek(0)
    if start.startswith(_OLE2):
        return _of_ole2(file)
    if start.startswith(b"PK"):
        try:
            with zipfile.ZipFile(file) as archive:
                return _of_zip(archive)
        except zipfile.BadZipFile as error:
            raise Refused.damaged(error) from error
    what = what_it_is(start) or ("text" if start else "an empty file")
    hint = "Open it in a spreadsheet program and save it as .xlsx"
    raise Refused(f"this is {what}, not a workbook", f"{hint}, or say `format: csv`." if what == "text" else f"{hint}.")


def _of_ole2(file: IO[bytes]) -> Kind:
    before = b""
    while chunk := file.read(_CHUNK):
        if _ENCRYPTED_OOXML in before + chunk:
            raise Refused.encrypted()
        before = chunk[-len(_ENCRYPTED_OOXML) :]
    file.seek(0)
    return Kind("xls")


def _of_zip(archive: zipfile.ZipFile) -> Kind:
    names = set(archive.namelist())
    _refuse_bomb(archive)
    if "xl/workbook.bin" in names:
        raise Refused("binary workbooks (.xlsb) are not read", "Save it as .xlsx.")
    if "xl/workbook.xml" in names:
        return Kind("xlsx", has_macros="xl/vbaProject.bin" in names)
    if "content.xml" in names:
        manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
        if b"encryption-data" in manifest:  # OpenDocument 1.2 part 3, 4.8.3
            raise Refused.encrypted()
        return Kind("ods", has_macros=any(name.startswith("Basic/") for name in names))
    raise Refused("this is a zip file, but there is no workbook in it", "Name the file that is in it, with .zip after.")


def _refuse_bomb(archive: zipfile.ZipFile) -> None:
    """By what the file says of itself; one that lies meets the limits of the process that reads it."""
    packed = sum(member.compress_size for member in archive.infolist())
    unpacked = sum(member.file_size for member in archive.infolist())
    limit = min(UNPACKED_LIMIT, max(HARMLESS, RATIO * packed))
    if unpacked > limit:
        size = f"{unpacked / 1024**2:,.0f} MiB"
        times = f"{unpacked // max(packed, 1):,} times its size"
        raise Refused(
            f"unpacked, this workbook has {size}, {times}: it may be a decompression bomb",
            "If its sender can be trusted, save it as CSV and import that.",
        )
