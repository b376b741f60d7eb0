"""The bytes of a YAML file become text, or a problem that names the line, the column and the byte."""

import codecs
import re
from typing import NoReturn

from idms_cli.config.problems import Problem, ProblemsFound

MAX_BYTES = 1024 * 1024

_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not allow in a file (https://yaml.org/spec/1.2.2/#51-character-set)."""

_UTF16_STARTS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(data: bytes, path: str) -> str:
    """The text of a UTF-8 file, without a byte order mark.

    Raises `ProblemsFound` when it is too large, empty, UTF-16, not UTF-8 or holds control characters.
    """
    if len(data) > MAX_BYTES:
        _refuse(path, 1, 1, "the file is larger than 1 MiB", "split it into several files")
    if data.startswith(_UTF16_STARTS) or unmarked_utf16(data):
        _refuse(path, 1, 1, "the file is UTF-16 text, not UTF-8", "save it again as UTF-8")
    text = _from_utf8(data.removeprefix(codecs.BOM_UTF8), path)
    found = _NOT_TEXT.search(text)
    if found:
        line, column = _place_after(text[: found.start()])
        code = ord(found.group())
        _refuse(path, line, column, f"a control character (U+{code:04X}) stands in the text", "delete it")
    return text


def unmarked_utf16(data: bytes) -> str:
    """`utf-16-le` or `utf-16-be` where bytes without a mark are probably that; else empty.

    In Western text about every second byte is then NUL. A stray NUL in other text is none of it.
    """
    start = data[:1000]
    odd, even = start[1::2].count(0), start[::2].count(0)
    if max(odd, even) < max(len(start) // 3, 1):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _from_utf8(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place_after(data[: error.start].decode("utf-8"))
        byte = data[error.start]
        _refuse(path, line, column, f"the byte 0x{byte:02X} is not UTF-8", _legacy_hint(byte))


def _legacy_hint(byte: int) -> str:
    meant = bytes([byte]).decode("cp1252", errors="ignore")
    return f"save the file as UTF-8; in Windows-1252 this byte is '{meant}'" if meant else "save the file as UTF-8"


def _place_after(text: str) -> tuple[int, int]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def _refuse(path: str, line: int, column: int, message: str, hint: str) -> NoReturn:
    raise ProblemsFound([Problem(path, line, column, message, hint)])
