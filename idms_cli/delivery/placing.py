"""Which files of a step are at their place, on disk before and after each is renamed: so that none comes twice."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from idms_cli.config.replacing import replace_file

FILE_NAME = "placed.json"


@dataclass(frozen=True)
class Placed:
    """A file that is, or is about to be, under its final name."""

    name: str
    size: int
    inode: int = 0
    """Of the copy; 0 where it has none that anybody could see."""


class Placing:
    """The note in a step's folder."""

    def __init__(self, folder: Path) -> None:
        """What an earlier attempt left is there. Raises `OSError`."""
        self._path = folder / FILE_NAME
        self.done: list[Placed] = []
        self.intent: Placed | None = None
        """The file whose copy is whole and that is renamed next, or was: see whether the copy is still there."""
        if self._path.exists():
            told = json.loads(self._path.read_bytes())
            self.done = [Placed(**one) for one in told["done"]]
            self.intent = Placed(**told["intent"]) if told["intent"] else None

    @property
    def number(self) -> int:
        """How many files are at their place."""
        return len(self.done)

    def intend(self, placed: Placed) -> Placed:
        """This one is renamed next: on disk when it returns."""
        self.intent = placed
        self._write()
        return placed

    def rename(self, name: str) -> None:
        """It is to have another name."""
        if self.intent is not None and self.intent.name != name:
            self.intend(replace(self.intent, name=name))

    def forget(self) -> None:
        """What was intended will not be done, and its copy goes: on disk when it returns."""
        self.intent = None
        self._write()

    def has_placed(self) -> None:
        """What was intended is done: on disk when it returns."""
        if self.intent is not None:
            self.done.append(self.intent)
            self.intent = None
            self._write()

    def _write(self) -> None:
        intent = asdict(self.intent) if self.intent else None
        replace_file(self._path, json.dumps({"done": list(map(asdict, self.done)), "intent": intent}).encode())
