"""The calendars of this installation, and whether a job can heed those that it names."""

from datetime import UTC, datetime

from idms_cli.config.problems import BadValue, Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.jobs.calendar import Calendar
from idms_cli.jobs.calendars import Calendars
from idms_cli.jobs.job import Job
from idms_cli.jobs.occurrences import Occurrences
from idms_cli.jobs.stored import Stored


def calendar_files(settings: Settings) -> tuple[str, ...]:
    """The .ics files that idms.yaml names."""
    named = (options.file for options in settings.calendars.values())
    return tuple(str(settings.directory / path) for path in named if path is not None)


def calendars_of(settings: Settings, now: datetime) -> Calendars:
    """The calendars as they are for the years around now."""
    year = now.astimezone(UTC).year
    return Calendars(settings.calendars, settings.directory, settings.timezone, year=year)


def heeded(job: Job, calendars: Calendars) -> dict[str, Calendar]:
    """The calendars that a job heeds. Raises `ProblemsFound` for those that cannot be read, or leave it no time."""
    data = Stored.from_text(job.schedule_text).data if job.schedule_text else {}
    found: dict[str, Calendar] = {}
    problems: list[Problem] = []
    for names, loc in (
        (data.get("holidays", {}).get("calendars", ()), ("schedule", "holidays", "calendar")),
        (data.get("not_during", ()), ("schedule", "not_during")),
    ):
        for name in names:
            try:
                found[name] = _usable(calendars.get(name), as_holidays="holidays" in loc)
            except BadValue as error:
                message = f"the calendar '{name}': {error}"
                problems.append(job.document.problem(loc, message, hint=error.hint, value=""))
        everything = Calendar(
            "", job.zone, weekly=tuple(text for name in names if name in found for text in found[name].weekly)
        )
        if everything.is_always:
            hint = "Take a day or an hour out of its `weekly:`."
            message = "the calendars leave no time of the week"
            problems.append(job.document.problem(loc, message, hint=hint, value=""))
    if problems:
        raise ProblemsFound(problems)
    return found


def planned(job: Job, calendars: Calendars) -> Occurrences | None:
    """When the job's slots act, as its file says now; None without a schedule. Raises `ProblemsFound` as `heeded`."""
    heeded(job, calendars)
    return Stored.from_text(job.schedule_text).occurrences(job.zone, calendars.get) if job.schedule_text else None


def _usable(calendar: Calendar, *, as_holidays: bool) -> Calendar:
    if as_holidays and not calendar.has_days:
        hint = "Give it `dates:` or whole weekdays; hours of the day are for `not_during:`."
        raise BadValue("it has no whole days", hint=hint)
    return calendar
