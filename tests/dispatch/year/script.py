"""What happens in the simulated year: people, a clock and a machine that misbehave; drawn from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from zlib import crc32

from tests.dispatch.year.files import File, draw_file, minutely
from tests.dispatch.year.schedules import DAY, HOUR, MINUTE

MINUTELY = "minutely"


@dataclass(frozen=True)
class Step:
    """Something that happens at a moment of true time (seconds since 1970)."""

    at: int
    what: str
    """tick, clock, boot, write, remove, rename; or a command: pause, resume, disable, enable."""
    job: str = ""
    file: File | None = None
    number: int = 0
    """Callers of a tick; seconds that the clock is ahead; seconds until a pause ends."""
    other: str = ""
    """The new name of a file."""


def fate(job: str, due: int) -> tuple[int, str]:
    """How long the run of a slot takes (seconds), and how it ends."""
    luck, kind = crc32(f"{job} {due}".encode()), crc32(job.encode())
    length = 20 + luck % 500
    if kind % 3 == 0 and luck % 4 == 0:
        length = HOUR + luck % (8 * HOUR)
    chance = luck // 7 % 100
    failing = 50 if kind % 5 == 0 else 4
    return length, "failed" if chance < failing else "partial" if chance < failing + 6 else "completed"


@dataclass(frozen=True)
class Plan:
    """How long is simulated, and how much happens."""

    seed: int
    start: int
    """Seconds since 1970, midnight in UTC."""
    days: int
    jobs: int
    trouble: float = 1.0
    """How many times as much goes wrong as in a bad year."""
    people: float = 1.0
    """How many times as often somebody edits a file or gives a command: every four hours."""
    lost: float = 0.02
    """The share of ticks that never come."""

    @property
    def end(self) -> int:
        return self.start + self.days * DAY


class Script:
    """All that happens, in order."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._chance = Random(plan.seed)
        self._files: dict[str, File] = {}
        self._number = 0
        self._silent_until = plan.start
        self._right_again = 0
        """When the clock, which is wrong now, will be set right; 0 while it is right."""
        self._is_clock_known = True
        """Whether a tick has seen what the clock was set to."""

    def steps(self) -> Iterator[Step]:
        plan = self._plan
        yield Step(plan.start, "write", MINUTELY, minutely(plan.start))
        for _ in range(plan.jobs):
            yield self._write_new(plan.start)
        for minute in range(plan.start, plan.end, MINUTE):
            if minute == plan.start + 3 * HOUR:
                self._silent_until = minute + 18 * HOUR
            if minute < self._silent_until:
                continue
            if minute < self._silent_until + MINUTE:
                for _ in range(plan.jobs // 8):  # meanwhile there were people at work
                    yield from self._somebody(minute)
            yield from self._minute(minute)

    def _minute(self, minute: int) -> Iterator[Step]:
        chance, now = self._chance, minute + self._chance.choice((0, 0, 1, 2, 20, 50))
        yield from self._clock_is_set(minute)
        if self._happens(0.0002):
            self._silent_until = now + chance.choice((5, 20, 20, 120, 540, 1800)) * MINUTE
            return
        if self._happens(0.0004):
            self._silent_until = now + chance.randint(1, 40) * MINUTE
            yield Step(now, "boot")
            return
        if chance.random() < 0.004 * self._plan.people:
            yield from self._somebody(minute)
        if chance.random() < self._plan.lost:
            return
        # Of two at once right after the clock was set, the one that comes later claims or not: nobody can say which.
        yield Step(now, "tick", number=chance.choice((1,) * 60 + (2, 3)) if self._is_clock_known else 1)
        self._is_clock_known = True
        if chance.random() < 0.02:
            yield Step(now + 1, "tick", number=1)

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability * self._plan.trouble

    def _clock_is_set(self, minute: int) -> Iterator[Step]:
        chance = self._chance
        if self._right_again and minute >= self._right_again:
            self._right_again, self._is_clock_known = 0, False
            yield Step(minute, "clock")
        elif not self._right_again and self._happens(0.0003):
            self._right_again, self._is_clock_known = minute + chance.randint(3, 200) * MINUTE, False
            ahead = chance.choice((90, 5 * MINUTE, HOUR, 5 * HOUR, DAY)) * chance.choice((1, -1))
            yield Step(minute, "clock", number=ahead)

    def _somebody(self, at: int) -> Iterator[Step]:
        """A person edits a file or gives a command."""
        chance = self._chance
        job = chance.choice(list(self._files))
        file = replace(self._files[job], note=self._files[job].note + 1)
        edits = ("note", "rules", "rules", "rules", "enabled", "broken", "broken", "new")
        what = chance.choice((*edits, "pause", "pause", "command", "command", "command"))
        if what == "new" and len(self._files) >= self._plan.jobs:
            what = chance.choice(("remove", "rename"))
        if what == "new":
            yield self._write_new(at)
        elif what == "remove":
            del self._files[job]
            yield Step(at, "remove", job)
        elif what == "rename":
            self._number += 1
            self._files[f"job{self._number:04}"] = self._files.pop(job)
            yield Step(at, "rename", job, other=f"job{self._number:04}")
        elif what == "pause":
            yield Step(at, "pause", job, number=chance.choice((0, HOUR, 30 * HOUR)))
        elif what == "command":
            yield Step(at, chance.choice(("disable", "enable", "enable", *("resume",) * 4)), job)
        else:
            if what == "rules":
                file = replace(file, rules=draw_file(chance, [], 0, at).rules)
            file = replace(
                file, enabled=not file.enabled if what == "enabled" else file.enabled or chance.random() < 0.5
            )
            file = replace(file, is_broken=what == "broken" and not file.is_broken)
            self._files[job] = file
            yield Step(at, "write", job, file)

    def _write_new(self, at: int) -> Step:
        self._number += 1
        name = f"job{self._number:04}"
        free = [job for job, file in self._files.items() if not file.rules.after or self._chance.random() < 0.3]
        self._files[name] = draw_file(self._chance, free, self._number, at)
        return Step(at, "write", name, self._files[name])
