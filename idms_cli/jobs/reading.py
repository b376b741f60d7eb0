"""The `schedule:` of a job file, read whole: what it says, or every problem in it with its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from idms_cli.config.documents import Document, Loc
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import Problem
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.jobs.slots import Schedule
from idms_cli.jobs.stored import Stored, WrongSchedule
from idms_cli.jobs.timing import Moments, ScheduleOptions, as_options

_FORM: Final = (
    'Write `cron: "15 2 * * *"` or `daily: "02:15"` for a recurring job, `at: 2026-12-01 06:00` for a one-time job.'
)
_ALONE: Final = "The times are those of the other job: leave everything but `after:` and `grace:` out."
_BESIDE_AFTER: Final = ("any", "from_", "until", "jitter", "holidays", "not_during")


@dataclass(frozen=True)
class Timing:
    """When a job is due. A job without a schedule has nothing but a zone."""

    options: ScheduleOptions
    zone: ZoneInfo
    schedule: Schedule | None = None
    stored: Stored | None = None


def read_timing(
    written: ScheduleOptions | tuple[Moments, ...] | str | None,
    name: str,
    document: Document,
    settings: Settings,
    problems: list[Problem],
) -> Timing:
    """The schedule of the job of this name; what is wrong in it is added to `problems`."""
    if written is None:
        return Timing(ScheduleOptions(), settings.timezone)
    options = as_options(written)
    zones = {entry.timezone for entry in options.any or ()}
    zone = options.timezone or (zones.pop() if len(zones) == 1 else None) or settings.timezone
    found = [*_wrong_mixture(options, document), *unknown_calendars(document, settings)]
    problems += found
    if found:
        return Timing(options, zone)
    stored = Stored.of(options, name)
    try:
        return Timing(options, zone, stored.schedule(zone), stored)
    except WrongSchedule as error:
        problems.append(document.problem(_place(error.loc, options, document), str(error), hint=error.hint))
        return Timing(options, zone)


def _wrong_mixture(options: ScheduleOptions, document: Document) -> Iterator[Problem]:
    has_words = any(options.words())
    if options.after is not None:
        others = [key.rstrip("_") for key in _BESIDE_AFTER if getattr(options, key) is not None]
        for key in [*others, *(word for word, _ in options.words())]:
            message = "this key cannot stand beside after:"
            yield document.problem(("schedule", key), message, hint=_ALONE, on_key=True, value="")
        return
    if not has_words and not options.any:
        yield document.problem(("schedule",), "the schedule does not say when", hint=_FORM, on_key=True, value="")
    for index, entry in enumerate(options.any or ()):
        if not any(entry.words()):
            yield document.problem((*_list(document), index), "this entry does not say when", hint=_FORM)


def unknown_calendars(document: Document, settings: Settings) -> Iterator[Problem]:
    """Looked for in the data as written, so that it is told together with all other mistakes."""
    for loc in (("schedule", "holidays", "calendar"), ("schedule", "not_during")):
        written = document.at(loc)
        for index, name in enumerate(written if isinstance(written, list) else [written]):
            if isinstance(name, str) and name not in settings.calendars:
                known = f"known: {', '.join(settings.calendars)}" if settings.calendars else "write it under calendars:"
                hint = did_you_mean(name, settings.calendars) or known
                message = f"there is no calendar '{shortened(name)}' in {settings.path.name}"
                yield document.problem((*loc, index), message, hint=hint)


def _list(document: Document) -> Loc:
    """Where the entries of a list of schedules stand."""
    return ("schedule",) if isinstance(document.at(("schedule",)), list) else ("schedule", "any")


def _place(loc: Loc, options: ScheduleOptions, document: Document) -> Loc:
    """Where the document has what `Stored` has there: its first entry may be the mapping under `schedule:` itself."""
    index, *rest = loc
    own = any(options.words())
    if own and index == 0:
        return ("schedule", *rest)
    return (*_list(document), int(index) - own, *rest)
