"""XML as a table: the elements of one path are the records; streaming, and nothing external is ever read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.parsers import expat

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files import Table
from idms_cli.files.options import FileOptions
from idms_cli.files.packing import open_text
from idms_cli.files.shape import Record, record_table
from idms_cli.files.source import Source
from idms_cli.files.text import LINE_LIMIT, chunks, decoded, marked_encoding
from idms_cli.files.xmlvalues import Element, as_record

DEPTH = 32
"""Elements inside elements, from the root."""

_CHUNK = 64 * 1024
_MOST_NAMES = 50
_ENDS_EARLY = {
    expat.errors.codes[word]
    for word in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}
_NO_DOCTYPE = "XML with a DOCTYPE can bring entities from elsewhere, or without end; have it written without one."
_SAY_ENCODING = "Say in the job what it is written in, for example `encoding: shift_jis`, or have it written as UTF-8."
_MEND = "Check that the file was written, and copied, to its end."


@contextmanager
def open_xml(path: Path, options: FileOptions, *, shown: Path | None = None) -> Iterator[Table]:
    """Open an XML file; the records are numbered from 1. Names keep their prefix, namespaces are not looked at.

    Raises `InputError` as `Opener` says; while it is read also for what is no XML, for a DOCTYPE, for elements nested
    deeper than `DEPTH`, and for a record of more than `LINE_LIMIT` bytes.
    """
    with open_text(path, "XML", shown=shown) as source:
        yield record_table(source, lambda: _records(source, options), options)


def _records(source: Source, options: FileOptions) -> Iterator[Record]:
    reader = _Reader(source.path, options)
    number = 0
    for piece in _pieces(source, options.encoding):
        for element in reader.feed(piece):
            number += 1
            yield as_record(element, number=number, join=options.join)
    reader.close(found=number)


def _pieces(source: Source, declared: str | None) -> Iterator[bytes]:
    """As UTF-8 where the job says the encoding; else as they are, since an XML file says it itself."""
    if declared is None:
        yield from chunks(source, _CHUNK)
        return
    for text in decoded(source, marked_encoding(source) or declared, _CHUNK):
        yield text.encode()


class _WantedPath:
    """The path of the elements that are records, and whether a file without them is simply empty."""

    def __init__(self, written: str) -> None:
        self.names = written.removeprefix("/").split("/")
        self._from_root = written.startswith("/")
        self._parent_seen = False
        self._others_seen = False

    @property
    def may_be_empty(self) -> bool:
        """Whether the element in which records belong is there, and has nothing in it."""
        return self._parent_seen and not self._others_seen

    def is_at(self, path: list[str]) -> bool:
        """Whether an element with these names, from the root to its own, is a record."""
        *parents, own = self.names
        if parents and self._ends(path[:-1], parents):
            self._others_seen = self._others_seen or path[-1] != own
            return path[-1] == own
        if parents and self._ends(path, parents):
            self._parent_seen = True
        return not parents and self._ends(path, self.names)

    def _ends(self, path: list[str], names: list[str]) -> bool:
        if self._from_root:
            return path == names
        return path[-len(names) :] == names


class _Reader:
    """Takes bytes, gives the elements that are records. What stands around them is not kept."""

    def __init__(self, path: Path, options: FileOptions) -> None:
        self._file = path
        self._wanted = _WantedPath(options.record or "")
        self._path: list[str] = []
        self._open: list[Element] = []
        """The record that is being read and the elements in it that are not closed yet."""
        self._done: list[Element] = []
        self._names: dict[str, None] = {}
        self._begun = 0
        """The byte at which the record that is being read begins."""
        self._fed = 0
        self._parser = self._new_parser("utf-8" if options.encoding else None)

    def _new_parser(self, encoding: str | None) -> expat.XMLParserType:
        parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        return parser

    def feed(self, chunk: bytes) -> list[Element]:
        """The records that end in this piece of the file."""
        self._parse(chunk, is_last=False)
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > LINE_LIMIT:
            raise self._error(f"what begins here is longer than {LINE_LIMIT:,} bytes, or no XML")
        if self._open and self._fed - self._begun > LINE_LIMIT:
            raise self._error(f"a record is longer than {LINE_LIMIT:,} bytes", hint="Check `record:`.")
        done, self._done = self._done, []
        return done

    def close(self, *, found: int) -> None:
        """Raise `InputError` for a file that ends too early, or has none of the records that were looked for."""
        self._parse(b"", is_last=True)
        if not found and not self._wanted.may_be_empty:
            near = did_you_mean(self._wanted.names[-1], self._names)
            hint = near or f"Some that there are: {', '.join(map(shortened, list(self._names)[:10]))}."
            raise InputError(f"{self._file}: there is no element '{'/'.join(self._wanted.names)}'.", hint=hint)

    def _parse(self, chunk: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            raise self._no_xml(error) from error
        except (LookupError, ValueError) as error:  # expat knows UTF-8, UTF-16 and encodings of single bytes
            raise self._error(f"the text cannot be decoded: {error}", hint=_SAY_ENCODING) from error

    def _no_xml(self, error: expat.ExpatError) -> InputError:
        reason = expat.ErrorString(error.code)
        if error.code in _ENDS_EARLY:
            reason = "the document ends in the middle"
        return InputError(f"{self._file}:{error.lineno}: this is not XML: {reason}.", hint=_MEND)

    def _error(self, message: str, *, hint: str = _MEND) -> InputError:
        return InputError(f"{self._file}:{self._parser.CurrentLineNumber}: {message}.", hint=hint)

    def _refuse_doctype(self, *_declared: object) -> None:
        raise self._error("there is a DOCTYPE, which is not read", hint=_NO_DOCTYPE)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > DEPTH:
            raise self._error(f"elements are nested deeper than {DEPTH}")
        if self._open:
            element = Element(name, attributes)
            self._open[-1].parts.append(element)
            self._open.append(element)
        elif self._wanted.is_at(self._path):
            self._begun = self._parser.CurrentByteIndex
            self._open.append(Element(name, attributes))
        if len(self._names) < _MOST_NAMES:
            self._names[name] = None

    def _end(self, _name: str) -> None:
        self._path.pop()
        if self._open:
            element = self._open.pop()
            if not self._open:
                self._done.append(element)

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].parts.append(text)
