"""One JSON document as a table: its list of records is read object by object, so that memory stays flat."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files import Table
from idms_cli.files.jsontext import JsonText
from idms_cli.files.jsonvalues import as_record
from idms_cli.files.options import FileOptions
from idms_cli.files.packing import open_text
from idms_cli.files.recordpaths import lists_of_objects
from idms_cli.files.shape import Record, Unreadable, record_table
from idms_cli.files.text import marked_encoding


@contextmanager
def open_json(path: Path, options: FileOptions, *, shown: Path | None = None) -> Iterator[Table]:
    """Open a JSON document, which is UTF-8 if the job says nothing else; the records are numbered from 1.

    Raises `InputError` as `Opener` says; while it is read also for what is no JSON, since nobody can tell where the
    next record begins.
    """
    with open_text(path, "JSON", shown=shown) as source:
        encoding = marked_encoding(source) or options.encoding or "utf-8"
        source.stream.seek(0)
        stream = io.TextIOWrapper(source.stream, encoding=encoding, newline="")

        def records() -> Iterator[Record | Unreadable]:
            stream.seek(0)
            return _Walk(JsonText(source.path, stream), options).records()

        yield record_table(source, records, options)


class _Walk:
    """One way through a document, to the list of records and on to the end."""

    def __init__(self, text: JsonText, options: FileOptions) -> None:
        self._text = text
        self._path = options.records.split(".") if options.records else []
        self._join = options.join

    def records(self) -> Iterator[Record | Unreadable]:
        if not self._text.peek():
            raise self._text.error("there is nothing in this file", hint="An empty list of records is written `[]`.")
        yield from self._from(self._path)
        if self._text.peek():
            raise self._text.error(
                "something follows the end of the document",
                hint="If each line is an object by itself, say `format: jsonl`.",
            )

    def _from(self, path: list[str]) -> Iterator[Record | Unreadable]:
        if path:
            yield from self._inside_object(path[0], path[1:])
        elif self._text.peek() == "{":
            raise self._no_list()
        else:
            yield from self._inside_list()

    def _inside_list(self) -> Iterator[Record | Unreadable]:
        for number, _ in enumerate(self._text.items("[", "]", hint=_SAY_WHERE), start=1):
            decoded, text = self._text.value()
            yield as_record(decoded, line=number, text=text, join=self._join)

    def _inside_object(self, wanted: str, rest: list[str]) -> Iterator[Record | Unreadable]:
        names: list[str] = []
        for _ in self._text.items("{", "}", hint=_SAY_WHERE):
            name = self._text.name()
            if name == wanted and wanted in names:
                raise self._text.error(
                    f"'{shortened(name)}' is there twice", hint="Nobody can tell which one is meant."
                )
            names.append(name)
            if name == wanted:
                yield from self._from(rest)
            else:
                self._text.pass_over()
        if wanted not in names:
            near = did_you_mean(wanted, names)
            listed = f"There are: {', '.join(map(shortened, names[:10]))}." if names else ""
            raise self._text.error(f"there is no '{shortened(wanted)}' in this object", hint=near or listed)

    def _no_list(self) -> InputError:
        place, lists = self._text.place(), list(lists_of_objects(self._text))
        if self._text.peek() == "{":
            return self._text.error(
                "there is an object after the other", hint="This is JSON Lines: say `format: jsonl`."
            )
        hint = f"{_SAY_WHERE} Lists in it: {', '.join(map(shortened, lists[:10]))}." if lists else _SAY_WHERE
        return InputError(f"{place}: here is one object, and a list of records is wanted.", hint=hint)


_SAY_WHERE = "Say where the list of records is, for example `records: data.members`."
