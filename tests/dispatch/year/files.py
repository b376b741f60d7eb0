"""Job files of the simulated year, of all kinds, drawn from a seed."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tests.dispatch.year.schedules import DAY, HOUR, MINUTE, Rules, Times, When, day_of

ZONES = ("UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata")


@dataclass(frozen=True)
class File:
    """What a job file says."""

    rules: Rules
    panel: str
    note: int = 0
    is_broken: bool = False
    enabled: bool = True
    missed: str = "once"
    grace: int = 6 * HOUR
    overlap: str = "skip"
    wait: int = 6 * HOUR
    disable_after: int = 0

    @property
    def text(self) -> str:
        own = "" if self.rules.after else f", missed: {self.missed}, grace: {self.grace // MINUTE}m"
        failures = f"disable_after: {self.disable_after}\n" if self.disable_after else ""
        return (
            f"description: version {self.note}\nmodule: {'nonsense' if self.is_broken else 'import'}\n"
            f"schedule: {{{self.rules.text}{own}}}\n"
            f"enabled: {str(self.enabled).lower()}\noverlap: {self.overlap}\nwait: {self.wait // MINUTE}m\n{failures}"
            f"with: {{source: {{path: x.csv}}, destination: {{panel: {self.panel}}}, action: upsert, match: [ID],"
            " map: {ID: member}}\n"
        )


def draw_file(chance: Random, jobs: list[str], number: int, start: int) -> File:
    """A job of any kind; some come after one of `jobs`."""
    today = day_of(start)
    kind = chance.random()
    zone = chance.choice(ZONES)
    if jobs and kind < 0.1:
        accept = ("completed", "partial") if chance.random() < 0.5 else ("completed",)
        rules = Rules(after=chance.choice(jobs), accept=accept)
    elif kind < 0.15:
        rules = Rules((Times((_one_time(chance, today),), zone),))
    else:
        rules = Rules(
            tuple(_times(chance, zone, today) for _ in range(chance.choice((1, 1, 1, 2)))),
            jitter=chance.choice((0, 0, 0, 0, 7, 30)),
            then=chance.choice(("", "", "", "", "skip", "previous", "next")),
            windows=chance.choice(((), (), (), (), ("nightly",), ("sundays",), ("nightly", "sunday-night"))),
        )
    return File(
        rules,
        f"P{number}",
        enabled=chance.random() > 0.04,
        missed=chance.choice(("once", "once", "all", "skip")) if not rules.after else "once",
        grace=chance.choice((20 * MINUTE, 2 * HOUR, 6 * HOUR, 2 * DAY)) if not rules.after else 6 * HOUR,
        overlap=chance.choice(("skip", "skip", "wait", "replace")),
        wait=chance.choice((6 * HOUR, 30 * MINUTE)),
        disable_after=chance.choice((0, 0, 0, 2)),
    )


def _times(chance: Random, zone: str, today: date) -> Times:
    first = today + timedelta(chance.randint(-5, 5)) if chance.random() < 0.1 else None
    last = today + timedelta(chance.randint(6, 40)) if first is None and chance.random() < 0.1 else None
    return Times((_word(chance),), chance.choice((zone, zone, chance.choice(ZONES))), first, last)


def _one_time(chance: Random, today: date) -> When:
    day, minute = today + timedelta(chance.randint(-1, 4)), _minute(chance)
    return When(f'at: "{day} {_time(minute)}"', frozenset([minute]), lambda each: each == day)


def _word(chance: Random) -> When:
    minute, late = _minute(chance), chance.choice((12 * 60, 18 * 60 + 45))
    one, two, past, at = frozenset([minute]), frozenset([minute, late]), minute % 60, _time(minute)
    draw = chance.random()
    if draw < 0.05:
        return When(f"hourly: {past}", frozenset(range(past, 1440, 60)), follows_clock=True)
    if draw < 0.08:
        return When("hourly: [0, 30]", frozenset(range(0, 1440, 30)), follows_clock=True)
    if draw < 0.12:
        return When(f'cron: "{past} */6 * * *"', frozenset(range(past, 1440, 360)), follows_clock=True)
    if draw < 0.15:
        times = frozenset(hour * 60 + each for hour in (1, 2) for each in (0, 20, 40))
        return When('cron: "*/20 1-2 * * *"', times, follows_clock=True)
    if draw < 0.21:
        text, hours = chance.choice((("90m", 1.5), ("3h", 3), ("7h", 7), ("1d", 24), ("2d", 48)))
        return When(f"every: {text}", every_s=int(hours * HOUR))
    daily = (
        When(f'daily: "{at}"', one),
        When(f'daily: ["{at}", "{_time(late)}"]', two),
        When(f"weekly: mon-fri {at}", one, lambda day: day.isoweekday() < 6),
        When(f'weekly: "sat,sun {at}"', one, lambda day: day.isoweekday() > 5),
        When(f"weekly: sun {at}", one, lambda day: day.isoweekday() == 7),
        When(f"monthly: 15 {at}", one, lambda day: day.day == 15),
        When(f"monthly: last {at}", one, lambda day: (day + timedelta(1)).day == 1),
        When(f"monthly: 3rd fri {at}", one, lambda day: day.isoweekday() == 5 and 15 <= day.day <= 21),
        When(f"monthly: last weekday {at}", one, _is_last_weekday),
        When(f'cron: "{past} {minute // 60} * * 1-5"', one, lambda day: day.isoweekday() < 6),
        When(f'cron: "{past} {minute // 60} 1,25 * 1"', one, lambda day: day.day in (1, 25) or day.isoweekday() == 1),
        When(
            f'cron: "{past} {minute // 60} */2 * 0-3"', one, lambda day: day.day % 2 == 1 and day.isoweekday() % 7 < 4
        ),
        When('cron: "@daily"', frozenset([0])),
    )
    return chance.choice((*daily, daily[0], daily[1]))


def _is_last_weekday(day: date) -> bool:
    rest = [day + timedelta(count) for count in range(1, 4)]
    return day.isoweekday() < 6 and not any(each.month == day.month and each.isoweekday() < 6 for each in rest)


def _minute(chance: Random) -> int:
    return chance.choice((chance.randrange(60, 210, 15), chance.randrange(60, 210, 15), chance.randrange(1440)))


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def minutely(start: int) -> File:
    """A job of so many slots that idms does not keep each of them when nobody looks for a day."""
    day = day_of(start)
    return File(Rules((Times((When("every: 1m", every_s=MINUTE),), "UTC", day, day),)), "Minutely")
