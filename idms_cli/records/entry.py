"""One record of a run: what the plan says of it, that it is about to be sent, what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idms_cli.imis.kinds import Key
from idms_cli.imis.properties import Value
from idms_cli.records.faults import Fault


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


@dataclass(frozen=True)
class Intent:
    """A write that is about to be sent, with the object as it is before it."""

    line: int
    before: Any
    at: float


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


LEFT = "left"


def word_for(state: str, action: str) -> str:
    """The name in `Counts` of a record in a state."""
    if state in ("planned", "sending"):
        return LEFT
    if state == "done":
        return {"insert": "inserted", "update": "updated", "delete": "deleted"}[action]
    return state
