"""What of a job's words does not fit the rows or the site that they are about: only the run can tell."""

from collections.abc import Sequence
from typing import NamedTuple


class Misfit(NamedTuple):
    """One word that does not fit."""

    key: tuple[str | int, ...]
    """Where it stands, below the key that the part was made of."""
    message: str
    hint: str = ""
    on_key: bool = False
    """It is the key that is wrong, not its value."""


class Misfits(ValueError):
    """All that does not fit; whoever has the job file makes problems of it, each with its place."""

    def __init__(self, found: Sequence[Misfit]) -> None:
        super().__init__("; ".join(one.message for one in found))
        self.found = tuple(found)
