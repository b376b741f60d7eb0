"""JSON Lines as a table: one object on each line, streaming; a line that is no object is a broken row."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idms_cli.files import Table
from idms_cli.files.filetable import lines
from idms_cli.files.jsonvalues import JsonReader, as_record
from idms_cli.files.options import FileOptions
from idms_cli.files.packing import open_text
from idms_cli.files.shape import Record, Unreadable, record_table
from idms_cli.files.source import Source
from idms_cli.files.text import settle

_HINT = "Each line has to be an object by itself. If the file is one JSON document, say `format: json`."


@contextmanager
def open_jsonl(path: Path, options: FileOptions, *, shown: Path | None = None) -> Iterator[Table]:
    """Open a file of JSON Lines (https://jsonlines.org), which is UTF-8 if the job says nothing else.

    Raises `InputError` as `Opener` says.
    """
    with open_text(path, "JSON Lines", shown=shown) as source:
        text = settle(source, options.encoding or "utf-8")
        source.stream.seek(0)
        stream = io.TextIOWrapper(source.stream, encoding=text.encoding)
        yield record_table(source, lambda: _records(source, stream, options.join), options, hint=_HINT)


def _records(source: Source, stream: io.TextIOWrapper, join: str) -> Iterator[Record | Unreadable]:
    reader = JsonReader()
    for number, line in enumerate(lines(source, stream), start=1):
        text = line.strip()
        yield _record(reader, text, line=number, join=join) if text else Record(number, {}, {}, str)


def _record(reader: JsonReader, text: str, *, line: int, join: str) -> Record | Unreadable:
    try:
        decoded = reader.decode(text)
    except json.JSONDecodeError as error:
        return Unreadable(line, "syntax", f"This line is not JSON: {error.msg} (character {error.pos + 1}).", text)
    if decoded.end < len(text):
        return Unreadable(
            line, "syntax", f"Something follows the object on this line (character {decoded.end + 1}).", text
        )
    return as_record(decoded, line=line, text=text, join=join)
