"""How fast a run goes, and how long it will take: from what it told at the moments at which somebody looked."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from idms_cli.reports.stage import Stage

WINDOW_S = 60.0
"""So far back speed is measured: a run that slows down is soon told as slow."""


class Speed(NamedTuple):
    """None where nobody can say yet."""

    per_s: float | None = None
    left_s: float | None = None


@dataclass
class Pace:
    """What was seen of one run."""

    _seen: deque[tuple[float, int]] = field(default_factory=deque)
    _doing: str = ""

    def see(self, stage: Stage, at_s: float) -> Speed:
        """How fast it is now, at a moment of a clock that only goes forward. Another stage is measured anew."""
        if stage.doing != self._doing:
            self._seen.clear()
            self._doing = stage.doing
        self._seen.append((at_s, stage.done))
        while self._seen[0][0] < at_s - WINDOW_S:
            self._seen.popleft()
        since, done = self._seen[0]
        if at_s <= since or stage.done <= done:
            return Speed()
        per_s = (stage.done - done) / (at_s - since)
        return Speed(per_s, None if stage.total is None else max(0, stage.total - stage.done) / per_s)
