"""What became of each step of a transfer, and of its rows: a small file in the run's directory, whole at any moment."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from idms_cli.config.replacing import replace_file

FILE_NAME = "steps.json"

State = Literal["pending", "making", "delivering", "delivered", "failed", "skipped", "unknown", "rehearsed"]
OVER: frozenset[State] = frozenset({"delivered", "failed", "skipped", "unknown", "rehearsed"})

FILES_KEPT = 20
"""Of so many files of a step the journal knows the names."""

PLACES_KEPT = 10_000
"""Of so many rows at most that a step refused the journal knows the places."""


@dataclass(frozen=True)
class Made:
    """A file that a step delivers, as it lies in the run's directory."""

    name: str
    path: str
    size: int
    rows: int


@dataclass(frozen=True)
class StepRow:
    """One step."""

    name: str
    to: str
    """Where it goes, in a few words."""
    when: str
    state: State = "pending"
    attempts: int = 0
    began_at: float | None = None
    """UTC seconds, of the first attempt."""
    ended_at: float | None = None
    rows: int = 0
    """That it was to deliver."""
    refused: int = 0
    """Of these, or of the people a mail goes to, that did not take it."""
    refused_rows: tuple[int, ...] | None = ()
    """Their places, from 1; None where they are not known, or too many to be kept."""
    files: tuple[Made, ...] = ()
    """The first ones that were made for it."""
    made: int = 0
    """How many were made."""
    address: str = ""
    """Where it is now, as the destination tells it."""
    items: int = 0
    """Files, requests, rows of a table or mails that were delivered."""
    size: int = 0
    """Bytes; 0 where nobody knows."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """More figures of the destination, by name."""
    reason: str = ""
    """Why it failed or was skipped, or why nobody knows."""
    hint: str = ""
    exit_code: int = 0
    by_run: int | None = None
    """The earlier run that delivered it, where this one does what is left of that."""

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def went_well(self) -> bool:
        return self.state in ("delivered", "rehearsed") and not self.refused

    @property
    def has_delivered(self) -> bool:
        """Whether something certainly arrived; of what was refused as a whole the step has failed."""
        return self.state == "delivered"

    @property
    def refusals(self) -> str:
        """How much of it was refused, in words: of the rows where that is known, else of whatever it sends."""
        if not self.refused:
            return ""
        return (
            f"{self.refused:,} refused"
            if self.refused_rows is None
            else f"{self.refused:,} of {self.rows:,} rows refused"
        )

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "StepRow":
        places = data["refused_rows"]
        files = tuple(Made(**file) for file in data["files"])
        return cls(**{**data, "files": files, "refused_rows": None if places is None else tuple(places)})


@dataclass(frozen=True)
class Steps:
    """All steps of a run, and what became of the rows before them."""

    rows: Mapping[str, int]
    """`read`, `rejected`, `selected`; with `delta:` also `new`, `changed`, `unchanged`, `vanished`, with `since:`
    `older`: read + vanished = rejected + older + unchanged + selected."""
    steps: tuple[StepRow, ...]
    is_dry: bool = False
    would_be_held: str = ""
    """Why a real run would be held."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """How often the site was asked."""

    @property
    def is_begun(self) -> bool:
        """Whether a step may have delivered something."""
        return any(step.attempts for step in self.steps)

    def with_step(self, index: int, **changes: Any) -> "Steps":
        """One step changed."""
        steps = list(self.steps)
        steps[index] = replace(steps[index], **changes)
        return replace(self, steps=tuple(steps))

    def counts(self) -> dict[str, int]:
        """The figures of the run; over: steps = the sum of the four after it."""
        states = [step.state for step in self.steps]
        left = sum(not step.is_over for step in self.steps)
        return {
            **self.rows,
            **self.calls,
            "steps": len(self.steps),
            **{f"steps_{state}": states.count(state) for state in ("delivered", "failed", "skipped", "unknown")},
            "steps_left": left,
            "refused": sum(step.refused for step in self.steps),
            "items": sum(step.items for step in self.steps),
            "bytes": sum(step.size for step in self.steps),
        }


def write_steps(directory: Path, steps: Steps) -> None:
    """Durable when this returns. Raises `OSError`."""
    replace_file(directory / FILE_NAME, json.dumps(asdict(steps)).encode())


def read_steps(directory: Path) -> Steps | None:
    """None when the run has none (yet), or is no transfer. Raises `OSError` and `ValueError` when it cannot be read."""
    try:
        told = json.loads((directory / FILE_NAME).read_bytes())
    except FileNotFoundError:
        return None
    return Steps(**{**told, "steps": tuple(StepRow.of(one) for one in told["steps"])})


def has_steps(directory: Path) -> bool:
    """Whether there is a journal of steps in a run's directory."""
    return (directory / FILE_NAME).exists()
