"""One record of a run: what the plan says of it, that it is about to be sent, what became of it.

A record is known by its place: the line of the source, and its part, since one line may act on several records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idms_cli.imis.kinds import Key
from idms_cli.imis.properties import Value
from idms_cli.records.faults import Fault

MOST_PARTS = 100_000
"""A line acts on no more records than this; with the most lines of the most files they fit into 63 bits."""


def place_of(line: int, part: int = 0) -> int:
    """The place as one number: records stand in the order of the source."""
    return line * MOST_PARTS + part


@dataclass(frozen=True)
class Entry:
    """What the plan says of one record."""

    line: int
    state: str
    action: str = ""
    key: Key | None = None
    match: Mapping[str, Value] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    changes: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    sent_at: float | None = None
    part: int = 0
    """Which of the records that the row in this line acts on: 0, 1, ..."""

    @property
    def acts_on_record(self) -> bool:
        """Whether it is about one that is there: to be written, or found as it should be."""
        return self.key is not None and self.state in ("planned", "unchanged")

    @property
    def wanted(self) -> Mapping[str, Value]:
        """What is to become of the properties that change; empty for a delete."""
        return {} if self.action == "delete" else {name: new for name, (_, new) in self.changes.items()}

    def became(
        self,
        state: str,
        *faults: Fault,
        key: Key | None = None,
        changes: Mapping[str, tuple[Value, Value]] | None = None,
    ) -> "Verdict":
        """The verdict on this record; what is not given stays as the plan said."""
        return Verdict(self.line, state, self.action, key, changes, faults or None, self.part)


@dataclass(frozen=True)
class Intent:
    """A write that is about to be sent, with the object as it is before it."""

    line: int
    before: Any
    at: float
    part: int = 0


@dataclass(frozen=True)
class Verdict:
    """What became of a record. What is None stays as the plan said."""

    line: int
    state: str
    action: str = ""
    """The entry's: insert, update or delete."""
    key: Key | None = None
    changes: Mapping[str, tuple[Value, Value]] | None = None
    faults: tuple[Fault, ...] | None = None
    part: int = 0


LEFT = "left"


def word_for(state: str, action: str) -> str:
    """The name in `Counts` of a record in a state."""
    if state in ("planned", "sending"):
        return LEFT
    if state == "done":
        return {"insert": "inserted", "update": "updated", "delete": "deleted"}[action]
    return state
