"""Random cron expressions of all notations that idms and cronsim have in common."""

import random
from datetime import datetime, timedelta
from typing import Final

MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS: Final = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


class RandomCrontab:
    """Expressions drawn from a seed, most of them near a reading of the clock."""

    def __init__(self, *, near: datetime, seed: str) -> None:
        self.random = random.Random(seed)
        self.near = near

    def expression(self) -> str:
        days = [self.near + timedelta(days=count) for count in (-1, 0, 1)]
        near_hours = [(self.near + timedelta(hours=count)).hour for count in (-3, -2, -1, 0, 1)]
        month = self._field(1, 12, near=[day.month for day in days], star=0.8)
        weekday = self._field(0, 7, near=[day.isoweekday() for day in days], star=0.7)
        return " ".join(
            [
                self._field(0, 59, near=[0, 15, 30, 45], star=0.05, step=0.25),
                self._field(0, 23, near=near_hours, star=0.3, step=0.25),
                self._field(1, 31, near=[day.day for day in days], star=0.7),
                self._named(month, MONTHS, first=1),
                self._named(weekday, WEEKDAYS, first=0),
            ]
        )

    def _field(self, low: int, high: int, *, near: list[int], star: float, step: float = 0.1) -> str:
        chance = self.random.random()
        if chance < star:
            return "*"
        if chance < star + step:
            return f"*/{self.random.randint(2, (high - low + 1) // 2)}"
        return ",".join(self._item(low, high, near) for _ in range(self.random.choice([1, 1, 2, 3])))

    def _item(self, low: int, high: int, near: list[int]) -> str:
        kind = self.random.choice(["near", "near", "number", "range", "step"])
        if kind == "near":
            return str(self.random.choice(near))
        if kind == "number":
            return str(self.random.randint(low, high))
        first = self.random.randint(low, high - 1)
        last = self.random.randint(first + 1, min(high, first + 12))
        return f"{first}-{last}" if kind == "range" else f"{first}-{last}/{self.random.randint(1, last - first)}"

    def _named(self, text: str, words: list[str], *, first: int) -> str:
        """The field with a name in place of its number, now and then."""
        if text.isdigit() and self.random.random() < 0.3:
            return words[(int(text) - first) % len(words)]
        return text
