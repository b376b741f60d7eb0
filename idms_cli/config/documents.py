"""One YAML file becomes plain Python data that remembers where each value stands; bounded, never recursive."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idms_cli.config.decoding import MAX_BYTES, decoded
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.tree import Node, read_tree

_NOT_REGULAR = "this is not a regular file"

Loc = tuple[str | int, ...]
"""The way to a value: keys of mappings and indexes of lists, from the top."""


@dataclass(frozen=True)
class Document:
    """A YAML file that was read: its data, and the place of every key and value."""

    path: str
    text: str = field(repr=False)
    root: Node = field(repr=False)

    @property
    def data(self) -> Any:
        """The whole document: a dict of dicts, lists, strings, numbers, booleans and None."""
        return self.root.data

    def has(self, loc: Loc) -> bool:
        """Is there a key or list item at exactly this place?"""
        return self._deepest(loc)[1] == len(loc)

    def at(self, loc: Loc) -> Any:
        """The data at exactly this place; None when there is no such place (`has` tells the difference)."""
        node, known = self._deepest(loc)
        return node.data if known == len(loc) else None

    def below(self, loc: Loc) -> "Document":
        """The part at `loc` as a document of its own, whose problems are told at their places in the file."""
        node, known = self._deepest(loc)
        if known != len(loc):
            raise KeyError(loc)
        return Document(self.path, self.text, node)

    def problem(
        self, loc: Loc, message: str, *, hint: str = "", on_key: bool = False, value: str | None = None
    ) -> Problem:
        """A problem with the value at `loc`, or with its key.

        Parts of `loc` that the document does not have are skipped, so that the place is the deepest one known. The
        value shown is the one that stands there when it is a scalar, or `value`: pass "" to hide it.
        """
        node, _ = self._deepest(loc)
        line, column = node.key_place if on_key and node.key_place else node.place
        shown = _scalar_text(node.data) if value is None else value
        return Problem(self.path, line, column, message, hint, shortened(shown))

    def _deepest(self, loc: Loc) -> tuple[Node, int]:
        """The deepest node on the way, and how many parts of `loc` led there."""
        node, known = self.root, 0
        for part in loc:
            child = node.children.get(part) if node.children is not None else None
            if child is not None:
                node, known = child, known + 1
        return node, known


def parse_document(data: bytes, path: str) -> Document:
    """Read one YAML document, whose top is a mapping, from the bytes of the file `path`.

    Raises `ProblemsFound` with every problem that could be told, and nothing else, whatever the bytes are.
    """
    text = decoded(data, path)
    root = read_tree(text, path)
    return Document(path, text, root)


def read_document(path: Path) -> Document:
    """Read the YAML file at `path`, with `parse_document`'s promises; a file that cannot be read is a problem too."""
    try:
        return parse_document(_bytes_of(path), str(path))
    except OSError as error:
        raise ProblemsFound([_unreadable(path, error)]) from error


def _bytes_of(path: Path) -> bytes:
    with open(path, "rb", opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ProblemsFound([Problem(str(path), 1, 1, _NOT_REGULAR, "name a YAML file")])
        return file.read(MAX_BYTES + 1)


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)  # a FIFO would block, a terminal would become ours


def _unreadable(path: Path, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(str(path), 1, 1, "there is no such file", "check the path")
    if isinstance(error, IsADirectoryError):
        return Problem(str(path), 1, 1, _NOT_REGULAR, "name a YAML file")
    if isinstance(error, PermissionError):
        return Problem(
            str(path), 1, 1, "the file may not be read", "give the account that runs idms the right to read it"
        )
    return Problem(str(path), 1, 1, f"the file cannot be read: {error.strerror}", "check the path")


def _scalar_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
