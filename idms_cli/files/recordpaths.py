"""Where the records are in a JSON or XML file of which nobody has said it: for a first version of a job."""

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from idms_cli.files import format_of
from idms_cli.files.jsontext import JsonText
from idms_cli.files.packing import open_text
from idms_cli.files.source import Source
from idms_cli.files.text import chunks, marked_encoding

Names = tuple[str, ...]

_DEEPEST = 8
_MOST_PATHS = 10_000


def found_places(path: Path) -> dict[str, str]:
    """The keys of `source:` that say where the records of a file most likely are; none where it needs none.

    The longest list of objects in a JSON object; in XML the elements with something in them that are repeated most.
    Raises `InputError` as opening the file does.
    """
    file_format = format_of(path)
    if file_format == "json":
        with open_text(path, "JSON") as source:
            text = _json(source)  # in a variable, since it would close the file when it is dropped
            lists = lists_of_objects(text)
        return {"records": max(lists, key=lambda place: lists[place])} if lists else {}
    if file_format == "xml":
        with open_text(path, "XML") as source:
            record = _repeated(source)
        return {"record": record} if record else {}
    return {}


def _json(source: Source) -> JsonText:
    encoding = marked_encoding(source) or "utf-8"
    source.stream.seek(0)
    return JsonText(source.path, io.TextIOWrapper(source.stream, encoding=encoding, newline=""))


def lists_of_objects(text: JsonText) -> dict[str, int]:
    """The places of all lists of objects in the object that comes next, as `data.members`, and how long each is."""
    return dict(_lists(text, ())) if text.peek() == "{" else {}


def _lists(text: JsonText, path: Names) -> Iterator[tuple[str, int]]:
    for _ in text.items("{", "}"):
        inner = (*path, text.name())
        match text.peek():
            case "{" if len(inner) < _DEEPEST:
                yield from _lists(text, inner)
            case "[":
                objects = _objects(text)
                if objects and all(name.strip() and "." not in name for name in inner):
                    yield ".".join(inner), objects
            case _:
                text.pass_over()


def _objects(text: JsonText) -> int:
    """How many objects the list has that comes next; 0 when anything else is in it."""
    number, others = 0, False
    for _ in text.items("[", "]"):
        others = others or text.peek() != "{"
        number += 1
        text.value()
    return 0 if others else number


class _Paths:
    """Counts the elements of a document by their path, and notes which have anything but text in them."""

    def __init__(self) -> None:
        self.counts: Counter[Names] = Counter()
        self.with_parts: set[Names] = set()
        self._path: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.with_parts.add(tuple(self._path))
        self._path.append(name)
        path = tuple(self._path)
        if path in self.counts or len(self.counts) < _MOST_PATHS:
            self.counts[path] += 1
        if attributes:
            self.with_parts.add(path)

    def end(self, _name: str) -> None:
        self._path.pop()

    def best(self) -> Names:
        found = [path for path in self.counts if len(path) > 1 and path in self.with_parts and self._is_alone(path)]
        return max(found, key=lambda path: (self.counts[path], -len(path)), default=())

    def _is_alone(self, path: Names) -> bool:
        """Whether what stands around it is there once, so that the records are not parts of other records."""
        return all(self.counts[path[:length]] == 1 for length in range(1, len(path)))


def _repeated(source: Source) -> str:
    paths, parser = _Paths(), expat.ParserCreate()
    parser.StartElementHandler = paths.start
    parser.EndElementHandler = paths.end
    parser.StartDoctypeDeclHandler = _stop
    try:
        for chunk in chunks(source):
            parser.Parse(chunk, False)
    except (expat.ExpatError, LookupError, ValueError):  # whoever opens the file next says what is wrong with it
        return ""
    return "/".join(paths.best())


def _stop(*_declared: object) -> None:
    raise ValueError("a DOCTYPE")
