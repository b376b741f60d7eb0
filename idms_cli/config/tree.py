"""YAML events become a tree of values with their places, in one pass with limits; no composer, no recursion.

PyYAML's composer recurses in C: 100,000 `[` end the process with a segmentation fault. Events do not recurse.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from idms_cli.config.foreign import shortened
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.scalars import plain_value
from idms_cli.config.yaml_faults import is_too_deep, yaml_fault

MAX_DEPTH = 40
MAX_NODES = 200_000
MAX_PROBLEMS = 50

Place = tuple[int, int]
"""Line and column, from 1."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, eq=False)
class Node:
    """A value, where it stands, and what it holds."""

    data: Any
    place: Place
    key_place: Place | None = None
    """Where the key stands that leads here; None in a list and at the top."""
    children: Mapping[str | int, "Node"] | None = None
    """By key or index; None for a scalar."""


def read_tree(text: str, path: str, loader: Any = _LOADER) -> Node:
    """The tree of one YAML document whose top is a mapping. Raises `ProblemsFound` with all that could be told."""
    reader = _Reader(path)
    try:
        for event in yaml.parse(text, Loader=loader):
            reader.read(event)
    except yaml.YAMLError as error:
        if loader is not yaml.SafeLoader and is_too_deep(error):
            return read_tree(text, path, yaml.SafeLoader)
        reader.problems.append(yaml_fault(error, text, path))
    except _StopReadingError:
        pass
    except (ValueError, OverflowError):  # PyYAML's own parser, on escapes and versions with absurd numbers
        reader.problems.append(Problem(path, 1, 1, "this is not valid YAML: a number in it is absurd"))
    if reader.problems:
        raise ProblemsFound(reader.problems)
    if reader.root is None or reader.root.data is None:
        raise ProblemsFound([Problem(path, 1, 1, "the file is empty", "write at least one 'key: value'")])
    if not isinstance(reader.root.data, dict):
        line, column = reader.root.place
        raise ProblemsFound(
            [
                Problem(
                    path,
                    line,
                    column,
                    "the top of the file must be keys with values",
                    "write 'key: value', with a space after ':'",
                )
            ]
        )
    return reader.root


class _StopReadingError(Exception):
    """The file is beyond a limit: its problem is noted, and nothing more is read."""


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    node: Node
    children: dict[str | int, Node]
    at_value: bool = False
    """In a mapping: the key has been read, its value comes next."""
    key: str | None = None
    """None when that key was refused; its value is then read for its own problems, and dropped."""
    key_place: Place | None = None


@dataclass(slots=True)
class _Reader:
    """Takes one event after another; holds what is open, what was found wrong, and the top of the tree."""

    path: str
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, Problem] = field(default_factory=dict)
    """What was told of each anchor."""
    open: list[_Open] = field(default_factory=list)
    nodes: int = 0
    documents: int = 0

    def read(self, event: yaml.Event) -> None:
        """Add one event to the tree."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._count(event)
            self._refuse_labels(event)
            self._refuse_half_characters(event)
            self._add(event)

    def _start_document(self, event: yaml.Event) -> None:
        self.documents += 1
        if self.documents > 1:
            self._note(_place(event), "a second document starts here", "keep one document in one file")
            raise _StopReadingError

    def _count(self, event: yaml.Event) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._note(_place(event), f"the file has more than {MAX_NODES:,} values", "split it into several files")
            raise _StopReadingError

    def _refuse_labels(self, event: yaml.NodeEvent) -> None:
        """Aliases make 400 bytes into gigabytes, tags can mean anything: neither has a use here.

        Their names are not told: an unquoted password may start with `*`, `&` or `!`.
        """
        if isinstance(event, yaml.AliasEvent):
            self._refuse_alias(event)
        elif event.anchor is not None:
            self._note(_place(event), "an anchor ('&') is not allowed here", "delete it, or put the value in quotes")
            self.anchors[event.anchor] = self.problems[-1]
        if getattr(event, "tag", None) is not None:
            self._note(_place(event), "a tag ('!') is not allowed here", "delete it, or put the value in quotes")

    def _refuse_alias(self, event: yaml.AliasEvent) -> None:
        """A file that uses them on purpose may do so a thousand times: that is told once, and it is read no further."""
        anchor = self.anchors.get(event.anchor or "")
        if anchor is None:
            self._note(_place(event), "an alias ('*') is not allowed here", "write the value out, or put it in quotes")
            return
        self.problems = [problem for problem in self.problems if problem not in self.anchors.values()]
        what = f"anchors ('&') and aliases ('*') are not read; this one stands for the value in line {anchor.line}"
        self._note(_place(event), what, "write the values out")
        raise _StopReadingError

    def _refuse_half_characters(self, event: yaml.NodeEvent) -> None:
        """PyYAML's own parser takes "\\ud83d" for text; such text can be neither stored nor sent."""
        if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            self._note(_place(event), "an escape with '\\' that is no character", "write the character itself")

    def _add(self, event: yaml.NodeEvent) -> None:
        node = Node(_data(event), _place(event))
        self._attach(node, event)
        if not isinstance(event, yaml.CollectionStartEvent):
            return
        if len(self.open) >= MAX_DEPTH:
            self._note(node.place, f"nested too deeply (more than {MAX_DEPTH} levels)", "make the file flatter")
            raise _StopReadingError
        children: dict[str | int, Node] = {}
        node.children = children
        self.open.append(_Open(node, children))

    def _attach(self, node: Node, event: yaml.NodeEvent) -> None:
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if isinstance(parent.node.data, list):
            parent.children[len(parent.node.data)] = node
            parent.node.data.append(node.data)
        elif not parent.at_value:
            parent.at_value = True
            parent.key, parent.key_place = self._key(node, event, parent), node.place
        else:
            parent.at_value = False
            if parent.key is not None:
                node.key_place = parent.key_place
                parent.children[parent.key] = node
                parent.node.data[parent.key] = node.data

    def _key(self, node: Node, event: yaml.NodeEvent, parent: _Open) -> str | None:
        """The key as text; None when it is refused."""
        if isinstance(event, yaml.CollectionStartEvent | yaml.AliasEvent):
            self._note(node.place, "a key must be a plain word", 'a template needs quotes: "{{ name }}"')
            return None
        if not isinstance(node.data, str):
            written = shortened(str(getattr(event, "value", "")))
            what = f"the key '{written}' is not text" if written else "the key is missing before ':'"
            self._note(node.place, what, f'put it in quotes: "{written}"' if written else "write a word before ':'")
            return None
        if node.data == "<<" and _is_plain(event):
            self._note(node.place, "the merge key '<<' is not allowed here", "write the keys out")
            return None
        first = parent.children.get(node.data)
        if first is not None and first.key_place is not None:
            message = f"the key '{shortened(node.data)}' is here twice; it stands in line {first.key_place[0]} already"
            self._note(node.place, message, "delete one of the two")
            return None
        return node.data

    def _note(self, place: Place, message: str, hint: str) -> None:
        self.problems.append(Problem(self.path, *place, message, hint))
        if len(self.problems) == MAX_PROBLEMS:
            self.problems.append(Problem(self.path, *place, "there are more problems after this one"))
            raise _StopReadingError


def _data(event: yaml.NodeEvent) -> Any:
    if isinstance(event, yaml.ScalarEvent):
        return plain_value(event.value) if _is_plain(event) else event.value
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    return {} if isinstance(event, yaml.MappingStartEvent) else None


def _is_plain(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and bool(event.implicit[0])


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
