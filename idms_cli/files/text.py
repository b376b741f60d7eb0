"""The bytes of a file as text: settles its encoding, and refuses what is no text before anything is read from it."""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass

from idms_cli.config.decoding import unmarked_utf16
from idms_cli.errors import InputError
from idms_cli.files.source import Source, unreadable

FALLBACK = "cp1252"
"""What files that are not UTF-8 are in practice: what Excel and most exports on Windows write."""

LINE_LIMIT = 1024 * 1024
"""Longest physical line in characters, so that one line without an end cannot fill the memory."""

_CHUNK = LINE_LIMIT

# The order matters: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Text:
    """How to read a file as text. The whole file has been decoded once on trial."""

    encoding: str
    notes: tuple[str, ...]
    has_nul: bool
    """Whether a NUL character stands anywhere in it."""


@dataclass(frozen=True)
class _Trial:
    lines_beyond_ascii: int
    has_nul: bool


def settle(source: Source, declared: str | None) -> Text:
    """Decide how to read the file: its byte order mark, else `declared`, else strict UTF-8, else cp1252 with a note.

    No detector is asked: on short West European names they answer wrongly (charset_normalizer issues 477 and 587).
    Raises `InputError` where a byte cannot be text, or a line is over `LINE_LIMIT`.
    """
    encoding = marked_encoding(source) or declared
    if encoding is not None:
        return Text(encoding, (), _tried(source, encoding).has_nul)
    try:
        trial = _trial(source, "utf-8")
    except UnicodeError:
        _refuse_unmarked_utf16(source)
        trial = _tried(source, FALLBACK)
        return Text(FALLBACK, (_fallback_note(trial.lines_beyond_ascii),), trial.has_nul)
    if trial.has_nul:
        _refuse_unmarked_utf16(source)
    return Text("utf-8", (), trial.has_nul)


def marked_encoding(source: Source) -> str | None:
    """The encoding that the file's byte order mark tells; None without one."""
    source.stream.seek(0)
    start = source.stream.read(4)
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)


def chunks(source: Source, size: int = _CHUNK) -> Iterator[bytes]:
    """The bytes of a file from the first one, in pieces. Raises as `Table.rows` does."""
    source.stream.seek(0)
    while True:
        try:
            chunk = source.stream.read(size)
        except OSError as error:
            raise unreadable(source.path, error) from error
        if not chunk:
            return
        yield chunk


def decoded(source: Source, encoding: str, size: int = _CHUNK) -> Iterator[str]:
    """The text of a file from its first character, in pieces. Raises `InputError` where a byte cannot be text."""
    try:
        yield from _pieces(source, encoding, size)
    except UnicodeError as error:
        raise _undecodable(source, encoding, error) from error


def _tried(source: Source, encoding: str) -> _Trial:
    try:
        return _trial(source, encoding)
    except UnicodeError as error:
        raise _undecodable(source, encoding, error) from error


def _trial(source: Source, encoding: str) -> _Trial:
    """Decode the whole file once, keeping nothing. Raises `UnicodeError`."""
    beyond_ascii, has_nul, line, rest = 0, False, 1, ""
    for text in _with_plain_line_ends(_pieces(source, encoding)):
        if len(rest) + _first_line_length(text) > LINE_LIMIT:
            raise _too_long(source, line)
        has_nul = has_nul or "\0" in text
        *lines, rest = (rest + text).split("\n")
        line += len(lines)
        beyond_ascii += sum(not complete.isascii() for complete in lines)
    return _Trial(beyond_ascii + (not rest.isascii()), has_nul)


def _first_line_length(text: str) -> int:
    end = text.find("\n")
    return len(text) if end < 0 else end


def _pieces(source: Source, encoding: str, size: int = _CHUNK) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    for chunk in chunks(source, size):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _with_plain_line_ends(pieces: Iterator[str]) -> Iterator[str]:
    """With every kind of line end made `\n`."""
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    for text in pieces:
        yield newlines.decode(text)
    yield newlines.decode("", final=True)


def _undecodable(source: Source, encoding: str, error: UnicodeError) -> InputError:
    what = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
    if isinstance(error, UnicodeDecodeError):
        what = f"the byte 0x{error.object[error.start]:02x} is no character there ({error.reason})"
    return InputError(
        f"{source.path}:{_line_of_fault(source, encoding)}: this line cannot be read as {encoding}: {what}.",
        hint="Say in which encoding the file was written, for example `encoding: cp1250`, or save it again as UTF-8.",
    )


def _line_of_fault(source: Source, encoding: str) -> int:
    return 1 + sum(text.count("\n") for text in _with_plain_line_ends(_text_before_fault(source, encoding)))


def _text_before_fault(source: Source, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    for chunk in chunks(source):
        before = decoder.getstate()
        try:
            yield decoder.decode(chunk)
        except UnicodeError:
            decoder.setstate(before)
            yield from _byte_by_byte(decoder, chunk)
            return


def _byte_by_byte(decoder: codecs.IncrementalDecoder, chunk: bytes) -> Iterator[str]:
    """The text up to the fault: decoders do not agree in how they tell its place."""
    for position in range(len(chunk)):
        try:
            yield decoder.decode(chunk[position : position + 1])
        except UnicodeError:
            return


def _refuse_unmarked_utf16(source: Source) -> None:
    """UTF-16 without its mark passes as UTF-8 when it is plain English, else as cp1252: every second byte is NUL."""
    source.stream.seek(0)
    probably = unmarked_utf16(source.stream.read(1000))
    if probably:
        raise InputError(
            f"{source.path}: every second byte is NUL, so this is probably UTF-16 without a byte order mark.",
            hint=f"Say `encoding: {probably}`, or save the file again as UTF-8.",
        )


def _fallback_note(lines: int) -> str:
    return (
        f"Not UTF-8, so read as {FALLBACK}: {lines} {'line has' if lines == 1 else 'lines have'} characters "
        "beyond ASCII. `encoding:` settles it."
    )


def _too_long(source: Source, line: int) -> InputError:
    return InputError(
        f"{source.path}:{line}: this line is longer than {LINE_LIMIT:,} characters.",
        hint="Check that this is a text file with one record a line.",
    )
